import asyncio
import logging
from datetime import UTC, datetime

import pytest

from sekisho.inspect.run import inspect_sync, look_up, run
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

SEEN = Finding("spam/seen", Severity.LOW)
LOOKED = Finding("auth/looked", Severity.LOW)
SECRET = "the message's own words"


class Sees:
    name = "sees"

    def inspect(self, _):
        return [SEEN]


class Breaks:
    name = "breaks"

    def inspect(self, _):
        raise ValueError(SECRET)


class BreaksHalfway:
    name = "halfway"

    def inspect(self, _):
        yield SEEN
        raise RecursionError


class Looks:
    name = "looks"

    async def look_up(self, _):
        return [LOOKED]


class LookBreaks:
    name = "look-breaks"

    async def look_up(self, _):
        raise OSError(SECRET)


class Never:
    name = "never"

    def __init__(self):
        self.cancelled = False

    async def look_up(self, _):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


class WaitsFor:
    """Two of these are done only if they run at the same time."""

    def __init__(self, name, mine, other):
        self.name, self.mine, self.other = name, mine, other

    async def look_up(self, _):
        self.mine.set()
        await self.other.wait()
        return [LOOKED]


@pytest.fixture
def transaction():
    raw = b"From: a@example.jp\r\nSubject: x\r\nSubject: y\r\n\r\n\r\n"
    envelope = Envelope("a@example.jp", (Recipient("b@example.com"),))
    return Transaction("t1", Session("s", "192.0.2.1"), envelope, parse(raw), datetime.now(UTC))


def inspected(transaction, inspectors=(), lookups=(), seconds=10.0):
    return asyncio.run(run(transaction, inspectors, lookups, seconds))


def own(seen, transaction):
    """The findings after the parser's, which come first."""
    parsers = transaction.message.findings
    assert parsers
    assert seen.findings[: len(parsers)] == parsers
    return seen.findings[len(parsers) :]


def test_findings_come_in_order(transaction):
    seen = inspected(transaction, [Sees()], [Looks()])
    assert own(seen, transaction) == (SEEN, LOOKED)
    assert set(seen.timings_ms) == {"sees", "looks"}
    assert all(t >= 0 for t in seen.timings_ms.values())


@pytest.mark.parametrize(
    ("inspector", "rule", "why"),
    [
        (Breaks(), "inspection.failed/breaks", "ValueError"),
        (BreaksHalfway(), "inspection.failed/halfway", "RecursionError"),
    ],
)
def test_an_inspector_that_raises_is_a_finding_and_the_others_go_on(transaction, caplog, inspector, rule, why):
    with caplog.at_level(logging.ERROR):
        seen = inspect_sync(transaction, [inspector, Sees()])
    failed = [f for f in own(seen, transaction) if f.rule.startswith("inspection.failed/")]
    assert [(f.rule, f.severity, f.explanation) for f in failed] == [(rule, Severity.HIGH, why)]
    assert seen.findings[-1] == SEEN
    assert caplog.records[0].exc_info


def test_a_look_up_that_raises_is_a_finding_and_the_others_go_on(transaction):
    failed, looked = own(inspected(transaction, lookups=[LookBreaks(), Looks()]), transaction)
    assert (failed.rule, failed.explanation) == ("inspection.failed/look-breaks", "OSError")
    assert looked == LOOKED


def test_a_look_up_that_is_not_done_in_time_is_a_finding_and_is_cancelled(transaction):
    never = Never()
    seen = inspected(transaction, lookups=[never, Looks()], seconds=0.01)
    failed, looked = own(seen, transaction)
    assert (failed.rule, failed.explanation) == ("inspection.failed/never", "TimeoutError")
    assert looked == LOOKED
    assert never.cancelled
    assert set(seen.timings_ms) == {"never", "looks"}


def test_a_look_up_with_a_deadline_of_its_own_is_waited_for(transaction):
    class Slow:
        name = "slow"
        deadline_seconds = 30.0

        async def look_up(self, _):
            await asyncio.sleep(0.05)
            return [LOOKED]

    never = Never()
    failed, looked = own(inspected(transaction, lookups=[never, Slow()], seconds=0.01), transaction)
    assert (failed.rule, looked) == ("inspection.failed/never", LOOKED)


def test_and_may_have_a_shorter_one(transaction):
    never = Never()
    never.deadline_seconds = 0.01
    failed, looked = own(inspected(transaction, lookups=[never, Looks()], seconds=60.0), transaction)
    assert (failed.rule, looked) == ("inspection.failed/never", LOOKED)


def test_look_ups_run_together(transaction):
    async def go():
        one, two = asyncio.Event(), asyncio.Event()
        return await look_up(transaction, [WaitsFor("a", one, two), WaitsFor("b", two, one)], 10.0)

    assert asyncio.run(go()).findings == (LOOKED, LOOKED)


def test_who_cancels_the_run_cancels_its_look_ups(transaction):
    never = Never()

    async def go():
        task = asyncio.create_task(run(transaction, [], [never], 60.0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)
        return task.cancelled()

    assert asyncio.run(go())
    assert never.cancelled


def test_no_finding_says_what_the_exception_said(transaction):
    seen = inspected(transaction, [Breaks()], [LookBreaks()])
    assert SECRET not in repr(seen.findings)
