"""What is done to our own accounts: made, changed, given passwords and second factors."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from sekisho.accounts.passwords import reuse
from sekisho.accounts.passwords.hashing import Hasher
from sekisho.accounts.passwords.policy import PasswordPolicy, Verdict
from sekisho.accounts.passwords.preparation import PreparationError
from sekisho.accounts.passwords.state import PasswordState, Why, changed, must_change
from sekisho.accounts.sources.own import APP_PASSWORD
from sekisho.accounts.totp import RECOVERY, checked, enrolment_uri, new_factor
from sekisho.mail.account import Account
from sekisho.store.accounts import AccountRows, AppPassword, NewAccount, StoredAccount

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_APP_CHARACTERS = 24  # of 31 letters: 118 bits


class RefusedError(Exception):
    """A password that is not good enough. `verdict` says why; the text does too, for administrators."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__("; ".join(reason.text.en for reason in verdict.reasons))
        self.verdict = verdict


class NoAccountError(Exception):
    """There is no such account of ours; the text is its login."""


class Upkeep:
    """Changes accounts in the store. `policy` is the tenant's, `print_key` is `Keys.derived(reuse.PURPOSE)`."""

    def __init__(
        self,
        rows: AccountRows,
        hasher: Hasher,
        policy: PasswordPolicy,
        print_key: bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rows = rows
        self._hasher = hasher
        self._policy = policy
        self._print_key = print_key
        self._now = now

    async def judge(self, account: Account, password: str, *, second_factor: bool = False) -> Verdict:
        """What a password is like for an account: by itself, and by where else it is used. Raises StoreAwayError."""
        prints = await self._rows.prints(account.tenant)
        own = prints.pop(account.login, ())
        try:
            of = reuse.fingerprint(self._print_key, account.tenant, password)
        except PreparationError:
            used = None
        else:
            used = reuse.reused(of, own, [one for others in prints.values() for one in others[:1]])
        names = (account.name, *account.addresses)
        return self._policy.judge(password, login=account.login, names=names, second_factor=second_factor, reuse=used)

    async def new(self, account: Account, password: str = "", why: Why = "given") -> NewAccount:
        """An account to be made, with its password unless that is "". Judges nothing. Raises PreparationError."""
        at = self._now().replace(microsecond=0)
        if not password:
            return NewAccount(StoredAccount(account, at))
        kept = await self._hasher.keep(password)
        stored = StoredAccount(
            account,
            at,
            password=kept.encoded,
            scram=kept.scram,
            password_set_at=at,
            change_why=why,
            change_since=at if why else None,
        )
        return NewAccount(stored, reuse.fingerprint(self._print_key, account.tenant, password))

    async def add(self, account: Account, password: str = "") -> None:
        """Make an account. Raises RefusedError, AccountExistsError, StoreAwayError."""
        if password and not (verdict := await self.judge(account, password)).good:
            raise RefusedError(verdict)
        await self._rows.add([await self.new(account, password)])

    async def set_password(self, login: str, password: str, *, by_owner: bool) -> None:
        """Give an account another password; its app passwords end.

        What an administrator sets, its owner is to change. Raises RefusedError, NoAccountError, StoreAwayError.
        """
        stored = await self._stored(login)
        # A second factor makes no shorter password good: mail programs log in with the password alone.
        verdict = await self.judge(stored.account, password)
        if not verdict.good:
            raise RefusedError(verdict)
        kept = await self._hasher.keep(password)
        state = changed(self._now().replace(microsecond=0), by_owner=by_owner)
        await self._change(
            login,
            lambda now: replace(
                now,
                password=kept.encoded,
                scram=kept.scram,
                password_set_at=state.set_at,
                change_why=state.why,
                change_since=state.since,
                app_passwords=(),
            ),
            new_print=reuse.fingerprint(self._print_key, stored.account.tenant, password),
        )

    async def must_change(self, login: str, why: Why) -> None:
        """Have the owner change the password. Raises NoAccountError, StoreAwayError."""
        at = self._now().replace(microsecond=0)

        def noted(now: StoredAccount) -> StoredAccount:
            before = PasswordState(now.password_set_at or now.created_at, now.change_why, now.change_since)
            after = must_change(before, why, at)
            return replace(now, change_why=after.why, change_since=after.since)

        await self._change(login, noted)

    async def change(self, login: str, to: Callable[[StoredAccount], StoredAccount]) -> StoredAccount:
        """Change what is said of an account. Raises NoAccountError, StoreAwayError."""
        return await self._change(login, to)

    async def app_password(
        self,
        login: str,
        name: str,
        *,
        listeners: Sequence[str] = (),
        networks: Sequence[str] = (),
        expires_at: datetime | None = None,
    ) -> str:
        """A new password for one program, which is shown once. Raises NoAccountError, StoreAwayError."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(_APP_CHARACTERS))
        made = AppPassword(
            secrets.token_hex(4),
            name,
            self._rows.digest(APP_PASSWORD, login, letters),
            self._now().replace(microsecond=0),
            tuple(listeners),
            tuple(networks),
            expires_at,
        )
        await self._change(login, lambda now: replace(now, app_passwords=(*now.app_passwords, made)))
        return "-".join(letters[at : at + 4] for at in range(0, _APP_CHARACTERS, 4))

    async def end_app_password(self, login: str, name: str) -> bool:
        """End the app passwords of a name or id; whether there were any. Raises NoAccountError, StoreAwayError."""
        found = False

        def without(now: StoredAccount) -> StoredAccount:
            nonlocal found
            left = tuple(app for app in now.app_passwords if name not in (app.name, app.id))
            found = len(left) < len(now.app_passwords)
            return replace(now, app_passwords=left)

        await self._change(login, without)
        return found

    async def enrol(self, login: str) -> tuple[str, tuple[str, ...]]:
        """A new second factor: the URI for a device and the recovery codes, shown once. Raises NoAccountError."""
        factor, codes = new_factor(lambda code: self._rows.digest(RECOVERY, login, code))
        await self._change(login, lambda now: replace(now, second_factor=factor))
        return enrolment_uri(factor, login), codes

    async def second_factor(self, login: str, code: str) -> bool:
        """Whether a code of the second factor is good; the first one confirms it. Raises NoAccountError."""
        good = False

        def used(now: StoredAccount) -> StoredAccount:
            nonlocal good
            if now.second_factor is None:
                return now
            factor, good = checked(
                now.second_factor, code, self._now(), lambda text: self._rows.digest(RECOVERY, login, text)
            )
            return replace(now, second_factor=factor)

        await self._change(login, used)
        return good

    async def _stored(self, login: str) -> StoredAccount:
        stored = await self._rows.find(login)
        if stored is None:
            raise NoAccountError(login)
        return stored

    async def _change(
        self, login: str, to: Callable[[StoredAccount], StoredAccount], *, new_print: bytes = b""
    ) -> StoredAccount:
        most = max(self._policy.settings.last_passwords, 1)
        stored = await self._rows.change(login, to, new_print=new_print, most_prints=most)
        if stored is None:
            raise NoAccountError(login)
        return stored
