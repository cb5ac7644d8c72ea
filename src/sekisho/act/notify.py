"""Notices to people about a verdict: to the sender, and to those who review, approve or administer.

A notice tells what was seen by its title and its redacted excerpt, never by the raw value. Only the sender's own
notice names the subject.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.act.compose import header_field, text_entity
from sekisho.act.notice_texts import Language, languages, say
from sekisho.config.settings import NoticeSettings
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.finding import Finding
from sekisho.mail.ids import new_id
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import Disposition, Redact, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sekisho.mail.message import Message

_MAX_FINDINGS = 20
_MAX_RECIPIENTS = 20
_MAX_TEXT = 200
QUOTED = "quoted reply"  # as inspection calls what a mail quotes of its recipient's own words


class _Case(Struct, frozen=True):
    """What the notices of one verdict tell."""

    transaction: Transaction
    verdict: Verdict
    titles: Mapping[str, Mapping[str, str]]
    hostname: str
    hold_id: str

    @property
    def what(self) -> str:
        """The key of what was done: "quarantine", "approval", "delay", "reject", "defer" or "deliver"."""
        if self.verdict.disposition is Disposition.HOLD:
            return self.verdict.hold.kind if self.verdict.hold else "quarantine"
        return self.verdict.disposition.word

    @property
    def masked(self) -> str:
        """The key of what to say of masked values: "" where the message leaves as it was written.

        Another rule than the one that decides may have asked for it, and its findings are none of the verdict's.
        """
        if any(map(self.is_masked, self.verdict.findings)):
            return "masked"
        return "masked.unlisted" if any(self._redactions()) else ""

    def is_masked(self, finding: Finding) -> bool:
        """Whether the message leaves with what this found masked."""
        return any(fnmatchcase(finding.rule, glob) for m in self._redactions() for glob in m.finding)

    def _redactions(self) -> Iterator[Redact]:
        return (m for m in self.verdict.modifications if isinstance(m, Redact) and (m.masks or m.headers))

    @property
    def shown_id(self) -> str:
        """What to quote: the hold's id, or the transaction's where nothing is held."""
        return self.hold_id or self.transaction.id


def notices(
    transaction: Transaction,
    verdict: Verdict,
    settings: NoticeSettings,
    titles: Mapping[str, Mapping[str, str]],
    hostname: str,
    *,
    hold_id: str = "",
    at: datetime | None = None,
) -> list[tuple[Envelope, bytes]]:
    """The notices that `verdict.notify` asks for: one for each role that has an address, null reverse-path.

    `titles` maps a finding's id to its title by language; `hold_id` is the kept message's id. The sender of a
    message that is itself automatic is not told, so that no two programs answer each other (RFC 3834 2); the staff
    is, unless the reverse-path is null as well, as our own notices' is. `hostname` is ASCII. Nothing is raised for
    what the message or its findings hold.
    """
    automatic = is_automatic(transaction.message)
    if automatic and transaction.envelope.mail_from is None:
        return []
    case = _Case(transaction, verdict, titles, hostname, hold_id)
    now = at or datetime.now(UTC)
    made = []
    for role in dict.fromkeys(verdict.notify):
        if automatic and role == "sender":
            continue
        addresses = _addresses(role, transaction, settings)
        if addresses:
            made.append(_notice(case, role, addresses, settings, now))
    return made


def is_automatic(message: Message) -> bool:
    """Whether the message says that no person sent it. Source: RFC 3834 5."""
    header = message.header("auto-submitted")
    return header is not None and header.value.partition(";")[0].strip().lower() != "no"


def _addresses(role: str, transaction: Transaction, settings: NoticeSettings) -> tuple[str, ...]:
    if role == "sender":
        sender = transaction.envelope.mail_from
        return (sender,) if sender else ()
    by_role = {
        "reviewer": settings.reviewer,
        "approver": settings.approver,
        "administrator": settings.administrator,
    }
    return by_role.get(role, ())


def _notice(
    case: _Case, role: str, addresses: tuple[str, ...], settings: NoticeSettings, now: datetime
) -> tuple[Envelope, bytes]:
    shown = languages(settings.language)
    sections = [_to_sender(case, language) if role == "sender" else _to_staff(case, language) for language in shown]
    subject = " / ".join(_subject(case, role, language) for language in shown)
    return written(addresses, subject, sections, from_address=settings.from_address, hostname=case.hostname, at=now)


def written(
    addresses: tuple[str, ...],
    subject: str,
    sections: Sequence[str],
    *,
    from_address: str,
    hostname: str,
    at: datetime,
) -> tuple[Envelope, bytes]:
    """A mail of ours to people: null reverse-path, one section for each language. `hostname` is ASCII.

    `from_address` that is "" or not ASCII: postmaster at our name. Source: RFC 3834 for what marks it as automatic.
    """
    content, body = text_entity(("\n" + "-" * 60 + "\n\n").join(sections))
    if not from_address or not from_address.isascii():
        from_address = f"postmaster@{hostname}"
    fields = [
        header_field("From", f"Sekisho <{from_address}>"),
        _to(addresses),
        header_field("Subject", subject),
        header_field("Date", format_datetime(at)),
        header_field("Message-ID", f"<{new_id()}.notice@{hostname}>"),
        header_field("Auto-Submitted", "auto-generated"),
        header_field("MIME-Version", "1.0"),
        content,
    ]
    utf8 = not all(address.isascii() for address in addresses)
    recipients = tuple(Recipient(address, notify="NEVER") for address in addresses)
    envelope = Envelope(mail_from=None, recipients=recipients, body="8BITMIME" if utf8 else "7BIT", smtputf8=utf8)
    return envelope, b"".join(fields) + b"\r\n" + body


def _to(addresses: Iterable[str]) -> bytes:
    shown = [f"<{one_line(address)}>" for address in addresses]
    if all(address.isascii() and len(address) < 900 for address in shown):
        return header_field("To", ", ".join(shown))
    return b"To: " + ",\r\n ".join(shown).encode("utf-8", "replace") + b"\r\n"  # with SMTPUTF8 (RFC 6532 3.2)


def _subject(case: _Case, role: str, language: Language) -> str:
    if role == "sender":
        return say(language, f"subject.{'held' if case.what in ('quarantine', 'approval') else case.what}")
    held = case.verdict.disposition is Disposition.HOLD
    return say(language, "subject.staff.held" if held else "subject.staff.seen", id=case.shown_id)


def _to_sender(case: _Case, language: Language) -> str:
    message, subject = case.transaction.message, case.verdict.subject
    lines = [
        say(language, f"sender.{case.what}"),
        *([say(language, case.masked)] if case.masked else []),
        say(language, "todo.masked" if case.masked and case.what == "deliver" else f"todo.{case.what}"),
        "",
        *_facts(case, language),
        _labelled(language, "subject", message.subject if subject is None else subject),
        *_findings(case, language),
    ]
    return _text(case, language, lines)


def _to_staff(case: _Case, language: Language) -> str:
    session = case.transaction.session
    lines = [
        say(language, f"staff.{case.what}"),
        "",
        *_facts(case, language),
        _labelled(language, "from", case.transaction.envelope.mail_from or "<>"),
        *([_labelled(language, "account", session.account)] if session.account else []),
        _labelled(language, "rule", case.verdict.policy_rule),
        *_findings(case, language),
    ]
    if case.hold_id:
        commands = [f"    sekisho hold {verb} {case.hold_id}" for verb in ("show", "release", "reject")]
        lines += ["", say(language, "todo.staff"), *commands]
    return _text(case, language, lines)


def _text(case: _Case, language: Language, lines: Iterable[str]) -> str:
    return "\n".join((*lines, "", say(language, "footer", hostname=case.hostname), ""))


def _facts(case: _Case, language: Language) -> list[str]:
    recipients = case.verdict.recipients
    shown = ", ".join(recipients[:_MAX_RECIPIENTS])
    more = len(recipients) - _MAX_RECIPIENTS
    return [
        _labelled(language, "id", case.shown_id),
        _labelled(language, "received", case.transaction.received_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
        _labelled(language, "to", shown, limit=_MAX_RECIPIENTS * 330)
        + (f" ({say(language, 'more', count=more)})" if more > 0 else ""),
    ]


def _labelled(language: Language, label: str, value: str, *, limit: int = _MAX_TEXT) -> str:
    return f"{say(language, f'label.{label}')}: {one_line(value, limit)}"


def _findings(case: _Case, language: Language) -> list[str]:
    findings = sorted(case.verdict.findings, key=lambda finding: -finding.severity)
    if not findings:
        return []
    lines = ["", say(language, "label.findings") + ":"]
    lines += dict.fromkeys(_finding(finding, case, language) for finding in findings[:_MAX_FINDINGS])
    if len(findings) > _MAX_FINDINGS:
        lines.append(f"  {say(language, 'more', count=len(findings) - _MAX_FINDINGS)}")
    return lines


def _finding(finding: Finding, case: _Case, language: Language) -> str:
    titles = case.titles.get(finding.rule, {})
    title = titles.get(language) or titles.get("en") or finding.rule
    place = say(language, f"where.{finding.where}")
    if finding.path == QUOTED:
        place = say(language, "where.quoted")
    elif finding.path or (finding.part and finding.where not in ("body", "link")):
        place += f" {finding.path or finding.part}"  # the number of a text part says nothing to people
    details = [place, say(language, f"severity.{finding.severity.word}")]
    if finding.count > 1:
        details.append(say(language, "times", count=finding.count))
    if case.is_masked(finding):
        details.append(say(language, "is_masked"))
    line = f"  - {one_line(title)} ({one_line(', '.join(details))})"
    return f"{line}\n      {one_line(finding.excerpt)}" if finding.excerpt else line


def one_line(text: str, limit: int = _MAX_TEXT) -> str:
    """Text of others on one line: no control or formatting characters, so that it cannot pose as ours."""
    shown = "".join(c if c.isprintable() else " " for c in text[: limit * 2])
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
