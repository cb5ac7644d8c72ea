"""The clock of one connection: how long each phase of a dialog may take."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from sekisho.config.settings import LimitSettings

Phase = tuple[str, int]
FOREVER = math.inf


class PhaseClock:
    """Times one phase after the other with at most one timer armed.

    A phase is a word ("proxy", "greeting", "handshake", "command", "data" or "answer") and a number that sets it off
    from the one before. `received` tells the octets of the message on its way, for the minimum rate in "data".
    `expired` is called with the word, or with "rate". Seconds are those of the loop's clock.
    """

    def __init__(
        self, limits: Callable[[], LimitSettings], received: Callable[[], int], expired: Callable[[str], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._received = received
        self._expired = expired
        self._phase: Phase = ("", 0)
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = FOREVER

    def enter(self, phase: Phase) -> None:
        """Start anew if the phase is another one. An armed timer that is too early stays: it looks again."""
        if phase != self._phase:
            self._phase, self._since = phase, self._loop.time()
            self._arm(self._deadline())

    @property
    def seconds(self) -> float:
        """How long the phase has been going on."""
        return self._loop.time() - self._since

    def stop(self) -> None:
        """Never call anybody again."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, FOREVER

    def linger(self, seconds: float, then: Callable[[], object]) -> None:
        """Call `then` after so long, instead of everything else."""
        self.stop()
        self._timer = self._loop.call_later(seconds, then)
        self._timer_at = -FOREVER

    def _deadline(self) -> float:
        limits, phase = self._limits(), self._phase[0]
        if phase == "data":
            return min(self._since + limits.data_seconds, self._rate_deadline(limits))
        if phase in ("proxy", "greeting"):
            return self._since + limits.greeting_seconds
        if phase == "command":
            return self._since + limits.command_seconds
        return self._since + limits.tls_handshake_seconds if phase == "handshake" else FOREVER

    def _rate_deadline(self, limits: LimitSettings) -> float:
        """When the octets received so far become too few for the time gone by."""
        if limits.minimum_bytes_per_second <= 0:
            return FOREVER
        enough_for = self._received() / limits.minimum_bytes_per_second
        return self._since + max(limits.minimum_rate_grace_seconds, enough_for)

    def _arm(self, deadline: float) -> None:
        if deadline < self._timer_at:
            self.stop()
            self._timer_at = deadline
            self._timer = self._loop.call_at(deadline, self._look)

    def _look(self) -> None:
        self._timer, self._timer_at = None, FOREVER
        deadline, now = self._deadline(), self._loop.time()
        if now < deadline:
            self._arm(deadline)
            return
        phase = self._phase[0]
        too_slow = phase == "data" and now < self._since + self._limits().data_seconds
        self._expired("rate" if too_slow else phase)
