"""The open connections to one engine: so many at most, reused, closed when nobody has used them for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sekisho.inspect.antivirus.engine import EngineAwayError, EngineConnection

_T = TypeVar("_T")
_Work = Callable[[EngineConnection], Awaitable[_T]]
IDLE_SECONDS = 15.0  # below what engines allow (30 s is clamd's IdleTimeout), so that they do not close first
_PAUSE_SECONDS = 0.5  # after a failed attempt to connect, others are told so without an attempt of their own


class Pool:
    """Connections made by `dial`. Everything that waits for a free one waits in turn."""

    def __init__(self, dial: Callable[[], Awaitable[EngineConnection]], connections: int) -> None:
        self._dial = dial
        self._connections = connections
        self._slots = asyncio.Semaphore(connections)
        self._withheld = 0
        self._to_withhold = 0
        self._idle: list[tuple[EngineConnection, asyncio.TimerHandle]] = []
        self._failed: tuple[float, str] = (-1.0, "")
        self._closed = False

    async def use(self, work: _Work[_T]) -> _T:
        """Do `work` with a connection of its own. Raises EngineError, and what `work` raises."""
        await self._slots.acquire()
        try:
            if (connection := self._take_idle()) is not None:
                try:
                    return await self._with(connection, work)
                except EngineAwayError:
                    self._close_idle()  # most likely closed while nobody looked; so are the others then
            return await self._with(await self._connect(), work)
        finally:
            if self._to_withhold:
                self._to_withhold -= 1
            else:
                self._slots.release()

    async def probe(self, work: _Work[_T]) -> _T:
        """Do `work` with a new connection that is nobody else's turn. Raises EngineError, and what `work` raises."""
        connection = await self._dial()
        self._failed = (-1.0, "")
        try:
            return await work(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """Close what is idle now, and the others after their work."""
        self._closed = True
        self._close_idle()

    async def _with(self, connection: EngineConnection, work: _Work[_T]) -> _T:
        done = False
        try:
            result = await work(connection)
            done = True
            return result
        finally:
            if done and connection.usable and not self._closed:
                timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._expire, connection)
                self._idle.append((connection, timer))
            else:
                connection.close()

    async def _connect(self) -> EngineConnection:
        now = asyncio.get_running_loop().time()
        until, why = self._failed
        if now < until:
            raise EngineAwayError(why, reached=False)
        try:
            connection = await self._dial()
        except EngineAwayError as error:
            self._failed = (asyncio.get_running_loop().time() + _PAUSE_SECONDS, str(error))
            raise
        self._withhold(connection.most_connections)
        return connection

    def _withhold(self, most: int) -> None:
        """Keep to the number of connections that the engine can hold, as far as it says one."""
        surplus = self._connections - max(most, 1) - self._withheld if most else 0
        if surplus > 0:
            self._withheld += surplus
            self._to_withhold += surplus

    def _take_idle(self) -> EngineConnection | None:
        """The one that was used last, as it is the least likely to have been closed."""
        while self._idle:
            connection, timer = self._idle.pop()
            timer.cancel()
            if connection.usable:
                return connection
            connection.close()
        return None

    def _close_idle(self) -> None:
        for connection, timer in self._idle:
            timer.cancel()
            connection.close()
        self._idle.clear()

    def _expire(self, connection: EngineConnection) -> None:
        self._idle = [entry for entry in self._idle if entry[0] is not connection]
        connection.close()
