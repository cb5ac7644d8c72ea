"""Which of very many things have been seen: two generations of a Bloom filter, so that old ones are forgotten."""

from __future__ import annotations

from msgspec import Struct

_PROBES = 4
_FULL = 0.09  # entries for each bit: then 0.9 % of what was not seen seems to be


class Seen(Struct, array_like=True):
    """64-bit keys seen in this generation and the one before. `bits` is a multiple of 8, at most 65536.

    Filters of two writers that began at the same time merge by "or".
    """

    bits: int
    now: bytearray
    before: bytearray
    entries: int = 0
    began: float = 0.0

    @classmethod
    def empty(cls, bits: int, began: float) -> Seen:
        """Nothing seen yet."""
        return cls(bits, bytearray(bits // 8), bytearray(bits // 8), 0, began)

    def __contains__(self, key: int) -> bool:
        probes = self._probes(key)
        return _all(self.now, probes) or _all(self.before, probes)

    def add(self, key: int, at: float, generation: float) -> None:
        """Remember a key until the end of the next generation: `generation` seconds, or as many as fit."""
        if at - self.began > generation or self.entries >= self.bits * _FULL:
            self.before, self.now = self.now, bytearray(self.bits // 8)
            self.entries, self.began = 0, at
        probes = self._probes(key)
        if _all(self.now, probes):
            return
        for probe in probes:
            self.now[probe >> 3] |= 1 << (probe & 7)
        self.entries += 1

    def _probes(self, key: int) -> tuple[int, ...]:
        bits = self.bits
        return tuple((key >> (16 * n) & 0xFFFF) % bits for n in range(_PROBES))


def _all(field: bytearray, probes: tuple[int, ...]) -> bool:
    return all(field[probe >> 3] >> (probe & 7) & 1 for probe in probes)
