"""Policy's incidents of an account's lock it."""

import asyncio
from datetime import UTC, datetime

from sekisho.accounts.incidents import Incidents
from sekisho.config.account_settings import LockSettings
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Outcome, Transaction
from sekisho.mail.verdict import Disposition, Verdict
from sekisho.parse import parse


def record(number, incident="account-abuse", account="hana"):
    session = Session("s", "192.0.2.1", account=account, tenant="acme")
    envelope = Envelope("hana@example.jp", (Recipient("x@example.net"),))
    transaction = Transaction(f"t{number}", session, envelope, parse(b"\r\n"), datetime.now(UTC))
    findings = (Finding("phishing/content", Severity.HIGH),)
    verdict = Verdict(("x@example.net",), Disposition.HOLD, "certain-abuse", findings, incident=incident)
    return AuditRecord(transaction, findings, (verdict,), Outcome(Reply(250, "0.0", "ok")), {})


def test_only_abuse_of_a_known_account_counts(worker):
    locker, _ = worker(LockSettings(incidents=2))
    incidents = Incidents(locker)
    for other in (record(1, "malware"), record(2, None), record(3, account=None), record(4)):
        asyncio.run(incidents.seen(other))
    assert locker.locks.locked("acme", "hana") is None
    asyncio.run(incidents.seen(record(5)))
    event = locker.locks.locked("acme", "hana").event
    assert event.evidence.messages == ("t4", "t5")
    assert event.reasons[0].text == "policy rule certain-abuse: phishing/content"
