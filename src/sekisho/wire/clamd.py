"""The protocol of ClamAV's daemon, without I/O: one session (zIDSESSION) that carries any number of scans.

Commands and replies end in a NUL octet, and each reply begins with the number of its command. Source: clamd(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

CHUNK_BYTES = 262_144
REPLY_BYTES = 8192  # clamd cuts names well below this; whatever is longer does not come from clamd

_REPLY = re.compile(r"([0-9]{1,10}): (.*)", re.DOTALL)
# With ExtendedDetectionInfo clamd puts MD5 and size of the inner file behind the name.
_EXTENDED = re.compile(r"\([0-9a-fA-F]{32}:[0-9]+\)$")
_TOO_LARGE = "INSTREAM size limit exceeded"


class ClamdSyntaxError(Exception):
    """What came is not what clamd says. Nothing after it can be trusted."""


class Clean(Struct, frozen=True):
    """Scanned, and nothing found."""


class Found(Struct, frozen=True):
    """Scanned; `signature` is the name of what was found."""

    signature: str


class TooLarge(Struct, frozen=True):
    """The content is over clamd's StreamMaxLength. The session is over."""


class Refused(Struct, frozen=True):
    """clamd says that it did not do it; `why` in its words. The session may be over."""

    why: str


class Version(Struct, frozen=True):
    """The engine and its signatures: "ClamAV 1.4.6/27500/Mon Nov 24 09:00:00 2025"."""

    text: str


Reply = Clean | Found | TooLarge | Refused | Version


class ClamdSession:
    """Numbers the commands and reads the replies. Whoever sends does so in the order of the calls."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._number = 0
        self._asked: dict[int, str] = {}

    @property
    def waits(self) -> bool:
        """Whether a command has not been answered yet."""
        return bool(self._asked)

    def version(self) -> bytes:
        """The octets that ask for the version."""
        return self._command("VERSION")

    def scan(self, content: bytes) -> Iterator[bytes | memoryview]:
        """The octets that have `content` scanned, in pieces: each chunk has its length before it, 0 ends them."""
        yield self._command("INSTREAM")
        view = memoryview(content)
        for start in range(0, len(view), CHUNK_BYTES):
            chunk = view[start : start + CHUNK_BYTES]
            yield len(chunk).to_bytes(4, "big")
            yield chunk
        yield bytes(4)

    def receive(self, data: bytes) -> list[Reply]:
        """The replies that are complete now. Raises ClamdSyntaxError."""
        self._buffer += data
        replies = []
        while (end := self._buffer.find(0, self._searched)) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._searched = 0
            replies.append(self._reply(line))
        self._searched = len(self._buffer)
        if self._searched > REPLY_BYTES:
            raise ClamdSyntaxError("a reply without an end")
        return replies

    def _command(self, word: str) -> bytes:
        start = b"" if self._number else b"zIDSESSION\0"
        self._number += 1
        self._asked[self._number] = word
        return start + b"z" + word.encode() + b"\0"

    def _reply(self, line: bytes) -> Reply:
        text = "".join(c if c.isprintable() else "?" for c in line[:REPLY_BYTES].decode("utf-8", "replace"))
        match = _REPLY.fullmatch(text)
        if match is None:
            # Errors that concern the whole session have no number ("COMMAND READ TIMED OUT").
            if text.endswith("ERROR") and self._asked:
                self._asked.clear()
                return _error(text)
            raise ClamdSyntaxError(f"not a reply of clamd: {text[:60]!r}")
        word = self._asked.pop(int(match[1]), None)
        if word is None:
            raise ClamdSyntaxError(f"a reply to nothing that was asked: {text[:60]!r}")
        return _answer(word, match[2])


def _answer(word: str, text: str) -> Reply:
    if text.endswith(" ERROR"):
        return _error(text)
    if word == "VERSION":
        return Version(text)
    result = text.removeprefix("stream: ")
    if result == "OK":
        return Clean()
    if result.endswith(" FOUND"):
        return Found(_EXTENDED.sub("", result.removesuffix(" FOUND")))
    raise ClamdSyntaxError(f"not a result of a scan: {text[:60]!r}")


def _error(text: str) -> Reply:
    if text.startswith(_TOO_LARGE):
        return TooLarge()
    return Refused(text.removesuffix("ERROR").removeprefix("stream: ").rstrip(" ."))
