"""The clock of a connection, on a real loop with short limits."""

import asyncio

import pytest
import uvloop

from sekisho.accept.clock import PhaseClock
from sekisho.config.settings import LimitSettings

SHORT = LimitSettings(
    greeting_seconds=0.02,
    command_seconds=0.02,
    tls_handshake_seconds=0.02,
    data_seconds=0.02,
    minimum_bytes_per_second=0,
)


def first_expired(limits, phases, received=0):
    """The word with which a clock runs out after these phases."""

    async def run():
        loop = asyncio.get_running_loop()
        expired = loop.create_future()
        clock = PhaseClock(lambda: limits, lambda: received, expired.set_result)
        started = loop.time()
        for phase in phases:
            clock.enter(phase)
        word = await asyncio.wait_for(expired, 5)
        return word, loop.time() - started

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


@pytest.mark.parametrize("word", ["proxy", "greeting", "handshake", "command", "data"])
def test_each_phase_has_its_limit(word):
    expired, seconds = first_expired(SHORT, [(word, 1)])
    assert expired == word
    assert seconds >= 0.015


def test_an_earlier_limit_moves_the_timer():
    assert first_expired(LimitSettings(command_seconds=0.02), [("data", 1), ("command", 2)])[0] == "command"


def test_a_later_limit_is_waited_for():
    limits = LimitSettings(command_seconds=0.02, greeting_seconds=0.08)
    expired, seconds = first_expired(limits, [("command", 1), ("greeting", 0)])
    assert expired == "greeting"
    assert seconds >= 0.07


def test_the_minimum_rate_after_its_grace():
    limits = LimitSettings(minimum_bytes_per_second=1000, minimum_rate_grace_seconds=0.02)
    assert first_expired(limits, [("data", 1)], received=10)[0] == "rate"
    expired, seconds = first_expired(limits, [("data", 1)], received=80)  # enough for 80 ms
    assert expired == "rate"
    assert seconds >= 0.07


def test_waiting_for_an_answer_has_no_limit_and_a_stopped_clock_is_silent():
    async def run():
        words = []
        clock = PhaseClock(lambda: SHORT, lambda: 0, words.append)
        loop = asyncio.get_running_loop()
        later = loop.create_future()
        clock.enter(("command", 1))
        clock.enter(("answer", 0))
        stopped = PhaseClock(lambda: SHORT, lambda: 0, words.append)
        stopped.enter(("command", 1))
        stopped.stop()
        loop.call_later(0.06, later.set_result, None)
        await later
        return words

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(run()) == []
