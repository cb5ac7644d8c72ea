"""Lines of SMTP: CRLF and nothing else ends one (RFC 5321 2.3.8)."""

from __future__ import annotations

from sekisho.mail.octets import OctetSearch

CRLF = b"\r\n"
DOT_LINE = b"\r\n."  # the start of a line that begins with a dot, RFC 5321 4.5.2
dot_lines = OctetSearch(rb"\r\n\.")


def line_over(data: bytes | bytearray, limit: int) -> bool:
    """Whether a line of `data` is longer than `limit` octets, its CRLF not counted.

    Jumps from the last line end of one window of `limit` octets to the next, so that it looks at each octet about
    once for long limits and never more than twice.
    """
    start, size = 0, len(data)
    while size - start > limit:
        last = data.rfind(CRLF, start, start + limit + len(CRLF))
        if last < 0:
            return True
        start = last + len(CRLF)
    return False


def header_length(data: bytes | bytearray) -> int:
    """Octets of the header section, up to the first empty line; all of `data` where there is none."""
    if data.startswith(CRLF):
        return 0
    end = data.find(b"\r\n\r\n")
    return len(data) if end < 0 else end + len(CRLF)


class CommandBuffer:
    """Bytes that wait to be read as command lines, bounded by `limit` octets a line, line end included.

    `LINE_TOO_LONG` is returned once for a line over the limit, and the line is then skipped to its end.
    """

    LINE_TOO_LONG = b""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._skipping = False

    def __len__(self) -> int:
        return len(self._bytes)

    def append(self, data: bytes) -> None:
        """Add what has come in."""
        self._bytes += data

    def starts_with(self, word: bytes) -> bool:
        """Whether the next line begins with a word in upper case, however the client writes it."""
        return bytes(self._bytes[: len(word)]).upper() == word and not self._skipping

    def take(self) -> bytes:
        """Everything that is there, as it came in; the buffer is empty afterwards."""
        data = bytes(self._bytes)
        self._bytes.clear()
        return data

    def next_line(self, limit: int) -> bytes | None:
        """The next line up to and with its LF; `LINE_TOO_LONG`; or None, when more bytes are needed.

        A line that ends with a bare LF is handed out as such: it is for the caller to refuse.
        """
        while True:
            end = self._bytes.find(b"\n") + 1
            if self._skipping:
                self._skip(end)
                if end:
                    continue
                return None
            if end > limit or (not end and len(self._bytes) >= limit):
                self._skipping = True
                return self.LINE_TOO_LONG
            if not end:
                return None
            line = bytes(self._bytes[:end])
            del self._bytes[:end]
            return line

    def _skip(self, end: int) -> None:
        """Drop the rest of a line that was too long; `end` is where its LF ends, 0 where that has not come yet."""
        self._skipping = not end
        del self._bytes[: end or len(self._bytes)]
