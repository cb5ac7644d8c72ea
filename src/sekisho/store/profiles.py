"""What is usual for accounts: one sealed row each, written only over the version that was read."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from sekisho.store.audit import clean
from sekisho.store.keys import Keys

_T = TypeVar("_T")
_PURPOSE = "account-profile"
_READ = "SELECT version, document FROM account_profile WHERE tenant = ? AND login = ?"
_INSERT = """
INSERT INTO account_profile (tenant, login, version, changed_at, document) VALUES (?, ?, 1, ?, ?)
ON CONFLICT DO NOTHING"""
_UPDATE = """
UPDATE account_profile SET version = version + 1, changed_at = ?, document = ?
WHERE tenant = ? AND login = ? AND version = ?"""
_FORGET = "DELETE FROM account_profile WHERE tenant = ? AND login = ?"
_FORGET_OLD = "DELETE FROM account_profile WHERE changed_at < ?"


class _Run(Protocol):
    def __call__(self, run: Callable[[sqlite3.Connection], _T], /) -> Awaitable[_T]: ...


class ProfileRows:
    """Profiles by tenant and login. `read` and `write` run a statement in the store's threads.

    Every method raises StoreAwayError.
    """

    def __init__(self, keys: Keys, read: _Run, write: _Run) -> None:
        self._keys = keys
        self._read = read
        self._write = write

    async def profile(self, tenant: str, login: str) -> tuple[int, bytes]:
        """The version of an account's row, and what is in it; (0, b"") where there is none."""
        tenant, login = clean(tenant), clean(login)

        def run(connection: sqlite3.Connection) -> tuple[Any, ...] | None:
            row: tuple[Any, ...] | None = connection.execute(_READ, (tenant, login)).fetchone()
            return row

        row = await self._read(run)
        return (int(row[0]), self._keys.unseal(_PURPOSE, tenant, login, row[1])) if row else (0, b"")

    async def put_profile(self, tenant: str, login: str, version: int, document: bytes, at: float) -> bool:
        """Write over the version that was read (0: none); False if somebody was faster. `at` is in seconds."""
        tenant, login = clean(tenant), clean(login)
        sealed, micros = self._keys.seal(_PURPOSE, tenant, login, document), int(at * 1e6)

        def run(connection: sqlite3.Connection) -> bool:
            if version == 0:
                done = connection.execute(_INSERT, (tenant, login, micros, sealed))
            else:
                done = connection.execute(_UPDATE, (micros, sealed, tenant, login, version))
            return done.rowcount == 1

        return await self._write(run)

    async def forget_profile(self, tenant: str, login: str) -> None:
        """Begin an account anew."""
        of = (clean(tenant), clean(login))
        await self._write(lambda connection: connection.execute(_FORGET, of) and None)

    async def forget_profiles(self, before: float) -> int:
        """Delete those that were not written since (seconds since 1970); how many there were."""
        micros = int(before * 1e6)
        return await self._write(lambda connection: connection.execute(_FORGET_OLD, (micros,)).rowcount)
