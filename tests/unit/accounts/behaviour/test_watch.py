import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sekisho.accounts.behaviour.seeing import Seeing
from sekisho.accounts.behaviour.state import decode
from sekisho.accounts.behaviour.watch import Watch
from sekisho.config.account_settings import BehaviourSettings
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Delivery, Outcome, Transaction
from sekisho.parse import parse

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LOGIN = "taro@example.jp"
OFFICE = Session("s", "192.0.2.7", account=LOGIN, tenant="acme")
ABROAD = Session("s", "203.0.113.9", account=LOGIN, tenant="acme")


class Rows:
    """Rows in memory; `late` writes find that somebody else was faster."""

    def __init__(self, late=0, *, away=False):
        self.rows, self.late, self.away = {}, late, away

    async def profile(self, tenant, login):
        if self.away:
            raise StoreAwayError("gone")
        return self.rows.get((tenant, login), (0, b""))

    async def put_profile(self, tenant, login, version, document, at):  # noqa: ARG002 - as the store has it
        if self.late or self.rows.get((tenant, login), (0, b""))[0] != version:
            self.late -= 1
            return False
        self.rows[tenant, login] = (version + 1, document)
        return True


def watch(rows, **settings):
    return Watch(rows, {"acme": Seeing(b"k" * 32)}, {"acme": BehaviourSettings(**settings)})


def message(
    at, session=OFFICE, to=("a@other.example",), body="本日の会議の資料をお送りいたします。よろしくお願いいたします。"
):
    raw = f"From: {LOGIN}\r\nUser-Agent: Thunderbird/1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    envelope = Envelope(LOGIN, tuple(Recipient(address) for address in to))
    return Transaction(f"t{at}", session, envelope, parse(raw.encode()), at, frozenset({"example.jp"}))


async def months(watched):
    for day in range(40):
        for n in range(4):
            at = AT + timedelta(days=day, minutes=50 * n)
            assert await watched.weigh(message(at, to=(f"{n}@other.example",)), ()) == ()
    return AT + timedelta(days=40)


async def takeover(watched, start):
    found = []
    for n in range(20):
        spam = (Finding("spam/content", Severity.MEDIUM, 0.6 + n % 4 / 10),)
        to = tuple(f"{n}-{k}@somewhere{k}.example" for k in range(5))
        body = f"{n} Congratulations, claim your prize number {n} at https://prize.example/ today please"
        at = start + timedelta(hours=14, seconds=20 * n)
        found.append(await watched.weigh(message(at, ABROAD, to, body), spam))
    return found


def test_a_takeover_is_found_with_its_reasons():
    async def run():
        watched = watch(Rows())
        return await takeover(watched, await months(watched))

    found = [finding for findings in asyncio.run(run()) for finding in findings]
    assert found
    last = found[-1]
    assert last.rule == "account/takeover"
    assert last.severity is Severity.CRITICAL
    assert last.confidence >= 0.95
    assert last.where == "account"
    assert "provider or region" in last.explanation
    assert "ネットワーク" in last.explanation


@pytest.mark.parametrize(
    "session",
    [
        Session("s", "192.0.2.7", tenant="acme"),
        Session("s", "192.0.2.7", account=LOGIN, tenant="beta"),
    ],
)
def test_mail_of_no_account_is_not_looked_at(session):
    rows = Rows()
    assert asyncio.run(watch(rows).weigh(message(AT, session), ())) == ()
    assert rows.rows == {}


def test_switched_off():
    rows = Rows()
    assert asyncio.run(watch(rows, enabled=False).weigh(message(AT), ())) == ()
    assert rows.rows == {}


def test_who_comes_too_late_does_it_again():
    rows = Rows(late=3)
    asyncio.run(watch(rows).weigh(message(AT), ()))
    assert decode(rows.rows["acme", LOGIN][1]).profile.messages == 1


def test_it_gives_up_some_time():
    rows = Rows(late=1000)
    assert asyncio.run(watch(rows).weigh(message(AT), ())) == ()
    assert rows.rows == {}


def test_many_at_once_lose_nothing():
    rows = Rows()

    async def run():
        watched = watch(rows)
        await asyncio.gather(*(watched.weigh(message(AT + timedelta(seconds=n)), ()) for n in range(5)))

    asyncio.run(run())
    assert decode(rows.rows["acme", LOGIN][1]).profile.messages == 5


def test_a_store_that_is_away_is_a_finding():
    (finding,) = asyncio.run(watch(Rows(away=True)).weigh(message(AT), ()))
    assert finding.rule == "inspection.failed/behaviour"


def test_a_broken_row_begins_anew():
    rows = Rows()
    rows.rows["acme", LOGIN] = (3, b"broken")
    asyncio.run(watch(rows).weigh(message(AT), ()))
    assert rows.rows["acme", LOGIN][0] == 4


def test_failed_deliveries_and_logins_are_noted():
    rows = Rows()

    async def run():
        watched = watch(rows)
        await watched.weigh(message(AT), ())
        failed = Delivery(("a@other.example",), "bounced", "mx:25", Reply(550, "1.1", "unknown"))
        await watched.handled(AuditRecord(message(AT), (), (), Outcome(Reply(250, None, "ok"), (failed,)), {}))
        await watched.logged_in(OFFICE, LOGIN, 9, AT)

    asyncio.run(run())
    state = decode(rows.rows["acme", LOGIN][1])
    assert state.profile.shares["invalid"].yes == 1
    assert state.recent.failures.amount == 9


@pytest.mark.parametrize("honest", [True, False])
def test_an_unlock_settles_what_was_held_back(honest):
    rows = Rows()

    async def run():
        watched = watch(rows)
        found = await takeover(watched, await months(watched))
        before = decode(rows.rows["acme", LOGIN][1])
        await watched.settled("acme", LOGIN, honest=honest)
        return found, before, decode(rows.rows["acme", LOGIN][1])

    found, before, after = asyncio.run(run())
    assert any(found)
    assert before.recent.held
    assert after.recent.held == []
    assert (after.profile.messages > before.profile.messages) is honest
