"""A limit's last step and a sure takeover lock an account, if policy agrees."""

import asyncio

import pytest
from msgspec.structs import replace
from support.sent import sent, strangers

from sekisho.accounts.finding_locks import FindingLocks
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Outcome
from sekisho.mail.verdict import Disposition, Hold, Verdict

LOCK = Finding("flood/rate-lock", Severity.HIGH, where="account", excerpt="per-hour: 101 recipients")


class Locked:
    def __init__(self):
        self.locks = []

    async def lock(self, tenant, login, reasons, *, by, evidence):
        self.locks.append((tenant, login, [r.text for r in reasons], by, evidence.findings, evidence.messages))
        return True


def record(disposition, finding=LOCK, account="hana@acme.example"):
    to = strangers(1)
    hold = Hold("quarantine") if disposition is Disposition.HOLD else None
    verdict = Verdict(tuple(to), disposition, "limit-lock", (finding,), hold)
    return AuditRecord(sent(to, account=account), (finding,), (verdict,), Outcome(Reply(250, "0.0", "ok")), {})


def seen(audit):
    locker = Locked()
    asyncio.run(FindingLocks(locker).seen(audit))
    return locker.locks


def test_it_locks():
    assert seen(record(Disposition.HOLD)) == [
        ("acme", "hana@acme.example", ["per-hour: 101 recipients"], "limits", ("flood/rate-lock",), ("t1",))
    ]


def test_a_takeover_locks():
    sure = Finding("account/takeover", Severity.CRITICAL, 0.97, where="account", excerpt="new network")
    assert seen(record(Disposition.HOLD, sure)) == [
        ("acme", "hana@acme.example", ["new network"], "behaviour", ("account/takeover",), ("t1",))
    ]


@pytest.mark.parametrize(
    "audit",
    [
        record(Disposition.HOLD, Finding("account/takeover", Severity.MEDIUM, 0.7, where="account")),
        record(Disposition.DELIVER),
        record(Disposition.HOLD, replace(LOCK, rule="flood/rate-defer")),
        record(Disposition.HOLD, account=None),
    ],
)
def test_it_does_not(audit):
    assert seen(audit) == []
