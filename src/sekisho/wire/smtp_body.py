"""The readers of a message's bytes: DATA up to CRLF.CRLF, and BDAT by octets.

Only CRLF.CRLF ends DATA. A message that is refused is still read to its true end, so that none of its lines can
be taken for a command; what is refused is not stored.
"""

from __future__ import annotations

from sekisho.config.settings import LimitSettings
from sekisho.mail.line_ends import bare_line_end
from sekisho.mail.pieces import cut, replaced
from sekisho.mail.reply import Reply, ReplyError
from sekisho.wire.lines import CRLF, DOT_LINE, dot_lines, header_length, line_over
from sekisho.wire.smtp_replies import (
    BARE_IN_DATA,
    NUL_IN_DATA,
    header_too_big,
    message_too_big,
    text_line_too_long,
)

_END_OF_DATA = b"\r\n.\r\n"  # RFC 5321 4.1.1.4


def check_body(body: bytes, limits: LimitSettings) -> None:
    """Raise the ReplyError for a body that breaks a limit (552 5.3.4) or the line discipline (550 5.6.11)."""
    if len(body) > limits.message_bytes:
        raise ReplyError(message_too_big(limits.message_bytes))
    if bare_line_end(body):
        raise ReplyError(BARE_IN_DATA)  # RFC 5321 2.3.8
    if b"\0" in body:
        raise ReplyError(NUL_IN_DATA)  # RFC 2045 2.7, 2.8
    if len(body) > limits.header_bytes and header_length(body) > limits.header_bytes:
        raise ReplyError(header_too_big(limits.header_bytes))
    if line_over(body, limits.text_line_bytes):
        raise ReplyError(text_line_too_long(limits.text_line_bytes))


class DataReader:
    """Reads a DATA body. `stored` is how many octets are in memory, `complete` whether the end has come.

    Its buffer begins with the CRLF that ended the DATA command, for a message may be `.CRLF` alone.
    """

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._raw = bytearray(CRLF)
        self._refusal: Reply | None = None
        self._dotted = False  # whether a line that begins with a dot was seen
        self._dots = 0
        self._counted = 0
        self.received = 0
        self.complete = False

    @property
    def stored(self) -> int:
        """Octets held in memory."""
        return len(self._raw)

    @property
    def refusal(self) -> Reply | None:
        """Why this message will not be taken, as far as is known."""
        return self._refusal

    def refuse(self, reply: Reply) -> None:
        """Store nothing more; `finish` will raise this reply. The first refusal stays."""
        if self._refusal is None:
            self._refusal = reply
            del self._raw[: -len(_END_OF_DATA)]

    def feed(self, data: bytes) -> bytes:
        """Take bytes in; returns those behind the end of data."""
        raw = self._raw
        self.received += len(data)
        start = max(len(raw) - len(_END_OF_DATA) + 1, 0)
        raw += data
        end = self._end(start)
        if end < 0:
            self._keep_within_limits()
            return b""
        self.complete = True
        rest = bytes(memoryview(raw)[end + len(_END_OF_DATA) :])
        del raw[end + len(CRLF) :]
        return rest

    def finish(self) -> bytes:
        """The message, dot-unstuffed, otherwise as it came in. Raises ReplyError where it is refused.

        Nothing of it stays here.
        """
        if self._refusal is not None:
            raise ReplyError(self._refusal)
        raw: bytes | bytearray = self._raw
        self._raw = bytearray()
        if self._dotted:
            raw = replaced(raw, DOT_LINE, CRLF)  # RFC 5321 4.5.2: whatever follows the dot
        body = cut(raw, len(CRLF), len(raw))
        del raw
        check_body(body, self._limits)
        return body

    def _end(self, start: int) -> int:
        """Where the end of data begins at or behind `start`, -1 where it has not come yet."""
        raw = self._raw
        # Base64, most of a large message, has no dot; to look for one is far quicker than the search below.
        if raw.find(b".", start) < 0:
            return -1
        if not self._dotted:
            start = dot_lines.first_end(raw, start) - len(DOT_LINE)
            if start < 0 or raw.startswith(_END_OF_DATA, start):
                return max(start, -1)
            self._dotted = True
        return raw.find(_END_OF_DATA, start)

    def _keep_within_limits(self) -> None:
        if self._refusal is not None:
            del self._raw[: -len(_END_OF_DATA)]
        # The two octets over are the `.CR` of an end that is half here.
        elif len(self._raw) > self._limits.message_bytes + 4 and self._unstuffed() > self._limits.message_bytes + 2:
            self.refuse(message_too_big(self._limits.message_bytes))

    def _unstuffed(self) -> int:
        """Octets without the stuffed dots so far; each octet is looked at once over all calls. RFC 1870 5."""
        self._dots += self._raw.count(DOT_LINE, max(self._counted - len(CRLF), 0))
        self._counted = len(self._raw)
        return len(self._raw) - len(CRLF) - self._dots


class ChunkReader:
    """Reads a BDAT body, chunk by chunk. RFC 3030 2.

    `expect` opens a chunk; `feed` takes its octets; `complete` says that the chunk is whole, `last` that it was the
    last one, `open` that its end has not been answered yet. A refused chunk is read and thrown away.
    """

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._raw = bytearray()
        self._missing = 0
        self._refusal: Reply | None = None
        self.received = 0
        self.chunk = 0
        self.last = False
        self.open = False

    @property
    def stored(self) -> int:
        """Octets held in memory."""
        return len(self._raw)

    @property
    def complete(self) -> bool:
        """Whether the chunk that was opened last is whole."""
        return not self._missing

    @property
    def refusal(self) -> Reply | None:
        """Why this message will not be taken, as far as is known."""
        return self._refusal

    def expect(self, octets: int, *, last: bool) -> None:
        """Open a chunk of `octets`."""
        self._missing = self.chunk = octets
        self.last = last
        self.open = True
        if len(self._raw) + octets > self._limits.message_bytes:
            self.refuse(message_too_big(self._limits.message_bytes))

    def refuse(self, reply: Reply) -> None:
        """Store nothing more; `finish` will raise this reply. The first refusal stays."""
        if self._refusal is None:
            self._refusal = reply
            self._raw.clear()

    def feed(self, data: bytes) -> bytes:
        """Take bytes in; returns those behind the end of the chunk."""
        mine = data[: self._missing]
        self._missing -= len(mine)
        self.received += len(mine)
        if self._refusal is None:
            self._raw += mine
        return data[len(mine) :]

    def finish(self) -> bytes:
        """The message as it came in. Raises ReplyError where it is refused. Nothing of it stays here."""
        if self._refusal is not None:
            raise ReplyError(self._refusal)
        raw, self._raw = self._raw, bytearray()
        body = cut(raw, 0, len(raw))
        del raw
        check_body(body, self._limits)
        return body
