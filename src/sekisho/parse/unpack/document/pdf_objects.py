"""PDF syntax as far as a look at actions needs it: values, and a file without its stream bodies."""

from __future__ import annotations

import re
import zlib
from binascii import unhexlify
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sekisho.parse.unpack.opening import OverLimitError

if TYPE_CHECKING:
    from sekisho.parse.unpack.opening import Budget

Value = object  # dict[str, Value], list[Value], bytes, Name, Ref, or None for all that does not matter here

_DEEPEST = 30
_MOST_VALUES = 2000
_CHUNK = 65_536
_FEW_OCTETS = 1_000_000  # any stream may unpack to so many
_MOST_ESCAPED = 100_000  # names in one stretch
_MOST_STREAMS = 200_000
_MOST_NUMBERED = 100_000
_LOOK_BACK = 65_536  # octets of one stream dictionary
_INFLATED_UNSEEN = 4000  # octets of a packed stream from which its true size is found out
_PACKED = re.compile(rb"/(?:Fl|LZW|RL|FlateDecode|LZWDecode|RunLengthDecode)(?![A-Za-z])")
_STREAM = re.compile(rb">>[\s\0]{0,20}stream(?:\r\n|\n|\r)")
_END = re.compile(rb"[\s\0]{0,4}endstream")
_LENGTH = re.compile(rb"/Length\s{1,8}(\d{1,10})(?!\s{1,8}\d{1,6}\s{1,8}R)")
_DEFINED = re.compile(rb"(?<![0-9])(\d{1,10})[\s\0]{1,8}\d{1,5}[\s\0]{1,8}obj")
_NAME_ESCAPED = re.compile(rb"/[^\s\0/<>\[\](){}%]{0,200}#[0-9A-Fa-f]{2}[^\s\0/<>\[\](){}%]{0,200}")
_LETTER = re.compile(rb"#(?:4[1-9A-Fa-f]|5[0-9Aa]|6[1-9A-Fa-f]|7[0-9Aa])")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_TOKEN = re.compile(
    rb"(?:[\s\0]+|%[^\r\n]*+)*+(?:(<<|>>|\[|\]|\()|<([0-9A-Fa-f\s\0]*+)>|/([^\s\0/<>\[\](){}%]*+)"
    rb"|(\d{1,10})[\s\0]+\d{1,5}[\s\0]+R(?![A-Za-z])|([^\s\0/<>\[\](){}%]++)|(.))",
    re.DOTALL,
)
_STRING_END = re.compile(rb"[()\\]")
_STRING_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|\r\n|(.))", re.DOTALL)
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r": b""}
_FILTERS = {
    "FlateDecode": "Fl", "Fl": "Fl", "ASCIIHexDecode": "AHx", "AHx": "AHx", "ASCII85Decode": "A85", "A85": "A85",
    "LZWDecode": "LZW", "LZW": "LZW", "RunLengthDecode": "RL", "RL": "RL",
}  # fmt: skip


class Name(str):
    """A PDF name without its slash, escapes undone."""

    __slots__ = ()


class Ref(int):
    """A reference to the object of this number."""

    __slots__ = ()


