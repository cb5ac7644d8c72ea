"""What happened to accounts' locks: sealed rows in the order they were written. They stay; only `told` changes."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from sekisho.mail.kept import StoreAwayError
from sekisho.mail.lock import LockEvent
from sekisho.store.audit import clean, micros
from sekisho.store.keys import Keys

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_PURPOSE = "account-lock"
_MOST = 1000  # events of one account that are looked at, the newest
_COLUMNS = "number, tenant, login, document"
_INSERT = "INSERT INTO account_lock (tenant, login, step, at, told, document) VALUES (?, ?, ?, ?, ?, ?)"
_SINCE = f"SELECT {_COLUMNS} FROM account_lock WHERE number > ? ORDER BY number"  # noqa: S608 - constant columns
_OF = f"""
SELECT * FROM (SELECT {_COLUMNS} FROM account_lock WHERE tenant = ? AND login = ? ORDER BY number DESC LIMIT ?)
ORDER BY number"""  # noqa: S608
_UNTOLD = f"SELECT {_COLUMNS} FROM account_lock WHERE told = 0 ORDER BY number LIMIT 100"  # noqa: S608
_TOLD = "UPDATE account_lock SET told = 1 WHERE number = ?"
_NEWEST = "SELECT max(number) FROM account_lock"


class _Run(Protocol):
    def __call__(self, run: Callable[[sqlite3.Connection], _T], /) -> Awaitable[_T]: ...


class LockRows:
    """See `mail.ports.LockMemory`. `read` and `write` run a statement in the store's threads."""

    def __init__(self, keys: Keys, read: _Run, write: _Run) -> None:
        self._keys = keys
        self._read = read
        self._write = write

    async def add(self, event: LockEvent, allowed: Callable[[tuple[LockEvent, ...]], bool]) -> LockEvent | None:
        """Write an event durably, if it is allowed after those of the account so far; None: it is not."""
        event = replace(event, tenant=clean(event.tenant), login=clean(event.login), number=0)
        sealed = self._keys.seal(_PURPOSE, event.tenant, event.login, msgspec.json.encode(event))
        told = int(event.step == "incident")  # of what alone locks nothing, nobody is told
        row = (event.tenant, event.login, event.step, micros(event.at), told, sealed)

        def run(connection: sqlite3.Connection) -> LockEvent | None:
            before = self._history(connection, event.tenant, event.login)
            if not allowed(before):
                return None
            return replace(event, number=int(connection.execute(_INSERT, row).lastrowid or 0))

        return await self._write(run)

    async def since(self, number: int) -> list[LockEvent]:
        """Events after a number, the oldest first. Microseconds where there are none."""
        return await self._read(lambda connection: self._events(connection.execute(_SINCE, (number,)).fetchall()))

    async def newest(self) -> int:
        """The number of the newest event, 0 where there is none."""
        return await self._read(lambda connection: int(connection.execute(_NEWEST).fetchone()[0] or 0))

    async def history(self, tenant: str, login: str) -> tuple[LockEvent, ...]:
        """The events of an account, the oldest first."""
        return await self._read(lambda connection: self._history(connection, clean(tenant), clean(login)))

    async def untold(self) -> list[LockEvent]:
        """The first events that nobody was told of."""
        return await self._read(lambda connection: self._events(connection.execute(_UNTOLD).fetchall()))

    async def told(self, number: int) -> None:
        """Note that those who are to know of an event have been written to."""
        await self._write(lambda connection: connection.execute(_TOLD, (number,)) and None)

    def _history(self, connection: sqlite3.Connection, tenant: str, login: str) -> tuple[LockEvent, ...]:
        return tuple(self._events(connection.execute(_OF, (tenant, login, _MOST)).fetchall()))

    def _events(self, rows: list[tuple[Any, ...]]) -> list[LockEvent]:
        events = []
        for number, tenant, login, sealed in rows:
            try:
                plain = self._keys.unseal(_PURPOSE, tenant, login, sealed)
                events.append(replace(msgspec.json.decode(plain, type=LockEvent), number=number))
            except (StoreAwayError, msgspec.DecodeError) as error:
                # Whether it locks or unlocks is not known: nobody may take the account for open, or for locked.
                raise StoreAwayError(f"event {number} of account {login} cannot be read: {error}") from error
        return events
