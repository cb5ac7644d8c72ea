"""Limits over messages: what counts, what is found, and that each message counts once."""

import asyncio
from datetime import timedelta

import pytest
from support.sent import NOON, sent, strangers

from sekisho.accounts.limits.lookup import REFUSED, Limits
from sekisho.accounts.limits.windows import SendingWindows
from sekisho.accounts.naming import Names
from sekisho.config.account_settings import DEFAULT_LIMITS, SendingLimitSettings
from sekisho.mail.finding import Severity
from sekisho.mail.window import SendingWindow
from sekisho.store.counters_memory import MemoryCounters

L = SendingLimitSettings
HOUR = L("per-hour", to="external", soft=10, defer=20, lock=100)


class Sending:
    """Limits with a clock; `send` gives ids and how sure they are."""

    def __init__(self, *limits, windows=None):
        self.clock = 0.0
        self.steps = []
        self.limits = Limits(
            MemoryCounters(),
            {"acme": limits or DEFAULT_LIMITS},
            Names(b"k" * 32),
            windows,
            stepped=lambda tenant, step: self.steps.append(step),
            clock=lambda: self.clock,
            now=lambda: NOON,
        )

    def find(self, transaction):
        return asyncio.run(self.limits.look_up(transaction))

    def send(self, to, **how):
        return [(f.rule, f.confidence) for f in self.find(sent(to, **how))]


def test_soft_is_sure_once_and_goes():
    sending = Sending(HOUR)
    assert sending.send(strangers(10)) == []
    assert sending.send(strangers(1)) == [("flood/rate-soft", 1.0)]
    assert sending.send(strangers(1)) == [("flood/rate-soft", 0.5)]
    assert sending.steps == ["soft"]


def test_defer_counts_nothing_and_is_sure_once():
    sending = Sending(HOUR, L("octets", of="bytes", defer=10_000))
    assert sending.send(strangers(15)) == [("flood/rate-soft", 1.0)]
    assert sending.send(strangers(6)) == [("flood/rate-defer", 1.0)]
    assert sending.send(strangers(6)) == [("flood/rate-defer", 0.8)]
    assert sending.send(strangers(5)) == [("flood/rate-soft", 0.5)]  # five fit: the six were not counted
    # Nor was anything of the octets of those that were refused: 10,000 less three small ones still fit.
    assert sending.send(["p1@acme.example"], body=b"x" * 9_700) == []


def test_what_the_finding_says():
    sending = Sending(HOUR)
    sending.send(strangers(15))
    (finding,) = sending.find(sent(strangers(6)))
    assert finding.excerpt == "per-hour: 21 external recipients in 1 hour, more than 20"
    assert finding.explanation == "it fits again in 65 minutes"
    assert (finding.where, finding.severity) == ("account", Severity.MEDIUM)


def test_after_its_time_it_goes_again():
    sending = Sending(HOUR)
    sending.send(strangers(20))
    assert sending.send(strangers(1), at=NOON + timedelta(minutes=59))[0][0] == "flood/rate-defer"
    assert sending.send(strangers(1), at=NOON + timedelta(minutes=66)) == []


def test_inside_and_outside_are_counted_apart():
    sending = Sending(HOUR, L("inside", to="internal", defer=3))
    assert sending.send(["a@acme.example", "b@sub.acme.example", "c@acme.example", *strangers(9)]) == []
    assert sending.send(["d@acme.example"]) == [("flood/rate-defer", 1.0)]
    assert sending.send(strangers(1)) == []


def test_one_recipient_twice_is_one():
    sending = Sending(L("two", defer=2))
    assert sending.send(["a@x.example", "A@X.example", "b@x.example"]) == []


def test_lock_by_one_message():
    sending = Sending(HOUR)
    assert sending.send(strangers(101)) == [("flood/rate-lock", 1.0)]
    assert (
        sending.find(sent(strangers(101)))[0].excerpt == "per-hour: 101 external recipients in 1 hour, more than 100"
    )


def test_lock_by_many_that_were_deferred():
    sending = Sending(HOUR)
    sending.send(strangers(20))
    found = [sending.send(strangers(10, 10 * n), body=b"%d" % n)[0][0] for n in range(9)]
    assert found == ["flood/rate-defer"] * 8 + ["flood/rate-lock"]  # 20 + 9 * 10 > 100


def test_a_server_that_tries_again_does_not_lock():
    sending = Sending(HOUR)
    sending.send(strangers(20))
    found = {sending.send(strangers(10), at=NOON + timedelta(seconds=20 * n))[0][0] for n in range(100)}
    assert found == {"flood/rate-defer"}


def test_new_recipients():
    sending = Sending(L("new", of="new-recipients", to="external", seconds=86_400, soft=5, defer=8, lock=50))
    assert sending.send(strangers(5)) == []
    assert sending.send([*strangers(5), "a@acme.example"]) == []  # all known by now; and inside is not outside
    assert sending.send(strangers(3, 3)) == [("flood/new-recipients-soft", 1.0)]
    assert sending.send(strangers(4, 5)) == [("flood/new-recipients-defer", 1.0)]
    assert sending.send(strangers(6)) == [("flood/new-recipients-soft", 0.5)]  # nobody new: it goes
    assert sending.send(strangers(60)) == [("flood/new-recipients-lock", 1.0)]
    # Whom the refused ones were for is not known for that; two days later they are new still.
    later = NOON + timedelta(days=2)
    assert sending.send(strangers(8, 6), at=later) == [("flood/new-recipients-soft", 1.0)]


