r"""RTF bodies of Outlook messages: decompressed (MS-OXRTFCP), and the HTML or text taken out of them (MS-OXRTFEX)."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from sekisho.parse.unpack.mail import codepages
from sekisho.parse.unpack.opening import CorruptError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sekisho.parse.unpack.opening import Budget

_COMPRESSED, _STORED = b"LZFu", b"MELA"
_RING = 4096
# MS-OXRTFCP 2.1.2.1: what the dictionary holds before the first octet.
_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u"
    rb"\tab\tx"
)
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n\0]+)", re.DOTALL
)
_ENCAPSULATED = re.compile(rb"\\from(html|text)")
_SKIPPED = frozenset((b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"footer"))
_WORDS = {
    b"par": "\n", b"line": "\n", b"tab": "\t", b"lquote": "\u2018", b"rquote": "\u2019", b"ldblquote": "\u201c",
    b"rdblquote": "\u201d", b"bullet": "\u2022", b"endash": "\u2013", b"emdash": "\u2014",
}  # fmt: skip
_SYMBOLS = {b"~": "\u00a0", b"_": "\u00ad", b"{": "{", b"}": "}", b"\\": "\\", b"\n": "\n", b"\r": "\n"}
_CHARSETS = {
    77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256,
    186: 1257, 204: 1251, 222: 874, 238: 1250,
}  # fmt: skip


def decompressed(data: bytes, budget: Budget) -> bytes:
    """The RTF in a PidTagRtfCompressed value. Raises CorruptError, OverLimitError."""
    if len(data) < 16:
        raise CorruptError("compressed RTF is cut off")
    packed, size, how = struct.unpack_from("<II4s", data)
    body = data[16 : max(16, packed + 4)]
    if how == _STORED:
        budget.take_bytes(len(body))
        return body[:size]
    if how != _COMPRESSED:
        raise CorruptError("unknown compression of RTF")
    return budget.collect(_chunks(body), len(data))[:size]


def _chunks(body: bytes) -> Iterator[bytes]:
    """Decompress; one chunk for some thousand octets in. Ends at the end mark or at the end of the data."""
    out = bytearray(_DICTIONARY)
    at = 0
    done = False
    while at < len(body) and not done:
        stop = min(len(body), at + 8192)
        start = len(out)
        while at < stop and not done:
            at, done = _group(body, at, out)
        yield bytes(out[start:])
        if len(out) > 1 << 16:
            # The ring counts from the first octet, so what is forgotten is a whole number of turns.
            del out[: (len(out) - _RING) // _RING * _RING]


def _group(body: bytes, at: int, out: bytearray) -> tuple[int, bool]:
    """Eight tokens behind one octet of flags; returns where to go on, and whether the end mark was met."""
    flags = body[at]
    at += 1
    for bit in range(8):
        if at >= len(body):
            break
        if not flags >> bit & 1:
            out.append(body[at])
            at += 1
            continue
        if at + 1 >= len(body):
            return len(body), True
        token = body[at] << 8 | body[at + 1]
        at += 2
        back = (len(out) - (token >> 4)) % _RING
        if not back:
            return at, True
        _copy(out, back, (token & 15) + 2)
    return at, False


def _copy(out: bytearray, back: int, count: int) -> None:
    start = len(out) - back
    if start < 0:  # a part of the dictionary that was never written
        out += bytes(min(-start, count))
        count -= min(-start, count)
        start = 0
    run = out[start : start + count]
    if run and len(run) < count:
        run = (run * (count // len(run) + 1))[:count]
    out += run


def encapsulated(rtf: bytes, budget: Budget) -> tuple[str, str]:
    """What an RTF was made from: ("html" or "text", its characters); ("", "") where it is RTF in its own right."""
    made_from = _ENCAPSULATED.search(rtf, 0, 512)
    if not made_from:
        return "", ""
    return made_from[1].decode(), _Reader(budget).read(rtf)


class _State:
    """What a group inherits and may change."""

    __slots__ = ("font", "rtf_only", "skipped", "unicode_skip")

    def __init__(self, before: _State | None = None) -> None:
        self.font: int = before.font if before else -1
        self.rtf_only: bool = before.rtf_only if before else False
        self.skipped: bool = before.skipped if before else False
        self.unicode_skip: int = before.unicode_skip if before else 1


class _Reader:
    """One pass over the tokens. What counts is the text in `htmltag` groups and outside `htmlrtf` stretches."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.state = _State()
        self.stack: list[_State] = []
        self.shown: list[str] = []
        self.octets = bytearray()
        self.codepage = 1252
        self.fonts: dict[int, int] = {}
        self.in_fonts = 0
        self.defined_font = -1
        self.star = False
        self.skip = 0
        self.high = 0
        self.words: dict[bytes, Callable[[bytes, int], None]] = {
            b"ansicpg": self._ansicpg, b"f": self._font, b"fcharset": self._charset, b"htmlrtf": self._htmlrtf,
            b"uc": self._uc, b"u": self._unicode,
        }  # fmt: skip

    def read(self, rtf: bytes) -> str:
        """The characters of an encapsulated text."""
        for count, token in enumerate(_TOKEN.finditer(rtf)):
            if not count & 1023:
                self.budget.check_time()
            word, number, octet, symbol, brace, text = token.groups()
            if word:
                self._word(word, int(number) if number else 1)
            elif octet:
                self._octets(bytes((int(octet, 16),)))
            elif brace:
                self._brace(brace)
            elif symbol == b"*":
                self.star = True
            elif symbol:
                self._show(_SYMBOLS.get(symbol, ""))
            elif text:
                self._octets(text)
        self._flush()
        return "".join(self.shown)

    def _word(self, word: bytes, number: int) -> None:
        star, self.star = self.star, False
        if (star and word != b"htmltag") or word in _SKIPPED:
            self.state.skipped = True
        if word == b"fonttbl":
            self.in_fonts = len(self.stack)
        handler = self.words.get(word)
        if handler:
            handler(word, number)
        elif word in _WORDS:
            self._show(_WORDS[word])

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self.star = False
        self.skip = 0
        if brace == b"{":
            if len(self.stack) < 10_000:
                self.stack.append(self.state)
                self.state = _State(self.state)
        elif self.stack:
            self.state = self.stack.pop()
            if len(self.stack) < self.in_fonts:
                self.in_fonts = 0

    @property
    def _counts(self) -> bool:
        return not self.state.skipped and not self.state.rtf_only

    def _show(self, text: str) -> None:
        self._flush()
        self.skip = 0
        if self._counts:
            self.shown.append(text)

    def _octets(self, octets: bytes) -> None:
        """Octets of the current code page; those that only repeat a character given by its number are skipped."""
        skipped = min(self.skip, len(octets))
        self.skip -= skipped
        if self._counts:
            self.octets += octets[skipped:]

    def _flush(self) -> None:
        if self.octets:
            codepage = self.fonts.get(self.state.font, self.codepage)
            if self.octets.isascii() and codepage not in range(50220, 50223):
                self.shown.append(self.octets.decode("ascii"))
            else:
                self.shown.append(codepages.decode(bytes(self.octets), codepage))
            self.octets.clear()

    def _ansicpg(self, _word: bytes, number: int) -> None:
        self.codepage = number

    def _font(self, _word: bytes, number: int) -> None:
        self._flush()
        if self.in_fonts:
            self.defined_font = number
        else:
            self.state.font = number

    def _charset(self, _word: bytes, number: int) -> None:
        if self.in_fonts and number in _CHARSETS and len(self.fonts) < 10_000:
            self.fonts[self.defined_font] = _CHARSETS[number]

    def _htmlrtf(self, _word: bytes, number: int) -> None:
        self._flush()
        self.state.rtf_only = number != 0

    def _uc(self, _word: bytes, number: int) -> None:
        self.state.unicode_skip = max(0, min(number, 100))

    def _unicode(self, _word: bytes, number: int) -> None:
        self._flush()
        unit = number & 0xFFFF
        high, self.high = self.high, 0
        if 0xD800 <= unit < 0xDC00:
            self.high = unit
        elif 0xDC00 <= unit < 0xE000:
            if high:
                self._show(chr(0x10000 + (high - 0xD800) * 0x400 + unit - 0xDC00))
        else:
            self._show(chr(unit))
        self.skip = self.state.unicode_skip
