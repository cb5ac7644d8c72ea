"""A locked account's mail is a finding that says why."""

from datetime import UTC, datetime

from sekisho.inspect.locked import LockedAccount
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.lock import LockEvent, LockReason, standing
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

EVENT = LockEvent(
    "acme", "hana", "locked", datetime(2026, 11, 1, 9, 0, tzinfo=UTC), "behaviour", (LockReason("x", "mailed all"),)
)


class Locked:
    def locked(self, tenant, login):
        return standing(tenant, login, (EVENT,)) if (tenant, login) == ("acme", "hana") else None


def found(account, tenant="acme"):
    session = Session("s", "192.0.2.1", account=account, tenant=tenant)
    transaction = Transaction("t", session, Envelope("x@example.jp", ()), parse(b"\r\n"), datetime.now(UTC))
    return LockedAccount(Locked()).inspect(transaction)


def test_only_of_the_locked_account():
    (finding,) = found("hana")
    assert (finding.rule, finding.severity.word, finding.where) == ("account/locked", "critical", "account")
    assert finding.explanation == "locked since 2026-11-01 09:00:00 UTC; mailed all"
    assert found("jiro") == found(None) == found("hana", "other") == ()
