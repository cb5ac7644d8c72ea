"""Members of a zip by their own headers: where the directory is missing, and those that it does not list.

Structures after PKWARE's APPNOTE.TXT 6.3.10, sections cited by their numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Final

from sekisho.parse.unpack.archive import streams
from sekisho.parse.unpack.archive.zip_directory import (
    ENCRYPTED,
    LOCAL,
    STREAMED,
    Directory,
    Entry,
    member_name,
    zip64_sizes,
)
from sekisho.parse.unpack.opening import Budget, CorruptError, OverLimitError

_HEADER: Final = b"PK\x03\x04"
_DESCRIPTOR: Final = b"PK\x07\x08"
_SIGNATURES: Final = (_HEADER, _DESCRIPTOR, b"PK\x01\x02")
_SIZES: Final = struct.Struct("<III")  # of a descriptor: checksum, packed, unpacked
_DEFLATED: Final = 8
_MOST_HIDDEN: Final = 100


def members_by_headers(content: bytes, budget: Budget) -> list[Entry]:
    """The members of a zip whose directory cannot be read; the last one may be cut off by the end of the file.

    Raises OverLimitError.
    """
    return [*_members(content, 0, len(content), budget, cut=True)]


def hidden_members(content: bytes, found: Directory, budget: Budget) -> list[Entry]:
    """Members that stand in the file but not in the directory, at most 100.

    Readers that read from the front unpack them, and some read on behind the end. Raises OverLimitError.
    """
    placed = sorted((e for e in found.entries if e.data >= 0), key=lambda e: e.offset)
    hidden: list[Entry] = []
    at = found.start
    for start, end in (*((e.offset, e.data + e.packed) for e in placed), (found.directory, found.end)):
        if start > at:
            hidden += islice(_members(content, at, start, budget), _MOST_HIDDEN)
        at = max(at, end)
    hidden += islice(_members(content, at, len(content), budget), _MOST_HIDDEN)
    return hidden[:_MOST_HIDDEN]


def _members(content: bytes, at: int, end: int, budget: Budget, *, cut: bool = False) -> Iterator[Entry]:
    """What has a local header (4.3.7) between two offsets and fits between them, or, if `cut`, need not."""
    left = budget.limits.files
    at = content.find(_HEADER, at, end)
    while 0 <= at <= end - LOCAL.size:
        budget.check_time()
        entry = _member(content, at, end, budget)
        fits = entry is not None and entry.data + entry.packed <= end
        if entry is not None and (fits or cut):
            left -= 1
            if left < 0:
                raise OverLimitError("files: in a zip without a directory")
            yield entry
        # One that claims more than there is may hide the next.
        at = content.find(_HEADER, entry.data + entry.packed if entry is not None and fits else at + 4, end)


def _member(content: bytes, at: int, end: int, budget: Budget) -> Entry | None:
    """The member whose header is at `at`, None where it has no name or none that fits."""
    _, _, flags, method, when, _, crc, packed, size, name, extra = LOCAL.unpack_from(content, at)
    start = at + LOCAL.size
    data = start + name + extra
    if not name or data > end:
        return None
    raw, fields = content[start : start + name], content[start + name : data]
    size, packed, _ = zip64_sizes(fields, size, packed, 0)
    shown = member_name(raw, flags, fields)
    entry = Entry(shown, raw, flags, method, crc, packed, size, at, data, 0, fields, when)
    if flags & STREAMED and not packed:
        _measure(content, entry, end, budget)
    return entry


def _measure(content: bytes, entry: Entry, end: int, budget: Budget) -> None:
    """Find the sizes and the checksum, which follow the data in a descriptor (4.3.9)."""
    stop = -1
    if entry.method == _DEFLATED and not entry.flags & ENCRYPTED:
        stop = _deflated_end(content, entry.data, budget)
    if stop < 0:
        found = [at for at in (content.find(mark, entry.data, end) for mark in _SIGNATURES) if at >= 0]
        stop = min(found, default=end)
    entry.packed = min(stop, end) - entry.data
    at = stop + 4 if content.startswith(_DESCRIPTOR, stop) else stop
    if at + _SIZES.size <= len(content):
        crc, packed, size = _SIZES.unpack_from(content, at)
        if packed == entry.packed:
            entry.crc, entry.size = crc, size


def _deflated_end(content: bytes, at: int, budget: Budget) -> int:
    """Where the deflate stream ends that begins at `at`, -1 where it is broken."""
    pieces, size = streams.inflated_size(content, at), 0
    try:
        while True:
            size += len(next(pieces))
            budget.check_time()
            if size > budget.limits.unpacked_bytes:
                raise OverLimitError("unpacked bytes")
    except StopIteration as end:
        return int(end.value)
    except CorruptError:
        return -1
