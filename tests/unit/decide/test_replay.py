import json
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sekisho.decide.policy import decide_on
from sekisho.decide.replay import RecordedMessage, replay
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Outcome, Transaction
from sekisho.mail.verdict import (
    NOT_MASKED,
    AddHeader,
    ChangeHeader,
    Disposition,
    Hold,
    Overwrite,
    Redact,
    Verdict,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
HOLD = """
[[rule]]
name = "{}"
to = {{ external = true }}
when = {{ finding = "dlp/*", confidence = {} }}
then = {{ disposition = "hold", hold = "approval" }}
"""


@pytest.fixture
def recorded(message, seen):
    """recorded(policy) -> ten messages, one every half day, with confidence 0.0, 0.1 … 0.9, decided by a policy."""

    def _recorded(policy):
        for i in range(10):
            facts = message(seen("dlp/x", confidence=i / 10), to=("a@out.example", "b@corp.example"))
            transaction = Transaction(
                f"t{i}", facts.session, facts.envelope, None, START + timedelta(hours=12 * i), facts.internal_domains
            )
            verdicts = decide_on(policy, facts)
            yield RecordedMessage.of(
                AuditRecord(transaction, facts.findings, verdicts, Outcome(Reply(250, None, "")), {})
            )

    return _recorded


def test_the_same_policy_changes_nothing(policy, recorded):
    same = policy(HOLD.format("r", 0.5))
    report = replay(same, recorded(same))
    assert (report.messages, report.changed, report.changes) == (10, 0, ())
    assert report.holds == report.holds_before == {"approval": 5}


def test_a_new_name_is_no_change(policy, recorded):
    report = replay(policy(HOLD.format("renamed", 0.5)), recorded(policy(HOLD.format("r", 0.5))))
    assert report.changed == 0


def test_changes_are_counted_and_told(policy, recorded):
    report = replay(policy(HOLD.format("new", 0.7)), recorded(policy(HOLD.format("old", 0.5))))
    assert report.changed == 2
    assert report.transitions == {"hold (approval) -> deliver": 2}
    first, second = report.changes
    assert (first.id, second.id) == ("t5", "t6")
    assert (first.old_rule, first.new_rule) == ("old", "default")
    assert first.recipients == ("a@out.example", "b@corp.example")


def test_holds_a_day(policy, recorded):
    report = replay(policy(HOLD.format("new", 0.1)), recorded(policy(HOLD.format("old", 0.5))))
    # Ten messages, 12 hours apart: 4.5 days from the first to the last.
    assert report.days == 4.5
    assert report.holds_a_day == 9 / 4.5
    assert report.holds_a_day_before == 5 / 4.5


def test_only_the_recipients_that_change_are_named(policy, recorded):
    report = replay(policy(HOLD.format("new", 0.1) + "split = true\n"), recorded(policy("")))
    assert report.changes[0].recipients == ("a@out.example",)


def test_a_modification_is_a_change(policy, recorded):
    adds = """
[[rule]]
name = "x"
then = { modifications = [{ type = "add_header", name = "X", value = "1" }] }
final = false
"""
    report = replay(policy(adds), recorded(policy("")))
    assert report.transitions == {"deliver -> deliver": 10}


def test_the_list_is_bounded_and_the_counts_are_not(policy, recorded):
    report = replay(policy(HOLD.format("new", 0.0)), recorded(policy("")), listed=3)
    assert (report.changed, len(report.changes)) == (10, 3)
    assert str(report).endswith("and 7 more")


def test_nothing_recorded(policy):
    report = replay(policy(""), [])
    assert (report.messages, report.changed, report.days, report.holds_a_day) == (0, 0, 1.0, 0.0)


def test_json(policy, recorded):
    report = replay(policy(HOLD.format("new", 0.7)), recorded(policy(HOLD.format("old", 0.5))))
    shown = json.loads(json.dumps(report.to_json()))
    assert shown["changes"][0] == {
        "id": "t5",
        "old": "hold (approval)",
        "new": "deliver",
        "old_policy_rule": "old",
        "new_policy_rule": "default",
        "rcpt_to": ["a@out.example", "b@corp.example"],
    }


MASKED = """
[[rule]]
name = "masked"
to = {{ external = true }}
when = {{ finding = "dlp/card" }}
then = {{ {}, modifications = [{{ type = "redact" }}] }}
"""
DELIVERED = MASKED.format('disposition = "deliver"')
DLP_HELD = """
[[rule]]
name = "held"
when = { finding = "dlp/*", severity = "high" }
then = { disposition = "hold", hold = "approval" }
"""
CARD = Finding("dlp/card", Severity.MEDIUM)
WHY = Finding(NOT_MASKED, Severity.HIGH, where="attachment")


def kept(*verdicts, findings=(CARD, WHY), **more):
    """A record of a message from before."""
    to = tuple(Recipient(address) for verdict in verdicts for address in verdict.recipients)
    domains = frozenset({"corp.example"})
    envelope = Envelope("taro@corp.example", to)
    return RecordedMessage("1", START, Session("s", "192.0.2.1"), envelope, findings, verdicts, domains, **more)


def held_instead(*to, kind="approval", **more):
    return Verdict(to, Disposition.HOLD, "masked", (CARD, WHY), Hold(kind), **more)


def test_what_could_not_be_masked_could_not_be_masked_today(policy):
    report = replay(policy(DELIVERED), [kept(held_instead("a@out.example"))])
    assert (report.changed, report.holds) == (0, {"approval": 1})


def test_that_it_could_not_be_masked_is_nothing_that_a_rule_matches(policy):
    """It says what became of the message, and was not there when policy decided."""
    report = replay(policy(DLP_HELD), [kept(held_instead("a@out.example"))])
    assert report.transitions == {"hold (approval) -> deliver": 1}


@pytest.mark.parametrize(
    ("then", "hold"),
    [
        ('disposition = "hold", hold = "quarantine"', "quarantine"),
        ('disposition = "hold", hold = "delay", delay_seconds = 60', "approval"),
    ],
)
def test_the_recorded_hold_counts_unless_the_rule_has_one_that_somebody_ends(policy, then, hold):
    report = replay(policy(MASKED.format(then)), [kept(held_instead("a@out.example"))])
    assert report.holds == {hold: 1}


def test_what_cannot_be_masked_binds_the_others_too(policy):
    message = kept(held_instead("b@corp.example", "a@out.example"))
    assert replay(policy(DELIVERED), [message]).changed == 0
    split = replay(policy(f"{DELIVERED}split = true\n"), [message])
    assert split.changes[0].recipients == ("b@corp.example",)


def test_other_changes_are_still_compared(policy):
    adds = DELIVERED.replace('{ type = "redact" }', '{ type = "redact" }, { type = "delete_header", name = "X" }')
    assert replay(policy(adds), [kept(held_instead("a@out.example"))]).changed == 1


def test_what_was_masked_is_masked_today(policy):
    """What had to be overwritten for it is no change of policy, nor is the new subject."""
    masks = (Overwrite(9, b"**"),)
    changes = (Redact(("dlp/card",), masks, ("Subject",)), ChangeHeader("Subject", "card **"))
    delivered = Verdict(("a@out.example",), Disposition.DELIVER, "masked", (CARD,), modifications=changes)
    assert replay(policy(DELIVERED), [kept(delivered, findings=(CARD,))]).changed == 0
    assert replay(policy(""), [kept(delivered, findings=(CARD,))]).transitions == {"deliver -> deliver": 1}


def test_modifications_that_were_not_recorded_are_not_compared(policy):
    delivered = Verdict(("a@out.example",), Disposition.DELIVER, "masked", (CARD,))
    message = kept(delivered, findings=(CARD,), modifications_known=False)
    assert replay(policy(DELIVERED), [message]).changed == 0
    added = replace(delivered, modifications=(AddHeader("X", "1"),))
    assert replay(policy(DELIVERED), [kept(added, findings=(CARD,))]).changed == 1
