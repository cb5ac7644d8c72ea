"""Counters that always answer: from this process alone while those of all are away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from sekisho.mail.counting import Take, Taken
from sekisho.mail.ports import Counters
from sekisho.store.counters_memory import MemoryCounters

log = logging.getLogger(__name__)

_SECONDS = 1.5  # a message or a login waits no longer for the others' counters
_BACK_OFF_SECONDS = 5.0


class SteadyCounters:
    """See `mail.ports.Counters`. Raises nothing but CancelledError.

    While the shared ones are away limits hold for this process alone, `trouble` says so, and they are tried again
    every few seconds.
    """

    def __init__(
        self, shared: Counters, *, alone: Counters | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shared = shared
        self._alone = alone or MemoryCounters()
        self._clock = clock
        self._trouble = ""
        self._not_before = 0.0

    async def take(self, take: Take, at: float) -> Taken:
        """Take, from the counters of all where they answer."""
        return await self._answered("take", take, at)

    async def look(self, take: Take, at: float) -> Taken:
        """What would come of it."""
        return await self._answered("look", take, at)

    async def _answered(self, verb: str, take: Take, at: float) -> Taken:
        if self._clock() >= self._not_before:
            try:
                async with asyncio.timeout(_SECONDS):
                    taken: Taken = await getattr(self._shared, verb)(take, at)
            except TimeoutError:
                self._away("no answer in time")
            except Exception as error:  # noqa: BLE001 - whatever it is, mail and logins go on
                self._away(str(error) or type(error).__name__)
            else:
                self._back()
                return taken
        alone: Taken = await getattr(self._alone, verb)(take, at)
        return alone

    def _away(self, why: str) -> None:
        if not self._trouble:
            log.warning("limits and guards count for this process alone: %s", why)
        self._trouble = why
        self._not_before = self._clock() + _BACK_OFF_SECONDS

    def _back(self) -> None:
        if self._trouble:
            log.warning("limits and guards count together with the other processes again")
        self._trouble = ""

    def trouble(self) -> str:
        """Why this process counts alone, or ""."""
        return self._trouble

    async def close(self) -> None:
        """Close the shared ones."""
        await self._shared.close()
