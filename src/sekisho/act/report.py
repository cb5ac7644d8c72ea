"""Delivery status notifications: what a sender is told about a delivery (RFC 3464, asked for by RFC 3461)."""

from __future__ import annotations

import re
from base64 import encodebytes
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sekisho.act.compose import FieldError, boundary_for, header_field, multipart, text_entity
from sekisho.act.notice_texts import languages, say
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.ids import new_id
from sekisho.mailauth.canonical import with_crlf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.reply import Reply

Action = Literal["failed", "delayed", "relayed", "expanded"]
# RFC 3461 4.1: the NOTIFY keyword that asks for a report of each action.
_KEYWORD: dict[Action, str] = {"failed": "FAILURE", "delayed": "DELAY", "relayed": "SUCCESS", "expanded": "SUCCESS"}
# Where the sender did not say (RFC 3461 4.3), a longer message comes back as its header only.
RETURN_WHOLE_UP_TO = 65_536
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_MESSAGE_ID = re.compile(rb"(?:^|\n)message-id:[ \t]*(?:\r?\n[ \t]+)?(<[!-;=?-~]{1,250}>)[ \t]*\r?\n", re.IGNORECASE)
_TYPED = re.compile(r"([A-Za-z0-9-]{1,40});(.{1,500})")


class _Case(Struct, frozen=True):
    """All that a report tells."""

    envelope: Envelope
    sender: str
    data: bytes
    failures: tuple[tuple[Recipient, Reply], ...]
    hostname: str
    arrived_at: datetime
    action: Action
    remote_mta: str
    report_id: str
    at: datetime
    from_address: str
    language: Literal["en", "ja", "both"]


def delivery_status(
    envelope: Envelope,
    data: bytes,
    failures: Sequence[tuple[Recipient, Reply]],
    *,
    hostname: str,
    arrived_at: datetime,
    action: Action = "failed",
    remote_mta: str = "",
    report_id: str = "",
    at: datetime | None = None,
    from_address: str = "",
    language: Literal["en", "ja", "both"] = "both",
) -> tuple[Envelope, bytes] | None:
    """The report on `failures` to the sender of `envelope`, whose message is `data`, or None where none may be sent.

    None: the reverse-path is null (RFC 3464 2), or no recipient's NOTIFY asks for this action (RFC 3461 4.1).
    `hostname` (ASCII) is the reporting MTA, `remote_mta` the host that gave the replies ("" where they are our own).
    Times are aware. `from_address` "" is postmaster at `hostname`; `report_id` "" makes a new one. The envelope
    returned has the null reverse-path. Source: RFC 3461 6, RFC 3464, RFC 6533, RFC 3834.
    """
    asked = tuple(pair for pair in failures if _is_asked_for(pair[0], action))
    if envelope.mail_from is None or not asked:
        return None
    case = _Case(
        envelope=envelope,
        sender=envelope.mail_from,
        data=with_crlf(data),
        failures=asked,
        hostname=hostname,
        arrived_at=arrived_at,
        action=action,
        remote_mta=remote_mta,
        report_id=report_id or new_id(),
        at=at or datetime.now(UTC),
        from_address=from_address if from_address and from_address.isascii() else f"postmaster@{hostname}",
        language=language,
    )
    returned = _returned(case)
    message = _message(case, returned)
    utf8 = not case.sender.isascii()
    recipient = Recipient(case.sender, notify="NEVER")  # RFC 3461 6.1: no report of a report
    body = "7BIT" if message.isascii() else "8BITMIME"
    return Envelope(mail_from=None, recipients=(recipient,), body=body, smtputf8=utf8), message


def _is_asked_for(recipient: Recipient, action: Action) -> bool:
    if recipient.notify is None:  # RFC 3461 4.1: failures and, as we choose, delays
        return action in ("failed", "delayed")
    return _KEYWORD[action] in recipient.notify.upper().split(",")


def _message(case: _Case, returned: bytes) -> bytes:
    entities = (_explanation(case), _status(case), returned)
    boundary = boundary_for(case.report_id, *entities)
    kind = f'multipart/report; report-type=delivery-status; boundary="{boundary}"'
    fields = [
        header_field("From", f"Mail Delivery System <{case.from_address}>"),
        _to(case.sender),
        header_field("Subject", _subject(case)),
        header_field("Date", format_datetime(case.at)),
        header_field("Message-ID", f"<{case.report_id}.report@{case.hostname}>"),
        *_thread(case.data),
        header_field("Auto-Submitted", "auto-replied"),
        header_field("MIME-Version", "1.0"),
        header_field("Content-Type", kind),
    ]
    if not returned.isascii():
        fields.append(header_field("Content-Transfer-Encoding", "8bit"))
    return b"".join(fields) + b"\r\n" + multipart(boundary, entities)


def _to(sender: str) -> bytes:
    try:
        return header_field("To", f"<{sender}>")
    except FieldError:  # outside ASCII: such a report leaves with SMTPUTF8 (RFC 6532 3.2)
        return b"To: <" + re.sub(r"[\x00-\x20\x7f-\x9f<>]", "?", sender).encode("utf-8", "replace") + b">\r\n"


