"""A store in a directory of its own, and things to put into it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.kept import Kept
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Delivery, Outcome, Transaction
from sekisho.mail.verdict import Disposition, Verdict
from sekisho.parse import parse
from sekisho.store.sqlite import SqliteStore

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
RAW = b"From: taro@example.jp\r\nSubject: Quarterly figures\r\nMessage-ID: <m1@example.jp>\r\n\r\nHello\r\n"


def envelope_of(mail_from="taro@example.jp", rcpt_to=("hanako@example.com",)):
    return Envelope(mail_from, tuple(Recipient(address) for address in rcpt_to))


@pytest.fixture(name="make_kept")
def _make_kept():
    def make(kept_id="k1", mail_from="taro@example.jp", rcpt_to=("hanako@example.com",), **more):
        values = {
            "id": kept_id,
            "tenant": "default",
            "kind": "quarantine",
            "state": "held",
            "received_at": NOW,
            "expires_at": NOW + timedelta(days=30),
            "session": Session("s1", "192.0.2.1"),
            "envelope": envelope_of(mail_from, rcpt_to),
            "transaction_id": "t1",
            "message_id": "<m1@example.jp>",
            "size": len(RAW),
        }
        return Kept(**{**values, **more})

    return make


@pytest.fixture(name="make_audit")
def _make_audit():
    def make(
        audit_id="t1",
        *,
        raw=RAW,
        rules=(),
        findings=None,
        disposition=Disposition.DELIVER,
        at=NOW,
        tenant="default",
        mail_from="taro@example.jp",
        rcpt_to=("hanako@example.com",),
    ):
        if findings is None:
            findings = tuple(Finding(rule, Severity.HIGH) for rule in rules)
        transaction = Transaction(
            id=audit_id,
            session=Session("s1", "192.0.2.1", helo="mail.example.jp", listener="relay", tenant=tenant),
            envelope=envelope_of(mail_from, rcpt_to),
            message=parse(raw),
            received_at=at,
            internal_domains=frozenset({"example.jp", ".example.jp"}),
        )
        verdict = Verdict(tuple(rcpt_to), disposition, "rule-1", findings)
        outcome = Outcome(Reply(250, "0.0", "OK"), (Delivery(tuple(rcpt_to), "relayed", "mx.example:25"),))
        return AuditRecord(transaction, tuple(findings), (verdict,), outcome, {"parse": 0.25, "inspect": 1.5})

    return make


@pytest.fixture(name="store")
def _store(tmp_path):
    store = SqliteStore.open(tmp_path / "state")
    yield store
    store.close()


@pytest.fixture(name="python")
def _python():
    """Start Python with a script; it is killed at the end of the test."""
    running = []

    def start(script, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()
