"""A text part's content as characters with their octets, so that single characters can be masked in the raw message.

A mask takes as many octets as what it hides. So all else stays where it is: line lengths, soft line breaks, base64
groups, shifts between character sets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.parse import charsets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Patch = tuple[int, bytes]  # octets to put in the place of as many, from an offset on

MOST_OCTETS = 4_000_000  # of one part; nobody writes such a text
_WIDE = "\uff0a"  # FULLWIDTH ASTERISK
_GUESSES = ("cp932", "eucjp", "cp1252", "gb18030", "cp949", "cp1251")
# Not a superset of ASCII, or with states of their own.
_REFUSED = re.compile(r"utf-7|utf_16|utf_32|hz|iso2022_kr")
_ESCAPE = re.compile(rb"\x1b(?:\$\([@ABD]|\$[@AB]|\([A-Z]|&@\x1b\$B)")
_PAIRED = frozenset((b"\x1b$B", b"\x1b$@", b"\x1b$(@", b"\x1b$(B", b"\x1b&@\x1b$B"))
_SINGLE = frozenset((b"", b"\x1b(B", b"\x1b(J"))
_PAIR = re.compile(rb"[\x21-\x7e]{2}|[\x00-\x20\x7f]")
_EUC = re.compile(rb"[\x00-\x7f]|\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe]{2}|[\xa1-\xfe]{2}")


class NotMaskedError(Exception):
    """Something cannot be masked without touching what stands beside it. The text says what, never its value."""


class Source:
    """The characters of `content` under a charset label (`text`), and how each is written.

    Raises NotMaskedError where that cannot be told.
    """

    def __init__(self, content: bytes, label: str | None) -> None:
        if len(content) > MOST_OCTETS:
            raise NotMaskedError("the text is too long")
        self.content = content
        self.codec = _codec(content, label)
        self.text, self._places = _read(content, self.codec)

    def patches(self, changes: Mapping[int, str]) -> list[Patch]:
        """The octets to change so that these characters become others of ASCII, "" being a mask of the same width.

        Raises NotMaskedError.
        """
        order = sorted(changes)
        patches: list[Patch] = []
        expected: list[str] = []
        at = 0
        for place, (start, length) in zip(order, self._octets(order), strict=True):
            shown, octets = self._mask(self.text[place], changes[place], length)
            patches.append((start, octets))
            expected += (self.text[at:place], shown)
            at = place + 1
        expected.append(self.text[at:])
        if _read(patched(self.content, patches), self.codec)[0] != "".join(expected):
            raise NotMaskedError(f"the text cannot be masked in {self.codec}")
        return patches

    def _octets(self, order: list[int]) -> Iterator[tuple[int, int]]:
        """Offset and length of the characters at these ascending places."""
        if self._places is not None:
            yield from (self._places[place] for place in order)
            return
        offset = at = 0
        for place in order:
            offset += len(self._encoded(self.text[at:place]))
            length = len(self._encoded(self.text[place]))
            yield offset, length
            offset, at = offset + length, place + 1

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode(self.codec, "surrogateescape")
        except UnicodeEncodeError as error:
            raise NotMaskedError(f"the text cannot be written in {self.codec} again") from error

    def _mask(self, old: str, wanted: str, length: int) -> tuple[str, bytes]:
        """What to write in the place of a character of so many octets, as text and as octets."""
        if not length or (wanted and length != 1):
            raise NotMaskedError(f"a character cannot be masked in {self.codec}")
        if not wanted and not old.isascii():
            wide = _wide(self.codec)
            if len(wide) == length:
                return _WIDE, wide
        shown = wanted or "*" * length
        return shown, shown.encode("ascii")


def patched(content: bytes, patches: Iterable[Patch]) -> bytes:
    """The content with its patches made."""
    changed = bytearray(content)
    for start, octets in patches:
        changed[start : start + len(octets)] = octets
    return bytes(changed)


def _wide(codec: str) -> bytes:
    if codec == "iso2022jp":
        return b"!v"  # row 1, cell 86 of JIS X 0208
    try:
        return _WIDE.encode("euc_jp" if codec == "eucjp" else codec)
    except UnicodeEncodeError:
        return b""


def _codec(content: bytes, label: str | None) -> str:
    """The codec that `charsets.decode` reads the content with."""
    codec = charsets.codec_of(label) if label else None
    if codec is not None and codec != "ascii":
        if _REFUSED.match(codec):
            raise NotMaskedError(f"nothing can be masked in {codec}")
        return codec
    if content.isascii():
        return "iso2022jp" if b"\x1b" in content else "ascii"
    seen = charsets.detect(content)
    for guess in ("utf_8", *_GUESSES):
        if charsets.decode(content, guess) == seen and "\ufffd" not in seen:
            return guess
    raise NotMaskedError("the charset of the text is not declared")


def _read(content: bytes, codec: str) -> tuple[str, list[tuple[int, int]] | None]:
    """The characters, and offset and length of each where encoding them again does not tell."""
    if codec == "iso2022jp":
        return _iso_2022_jp(content)
    if codec == "eucjp":
        return _euc_jp(content)
    for python_codec in (codec, "big5hkscs") if codec == "big5" else (codec,):
        try:
            return content.decode(python_codec, "surrogateescape"), None
        except UnicodeDecodeError:
            continue
    raise NotMaskedError(f"the text is not {codec} throughout")


def _iso_2022_jp(content: bytes) -> tuple[str, list[tuple[int, int]]]:
    """Characters in a stretch that cannot be told apart have the length 0."""
    shown: list[str] = []
    places: list[tuple[int, int]] = []
    at, escape = 0, b""
    while True:
        following = _ESCAPE.search(content, at)
        end = following.start() if following else len(content)
        segment = content[at:end]
        text = charsets.iso_2022_jp(escape + segment) if segment else ""
        shown.append(text)
        places += _units(segment, at, escape, len(text))
        if following is None:
            return "".join(shown), places
        at, escape = following.end(), following[0]


def _units(segment: bytes, at: int, escape: bytes, characters: int) -> list[tuple[int, int]]:
    if escape in _SINGLE and segment.isascii():
        units = [(place, 1) for place in range(at, at + len(segment))]
    elif escape in _PAIRED:
        units = [(at + m.start(), len(m[0])) for m in _PAIR.finditer(segment)]
    else:
        units = []
    whole = sum(length for _, length in units) == len(segment) and len(units) == characters
    return units if whole else [(at, 0)] * characters


def _euc_jp(content: bytes) -> tuple[str, list[tuple[int, int]]]:
    text = charsets.euc_jp(content)
    units = [(m.start(), len(m[0])) for m in _EUC.finditer(content)]
    if len(units) != len(text) or sum(length for _, length in units) != len(content):
        raise NotMaskedError("the text is not EUC-JP throughout")
    return text, units
