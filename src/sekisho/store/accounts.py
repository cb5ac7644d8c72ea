"""Accounts: sealed rows, one for each login of the installation. What is secret in them is never in clear on disk."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sekisho.mail.account import Account, ScramKeys
from sekisho.mail.kept import StoreAwayError
from sekisho.store.audit import clean, micros
from sekisho.store.keys import Keys

_T = TypeVar("_T")
Why = Literal["", "compromised", "breached", "shared", "weak", "given"]

PRINT_OCTETS = 16  # of one password's fingerprint
_ACCOUNT = "account"
_PRINTS = "account-prints"
_INSERT = """
INSERT INTO account (login, tenant, source, disabled, changed_at, document, prints) VALUES (?, ?, ?, ?, ?, ?, ?)"""
_UPDATE = "UPDATE account SET disabled = ?, changed_at = ?, document = ?, prints = ? WHERE login = ?"
_ONE = "SELECT login, tenant, document, prints FROM account WHERE login = ?"
_ALL = "SELECT login, tenant, document, prints FROM account WHERE tenant = ? OR ? = '' ORDER BY tenant, login"
_DISABLED = "SELECT tenant, login, disabled FROM account"
_OF_PRINTS = "SELECT login, prints FROM account WHERE tenant = ? AND length(prints) > 0"
_REMOVE = "DELETE FROM account WHERE login = ? AND tenant = ?"
_STAMP = "SELECT count(*), coalesce(max(changed_at), 0), coalesce(sum(changed_at % 1000003), 0) FROM account"


class AccountExistsError(Exception):
    """Accounts were to be made whose logins are there already; none of them was made. `logins` are those."""

    def __init__(self, logins: Sequence[str]) -> None:
        super().__init__(f"there already: {', '.join(logins)}")
        self.logins = tuple(logins)


class AppPassword(Struct, frozen=True):
    """A password that we made for one program. `digest` is its keyed hash.

    It is good at these `listeners` and from these `networks` only (() means any), and until `expires_at`.
    """

    id: str
    name: str
    digest: bytes
    created_at: datetime
    listeners: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    def __repr__(self) -> str:
        """Without the hash."""
        return f"AppPassword({self.id!r}, {self.name!r})"


class SecondFactor(Struct, frozen=True):
    """A TOTP secret (octets), in use once `confirmed`. `last_step` is the newest time step of which a code was taken.

    `recovery` are keyed hashes of the codes that are left; `failures` in a row, the last at `failed_at`.
    """

    secret: bytes
    confirmed: bool = False
    last_step: int = 0
    recovery: tuple[bytes, ...] = ()
    failures: int = 0
    failed_at: datetime | None = None

    def __repr__(self) -> str:
        """Without the secret."""
        return f"SecondFactor(confirmed={self.confirmed})"


class StoredAccount(Struct, frozen=True):
    """An account with all that is kept of it.

    `source` "" is ours; else it names whose accounts it is of, and its password is there. `password` is an argon2id
    PHC string, or "{SCHEME}…" from an import until the next login. `change_why` says why the password must be
    changed, "" where it need not.
    """

    account: Account
    created_at: datetime
    source: str = ""
    disabled: bool = False
    password: str = ""
    scram: ScramKeys | None = None
    password_set_at: datetime | None = None
    change_why: Why = ""
    change_since: datetime | None = None
    app_passwords: tuple[AppPassword, ...] = ()
    second_factor: SecondFactor | None = None

    def __repr__(self) -> str:
        """Without anything secret: it must not get into a log."""
        return f"StoredAccount({self.account.login!r})"


class NewAccount(Struct, frozen=True):
    """An account to be made; `print` is its password's fingerprint, b"" for none."""

    stored: StoredAccount
    print: bytes = b""

    def __repr__(self) -> str:
        """Without the fingerprint."""
        return f"NewAccount({self.stored.account.login!r})"


class _Run(Protocol):
    def __call__(self, run: Callable[[sqlite3.Connection], _T], /) -> Awaitable[_T]: ...


