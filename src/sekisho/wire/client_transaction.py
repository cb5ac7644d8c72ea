"""What one mail transaction looks like on the wire of a given server, and why it may not go there at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.mail.line_ends import bare_line_end
from sekisho.mail.pieces import replaced
from sekisho.mail.reply import Reply
from sekisho.wire.lines import DOT_LINE, dot_lines

if TYPE_CHECKING:
    from sekisho.mail.envelope import Envelope, Recipient
    from sekisho.wire.client_capabilities import Capabilities

# An address may hold anything that cannot end its angle brackets or its line: `>` and space only inside quotes.
_ADDRESS = re.compile(
    r'(?:[^\x00-\x20\x7f-\x9f<>"\\\ud800-\udfff]|"(?:[^\x00-\x1f\x7f-\x9f"\\\ud800-\udfff]|\\[\x20-\x7e])*")+'
)
_PARAMETER = re.compile(r"[!-~]+")
_UNITEXT = re.compile(r"[^\x00-\x20\x7f-\x9f\ud800-\udfff]+")

TOO_BIG = Reply(552, "3.4", "Message is larger than the next hop takes")  # RFC 1870 6.1
NO_8BIT = Reply(554, "6.3", "Message has 8-bit content and the next hop takes 7-bit content only")  # RFC 6152 3
NO_UTF8_ADDRESS = Reply(553, "6.7", "The next hop takes ASCII addresses only")  # RFC 6531 3.5
NO_UTF8_HEADER = Reply(554, "6.9", "Message has a UTF-8 header and the next hop takes ASCII only")  # RFC 6531 3.5
BARE_LINE_END = Reply(554, "6.0", "Message has a bare CR or LF and cannot be relayed unchanged")  # RFC 5321 2.3.8
BAD_SENDER = Reply(553, "1.7", "Sender address cannot be sent")
BAD_RECIPIENT = Reply(553, "1.3", "Recipient address cannot be sent")
BAD_PARAMETER = Reply(501, "5.4", "Parameter cannot be sent")


class Plan(Struct, frozen=True):
    """A transaction ready to be said.

    `refused` are replies made here, by index of recipient; `order` the indexes of the recipients that go, each with
    its command in `rcpt`. `body` are the octets after DATA's 354 with the final dot, or BDAT with its command.
    """

    refused: dict[int, Reply]
    order: tuple[int, ...]
    mail: bytes = b""
    rcpt: tuple[bytes, ...] = ()
    body: tuple[bytes, ...] = ()
    chunked: bool = False


class Content:
    """A message with what every octet of it has to be looked at for, so that it can be done ahead, in a thread."""

    __slots__ = ("_stuffed", "ascii", "bare_line_end", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bare_line_end = bare_line_end(data)
        self.ascii = data.isascii()
        self._stuffed: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return len(self.data)

    @property
    def stuffed(self) -> tuple[bytes, ...]:
        """As DATA carries it; see `stuffed`."""
        if not self._stuffed:
            self._stuffed = stuffed(self.data)
        return self._stuffed


def plan(envelope: Envelope, data: bytes | Content, peer: Capabilities) -> Plan:
    """Lay out a transaction for this server. Never raises: what cannot go is in `refused`."""
    recipients = envelope.recipients
    content = data if isinstance(data, Content) else Content(data)
    obstacle = _obstacle(envelope, content, peer)
    if obstacle is not None:
        return Plan(dict.fromkeys(range(len(recipients)), obstacle), ())
    checked = [(i, _recipient_obstacle(recipient, peer)) for i, recipient in enumerate(recipients)]
    order = tuple(i for i, refusal in checked if refusal is None)
    utf8 = peer.smtputf8 and (envelope.smtputf8 or not all(a.isascii() for a in _addresses(envelope)))
    return Plan(
        refused={i: refusal for i, refusal in checked if refusal is not None},
        order=order,
        mail=_mail(envelope, content, peer, utf8=utf8),
        rcpt=tuple(_rcpt(recipients[i], peer, utf8=utf8) for i in order),
        body=(b"BDAT %d LAST\r\n" % len(content), content.data) if peer.chunking else content.stuffed,
        chunked=peer.chunking,
    )


def stuffed(data: bytes) -> tuple[bytes, ...]:
    """The message as DATA carries it: dots doubled at line starts, and the final dot. RFC 5321 4.5.2.

    A last line without CRLF gets one, as DATA can carry whole lines only. The message is in pieces so that one
    without such dots is not copied.
    """
    first = b"." if data.startswith(b".") else b""
    last = b".\r\n" if data.endswith(b"\r\n") or not data else b"\r\n.\r\n"
    if dot_lines.occurs(data):
        data = replaced(data, DOT_LINE, DOT_LINE + b".")
    return tuple(filter(None, (first, data, last)))


def _addresses(envelope: Envelope) -> list[str]:
    return [envelope.mail_from or "", *envelope.rcpt_to]


def _obstacle(envelope: Envelope, content: Content, peer: Capabilities) -> Reply | None:
    """Why the message cannot go to this server for anybody."""
    sender = envelope.mail_from or ""
    if sender and not _ADDRESS.fullmatch(sender):
        return BAD_SENDER
    if not all(_PARAMETER.fullmatch(p) for p in (envelope.ret, envelope.envid) if p is not None):
        return BAD_PARAMETER
    if peer.size and len(content) > peer.size:
        return TOO_BIG
    if not sender.isascii() and not peer.smtputf8:
        return NO_UTF8_ADDRESS
    return _content_obstacle(envelope, content, peer)


def _content_obstacle(envelope: Envelope, content: Content, peer: Capabilities) -> Reply | None:
    # A bare CR or LF beside a dot is where servers disagree on the end of a message: the smuggler's door.
    if content.bare_line_end:
        return BARE_LINE_END
    if content.ascii:
        return None
    if envelope.smtputf8 and not peer.smtputf8 and not _header_block(content.data).isascii():
        return NO_UTF8_HEADER
    return None if peer.eightbitmime else NO_8BIT


def _header_block(data: bytes) -> bytes:
    end = data.find(b"\r\n\r\n")
    return data if end < 0 else data[:end]


def _recipient_obstacle(recipient: Recipient, peer: Capabilities) -> Reply | None:
    if not _ADDRESS.fullmatch(recipient.address):
        return BAD_RECIPIENT
    if recipient.notify is not None and not _PARAMETER.fullmatch(recipient.notify):
        return BAD_PARAMETER
    if recipient.orcpt is not None and not _UNITEXT.fullmatch(recipient.orcpt):
        return BAD_PARAMETER
    return None if peer.smtputf8 or recipient.address.isascii() else NO_UTF8_ADDRESS


def _mail(envelope: Envelope, content: Content, peer: Capabilities, *, utf8: bool) -> bytes:
    parameters = ""
    if peer.size is not None:
        parameters += f" SIZE={len(content)}"
    if peer.eightbitmime and not content.ascii:
        parameters += " BODY=8BITMIME"  # RFC 6152 2: told by the content, which edits may have changed
    if utf8:
        parameters += " SMTPUTF8"
    if peer.dsn and envelope.ret:
        parameters += f" RET={envelope.ret}"
    if peer.dsn and envelope.envid:
        parameters += f" ENVID={envelope.envid}"
    return f"MAIL FROM:<{envelope.mail_from or ''}>{parameters}\r\n".encode()


def _rcpt(recipient: Recipient, peer: Capabilities, *, utf8: bool) -> bytes:
    parameters = ""
    if peer.dsn and recipient.notify:
        parameters += f" NOTIFY={recipient.notify}"
    if peer.dsn and recipient.orcpt:
        orcpt = recipient.orcpt if utf8 else _utf8_xtext(recipient.orcpt)
        parameters += f" ORCPT={orcpt}"
    return f"RCPT TO:<{recipient.address}>{parameters}\r\n".encode()


def _utf8_xtext(orcpt: str) -> str:
    """An original recipient in ASCII, as a server without SMTPUTF8 takes it. RFC 6533 3."""
    return "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in orcpt)
