"""An SMTP reply: code, enhanced status code and text, for our replies and for a next hop's."""

from __future__ import annotations

from msgspec import Struct


class Reply(Struct, frozen=True):
    """One SMTP reply (RFC 5321 4.2, RFC 2034).

    `detail` is the enhanced code's "subject.detail" ("7.1"); its class is the first digit of `code`, so
    the two cannot disagree. `detail` None: a reply without an enhanced code. `text` may hold several lines.
    """

    code: int
    detail: str | None
    text: str

    @property
    def enhanced(self) -> str:
        """The enhanced status code ("5.7.1"), or "" where there is none."""
        return f"{self.code // 100}.{self.detail}" if self.detail else ""

    @property
    def positive(self) -> bool:
        """2xx or 3xx."""
        return self.code < 400

    @property
    def transient(self) -> bool:
        """4xx: the client is asked to try again."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """5xx: trying again is of no use."""
        return self.code >= 500

    def encode(self) -> bytes:
        """The reply's bytes on the wire, CRLF included; text outside ASCII goes as UTF-8 (RFC 6531 3.7.4.2)."""
        prefix = f"{self.enhanced} " if self.detail else ""
        lines = self.text.splitlines() or [""]
        last = len(lines) - 1
        return "".join(
            f"{self.code}{' ' if i == last else '-'}{prefix}{line}\r\n" for i, line in enumerate(lines)
        ).encode("utf-8", "replace")

    def __str__(self) -> str:
        """One line, for logs and reports."""
        return " ".join(filter(None, (str(self.code), self.enhanced, " ".join(self.text.splitlines()))))


class ReplyError(Exception):
    """A failure that knows its reply; whoever catches it sends `reply` and nothing else.

    `cause` says more for the log. It never reaches a client.
    """

    def __init__(self, reply: Reply, cause: str = "") -> None:
        super().__init__(f"{reply}" + (f" ({cause})" if cause else ""))
        self.reply = reply
        self.cause = cause


UNKNOWN_FAILURE = Reply(451, "3.0", "Temporary failure, please try again later")
STORE_AWAY = Reply(451, "3.0", "Local storage is not available, please try again later")
ACCOUNT_LOCKED = Reply(550, "7.1", "This account is locked and may not send mail; please ask your administrator")
