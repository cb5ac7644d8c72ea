"""Makes a new file of fingerprints from an old one, with documents added and removed."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate, chain, compress, count, islice, repeat
from operator import and_, eq
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sekisho.inspect.fingerprints.index import (
    HEAD,
    LEAST_FILTER_BITS,
    MAGIC,
    MOST_DOCUMENTS,
    PLACE,
    PUBLIC,
    RUNS,
    Document,
    Index,
    after_list,
    check_of,
)
from sekisho.store.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

_BITS_FOR_EACH = 8


class IndexFullError(Exception):
    """No more documents can be registered in this file."""

    def __init__(self) -> None:
        super().__init__("2,147,483,647 pieces have been counted, more cannot be; remove the file and register anew")


class Columns:
    """The entries as they are being changed: how many in each run, and the two columns."""

    def __init__(self) -> None:
        self.runs = array("I", bytes(4 * RUNS))
        self.values = array("I")
        self.places = array("I")

    def merge(self, index: Index | _Entries | None, added: Sequence[tuple[int, int]]) -> None:
        """The index's entries and sorted new ones (48 bits of fingerprint, place) in order."""
        if index is None:
            for value, place in added:
                self._append(value, place)
            return
        at = 0
        for value, place in added:
            run = value >> 32
            start, end = index.runs[run], index.runs[run + 1]
            until = bisect_right(index.values, value & 0xFFFF_FFFF, start, end)
            self._copy(index, at, until)
            self._append(value, place)
            at = until
        self._copy(index, at, len(index.values))
        for run in range(RUNS):
            self.runs[run] += index.runs[run + 1] - index.runs[run]

    def keep(self, index: Index, dropped: Collection[Document]) -> None:
        """The index's entries without those of some documents."""
        gone = bytearray(1 + max((document.end for document in index.documents), default=0))
        for document in dropped:
            gone[document.start : document.end] = b"\1" * (document.end - document.start)
        kept = bytes(not gone[place & PLACE] for place in index.places)
        self.values.extend(compress(index.values, kept))
        self.places.extend(compress(index.places, kept))
        for run in range(RUNS):
            self.runs[run] = kept.count(1, index.runs[run], index.runs[run + 1])

    def _append(self, value: int, place: int) -> None:
        self.runs[value >> 32] += 1
        self.values.append(value & 0xFFFF_FFFF)
        self.places.append(place)

    def _copy(self, index: Index | _Entries, at: int, until: int) -> None:
        if at < until:
            self.values.frombytes(index.values[at:until].cast("B"))
            self.places.frombytes(index.places[at:until].cast("B"))


class _Entries(Struct, frozen=True):
    """What `Columns.merge` reads: the columns of an index, here of one that was never written."""

    runs: Sequence[int]
    values: memoryview
    places: memoryview


def changed_columns(index: Index | None, dropped: Collection[Document], added: Sequence[tuple[int, int]]) -> Columns:
    """The entries of an index without those of some documents, and with sorted new ones."""
    base: Index | _Entries | None = index
    if index is not None and dropped:
        kept = Columns()
        kept.keep(index, dropped)
        if not added:
            return kept
        runs = array("I", accumulate(kept.runs, initial=0))
        base = _Entries(runs, memoryview(kept.values), memoryview(kept.places))
    columns = Columns()
    columns.merge(base, added)
    return columns


def written(path: Path, key: bytes, documents: Iterable[Document], columns: Columns) -> None:
    """Write the file whole, mode 0600, under its name only once it is on disk. Raises OSError."""
    common = _common(columns, documents := tuple(documents))
    listed = msgspec.msgpack.encode([replace(d, common=common.get(d.start, 0)) for d in documents])
    bits = _filter(columns.values)
    head = HEAD.pack(MAGIC, check_of(key), len(listed), len(columns.values), 8 * len(bits))
    runs = array("I", chain((0,), accumulate(columns.runs)))
    filling = bytes(after_list(len(listed)) - HEAD.size - len(listed))
    with whole_file(path) as stream:
        for piece in (head, listed, filling, runs, columns.values, columns.places, bits):
            stream.write(piece)


def _common(columns: Columns, documents: Sequence[Document]) -> dict[int, int]:
    """How many pieces of each document do not count, by the document's start."""
    values, places = columns.values, columns.places
    numbers: set[int] = set()
    too_many = compress(count(), map(eq, values, islice(values, MOST_DOCUMENTS, None)))
    public = compress(count(), map(and_, places, repeat(PUBLIC))) if any(d.public for d in documents) else ()
    for at in chain(too_many, public):
        if at not in numbers:
            numbers.update(_group(values, at))
    starts = sorted(document.start for document in documents)
    common: dict[int, int] = {}
    for at in numbers:
        start = starts[bisect_right(starts, places[at] & PLACE) - 1]
        common[start] = common.get(start, 0) + 1
    return common


def _group(values: Sequence[int], at: int) -> range:
    """The entries around one that have its value."""
    value, start, end = values[at], at, at + 1
    while start and values[start - 1] == value:
        start -= 1
    while end < len(values) and values[end] == value:
        end += 1
    return range(start, end)


def _filter(values: Sequence[int]) -> bytearray:
    size = LEAST_FILTER_BITS
    while size < _BITS_FOR_EACH * len(values):
        size *= 2
    bits, mask = bytearray(size // 8), size - 1
    for value in values:
        bits[(value & mask) >> 3] |= 1 << (value & 7)
    return bits