class AccountRows:
    """The accounts of an installation. `read` and `write` run a statement in the store's threads.

    Logins are canonical (`canonical_login`). Every method may raise StoreAwayError.
    """

    def __init__(self, keys: Keys, read: _Run, write: _Run) -> None:
        self._keys = keys
        self._read = read
        self._write = write

    async def add(self, accounts: Sequence[NewAccount]) -> None:
        """Make all of these accounts, or none. Raises AccountExistsError, also where two have one login."""
        rows = [self._row(new.stored, new.print) for new in accounts]
        if twice := [login for login, times in Counter(row[0] for row in rows).items() if times > 1]:
            raise AccountExistsError(twice)

        def run(connection: sqlite3.Connection) -> list[str]:
            there = [row[0] for row in rows if connection.execute(_ONE, (row[0],)).fetchone()]
            if not there:
                connection.executemany(_INSERT, rows)
            return there

        if there := await self._write(run):
            raise AccountExistsError(there)

    async def find(self, login: str) -> StoredAccount | None:
        """The account of a login, whatever its tenant; None where there is none."""
        row = await self._read(lambda connection: connection.execute(_ONE, (clean(login),)).fetchone())
        return self._stored(row) if row else None

    async def change(
        self,
        login: str,
        to: Callable[[StoredAccount], StoredAccount],
        *,
        new_print: bytes = b"",
        most_prints: int = 0,
    ) -> StoredAccount | None:
        """Write what `to` makes of an account, durably, with no other change between; None where there is none.

        A `new_print` comes before the account's other fingerprints, of which `most_prints` stay in all.
        """

        def run(connection: sqlite3.Connection) -> StoredAccount | None:
            row = connection.execute(_ONE, (clean(login),)).fetchone()
            if row is None:
                return None
            before = self._stored(row)
            after = to(before)
            if after == before and not new_print:
                return before
            prints = self._prints(row[1], row[0], row[3])
            if new_print:
                prints = (new_print + prints)[: max(most_prints, 1) * PRINT_OCTETS]
            written = self._row(replace(after, account=_same_key(before, after)), prints)
            connection.execute(_UPDATE, (*written[3:], written[0]))
            return after

        return await self._write(run)

    async def remember(self, account: Account, source: str) -> StoredAccount:
        """Note an account as another source describes it, for what is asked later. The account as it is kept.

        A login that is kept as ours, or of another source, stays as it is.
        """
        found = await self.find(account.login)
        if found is None:
            new = StoredAccount(account, datetime.now(UTC).replace(microsecond=0), source)
            try:
                await self.add([NewAccount(new)])
            except AccountExistsError:
                return await self.find(account.login) or new
            return new
        if found.source != source or found.account == account:
            return found
        return await self.change(account.login, lambda stored: replace(stored, account=account)) or found

    async def remove(self, tenant: str, login: str) -> bool:
        """Delete an account and all that is kept of it; whether it was there."""
        return await self._write(
            lambda connection: connection.execute(_REMOVE, (clean(login), clean(tenant))).rowcount > 0
        )

    async def of(self, tenant: str = "") -> list[StoredAccount]:
        """The accounts of a tenant, or of all, by tenant and login."""
        return await self._read(lambda connection: [self._stored(row) for row in self._rows(connection, tenant)])

    async def disabled(self) -> dict[tuple[str, str], bool]:
        """By tenant and login, whether an account is disabled. About a microsecond each: nothing is unsealed."""
        rows = await self._read(lambda connection: connection.execute(_DISABLED).fetchall())
        return {(tenant, login): bool(disabled) for tenant, login, disabled in rows}

    async def accounts(self) -> list[Account]:
        """All accounts that may send, for `accounts.directory`."""
        return [stored.account for stored in await self.of() if not stored.disabled]

    async def prints(self, tenant: str) -> dict[str, tuple[bytes, ...]]:
        """The fingerprints of a tenant's accounts by login, an account's newest first. Some µs an account."""

        def run(connection: sqlite3.Connection) -> dict[str, tuple[bytes, ...]]:
            rows = connection.execute(_OF_PRINTS, (clean(tenant),))
            return {login: _parts(self._prints(clean(tenant), login, sealed)) for login, sealed in rows}

        return await self._read(run)

    async def stamp(self) -> tuple[int, ...]:
        """Something that is another where the accounts are others. Microseconds."""
        return tuple(await self._read(lambda connection: connection.execute(_STAMP).fetchone()))

    def digest(self, purpose: str, login: str, text: str) -> bytes:
        """The keyed hash of something long and random that we made (app password, recovery code), 16 octets."""
        return bytes.fromhex(self._keys.keyed_hash(purpose, f"{login}\0{text}"))

    def _rows(self, connection: sqlite3.Connection, tenant: str) -> Iterable[tuple[Any, ...]]:
        return connection.execute(_ALL, (clean(tenant), tenant))

    def _row(self, stored: StoredAccount, prints: bytes) -> tuple[Any, ...]:
        login, tenant = clean(stored.account.login), clean(stored.account.tenant)
        document = self._keys.seal(_ACCOUNT, tenant, login, msgspec.msgpack.encode(stored))
        sealed = self._keys.seal(_PRINTS, tenant, login, prints) if prints else b""
        now = micros(datetime.now(UTC))
        return (login, tenant, clean(stored.source), int(stored.disabled), now, document, sealed)

    def _stored(self, row: tuple[Any, ...]) -> StoredAccount:
        login, tenant, sealed, _ = row
        try:
            plain = self._keys.unseal(_ACCOUNT, tenant, login, sealed)
            return msgspec.msgpack.decode(plain, type=StoredAccount)
        except (StoreAwayError, msgspec.DecodeError) as error:
            # Without it nobody knows whether the account may come in.
            raise StoreAwayError(f"account {login} cannot be read: {error}") from error

    def _prints(self, tenant: str, login: str, sealed: bytes) -> bytes:
        return self._keys.unseal(_PRINTS, tenant, login, sealed) if sealed else b""


def _same_key(before: StoredAccount, after: StoredAccount) -> Account:
    """Tenant and login are what the row is found and sealed by."""
    return replace(after.account, tenant=before.account.tenant, login=before.account.login)


def _parts(prints: bytes) -> tuple[bytes, ...]:
    return tuple(prints[at : at + PRINT_OCTETS] for at in range(0, len(prints), PRINT_OCTETS))
