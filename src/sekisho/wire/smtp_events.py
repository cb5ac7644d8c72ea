"""What an `SmtpServer` is told and what it tells."""

from __future__ import annotations

import sys
from typing import Literal

from msgspec import Struct, field

from sekisho.config.settings import LimitSettings
from sekisho.mail.envelope import Envelope, Tls
from sekisho.mail.reply import Reply
from sekisho.wire.smtp_auth import Allowed, LoginAsked
from sekisho.wire.smtp_body import ChunkReader, DataReader
from sekisho.wire.smtp_xclient import ATTRIBUTES, XclientAttributes


class ServerOptions(Struct, frozen=True):
    """What one connection offers. `hostname` stands in our greeting; `starttls`: a certificate is there.

    `mechanisms` are those with which a client may log in, `require_auth`: it must before it sends mail. Larger
    messages than `unread_above_bytes` are handed out unread.
    """

    hostname: str
    limits: LimitSettings = field(default_factory=LimitSettings)
    starttls: bool = False
    require_tls: bool = False
    xclient: bool = False
    mechanisms: Allowed = Allowed()
    require_auth: bool = False
    unread_above_bytes: int = sys.maxsize

    def extensions(self, tls: Tls | None, mechanisms: tuple[str, ...] = ()) -> Reply:
        """The reply to EHLO: our name and a line for each extension. RFC 5321 4.1.1.1.

        `mechanisms` are those that may be used at the moment.
        """
        limits = self.limits
        lines = [
            self.hostname,
            "PIPELINING",
            f"SIZE {limits.message_bytes}",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "DSN",
            "CHUNKING",
            f"LIMITS MAILMAX={limits.messages_per_connection} RCPTMAX={limits.recipients_per_message}",
        ]
        if self.starttls and tls is None:
            lines.append("STARTTLS")
        if mechanisms:
            lines.append("AUTH " + " ".join(mechanisms))  # RFC 4954 3
        if self.xclient:
            lines.append("XCLIENT " + " ".join(ATTRIBUTES))
        return Reply(250, None, "\n".join(lines))


class MailReceived(Struct, frozen=True):
    """A whole message, dot-unstuffed, otherwise byte for byte as it came. Wants `answer(reply)`.

    Where there is something `unread`, that is the message in place of `data`, and `read` is for a thread.
    """

    envelope: Envelope
    data: bytes
    unread: DataReader | ChunkReader | None = None

    @property
    def stored(self) -> int:
        """Octets in memory."""
        return len(self.data) if self.unread is None else self.unread.stored

    def read(self) -> bytes:
        """The message; to be called once. Raises ReplyError where it is refused, whose reply is the answer."""
        return self.data if self.unread is None else self.unread.finish()


class TlsRequested(Struct, frozen=True):
    """The 220 to STARTTLS is in the output. Wants `start_tls(tls)` after the handshake; every byte now is TLS."""


class XclientApplied(Struct, frozen=True):
    """A front end told us about its client. Wants `greet()` or `refuse_connection(reply)`."""

    attributes: XclientAttributes


class Ended(Struct, frozen=True):
    """Nothing more will be said: close after the output is sent.

    `why`: "quit" (the client said so), "limit" (commands, errors or messages), "protocol" (not to be read any
    further) or "shutdown" (`close` was called, or a 421 was the answer to a message).
    """

    why: Literal["quit", "limit", "protocol", "shutdown"]


Event = MailReceived | TlsRequested | XclientApplied | LoginAsked | Ended
