"""Makes the file of a list: gathers hashes, leaves out what is too common, sorts, writes."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sekisho.inspect.exact.table import LOW, Column, Head, sealed_head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MOST_ENTRIES = 0xFFFF_FFF0
_RUNS = 256
_FEWEST_BITS, _MOST_BITS = 12, 24
_PER_BUCKET = 3


class Writer:
    """Gathers the entries of a list of `columns`; about 14 octets of memory for each."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._hashes = [array("Q") for _ in range(_RUNS)]
        self._references = [array("I") for _ in range(_RUNS)]
        self._masks: dict[int, int] = {}

    def add(self, value: int, row: int, column: int) -> None:
        """One field, by its hash. Raises OverflowError where row times columns exceeds 32 bits."""
        run = value >> 56
        self._references[run].append(row * self._columns + column)
        self._hashes[run].append(value)

    def begin(self, value: int, bit: int) -> None:
        """That a phrase whose beginning has this hash has this length."""
        self._masks[value] = self._masks.get(value, 0) | bit

    def write(self, stream: BinaryIO, head: Head, key: bytes) -> Head:
        """Write all and return the head as it was written. `head` has rows and columns. Raises OSError."""
        count = sum(map(len, self._hashes)) + len(self._masks)
        bits = min(_MOST_BITS, max(_FEWEST_BITS, (count // _PER_BUCKET).bit_length()))
        left_out: Counter[int] = Counter()
        entries, starts = array("Q"), array("I")
        for value, reference in self._sorted(head, 32 - bits, left_out):
            bucket = value >> 32
            starts.extend([len(entries)] * (bucket + 1 - len(starts)))
            entries.append((value & LOW) << 32 | reference)
        starts.extend([len(entries)] * ((1 << bits) + 2 - len(starts)))
        columns = tuple(Column(c.name, c.type, left_out[number]) for number, c in enumerate(head.columns))
        head = replace(head, columns=columns, bits=bits, entries=len(entries))
        stream.write(sealed_head(head, key))
        starts.tofile(stream)
        entries.tofile(stream)
        return head

    def _sorted(self, head: Head, shift: int, left_out: Counter[int]) -> Iterator[tuple[int, int]]:
        """The part of each hash that is kept and its reference, in order, without what is too common."""
        masks = sorted(self._masks.items())
        at = 0
        for run in range(_RUNS):
            pairs = sorted({
                (value >> shift, reference)
                for value, reference in zip(self._hashes[run], self._references[run], strict=True)
            })  # fmt: skip
            kept = list(self._uncommon(pairs, head, left_out))
            while at < len(masks) and masks[at][0] >> 56 == run:
                kept.append((masks[at][0] >> shift, masks[at][1]))
                at += 1
            kept.sort()
            self._hashes[run] = array("Q")
            self._references[run] = array("I")
            yield from kept

    def _uncommon(
        self, pairs: list[tuple[int, int]], head: Head, left_out: Counter[int]
    ) -> Iterator[tuple[int, int]]:
        for _, same in groupby(pairs, key=lambda pair: pair[0]):
            entries = list(same)
            column = entries[0][1] % self._columns
            if len(entries) <= most_rows(head, column):
                yield from entries
            else:
                left_out.update(reference % self._columns for _, reference in entries)


def most_rows(head: Head, column: int) -> int:
    """In how many rows a value may stand to say anything: 1 in 1,000, of small lists more, of free text less."""
    tenth = max(2, head.rows // 10)
    least = 3 if head.columns[column].type == "text" else 20
    return max(head.rows // 1000, min(least, tenth))
