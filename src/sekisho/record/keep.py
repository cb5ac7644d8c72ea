"""Write down what became of a message: in the store, in the log, in the metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from sekisho.mail.envelope import Tls
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Delivery
from sekisho.mail.verdict import Verdict, strictest
from sekisho.record.journal import Journal
from sekisho.record.metrics import Metrics
from sekisho.record.paths import FileNames, with_paths

log = logging.getLogger(__name__)


class AuditStore(Protocol):
    """What the recorder needs of the store."""

    async def record(self, record: AuditRecord) -> None:
        """Queue the audit record."""

    def subject_hash(self, subject: str) -> str:
        """The keyed hash of a subject."""

    def trouble(self) -> str:
        """Why the store cannot be relied on, or ""."""


class MessageLine(Struct, frozen=True):
    """A line of the log about one message. No subject, no body; file names as the settings want them."""

    event: str
    time: datetime
    id: str
    tenant: str
    listener: str
    client_ip: str
    account: str | None
    helo: str
    tls: Tls | None
    mail_from: str | None
    rcpt_to: tuple[str, ...]
    message_id: str
    size: int
    subject_hash: str
    disposition: str
    policy_rule: str
    verdicts: list[dict[str, object]]
    findings: list[dict[str, object]]
    would_have: list[str]
    reply: str
    deliveries: list[dict[str, object]]
    timings_ms: dict[str, float]


class Recorder:
    """Records each message once. Whatever fails here is counted and logged, and never changes the reply.

    `file_names` is `record.file_names` of the settings; a reload sets it anew.
    """

    def __init__(
        self, store: AuditStore, journal: Journal, metrics: Metrics, file_names: FileNames = "masked"
    ) -> None:
        self._store = store
        self._journal = journal
        self._metrics = metrics
        self.file_names = file_names

    @property
    def accept_metrics(self) -> Metrics:
        """What listeners count with."""
        return self._metrics

    def reopen(self) -> None:
        """Open the log file anew."""
        self._journal.reopen()

    def look(self) -> None:
        """Bring the metrics about the store up to date: for a timer, as no message comes while it is away."""
        self._metrics.store_trouble(self._store.trouble())

    def close(self) -> None:
        """Write what is left of the log."""
        self._journal.close()

    async def record(self, audit: AuditRecord) -> None:
        """Write everything down. Never raises: the message is where its reply says it is."""
        try:
            shown = with_paths(audit, self.file_names)
        except Exception:
            log.exception("%s: neither an audit record nor in the log", audit.transaction.id)
            self._metrics.store_failed()
            self._metrics.journal_failed()
            return
        try:
            await self._store.record(shown)
        except StoreAwayError as error:
            log.error("%s: no audit record: %s", audit.transaction.id, error)  # noqa: TRY400 - the cause is in it
            self._metrics.store_failed()
        except Exception:
            log.exception("%s: no audit record", audit.transaction.id)
            self._metrics.store_failed()
        try:
            self._journal.write(message_line(shown, self._store.subject_hash))
            self._metrics.recorded(audit)
        except Exception:
            log.exception("%s: not in the log", audit.transaction.id)
            self._metrics.journal_failed()


def message_line(audit: AuditRecord, subject_hash: Callable[[str], str]) -> MessageLine:
    """The log line of a message."""
    transaction = audit.transaction
    session, envelope, message = transaction.session, transaction.envelope, transaction.message
    strict = strictest(audit.verdicts) if audit.verdicts else None
    return MessageLine(
        event="message",
        time=transaction.received_at,
        id=transaction.id,
        tenant=session.tenant,
        listener=session.listener,
        client_ip=session.client_ip,
        account=session.account,
        helo=session.helo,
        tls=session.tls,
        mail_from=envelope.mail_from,
        rcpt_to=envelope.rcpt_to,
        message_id=message.message_id[:998],
        size=len(message.raw),
        subject_hash=subject_hash(message.subject),
        disposition=strict.disposition.word if strict else "",
        policy_rule=strict.policy_rule if strict else "",
        verdicts=[_verdict(verdict) for verdict in audit.verdicts],
        findings=[finding.to_json() for finding in audit.findings],
        would_have=list(dict.fromkeys(would for verdict in audit.verdicts for would in verdict.would_have)),
        reply=str(audit.outcome.reply),
        deliveries=[_delivery(delivery) for delivery in audit.outcome.deliveries],
        timings_ms={step: round(value, 3) for step, value in audit.timings_ms.items()},
    )


def _verdict(verdict: Verdict) -> dict[str, object]:
    shown: dict[str, object] = {
        "rcpt_to": verdict.recipients,
        "disposition": verdict.disposition.word,
        "policy_rule": verdict.policy_rule,
    }
    if verdict.hold is not None:
        shown["hold"] = verdict.hold.kind
    if verdict.incident is not None:
        shown["incident"] = verdict.incident
    if verdict.log:
        shown["log"] = True
    return shown


def _delivery(delivery: Delivery) -> dict[str, object]:
    return {
        "rcpt_to": delivery.recipients,
        "outcome": delivery.outcome,
        "to": delivery.to,
        "reply": _reply(delivery.reply),
    }


def _reply(reply: Reply | None) -> str | None:
    return str(reply) if reply is not None else None
