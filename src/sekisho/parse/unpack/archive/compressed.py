"""Single compressed files: gzip, bzip2, xz, zstd, lz4, compress (.Z), lzma, lzip, and uuencoded files in a text."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from typing import Final

from sekisho.parse.unpack.archive import streams
from sekisho.parse.unpack.archive.library import Reader
from sekisho.parse.unpack.archive.members import decode_name
from sekisho.parse.unpack.opening import CorruptError, Opening, UnreadableError

_STREAMS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {
    "gzip": streams.gunzipped,
    "bzip2": streams.bunzipped,
    "xz": streams.unxzed,
    "zstd": streams.unzstded,
    "lzma": streams.unlzmaed,
}
_FILTERS: Final = {"lz4": "lz4", "compress": "compress", "lzip": "lzip"}
KINDS: Final = " ".join((*_STREAMS, *_FILTERS))
_ENDINGS: Final = {
    "tgz": "tar", "tbz": "tar", "tbz2": "tar", "txz": "tar", "tlz": "tar", "tzst": "tar", "taz": "tar", "svgz": "svg",
    "emz": "emf", "wmz": "wmf",
}  # fmt: skip
_OWN: Final = frozenset(["gz", "bz2", "bz", "xz", "zst", "lzma", "lz", "lz4", "z", "gzip"])
_NAMED: Final = 8  # flag: the name of the original follows
_EXTRA: Final = 4
_BEGIN: Final = re.compile(rb"^begin(-base64)? [0-7]{3,4} ([^\r\n]{1,500})\r?\n", re.MULTILINE)
_MOST_UUENCODED: Final = 100


def open_compressed(opening: Opening) -> None:
    """An `Opener` for the kinds of `KINDS`: the one file inside, tar archives as a file of their own.

    Of one that is cut off or broken what comes out before is handed on.
    """
    content, kind = opening.content, opening.kind
    pieces = _STREAMS[kind](content) if kind in _STREAMS else _by_library(content, _FILTERS[kind])
    broken: list[CorruptError] = []
    plain = opening.budget.collect(_until_broken(pieces, broken), len(content))
    if plain == content:
        raise CorruptError("not really compressed")
    if plain or not broken:
        opening.inner(_inner_name(opening), plain)
    if broken and not plain:
        raise UnreadableError(str(broken[0]))
    if broken:
        raise broken[0]


def open_uuencoded(opening: Opening) -> None:
    """An `Opener` for texts with files in them, as Unix mail sent attachments (POSIX uuencode)."""
    at, content = 0, opening.content
    if b"begin" not in content:
        return
    for _ in range(_MOST_UUENCODED):
        start = _BEGIN.search(content, at)
        if start is None:
            return
        end = re.compile(rb"^(?:end|====)", re.MULTILINE).search(content, start.end())
        at = end.start() if end else len(content)
        plain = opening.budget.collect(_uudecoded(content[start.end() : at], bool(start[1])), at - start.end())
        opening.inner(decode_name(start[2].strip()), plain)


def _uudecoded(lines: bytes, base64: bool) -> Iterator[bytes]:  # noqa: FBT001 - which of the two encodings
    if base64:
        yield binascii.a2b_base64(lines)
        return
    for line in lines.splitlines():
        length = (line[0] - 32) & 63 if line else 0
        try:
            yield binascii.a2b_uu(line[: 1 + (4 * length + 2) // 3])
        except binascii.Error:
            continue


def _until_broken(pieces: Iterator[bytes], broken: list[CorruptError]) -> Iterator[bytes]:
    try:
        yield from pieces
    except CorruptError as error:
        broken.append(error)


def _by_library(content: bytes, name: str) -> Iterator[bytes]:
    with Reader(content, ("raw",), (name,)) as reader:
        for _ in reader.members():
            yield from reader.data()
            return


def _inner_name(opening: Opening) -> str:
    """The name inside a gzip, else the outer name without its last extension."""
    given = _name_in_gzip(opening.content) if opening.kind == "gzip" else ""
    if given:
        return given
    base, dot, ending = opening.name.rpartition(".")
    ending = ending.lower()
    if dot and ending in _ENDINGS:
        return f"{base}.{_ENDINGS[ending]}"
    return base if dot and ending in _OWN and base else f"{opening.name} (unpacked)"


def _name_in_gzip(content: bytes) -> str:
    """RFC 1952 2.3.1: after the fixed header and the extra field, up to a zero."""
    if len(content) < 12 or not content[3] & _NAMED:
        return ""
    at = 10
    if content[3] & _EXTRA:
        at += 2 + int.from_bytes(content[10:12], "little")
    end = content.find(b"\0", at, at + 1024)
    return decode_name(content[at:end]) if end > at else ""
