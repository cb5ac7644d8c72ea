"""Mail and logins go on while the counters of all are away."""

import asyncio
import logging

from sekisho.mail.counting import Charge, Take
from sekisho.mail.kept import StoreAwayError
from sekisho.store import counters_steady
from sekisho.store.counters_memory import MemoryCounters
from sekisho.store.counters_steady import SteadyCounters

TAKE = Take((Charge(b"k" * 16, 60, 1, most=3),))


class Shared(MemoryCounters):
    def __init__(self):
        super().__init__()
        self.failure = None
        self.asked = 0

    async def take(self, take, at):
        self.asked += 1
        if self.failure == "hangs":
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure
        return await super().take(take, at)


def test_alone_while_they_are_away_and_together_again(caplog):
    async def body():
        shared, now = Shared(), [0.0]
        counters = SteadyCounters(shared, clock=lambda: now[0])
        assert (await counters.take(TAKE, 1000.0)).counts == (1,)
        shared.failure = StoreAwayError("disk full")
        counts = [(await counters.take(TAKE, 1000.0)).taken for _ in range(5)]
        assert counts == [True, True, True, False, False]  # limits hold, of this process
        assert counters.trouble() == "disk full"
        assert shared.asked == 2  # not asked for every message
        shared.failure, now[0] = None, 5.1
        assert (await counters.take(TAKE, 1000.0)).counts == (2,)
        assert counters.trouble() == ""

    with caplog.at_level(logging.WARNING):
        asyncio.run(body())
    assert len(caplog.messages) == 2


def test_they_are_not_waited_for_long(monkeypatch):
    monkeypatch.setattr(counters_steady, "_SECONDS", 0.01)

    async def body():
        shared = Shared()
        shared.failure = "hangs"
        counters = SteadyCounters(shared)
        assert (await counters.take(TAKE, 1000.0)).counts == (1,)
        assert counters.trouble() == "no answer in time"

    asyncio.run(body())
