"""Common passwords, words and names as a Bloom filter: 24 bits for each, and one in 100,000 others is taken for one.

Octets: magic, number of hashes (1), entries (4), octets of the filter (4), filter, BLAKE2b-64 of all before; numbers
big-endian. Bloom, Space/time trade-offs in hash coding with allowable errors, CACM 13 (1970); two hashes give all the
others (Kirsch and Mitzenmacher, 2006).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from functools import cache
from hashlib import blake2b

from sekisho.accounts.passwords.folding import FOLDS, without_edges
from sekisho.accounts.passwords.patterns import unit_of, without_repeats
from sekisho.config.shipped import shipped

FILE = "lists/passwords-common.bin"
LEAST = 4  # characters of an entry: shorter ones would be found at the heart of everything
MOST = 64
_MAGIC = b"SKPWC01\n"
_HEAD = struct.Struct(">BII")
_CHECK = 8
_BITS = 24
_HASHES = 17  # ln 2 times the bits of an entry


class FilterError(ValueError):
    """The filter's file is damaged."""


class CommonPasswords:
    """The filter. `entry in filter`, in the form that `plain` gives."""

    def __init__(self, bits: bytes, hashes: int, entries: int) -> None:
        self._bits = bits
        self._hashes = hashes
        self.entries = entries

    @classmethod
    def from_bytes(cls, data: bytes) -> CommonPasswords:
        """Read what `built` made. Raises FilterError."""
        start = len(_MAGIC) + _HEAD.size
        if not data.startswith(_MAGIC) or len(data) < start + _CHECK or _check(data[:-_CHECK]) != data[-_CHECK:]:
            raise FilterError("the filter of common passwords is damaged")
        hashes, entries, octets = _HEAD.unpack_from(data, len(_MAGIC))
        if not octets or len(data) != start + octets + _CHECK:
            raise FilterError("the filter of common passwords is cut off")
        return cls(data[start:-_CHECK], hashes, entries)

    def __contains__(self, entry: str) -> bool:
        return all(self._bits[bit >> 3] >> (bit & 7) & 1 for bit in _places(entry, len(self._bits) * 8, self._hashes))


def built(entries: Collection[str]) -> bytes:
    """The file of a filter with these entries, each in the form that `plain` gives."""
    octets = max(8, (len(entries) * _BITS + 7) // 8)
    bits = bytearray(octets)
    for entry in entries:
        for bit in _places(entry, octets * 8, _HASHES):
            bits[bit >> 3] |= 1 << (bit & 7)
    data = _MAGIC + _HEAD.pack(_HASHES, len(entries), octets) + bits
    return data + _check(data)


@cache
def shipped_common() -> CommonPasswords:
    """The filter that comes with Sekisho, read once. Raises FilterError, OSError."""
    return CommonPasswords.from_bytes(shipped(FILE).read_bytes())


def is_common(password: str, known: CommonPasswords, least_rest: int) -> bool:
    """Whether a password is a common one, or one with substitutions, repeated, or with little more at its ends.

    What is around a common word has to be at least `least_rest` characters, repeats not counted.
    """
    unit = unit_of(password)
    core = without_edges(unit)
    start = unit.find(core)
    around = unit[:start] + unit[start + len(core) :]
    texts = (unit, core) if without_repeats(around) < least_rest else (unit,)
    return any(heart in known for heart in {unit_of(fold(text)) for text in texts for fold in FOLDS} if _fits(heart))


def _fits(heart: str) -> bool:
    return LEAST <= len(heart) <= MOST


def _places(entry: str, bits: int, hashes: int) -> Iterator[int]:
    digest = blake2b(entry.encode("utf-8", "surrogatepass"), digest_size=16, person=b"common password").digest()
    first, second = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
    return ((first + number * second) % bits for number in range(hashes))


def _check(data: bytes) -> bytes:
    return blake2b(data, digest_size=_CHECK).digest()
