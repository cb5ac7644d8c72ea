"""What a reviewer's decision teaches, and when it teaches nothing."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from support.client import message
from support.taught import GARDEN, MODEL

from sekisho.config.load import load
from sekisho.config.shipped import shipped
from sekisho.daemon.content import content_reader
from sekisho.daemon.teaching import NotLearned, Teacher, not_about_content, transaction_of
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import load_lists
from sekisho.learn.grams import BITS
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.kept import Kept

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DATA = message("k1", f"{GARDEN}\r\n", sender="news@corp.example")


def finding(rule):
    return Finding(rule, Severity.HIGH, 0.9)


def kept(**more):
    values = {
        "id": "k1",
        "tenant": "default",
        "kind": "approval",
        "state": "held",
        "received_at": NOW,
        "expires_at": NOW + timedelta(days=30),
        "session": Session("s1", "192.0.2.1"),
        "envelope": Envelope("news@corp.example", (Recipient("taro@example.net"),)),
        "transaction_id": "t1",
        "message_id": "<k1@corp.example>",
        "size": len(DATA),
        "policy_rule": "probable-abuse",
        "findings": (finding("spam/content"),),
    }
    return Kept(**{**values, **more})


@pytest.fixture(scope="module")
def decided():
    reader = content_reader(Links(load_lists(shipped("lists"))))
    teacher = Teacher(MODEL, reader.read)
    configuration, _ = load(None)

    def decide(row, reviewer="ann", label="fine", data=DATA, **more):
        return teacher.decision(row, transaction_of(configuration, row, data), label, reviewer, NOW, **more)

    return decide


def test_a_decision_says_who_and_what(decided):
    made = decided(kept())
    assert (made.id, made.tenant, made.at, made.reviewer, made.label) == ("k1", "default", NOW, "ann", "fine")
    assert (made.sender, made.kind, made.model, made.bits) == ("news@corp.example", "spam", "test", BITS)
    assert np.frombuffer(made.features, "<u4").max() < 1 << BITS
    assert len(made.sketch) == 256
    assert b"garden" not in made.features.lower()


def test_the_account_is_the_sender_where_there_is_one(decided):
    row = kept(session=Session("s1", "192.0.2.1", account="hanako"))
    assert decided(row).sender == "hanako"


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (("spam/content",), ""),
        (("bec/content", "bec/bank-change", "link/lookalike"), ""),
        (("dlp/secret/password",), "not held for its content"),
        (("bec/bank-change",), "not held for its content"),
        ((), "not held for its content"),
        (("phishing/content", "dlp/card"), "held for dlp/card too"),
        (("phishing/content", "malware/eicar", "inspection.failed/unpack"), "held for inspection.failed/unpack too"),
    ],
)
def test_only_what_was_held_for_its_content_teaches(decided, rules, why):
    findings = tuple(finding(rule) for rule in rules)
    assert not_about_content(findings) == why
    made = decided(kept(findings=findings))
    assert made == NotLearned(why) if why else made.label == "fine"


@pytest.mark.parametrize(
    ("row", "reviewer", "more"),
    [
        (kept(), "news", {}),
        (kept(), "NEWS@corp.example", {}),
        (kept(), "CORP\\news", {}),
        (kept(), "ann", {"login": "news"}),
        (kept(session=Session("s1", "192.0.2.1", account="eve")), "eve@corp.example", {}),
        (kept(envelope=Envelope("bounce+1@corp.example", (Recipient("t@example.net"),))), "news@corp.example", {}),
    ],
)
def test_ones_own_mail_teaches_nothing(decided, row, reviewer, more):
    assert decided(row, reviewer, **more) == NotLearned("the reviewer's own mail")


def test_a_message_that_says_nothing_teaches_nothing_or_little(decided):
    for data in (b"", b"\r\n", b"\xff" * 100, message("k1", "")):
        made = decided(kept(), data=data)
        assert isinstance(made, NotLearned) or len(made.features) < 4 * 200