class Skeleton:
    """A PDF file without stream bodies, and with the objects of its object streams (ISO 32000-1 7.5.7).

    `text` is what there is to search, with names unescaped; "stream#12" stands for `body(12)`. `escaped` is whether
    a name has letters written as "#4a", which no program does that has nothing to hide. Raises OverLimitError.
    """

    def __init__(self, content: bytes, budget: Budget) -> None:
        self.content = content
        self.budget = budget
        self.bodies: list[tuple[int, int]] = []
        self.escaped: set[bytes] = set()
        self._index: dict[int, tuple[int, ...]] | None = None
        whole = bytearray()
        packed: list[tuple[bytes, int]] = []
        at = 0
        for number, (start, end) in enumerate(_streams(content, budget)):
            kept = self._unescaped(content[at:start])
            mark = max(kept.rfind(b" obj"), len(kept) - _LOOK_BACK, 0)
            header = kept[mark:]
            self.bodies.append((start, end))
            whole += kept + b"\nstream#%d " % number
            if b"/ObjStm" in header:
                packed.append((header, number))
            elif len(_PACKED.findall(header)) > 1 or (end - start > _INFLATED_UNSEEN and b"/Image" not in header):
                self._count(header, number)
            at = end
        whole += self._unescaped(content[at:])
        for header, number in packed:
            whole += self._numbered(header, number)
        self.text = bytes(whole)

    def body(self, number: int) -> bytes:
        """The raw octets of a stream; b"" for a number that is none."""
        if number >= len(self.bodies):
            return b""
        start, end = self.bodies[number]
        return self.content[start:end]

    def find(self, ref: int) -> tuple[int, ...]:
        """Where the definitions of an object begin, behind "obj", the last first; at most three."""
        if self._index is None:
            self._index = {}
            for number, match in enumerate(_DEFINED.finditer(self.text)):
                if number % 10_000 == 0:
                    self.budget.check_time()
                key = int(match[1])
                self._index[key] = (match.end(), *self._index.get(key, ())[:2])
        return self._index.get(ref, ())

    def value(self, at: int) -> Value:
        """The value that begins at an offset of `text`."""
        return read_value(self.text, at)[0]

    def resolved(self, value: Value) -> Value:
        """The value, or what a reference stands for (one step; streams are their dictionary)."""
        if isinstance(value, Ref):
            places = self.find(value)
            return self.value(places[0]) if places else None
        return value

    def octets(self, value: Value) -> bytes:
        """A string, or the decoded stream a reference stands for."""
        if isinstance(value, bytes):
            return value
        if not isinstance(value, Ref):
            return b""
        for at in self.find(value):
            found, end = read_value(self.text, at)
            if isinstance(found, bytes):
                return found
            mark = re.compile(rb"[\s\0]*(?:stream\s{1,3})?stream#(\d{1,7}) ").match(self.text, end)
            if mark and isinstance(found, dict):
                return decoded(found, self.body(int(mark[1])), self.budget)
        return b""

    def _unescaped(self, segment: bytes) -> bytes:
        """A segment with "#4a" in its names undone."""
        if b"#" not in segment:
            return segment

        def plain(match: re.Match[bytes]) -> bytes:
            name = _ESCAPE.sub(lambda m: unhexlify(m[1]), match[0])
            if len(self.escaped) < _MOST_STREAMS and _LETTER.search(match[0]):
                self.escaped.add(name[1:])
            return name

        return _NAME_ESCAPED.sub(plain, segment, count=_MOST_ESCAPED)

    def _numbered(self, header: bytes, number: int) -> bytes:
        """The objects of an object stream as if they stood in the file."""
        value = read_value(header, max(header.find(b"<<"), 0))[0]
        whole = self._unescaped(decoded(value if isinstance(value, dict) else {}, self.body(number), self.budget))
        first = re.search(rb"/First\s{1,8}(\d{1,9})", header)
        if not first or int(first[1]) > len(whole):
            return whole
        table = [int(word) for word in whole[: int(first[1])].split()[: 2 * _MOST_NUMBERED] if word.isdigit()]
        starts = [int(first[1]) + offset for offset in table[1::2]]
        numbers = table[::2]
        ends = [*starts[1:], len(whole)]
        pieces = [b"\n%d 0 obj\n" % n + whole[s:e] for n, s, e in zip(numbers, starts, ends, strict=False) if s < e]
        return b"".join(pieces) if sum(map(len, pieces)) < 3 * len(whole) + 1000 else whole

    def _count(self, header: bytes, number: int) -> None:
        """Count what a large packed stream unpacks to, so that the renderer is never given a bomb."""
        value = read_value(header, max(header.find(b"<<"), 0))[0]
        if isinstance(value, dict):
            body = self.body(number)
            size, most = 0, max(_FEW_OCTETS, len(body) * self.budget.limits.ratio)
            for chunk in _chunks(value, body, self.budget):
                self.budget.take_bytes(len(chunk))
                self.budget.check_time()
                size += len(chunk)
                if size > most:
                    raise OverLimitError("compression ratio")


def _streams(content: bytes, budget: Budget) -> Iterator[tuple[int, int]]:
    """The bodies of all streams, by their declared length where that is true."""
    at = count = 0
    while match := _STREAM.search(content, at):
        start = match.end()
        length = _LENGTH.search(content, max(at, match.start() - 2000), match.start())
        declared = start + int(length[1]) if length else -1
        if length and declared <= len(content) and _END.match(content, declared):
            end = declared
        else:
            end = content.find(b"endstream", start)
            end = len(content) if end < 0 else end
        yield start, end
        at = end
        count += 1
        if count % 500 == 0:
            budget.check_time()
        if count >= _MOST_STREAMS:
            return


def read_value(text: bytes, at: int) -> tuple[Value, int]:
    """One value and the offset behind it. Broken or endless ones end early. Never raises."""
    reader = _Reader(text, at)
    return reader.value(0), reader.at


