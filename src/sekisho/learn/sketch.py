"""Sketches of sets of features: tell texts that are nearly the same without keeping them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.learn.grams import Indices

SIZE: Final = 128  # minima in a sketch
ALIKE: Final = 0.8  # share of features (Jaccard) from which two texts are one
_BAND: Final = 4  # two texts that are one share a run of so many minima, but for one pair in ten million
_MOST_COMPARED: Final = 64
_MULTIPLIERS: Final = np.random.default_rng(0x5EC1).integers(0, 1 << 32, SIZE, np.uint32) | np.uint32(1)
_ADDED: Final = np.random.default_rng(0x5EC2).integers(0, 1 << 32, SIZE, np.uint32)


def sketch(indices: Indices) -> bytes:
    """The minima of SIZE hashes over a set of features, 16 bits of each; b"" of an empty set.

    The share of equal minima estimates the Jaccard index of two sets (Broder, "On the resemblance and containment of
    documents", 1997). 3 ms for 20,000 features.
    """
    if not len(indices):
        return b""
    mixed = (indices.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)).astype(np.uint32)
    pairs = zip(_MULTIPLIERS, _ADDED, strict=True)
    minima = np.array([(mixed * multiplier ^ added).min() for multiplier, added in pairs], np.uint32)
    return minima.astype("<u2").tobytes()


def grouped(sketches: Sequence[bytes]) -> list[int]:
    """For each sketch the place of the first one that is nearly the same; its own where there is none before it.

    Compared are the _MOST_COMPARED that share most with it.
    """
    leaders: dict[bytes, list[int]] = defaultdict(list)
    arrays = [_read(one) for one in sketches]
    found = []
    for place, array in enumerate(arrays):
        bands = [bytes((number,)) + array[start : start + _BAND].tobytes() for number, start in _BANDS]
        shared = Counter(other for band in bands for other in leaders.get(band, ()))
        known = sorted(other for other, _ in shared.most_common(_MOST_COMPARED))
        leader = next((other for other in known if float(np.mean(arrays[other] == array)) >= ALIKE), place)
        found.append(leader)
        if leader == place:
            for band in bands:
                leaders[band].append(place)
    return found


_BANDS: Final = tuple(enumerate(range(0, SIZE, _BAND)))


def _read(sketched: bytes) -> NDArray[np.uint16]:
    """A sketch of another size, and one of nothing, is like nothing but its equals."""
    whole = sketched[: SIZE * 2].ljust(SIZE * 2, b"\0")
    return np.frombuffer(whole, "<u2")
