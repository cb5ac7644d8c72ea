"""Audit records to write down."""

from datetime import UTC, datetime

import pytest

from sekisho.mail.envelope import Envelope, Recipient, Session, Tls
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Delivery, Outcome, Transaction
from sekisho.mail.verdict import Disposition, Hold, Verdict
from sekisho.parse import parse

RAW = (
    b"From: Taro <taro@example.jp>\r\n"
    b"Subject: Project Nightingale acquisition\r\n"
    b"Message-ID: <m1@example.jp>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nthe password is correct-horse-battery\r\n"
    b'--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="layoffs-2026.txt"\r\n\r\n'
    b"Suzuki Ichiro\r\n--b--\r\n"
)
SECRETS = (b"Nightingale", b"nightingale", b"correct-horse", b"layoffs", b"Suzuki")


@pytest.fixture(name="secrets")
def _secrets():
    return SECRETS


@pytest.fixture(name="make_audit")
def _make_audit():
    def make(audit_id="t1", rules=("dlp/jp/my-number",), mail_from="taro@example.jp", **session):
        findings = tuple(
            Finding(rule, Severity.HIGH, 0.9, 2, "2", "filename", path="layoffs-2026.txt", excerpt="****")
            for rule in rules
        )
        to = ("hanako@example.com",)
        transaction = Transaction(
            id=audit_id,
            session=Session(
                "s1", "192.0.2.1", "mail.example.jp", tls=Tls("TLSv1.3", "C"), listener="relay", **session
            ),
            envelope=Envelope(mail_from, tuple(map(Recipient, to))),
            message=parse(RAW),
            received_at=datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
        )
        verdict = Verdict(
            to,
            Disposition.HOLD,
            "rule-1",
            findings,
            Hold("quarantine"),
            would_have=("rule-9: reject",),
            incident="leak",
        )
        outcome = Outcome(Reply(250, "0.0", "OK"), (Delivery(to, "held", "k1"),))
        return AuditRecord(transaction, findings, (verdict,), outcome, {"parse": 0.25, "inspect": 1.23456})

    return make