def _subject(case: _Case) -> str:
    key = "success" if case.action in ("relayed", "expanded") else case.action
    return " / ".join(say(language, f"report.subject.{key}") for language in languages(case.language))


def _thread(data: bytes) -> list[bytes]:
    """What ties the report to the message in a mail reader (RFC 3834 3.1.4, 3.1.6)."""
    found = _MESSAGE_ID.search(_header_of(data))
    if not found:
        return []
    message_id = found[1].decode("ascii")
    return [header_field(name, message_id) for name in ("In-Reply-To", "References")]


def _header_of(data: bytes) -> bytes:
    if data.startswith(b"\r\n"):
        return b""
    header, blank, _ = data.partition(b"\r\n\r\n")
    return header + b"\r\n" if blank or not header.endswith(b"\r\n") else header


def _explanation(case: _Case) -> bytes:
    lines = [f"  <{_visible(r.address)}>\n    {_visible(str(reply))}" for r, reply in case.failures]
    footer = [say(language, "footer", hostname=case.hostname) for language in languages(case.language)]
    texts = [say(language, f"report.{case.action}") for language in languages(case.language)]
    fields, body = text_entity("\n".join((*texts, "", *lines, "", *footer)))
    return fields + b"\r\n" + body


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _status(case: _Case) -> bytes:
    blocks = [_per_message(case), *(_per_recipient(case, r, reply) for r, reply in case.failures)]
    return b"Content-Type: message/delivery-status\r\n\r\n" + b"\r\n".join(blocks)


def _per_message(case: _Case) -> bytes:
    """RFC 3464 2.2."""
    fields = []
    if case.envelope.envid:
        fields.append(_status_field("Original-Envelope-Id", _from_xtext(case.envelope.envid)))
    fields.append(_status_field("Reporting-MTA", f"dns; {case.hostname}"))
    fields.append(_status_field("Arrival-Date", format_datetime(case.arrived_at)))
    return b"".join(fields)


def _per_recipient(case: _Case, recipient: Recipient, reply: Reply) -> bytes:
    """RFC 3464 2.3."""
    fields = []
    typed = _TYPED.fullmatch(_from_xtext(recipient.orcpt or ""))
    if typed:
        fields.append(_status_field("Original-Recipient", f"{typed[1].lower()}; {typed[2]}"))
    fields.append(_status_field("Final-Recipient", _typed_address(recipient.address)))
    fields.append(_status_field("Action", case.action))
    fields.append(_status_field("Status", reply.enhanced or f"{reply.code // 100}.0.0"))
    if case.remote_mta:
        fields.append(_status_field("Remote-MTA", f"dns; {case.remote_mta}"))
    fields.append(_status_field("Diagnostic-Code", f"smtp; {reply}"))
    return b"".join(fields)


def _status_field(name: str, value: str) -> bytes:
    """A field of message/delivery-status, which is ASCII only; a word too long for a line is cut."""
    value = _UNPRINTABLE.sub("?", value)
    return header_field(name, " ".join(word[:900] for word in value.split(" ")))


def _typed_address(address: str) -> str:
    if address.isascii():
        return f"rfc822; {address}"
    # RFC 6533 3: utf-8-addr-xtext, so that the report itself needs no SMTPUTF8
    plain = "".join(c if "!" <= c <= "~" and c not in "\\+=" else f"\\x{{{ord(c):02X}}}" for c in address)
    return f"utf-8; {plain}"


def _from_xtext(value: str) -> str:
    """Undo xtext (RFC 3461 4); what would not be printable ASCII stays as it was written."""
    decoded = _XTEXT.sub(lambda match: chr(int(match[1], 16)), value)
    return value if _UNPRINTABLE.search(decoded) else decoded


def _returned(case: _Case) -> bytes:
    """The message or its header (RFC 3461 4.3): only a failure returns the whole."""
    whole = case.envelope.ret.upper() == "FULL" if case.envelope.ret else len(case.data) <= RETURN_WHOLE_UP_TO
    if case.action != "failed":
        whole = False
    data = case.data if whole else _header_of(case.data)
    header_is_ascii = _header_of(case.data).isascii()
    if case.envelope.smtputf8 and not header_is_ascii:
        return _returned_global(data, whole=whole)
    kind = b"message/rfc822" if whole else b"text/rfc822-headers"
    encoding = b"" if data.isascii() else b"Content-Transfer-Encoding: 8bit\r\n"
    return b"Content-Type: " + kind + b"\r\n" + encoding + b"\r\n" + data


def _returned_global(data: bytes, *, whole: bool) -> bytes:
    """RFC 6533 4.2, 4.3; in base64, which these types allow, so that the report needs no SMTPUTF8."""
    kind = b"message/global" if whole else b"message/global-headers"
    encoded = encodebytes(data).replace(b"\n", b"\r\n")
    return b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded
