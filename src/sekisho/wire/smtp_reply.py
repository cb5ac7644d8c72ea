"""Reading a server's replies from bytes: bounded, and clean enough to be passed on."""

from __future__ import annotations

import re

from sekisho.mail.reply import Reply

LINE_BYTES = 2048  # RFC 5321 4.5.3.1.5 asks for 512; servers that explain themselves at length exist
REPLY_LINES = 128
_SHOWN_BYTES = 490  # what is left of 512 octets after code, enhanced code and CRLF

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245])\.([0-9]{1,3}\.[0-9]{1,3})(?: +|$)")


class ReplySyntaxError(Exception):
    """What came is not an SMTP reply, or is longer than any honest one. Nothing after it can be trusted."""


class ReplyReader:
    """Cuts a stream of bytes into replies.

    Takes a line that ends in LF alone, which RFC 5321 2.3.8 forbids servers to send, because a reply is only read
    here and never decides where a message ends. `read` raises ReplySyntaxError.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._code = 0
        self._lines: list[bytes] = []

    @property
    def holds_bytes(self) -> bool:
        """Whether bytes came that belong to no complete reply yet."""
        return bool(self._buffer) or bool(self._lines)

    def feed(self, data: bytes) -> None:
        """Add what came from the network."""
        self._buffer += data

    def read(self) -> Reply | None:
        """The next complete reply, or None until more bytes come. Raises ReplySyntaxError."""
        buffer = self._buffer
        while (end := buffer.find(b"\n", self._scanned)) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            self._scanned = 0
            if self._take(line.removesuffix(b"\r")):
                reply = _reply(self._code, self._lines)
                self._lines = []
                return reply
        self._scanned = len(buffer)
        if len(buffer) > LINE_BYTES:
            raise ReplySyntaxError("a reply line without an end")
        return None

    def _take(self, line: bytes) -> bool:
        """Add one line to the reply under way; whether it was the last one."""
        match = _LINE.fullmatch(line) if len(line) <= LINE_BYTES else None
        if match is None:
            raise ReplySyntaxError(f"not a reply line: {line[:60]!r}")
        code = int(match[1])
        if self._lines and code != self._code:
            # RFC 5321 4.2.1: the code is the same on every line
            raise ReplySyntaxError(f"code {code} in a reply that began with {self._code}")
        self._code = code
        self._lines.append(match[3] or b"")
        if len(self._lines) > REPLY_LINES:
            raise ReplySyntaxError("a reply of too many lines")
        return match[2] != b"-"


def temporary(reply: Reply) -> Reply:
    """The reply as a 451 with the same words: for 421, which would announce the end of our own connection."""
    return Reply(451, reply.detail, reply.text)


def _reply(code: int, lines: list[bytes]) -> Reply:
    texts = [_clean(line) for line in lines]
    match = _ENHANCED.match(texts[0])
    # RFC 2034 3: an enhanced code whose class contradicts the reply code is not one
    if match is None or int(match[1]) != code // 100:
        return Reply(code, None, "\n".join(texts))
    prefix = f"{match[1]}.{match[2]}"
    return Reply(code, match[2], "\n".join(text.removeprefix(prefix).lstrip(" ") for text in texts))


def _clean(line: bytes) -> str:
    """Text for people and for our own replies: no control characters, cut to what a reply line holds."""
    text = line[:_SHOWN_BYTES].decode("utf-8", "replace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" for c in text)
