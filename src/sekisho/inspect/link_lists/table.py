"""A million keys in a few megabytes: a set of hashes, each with a small number."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LABELS = 4096

_ALL = 0xFFFF_FFFF_FFFF_FFFF
_LABEL = MOST_LABELS - 1
_RUNS = 256


class Table:
    """Keys (octets) with a label from 0 to 4095 each, 8 octets of memory for one. Immutable once it is sealed.

    A key is there as the hash that Python keeps its own dictionaries by: SipHash with a random key of the process
    (PEP 456), of which 60 bits count. Among a million keys a look-up of one that is not there finds something once
    in about 10^12 times, and nobody who does not know the process's key can choose one that does.
    """

    __slots__ = ("_count", "_runs", "kinds")

    def __init__(self) -> None:
        if sys.hash_info.hash_bits < 64:
            raise RuntimeError("link lists need a Python with hashes of 64 bits")
        self._runs = [array("Q") for _ in range(_RUNS)]
        self._count = 0
        self.kinds: set[bytes] = set()  # the first octets of the keys

    def add(self, key: bytes, label: int) -> None:
        """Put a key in, before `seal`."""
        self.kinds.add(key[:1])
        value = hash(key) & _ALL
        # The run stands for the first 8 bits of the hash, so that the label has room at the end.
        self._runs[value >> 56].append(value << 8 & ~_LABEL & _ALL | label)

    def seal(self) -> None:
        """Sort, after the last `add`. The same key with the same label counts once."""
        for number, run in enumerate(self._runs):
            self._runs[number] = array("Q", sorted(set(run)))
        self._count = sum(map(len, self._runs))

    def __len__(self) -> int:
        """How many keys there are, once it is sealed."""
        return self._count

    def labels(self, key: bytes) -> Sequence[int]:
        """The labels of a key, the lowest first. Under a microsecond."""
        value = hash(key) & _ALL
        run = self._runs[value >> 56]
        wanted = value << 8 & ~_LABEL & _ALL
        at = end = bisect_left(run, wanted)
        while end < len(run) and run[end] & ~_LABEL == wanted:
            end += 1
        return [entry & _LABEL for entry in run[at:end]] if end > at else ()