def test_each_account_for_itself_and_the_tenant_for_all():
    sending = Sending(HOUR, L("all", per="tenant", defer=25))
    assert sending.send(strangers(10)) == []
    assert sending.send(strangers(10), account="jiro@acme.example") == []
    (finding,) = sending.find(sent(strangers(6), account="saburo@acme.example"))
    assert finding.excerpt == "all: 26 recipients of the whole company in 1 hour, more than 25"
    assert finding.where == "envelope"


def test_by_domain_and_listener():
    sending = Sending(
        L("domain", per="domain", of="messages", defer=2), L("port", per="listener", of="messages", defer=3)
    )
    for _ in range(2):
        assert sending.send(strangers(1)) == []
    assert (
        sending.find(sent(strangers(1)))[0].excerpt == "domain: 3 messages from acme.example in 1 hour, more than 2"
    )
    assert sending.send(strangers(1), mail_from="a@other.example") == []
    over = sending.find(sent(strangers(1), mail_from="b@other.example"))
    assert [f.excerpt for f in over] == ["port: 4 messages through submission in 1 hour, more than 3"]


def test_the_first_of_a_name_that_is_for_the_account():
    bulk = L("per-hour", accounts=("news*@acme.example",), defer=1000)
    off = L("per-hour", accounts=("boss@*",))
    sending = Sending(bulk, off, HOUR)
    assert sending.send(strangers(500), account="news-jp@acme.example") == []
    assert sending.send(strangers(500), account="boss@acme.example") == []
    assert sending.send(strangers(500)) == [("flood/rate-lock", 1.0)]


def test_bounces_of_nobody_are_limited_and_lock_nobody():
    sending = Sending(L("bounces", of="messages", defer=3, lock=4))
    found = [sending.send(["a@x.example"], account=None, mail_from=None, body=b"%d" % n) for n in range(8)]
    assert found[:3] == [[]] * 3
    assert {rules[0][0] for rules in found[3:]} == {"flood/rate-defer"}


def test_early_answer_without_asking():
    sending = Sending(HOUR)
    session = sent(strangers(1)).session
    sending.send(strangers(19))
    sending.send(strangers(2))
    assert sending.limits.refuse_early(session, "hana@acme.example", "x@y.example") is None  # one fits still
    sending.send(strangers(1))
    sending.send(strangers(1))
    assert sending.limits.refuse_early(session, "hana@acme.example", "x@y.example") == REFUSED
    assert sending.limits.refuse_early(session, "hana@acme.example") is None  # inside nothing is beyond
    assert sending.limits.refuse_early(session, "hana@acme.example", "x@acme.example") is None
    sending.clock = 5.1
    assert sending.limits.refuse_early(session, "hana@acme.example", "x@y.example") is None
    assert sending.steps[-1] == "early"


def test_early_answer_at_mail():
    sending = Sending(L("messages", of="messages", per="tenant", defer=1))
    session = sent(strangers(1)).session
    assert sending.limits.refuse_early(session, None) is None
    sending.send(strangers(1))
    sending.send(strangers(1))
    assert sending.limits.refuse_early(session, None) == REFUSED


# --- Sending windows ---


class Approved:
    def __init__(self, *windows):
        self.windows = windows

    async def coming(self, now):
        return [w for w in self.windows if w.state == "approved" and w.ends_at > now]


def windows(recipients, state="approved"):
    window = SendingWindow(
        "w1", "acme", "hana@acme.example", NOON, NOON + timedelta(hours=2), recipients, "letter", "hana", NOON, state
    )
    held = SendingWindows(Approved(window))
    asyncio.run(held.refresh(NOON))
    return held


def test_a_window_lets_a_mailing_through_and_counts_nothing_else():
    sending = Sending(HOUR, L("new", of="new-recipients", to="external", defer=30), windows=windows(500))
    assert sending.send(strangers(250)) == [("flood/sending-window", 1.0)]
    assert sending.send(strangers(250, 250)) == [("flood/sending-window", 1.0)]
    assert sending.send(strangers(9)) == []  # it is used up: the limits hold, of which nothing was taken
    assert sending.send(strangers(25)) == [("flood/rate-defer", 1.0)]
    assert sending.steps == ["window", "window", "defer"]


def test_no_early_answer_to_who_has_a_window():
    sending = Sending(L("all", per="tenant", defer=5), windows=windows(500))
    sending.send(strangers(5), account="jiro@acme.example")
    sending.send(strangers(5), account="jiro@acme.example")
    jiro, hana = (sent(strangers(1), account=f"{who}@acme.example").session for who in ("jiro", "hana"))
    assert sending.limits.refuse_early(jiro, "jiro@acme.example") == REFUSED
    assert sending.limits.refuse_early(hana, "hana@acme.example") is None


def test_a_window_ends_and_is_for_its_account_alone():
    sending = Sending(HOUR, windows=windows(500))
    assert sending.send(strangers(50), account="jiro@acme.example")[0][0] == "flood/rate-defer"
    assert sending.send(strangers(50), at=NOON + timedelta(hours=2))[0][0] == "flood/rate-defer"
    assert sending.send(strangers(50), at=NOON - timedelta(seconds=1))[0][0] == "flood/rate-defer"


@pytest.mark.parametrize("state", ["requested", "cancelled"])
def test_only_approved_windows_count(state):
    sending = Sending(HOUR, windows=windows(500, state))
    assert sending.send(strangers(50))[0][0] == "flood/rate-defer"


def test_defaults_leave_a_working_day_alone():
    """Sixty mails in eight hours, each to five people, and one to the whole house."""
    sending = Sending()
    for number in range(60):
        to = [*strangers(3, number), *[f"c{n}@acme.example" for n in range(2)]]
        assert sending.send(to, at=NOON + timedelta(minutes=8 * number)) == []
    assert sending.send([f"c{n}@acme.example" for n in range(900)]) == []
