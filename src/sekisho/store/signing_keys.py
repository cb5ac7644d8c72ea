"""DKIM keys: sealed rows, one for each selector of a domain. A private key is never in clear on disk."""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from sekisho.mail.kept import StoreAwayError
from sekisho.mail.signing_key import SigningKey
from sekisho.store.audit import clean
from sekisho.store.keys import Keys

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_PURPOSE = "signing-key"
_MARK_BITS = 40  # some thousand of them add up to less than SQLite's largest number
_COLUMNS = "domain, selector, tenant, document"
_INSERT = "INSERT INTO signing_key (domain, selector, tenant, state, mark, document) VALUES (?, ?, ?, ?, ?, ?)"
_UPDATE = "UPDATE signing_key SET state = ?, mark = ?, document = ? WHERE domain = ? AND selector = ?"
_REMOVE = "DELETE FROM signing_key WHERE domain = ? AND selector = ?"
_ONE = f"SELECT {_COLUMNS} FROM signing_key WHERE domain = ? AND selector = ?"  # noqa: S608 - constant columns
_OF = f"""
SELECT {_COLUMNS} FROM signing_key WHERE (tenant = ?1 OR ?1 = '') AND (domain = ?2 OR ?2 = '')
ORDER BY tenant, domain, selector"""  # noqa: S608
_STAMP = "SELECT count(*), coalesce(sum(mark), 0) FROM signing_key"


class SigningKeyExistsError(Exception):
    """Keys were to be written whose selectors the domain has already; none was. `names` are those."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"there already: {', '.join(names)}")
        self.names = tuple(names)


class _Run(Protocol):
    def __call__(self, run: Callable[[sqlite3.Connection], _T], /) -> Awaitable[_T]: ...


class SigningKeyRows:
    """The keys of an installation. `read` and `write` run a statement in the store's threads.

    Every method may raise StoreAwayError.
    """

    def __init__(self, keys: Keys, read: _Run, write: _Run) -> None:
        self._keys = keys
        self._read = read
        self._write = write

    async def add(self, keys: Sequence[SigningKey], instead_of: Sequence[SigningKey] = ()) -> None:
        """Write new keys durably, all or none; `instead_of` go in the same step. Raises SigningKeyExistsError."""
        rows = [(k.domain, k.selector, clean(k.tenant), k.state, _mark(), self._sealed(k)) for k in keys]

        def run(connection: sqlite3.Connection) -> list[str]:
            gone = [old for old in instead_of if self._stands(connection, old)]
            free = {(old.domain, old.selector) for old in gone}
            there = [
                f"{row[1]}._domainkey.{row[0]}"
                for row in rows
                if row[:2] not in free and connection.execute(_ONE, row[:2]).fetchone()
            ]
            if not there:
                connection.executemany(_REMOVE, sorted(free))
                connection.executemany(_INSERT, rows)
            return there

        if there := await self._write(run):
            raise SigningKeyExistsError(there)

    async def of(self, tenant: str = "", domain: str = "") -> list[SigningKey]:
        """The keys of a tenant and of a domain ("": of all). One that cannot be read is left out and logged."""
        values = (clean(tenant), domain)
        rows = await self._read(lambda connection: connection.execute(_OF, values).fetchall())
        found = []
        for row in rows:
            try:
                found.append(self._key(*row))
            except StoreAwayError as error:
                log.error("DKIM key %s of %s: %s", row[1], row[0], error)  # noqa: TRY400 - nothing to trace
        return found

    async def change(self, changes: Sequence[tuple[SigningKey, SigningKey]]) -> bool:
        """Write keys anew, pairs of (before, after), durably; False, and nothing, if one is not as before."""
        rows = [(k.state, _mark(), self._sealed(k), k.domain, k.selector) for _, k in changes]

        def run(connection: sqlite3.Connection) -> bool:
            if not all(self._stands(connection, before) for before, _ in changes):
                return False
            connection.executemany(_UPDATE, rows)
            return True

        return await self._write(run)

    async def remove(self, key: SigningKey) -> bool:
        """Forget a key durably; False where it is not as it was any more."""

        def run(connection: sqlite3.Connection) -> bool:
            if not self._stands(connection, key):
                return False
            connection.execute(_REMOVE, (key.domain, key.selector))
            return True

        return await self._write(run)

    async def stamp(self) -> tuple[int, int]:
        """Another pair of numbers whenever anything has changed. Microseconds."""
        count, total = await self._read(lambda connection: connection.execute(_STAMP).fetchone())
        return int(count), int(total)

    def _stands(self, connection: sqlite3.Connection, key: SigningKey) -> bool:
        row = connection.execute(_ONE, (key.domain, key.selector)).fetchone()
        return row is not None and self._key(*row) == key

    def _sealed(self, key: SigningKey) -> bytes:
        return self._keys.seal(_PURPOSE, clean(key.tenant), _name(key.domain, key.selector), msgspec.json.encode(key))

    def _key(self, domain: str, selector: str, tenant: str, sealed: Any) -> SigningKey:
        try:
            plain = self._keys.unseal(_PURPOSE, tenant, _name(domain, selector), sealed)
            return msgspec.json.decode(plain, type=SigningKey)
        except msgspec.DecodeError as error:
            raise StoreAwayError("cannot be read") from error


def _name(domain: str, selector: str) -> str:
    return f"{selector}._domainkey.{domain}"


def _mark() -> int:
    return secrets.randbits(_MARK_BITS)
