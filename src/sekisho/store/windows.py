"""Sending windows: one sealed row each, which is also the record of who asked, who agreed and who withdrew it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from sekisho.mail.kept import StoreAwayError
from sekisho.mail.window import SendingWindow
from sekisho.store.audit import clean, micros
from sekisho.store.keys import Keys

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_PURPOSE = "sending-window"
_COLUMNS = "id, tenant, document"
_INSERT = """
INSERT INTO sending_window (id, tenant, login, state, starts_at, ends_at, document) VALUES (?, ?, ?, ?, ?, ?, ?)"""
_UPDATE = "UPDATE sending_window SET state = ?, document = ? WHERE id = ? AND state = ?"
_ONE = f"SELECT {_COLUMNS} FROM sending_window WHERE id = ?"  # noqa: S608 - constant columns
_COMING = f"""
SELECT {_COLUMNS} FROM sending_window WHERE state = 'approved' AND ends_at > ? ORDER BY ends_at LIMIT 10000"""  # noqa: S608
_OF = f"""
SELECT {_COLUMNS} FROM sending_window WHERE tenant = ? AND (login = ?2 OR ?2 = '') AND ends_at >= ?
ORDER BY starts_at, id LIMIT 10000"""  # noqa: S608


class _Run(Protocol):
    def __call__(self, run: Callable[[sqlite3.Connection], _T], /) -> Awaitable[_T]: ...


class WindowRows:
    """See `mail.ports.WindowMemory`. `read` and `write` run a statement in the store's threads."""

    def __init__(self, keys: Keys, read: _Run, write: _Run) -> None:
        self._keys = keys
        self._read = read
        self._write = write

    async def add(self, window: SendingWindow) -> None:
        """Write a new window durably."""
        window = replace(window, tenant=clean(window.tenant), login=clean(window.login))
        times = (micros(window.starts_at), micros(window.ends_at))
        row = (window.id, window.tenant, window.login, window.state, *times, self._sealed(window))
        await self._write(lambda connection: connection.execute(_INSERT, row) and None)

    async def window(self, window_id: str) -> SendingWindow | None:
        """The window, or None."""
        rows = await self._read(lambda connection: connection.execute(_ONE, (window_id,)).fetchall())
        return self._window(*rows[0]) if rows else None

    async def change(self, window: SendingWindow, before: SendingWindow) -> bool:
        """Write its new state durably; False where somebody else has changed it since `before`."""
        values = (window.state, self._sealed(window), window.id, before.state)
        return await self._write(lambda connection: connection.execute(_UPDATE, values).rowcount == 1)

    async def coming(self, now: datetime) -> list[SendingWindow]:
        """Those that are approved and not over. One that cannot be read is none, and the log says so."""
        found = await self._read(lambda connection: connection.execute(_COMING, (micros(now),)).fetchall())
        windows = []
        for row in found:
            try:
                windows.append(self._window(*row))
            except StoreAwayError as error:
                log.warning("sending window %s is not in force: %s", row[0], error)
        return windows

    async def of(self, tenant: str, login: str = "", since: datetime | None = None) -> list[SendingWindow]:
        """A tenant's windows, or an account's, that end at `since` or later, by their beginning."""
        values = (clean(tenant), clean(login), micros(since) if since else 0)
        rows = await self._read(lambda connection: connection.execute(_OF, values).fetchall())
        return [self._window(*row) for row in rows]

    def _sealed(self, window: SendingWindow) -> bytes:
        return self._keys.seal(_PURPOSE, window.tenant, window.id, msgspec.json.encode(window))

    def _window(self, window_id: str, tenant: str, sealed: Any) -> SendingWindow:
        try:
            return msgspec.json.decode(self._keys.unseal(_PURPOSE, tenant, window_id, sealed), type=SendingWindow)
        except msgspec.DecodeError as error:
            raise StoreAwayError(f"sending window {window_id} cannot be read") from error
