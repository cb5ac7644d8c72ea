"""The Received field that we put on top, and the mail loop that such fields give away."""

from __future__ import annotations

import re
from email.utils import format_datetime
from typing import TYPE_CHECKING

from sekisho.mail.hops import MAX_HOPS, hops
from sekisho.mail.reply import Reply

if TYPE_CHECKING:
    from sekisho.mail.envelope import Envelope, Session
    from sekisho.mail.message import Message
    from sekisho.mail.transaction import Transaction

_LOOP = Reply(554, "4.6", "Routing loop detected: too many Received header fields")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9.:\[\]_-]")
_NOT_IN_COMMENT = re.compile(r"[^A-Za-z0-9 ._-]")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.:\[\]_-]+")
_UTF8_ADDRESS = re.compile(
    r"[^\x00-\x20\x7f-\x9f<>@\"(),:;\\\ud800-\udfff]+@[^\x00-\x20\x7f-\x9f<>@\"(),;\\\ud800-\udfff]+"
)


def received_header(transaction: Transaction, envelope: Envelope, hostname: str) -> bytes:
    """The Received field, CRLF included, for a message that leaves with `envelope`.

    `hostname` is ours. The recipient is named only where it is the only one, so that no blind copy shows; the account
    never. Nothing a client said can break out of its place. Source: RFC 5321 4.4, RFC 3848, RFC 6531 3.7.3.
    """
    session = transaction.session
    literal = _literal(session.client_ip)
    tls = f" ({_comment(session.tls.version)} {_comment(session.tls.cipher)})" if session.tls else ""
    lines = [
        f"Received: from {_name(session.helo) or literal} ({literal})",
        f"by {_name(hostname)} with {_protocol(session, utf8=envelope.smtputf8)}{tls}",
        f"id {_name(transaction.id)}{_for(envelope)};",
        format_datetime(transaction.received_at),
    ]
    return "\r\n ".join(lines).encode() + b"\r\n"


def loop_reply(message: Message) -> Reply | None:
    """The reply for a message that has passed more than MAX_HOPS hosts, else None. Source: RFC 5321 6.3."""
    return _LOOP if len(hops(message)) > MAX_HOPS else None


def _protocol(session: Session, *, utf8: bool) -> str:
    """The "with" word, such as SMTP, ESMTPSA or UTF8SMTPS."""
    if not session.esmtp:
        return "SMTP"
    word = "UTF8SMTP" if utf8 else "ESMTP"
    logged_in = session.account is not None and not session.account_source
    return word + ("S" if session.tls else "") + ("A" if logged_in else "")


def _literal(ip: str) -> str:
    return f"[IPv6:{_name(ip)}]" if ":" in ip else f"[{_name(ip)}]"


def _name(text: str) -> str:
    return _NOT_IN_NAME.sub("?", text[:255])


def _comment(text: str) -> str:
    return _NOT_IN_COMMENT.sub("?", text[:80])


def _for(envelope: Envelope) -> str:
    if len(envelope.recipients) != 1:
        return ""
    address = envelope.recipients[0].address
    plain = _PLAIN_ADDRESS.fullmatch(address) or (envelope.smtputf8 and _UTF8_ADDRESS.fullmatch(address))
    return f"\r\n for <{address}>" if plain and len(address) <= 320 else ""