class _Reader:
    """Reads values one after another; deep nesting and more than 2000 values end it."""

    __slots__ = ("at", "left", "text")

    def __init__(self, text: bytes, at: int) -> None:
        self.text = text
        self.at = at
        self.left = _MOST_VALUES

    def value(self, depth: int) -> Value:
        """The next value; `_CLOSE` for a closing bracket or the end."""
        token = _TOKEN.match(self.text, self.at)
        self.left -= 1
        if token is None or self.left < 0 or depth > _DEEPEST:
            self.left = -1
            return _CLOSE
        self.at = token.end()
        bracket = token[1]
        if bracket is None:
            return _plain(token)
        if bracket == b"(":
            return self._string()
        if bracket == b"<<":
            return self._dictionary(depth + 1)
        if bracket == b"[":
            return self._items(depth + 1)
        return _CLOSE

    def _items(self, depth: int) -> list[Value]:
        items: list[Value] = []
        while (item := self.value(depth)) is not _CLOSE:
            items.append(item)
        return items

    def _dictionary(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while isinstance(key := self.value(depth), Name):
            value = self.value(depth)
            if value is _CLOSE:
                break
            found.setdefault(str(key), value)
        return found

    def _string(self) -> bytes:
        """A literal string, brackets inside counted, escapes undone (ISO 32000-1 7.3.4.2)."""
        start = at = self.at
        level = 1
        while level:
            mark = _STRING_END.search(self.text, at)
            if mark is None:
                at = len(self.text) + 1
                break
            at = mark.end() + (mark[0] == b"\\")
            level += {b"(": 1, b")": -1}.get(mark[0], 0)
        self.at = min(at, len(self.text))
        raw = self.text[start : at - 1]
        return _STRING_ESCAPE.sub(_unescape, raw) if b"\\" in raw else raw


_CLOSE = object()


def _plain(token: re.Match[bytes]) -> Value:
    """What a token without an inside stands for."""
    if token[2] is not None:
        digits = bytes(c for c in token[2] if c not in b" \t\r\n\f\v\0")
        return unhexlify(digits + b"0" * (len(digits) & 1))
    if token[3] is not None:
        return Name(token[3].decode("latin-1"))
    return Ref(token[4]) if token[4] is not None else None


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes((int(match[1], 8) & 0xFF,))
    return _PLAIN.get(match[2], match[2]) if match[2] else b""


def text_string(octets: bytes) -> str:
    """A text string as people see it: UTF-16 or UTF-8 with a mark, else Latin-1 (ISO 32000-2 7.9.2)."""
    if octets.startswith(b"\xfe\xff"):
        return octets[2:].decode("utf-16-be", "replace")
    if octets.startswith(b"\xff\xfe"):
        return octets[2:].decode("utf-16-le", "replace")
    if octets.startswith(b"\xef\xbb\xbf"):
        return octets[3:].decode("utf-8", "replace")
    return octets.decode("latin-1")


def decoded(header: dict[str, Value], body: bytes, budget: Budget) -> bytes:
    """A stream's octets with its filters undone, counted; what is broken ends early, unknown filters stay.

    Raises OverLimitError.
    """
    return budget.collect(_chunks(header, body, budget), len(body))


def _chunks(header: dict[str, Value], body: bytes, budget: Budget) -> Iterator[bytes]:
    """The decoded stream piece by piece; all filters but the last are undone whole."""
    written = header.get("Filter") or header.get("F")
    names = [str(n) for n in (written if isinstance(written, list) else [written]) if isinstance(n, Name)]
    filters = [_FILTERS.get(name, "") for name in names[:6]]
    for position, name in enumerate(filters):
        pieces = _undone(name, body)
        if pieces is None:
            break
        if position == len(filters) - 1:
            yield from pieces
            return
        body = budget.collect(pieces, len(body))
    yield body


def _undone(name: str, body: bytes) -> Iterator[bytes] | None:
    if name == "Fl":
        return inflated(body)
    if name == "AHx":
        return iter((_hex(body),))
    if name == "A85":
        return iter((_base85(body),))
    if name == "RL":
        return _run_lengths(body)
    return None


def inflated(body: bytes) -> Iterator[bytes]:
    """The pieces of a zlib stream, up to its end or its first error."""
    inflater = zlib.decompressobj()
    try:
        for at in range(0, len(body), _CHUNK):  # in slices, as each unread tail is a copy
            data = body[at : at + _CHUNK]
            while data and not inflater.eof:
                yield inflater.decompress(data, 4 * _CHUNK)
                data = inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error:
        return


def _hex(body: bytes) -> bytes:
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", body.partition(b">")[0])
    return unhexlify(digits + b"0" * (len(digits) & 1))


def _base85(body: bytes) -> bytes:
    """ASCII base 85 (ISO 32000-1 7.4.3); groups that are none are skipped."""
    body = body.removeprefix(b"<~").partition(b"~")[0].replace(b"z", b"!!!!!")
    digits = bytes(c - 33 for c in body if 33 <= c <= 117)
    short = -len(digits) % 5
    digits += b"\x54" * short
    whole = b"".join(
        (((((a * 85 + b) * 85 + c) * 85 + d) * 85 + e) & 0xFFFFFFFF).to_bytes(4, "big")
        for a, b, c, d, e in zip(*(digits[n::5] for n in range(5)), strict=True)
    )
    return whole[: len(whole) - short] if short else whole


def _run_lengths(body: bytes) -> Iterator[bytes]:
    """Run lengths (ISO 32000-1 7.4.5)."""
    at = 0
    whole = bytearray()
    while at + 1 < len(body) and body[at] != 128:
        length = body[at]
        if length < 128:
            whole += body[at + 1 : at + 2 + length]
            at += 2 + length
        else:
            whole += body[at + 1 : at + 2] * (257 - length)
            at += 2
        if len(whole) > _CHUNK:
            yield bytes(whole)
            whole.clear()
    yield bytes(whole)
