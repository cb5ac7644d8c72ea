"""An `AuditRecord` as rows, and rows as what search and policy replay read. No SQL here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.finding import Finding
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Delivery
from sekisho.mail.verdict import Disposition, Hold, Verdict, strictest

_encode = msgspec.json.Encoder().encode
_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class VerdictDocument(Struct, frozen=True, omit_defaults=True):
    """A verdict as stored: `findings` are positions in the record's list, `modifications` only their kinds."""

    recipients: tuple[str, ...]
    disposition: Disposition
    policy_rule: str
    findings: tuple[int, ...] = ()
    hold: Hold | None = None
    reply: Reply | None = None
    modifications: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    split: bool = False
    would_have: tuple[str, ...] = ()
    incident: str | None = None
    log: bool = False


class AuditDocument(Struct, frozen=True):
    """The JSON column of an audit row."""

    session: Session
    envelope: Envelope
    findings: tuple[Finding, ...]
    verdicts: tuple[VerdictDocument, ...]
    reply: Reply
    deliveries: tuple[Delivery, ...]
    timings_ms: dict[str, float]


class AuditRow(Struct, frozen=True):
    """One message for the writer: `values` of `audit`, rows of the tables that belong to it."""

    values: tuple[str | int, ...]
    addresses: tuple[tuple[str, str, str, str], ...]
    rules: tuple[tuple[str, str], ...]
    domain_set: tuple[str, str]


class Recorded(Struct, frozen=True):
    """An audit record as it is found again. `modifications` of the verdicts are not kept; `at` is aware, UTC."""

    id: str
    at: datetime
    session: Session
    envelope: Envelope
    message_id: str
    size: int
    subject_hash: str
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    reply: Reply
    deliveries: tuple[Delivery, ...]
    timings_ms: dict[str, float]
    internal_domains: frozenset[str]

    @property
    def tenant(self) -> str:
        """Whose message it was."""
        return self.session.tenant

    @property
    def disposition(self) -> Disposition:
        """The strictest over the recipients."""
        return strictest(self.verdicts).disposition if self.verdicts else Disposition.DELIVER

    @property
    def policy_rule(self) -> str:
        """The rule that set it."""
        return strictest(self.verdicts).policy_rule if self.verdicts else ""


class DomainSets:
    """Names each set of internal domains by a hash; remembers the few that a process sees."""

    def __init__(self) -> None:
        self._known: dict[frozenset[str], tuple[str, str]] = {}

    def name(self, domains: frozenset[str]) -> tuple[str, str]:
        """(id, JSON list) of the set."""
        named = self._known.get(domains)
        if named is None:
            if len(self._known) > 1000:
                self._known.clear()
            text = _encode(sorted(map(clean, domains))).decode()
            named = (hashlib.sha256(text.encode()).hexdigest()[:32], text)
            self._known[domains] = named
        return named


def audit_row(record: AuditRecord, subject_hash: Callable[[str], str], domain_sets: DomainSets) -> AuditRow:
    """Everything that is written about a message; nothing of it refers to the message's bytes any more."""
    transaction = record.transaction
    message, envelope, session = transaction.message, transaction.envelope, transaction.session
    strict = strictest(record.verdicts) if record.verdicts else None
    named = domain_sets.name(transaction.internal_domains)
    values = (
        transaction.id,
        micros(transaction.received_at),
        session.tenant,
        clean(message.message_id)[:998],
        len(message.raw),
        subject_hash(message.subject),
        int(strict.disposition) if strict else 0,
        strict.policy_rule if strict else "",
        named[0],
        encode(_document(record)).decode(),
    )
    rules = tuple({(f.rule, transaction.id) for f in record.findings})
    return AuditRow(values, addresses(envelope, transaction.id), rules, named)


def _document(record: AuditRecord) -> AuditDocument:
    transaction = record.transaction
    places = {id(finding): i for i, finding in enumerate(record.findings)}
    return AuditDocument(
        session=transaction.session,
        envelope=transaction.envelope,
        findings=record.findings,
        verdicts=tuple(_verdict_document(v, places, record.findings) for v in record.verdicts),
        reply=record.outcome.reply,
        deliveries=record.outcome.deliveries,
        timings_ms=record.timings_ms,
    )


def _verdict_document(verdict: Verdict, places: dict[int, int], findings: tuple[Finding, ...]) -> VerdictDocument:
    found = []
    for finding in verdict.findings:
        place = places.get(id(finding))
        if place is None and finding in findings:
            place = findings.index(finding)
        if place is not None:
            found.append(place)
    return VerdictDocument(
        recipients=verdict.recipients,
        disposition=verdict.disposition,
        policy_rule=verdict.policy_rule,
        findings=tuple(found),
        hold=verdict.hold,
        reply=verdict.reply,
        modifications=tuple(str(m.__struct_config__.tag) for m in verdict.modifications),
        notify=verdict.notify,
        split=verdict.split,
        would_have=verdict.would_have,
        incident=verdict.incident,
        log=verdict.log,
    )


def recorded(row: tuple[Any, ...]) -> Recorded:
    """An audit row with its domain set: (id, at, message_id, size, subject_hash, document, domains).

    Raises ValueError where the document is not ours.
    """
    document = decode(row[5], AuditDocument)
    return Recorded(
        id=row[0],
        at=moment(row[1]),
        session=document.session,
        envelope=document.envelope,
        message_id=row[2],
        size=row[3],
        subject_hash=row[4],
        findings=document.findings,
        verdicts=tuple(_verdict(v, document.findings) for v in document.verdicts),
        reply=document.reply,
        deliveries=document.deliveries,
        timings_ms=document.timings_ms,
        internal_domains=frozenset(msgspec.json.decode(row[6] or "[]", type=list[str])),
    )


def _verdict(stored: VerdictDocument, findings: tuple[Finding, ...]) -> Verdict:
    return Verdict(
        recipients=stored.recipients,
        disposition=stored.disposition,
        policy_rule=stored.policy_rule,
        findings=tuple(findings[i] for i in stored.findings),
        hold=stored.hold,
        reply=stored.reply,
        notify=stored.notify,
        split=stored.split,
        would_have=stored.would_have,
        incident=stored.incident,
        log=stored.log,
    )


def addresses(envelope: Envelope, owner: str) -> tuple[tuple[str, str, str, str], ...]:
    """Rows (domain, local part, role, owner) of an address table."""
    rows = {(*split_address(r.address), "to", owner) for r in envelope.recipients}
    rows.add((*split_address(envelope.mail_from or ""), "from", owner))
    return tuple(rows)


def split_address(address: str) -> tuple[str, str]:
    """(domain, local part) in lower case, for searching; both "" for the null reverse-path."""
    local, at, domain = clean(address).lower().rpartition("@")
    return (domain.rstrip("."), local) if at else ("", domain)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exactly."""
    delta = moment - _EPOCH
    return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds


def moment(microseconds: int) -> datetime:
    """The reverse of `micros`, in UTC."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def clean(text: str) -> str:
    """Text that any database takes: lone surrogates (octets that were no UTF-8) as backslash escapes, no NUL."""
    if text.isascii():
        return text.replace("\0", "\\0")
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def encode(value: Struct) -> bytes:
    """JSON, also of strings with lone surrogates, which come back as they were."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value)).encode()


def decode(document: bytes | str, kind: type[_T]) -> _T:
    """Read what `encode` wrote. Raises ValueError."""
    try:
        return msgspec.json.decode(document, type=kind)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(document), kind)
