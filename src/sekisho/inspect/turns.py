"""Turns at something scarce: whoever asks for much does not keep the others waiting."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

WAIT_SECONDS = 240.0  # clients wait ten minutes for the reply to the data, RFC 5321 4.5.3.2.6


class NoTurnError(Exception):
    """Nobody could be served for too long."""


class Turns:
    """At most `places` at once. Among those who wait, each name gets one turn after the other's.

    A name that holds a place waits until every other name that waits has had its turn.
    """

    def __init__(self, places: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self._free = places
        self._wait_seconds = wait_seconds
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._held: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Hold a place. Raises NoTurnError after `wait_seconds` of waiting."""
        await self._take(name)
        try:
            yield
        finally:
            self._held[name] -= 1
            if not self._held[name]:
                del self._held[name]
            self._free += 1
            self._serve()

    async def _take(self, name: str) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, deque()).append(place)
        self._serve()
        try:
            async with asyncio.timeout(self._wait_seconds):
                await place
        except TimeoutError:
            self._give_up(name, place)
            raise NoTurnError(f"no process was free for {self._wait_seconds:g} s") from None
        except asyncio.CancelledError:
            self._give_up(name, place)
            raise

    def _give_up(self, name: str, place: asyncio.Future[None]) -> None:
        """Leave the queue; a place that was given in the same moment goes to the next."""
        if place.done() and not place.cancelled():
            self._held[name] -= 1
            if not self._held[name]:
                del self._held[name]
            self._free += 1
            self._serve()
        elif name in self._waiting and place in self._waiting[name]:
            self._waiting[name].remove(place)
            if not self._waiting[name]:
                del self._waiting[name]

    def _serve(self) -> None:
        """Give free places to who waits: the name that holds fewest, and of those the one that came first."""
        while self._free and self._waiting:
            name = min(self._waiting, key=lambda one: self._held.get(one, 0))
            queue = self._waiting[name]
            place = queue.popleft()
            self._waiting.move_to_end(name)
            if not queue:
                del self._waiting[name]
            if place.done():
                continue
            self._free -= 1
            self._held[name] = self._held.get(name, 0) + 1
            place.set_result(None)
