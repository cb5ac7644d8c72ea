"""Fingerprints of a text: keyed hashes of short pieces, the same pieces in every text that has them.

A piece (shingle) is 24 letters or digits (about five words), or 12 characters where it begins with a script that has
thousands of them. Which pieces of a text are taken depends on what stands there and on the key alone, as in winnowing
(Schleimer, Wilkerson, Aiken: "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003): every place has
a number of one octet, hashed from the eight characters that begin there. Places with a low number are taken, and
where a whole window has none, its lowest. So two texts that share `GUARANTEED_LETTERS` letters (about 40 words) or
`GUARANTEED_CHARACTERS` characters in a row share a fingerprint.

All places are hashed at once, with the text as one long integer; Python's own loops see only the places taken.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msgspec import Struct

from sekisho.inspect.fingerprints.normalised import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LETTERS = 24  # of a shingle
CHARACTERS = 12
GUARANTEED_LETTERS = 184
GUARANTEED_CHARACTERS = 60

_WINDOW = GUARANTEED_LETTERS - LETTERS + 1
_DENSE_WINDOW = GUARANTEED_CHARACTERS - CHARACTERS + 1
_TAKEN = 7  # of 256 numbers: one place in 37
_TAKEN_DENSE = 14
_DENSE_FROM = 0x0E  # the first octet of a UTF-16 unit: Thai and what comes after it
_CHUNK = 65_536
_OVERLAP = 256  # more than a window and a shingle
_LEAST_VARIETY = 6  # different characters; rows of zeros or dots say nothing
_BLOCK = 16  # octets, AES
_SIZE = 2 * LETTERS  # octets of a shingle in UTF-16, padded with zeros
_PADDING = bytes(2 * (LETTERS - CHARACTERS))

_LOW = bytes(3 if n < _TAKEN else 0 for n in range(256))
_LOWER_HALF = bytes(4 if n < _TAKEN else 2 if n < _TAKEN_DENSE else 0 for n in range(256))
_DENSE = bytes(1 if n >= _DENSE_FROM else 0 for n in range(256))
_CHOSEN = bytes(1 if n >= 3 else 0 for n in range(256))  # low number, or lower half and dense


class Shingles(Struct, frozen=True):
    """The fingerprints of a text in its order: `values` of 64 bits, `places` where each begins.

    Places count letters and digits of the normalised text, of which there are `length`.
    """

    places: Sequence[int]
    values: Sequence[int]
    length: int


class Shingler:
    """Makes fingerprints under one key of 32 octets. About 20 ns for each letter. May be used by several threads."""

    def __init__(self, key: bytes) -> None:
        tables = [_permutation(key, number) for number in range(8)]
        # No first octet, no change: ASCII goes without it.
        self._high = _xor_all(tables[1], tables[1][0])
        self._first = tables[0].translate(tables[2]), tables[0].translate(tables[3])
        self._unit = tables[0]
        self._levels = ((1, tables[2], tables[3]), (2, tables[4], tables[5]), (4, tables[6], tables[7]))
        self._cipher = Cipher(algorithms.AES(blake2b(b"cipher", key=key, digest_size=_BLOCK).digest()), modes.ECB())  # noqa: S305 - one block each: a keyed function, not encryption
        self._tweak = blake2b(b"tweak", key=key, digest_size=_SIZE).digest()

    def shingles(self, text: str, *, varied: bool = False) -> Shingles:
        """The fingerprints of a text. With `varied` none of pieces that repeat a few characters. Never raises."""
        places: list[int] = []
        values: list[int] = []
        start = 0
        plain = ""
        seen: set[int] = set()
        for plain, start in _chunks(text):
            if len(plain) < CHARACTERS:
                continue
            at, pieces = self._pieces(plain)
            if varied:
                kept = [n for n, piece in enumerate(pieces) if _varied(piece)]
                at, pieces = [at[n] for n in kept], [pieces[n] for n in kept]
            if seen:
                kept = [n for n, place in enumerate(at) if place + start not in seen]
                at, pieces = [at[n] for n in kept], [pieces[n] for n in kept]
            places += [place + start for place in at]
            values += self._hashes(pieces)
            tail = len(plain) - _OVERLAP
            seen = {place + start for place in at if place >= tail}
        return Shingles(places, values, start + len(plain))

    def _pieces(self, plain: str) -> tuple[list[int], list[bytes]]:
        """The places taken and their shingles, each of `_SIZE` octets."""
        units = plain.encode("utf-16-le", "replace")
        low = units[::2]
        if plain.isascii():
            at = self._places(self._numbers(low, None), None)
            at = _bounded([place for place in at if place + LETTERS <= len(low)], len(low))
            return at, [units[2 * place : 2 * place + _SIZE] for place in at]
        high = units[1::2]
        dense = high.translate(_DENSE)
        at = self._places(self._numbers(low, high), dense)
        end = len(low)
        at = [place for place in at if place + (CHARACTERS if dense[place] else LETTERS) <= end]
        at = _bounded(at, end)
        half = _SIZE - len(_PADDING)
        return at, [units[2 * p : 2 * p + half] + _PADDING if dense[p] else units[2 * p : 2 * p + _SIZE] for p in at]

    def _numbers(self, low: bytes, high: bytes | None) -> bytes:
        """One octet for each place, from the eight units that begin there."""
        if high is None:
            numbers = _mixed(low, 1, *self._first)
        else:
            unit = int.from_bytes(low.translate(self._unit), "little")
            unit ^= int.from_bytes(high.translate(self._high), "little")
            numbers = _mixed(unit.to_bytes(len(low), "little"), *self._levels[0])
        for distance, one, other in self._levels[1:]:
            numbers = _mixed(numbers, distance, one, other)
        return numbers

    def _places(self, numbers: bytes, dense: bytes | None) -> list[int]:
        """The places taken, in order."""
        if dense is None:
            chosen, shortest = numbers.translate(_LOW), _WINDOW
        else:
            both = int.from_bytes(numbers.translate(_LOWER_HALF), "little") | int.from_bytes(dense, "little")
            chosen, shortest = both.to_bytes(len(numbers), "little"), _DENSE_WINDOW
        places: list[int] = []
        at = 0
        for gap in map(len, chosen.translate(_CHOSEN).split(b"\1")):
            if gap >= shortest:
                places += _lowest(numbers, dense, at, at + gap)
            at += gap
            places.append(at)
            at += 1
        places.pop()  # the end of the text
        return places

    def _hashes(self, pieces: Sequence[bytes]) -> list[int]:
        """Keyed hashes of 64 bits: each block enciphered (PMAC), their sum enciphered again."""
        size = _SIZE * len(pieces)
        if not size:
            return []
        cipher = self._cipher.encryptor()
        plain = int.from_bytes(b"".join(pieces), "little") ^ int.from_bytes(self._tweak * len(pieces), "little")
        blocks = int.from_bytes(cipher.update(plain.to_bytes(size, "little")), "little")
        blocks ^= blocks >> 8 * _BLOCK ^ blocks >> 16 * _BLOCK
        hashes = cipher.update(blocks.to_bytes(size, "little"))
        return memoryview(hashes).cast("Q")[:: _SIZE // 8].tolist()


def _chunks(text: str) -> Iterator[tuple[str, int]]:
    """Normalised pieces with where they start, each with the end of the one before."""
    tail = ""
    start = 0
    for at in range(0, len(text), _CHUNK):
        plain = tail + normalised(text[at : at + _CHUNK])
        yield plain, start
        tail = plain[-_OVERLAP:]
        start += len(plain) - len(tail)


def _mixed(octets: bytes, distance: int, one: bytes, other: bytes) -> bytes:
    """At each place, what stands there mixed with what stands `distance` further."""
    here = int.from_bytes(octets.translate(one), "little")
    return (here ^ int.from_bytes(octets[distance:].translate(other), "little")).to_bytes(len(octets), "little")


def _lowest(numbers: bytes, dense: bytes | None, start: int, end: int) -> Iterator[int]:
    """For each window in a gap without low numbers, its lowest place (of equals the last), each place once.

    A gap this long in a text that does not repeat itself is rare beyond all bounds; of one that does, the middle is
    left out.
    """
    if end - start > 16 * _WINDOW:
        yield from _lowest(numbers, dense, start, start + 4 * _WINDOW)
        yield from _lowest(numbers, dense, end - 4 * _WINDOW, end)
        return
    taken = place = lowest = -1
    compared = end  # the current lowest is that of all before here
    for at in range(start, end - _DENSE_WINDOW + 1):
        stop = at + (_DENSE_WINDOW if dense is not None and dense[at] else _WINDOW)
        if stop > end:
            continue
        if at <= place < stop:
            if stop == compared + 1 and numbers[compared] > lowest:
                compared = stop
                continue
            if stop <= compared:
                continue
        place, lowest, compared = _last_lowest(numbers, at, stop)
        if place > taken:
            taken = place
            yield place


def _last_lowest(numbers: bytes, at: int, stop: int) -> tuple[int, int, int]:
    lowest = min(numbers[at:stop])
    return numbers.rfind(lowest, at, stop), lowest, stop


def _bounded(places: list[int], length: int) -> list[int]:
    """At most one place in five: more there are only where a text repeats itself."""
    most = length // 5 + 8
    return places if len(places) <= most else places[:: -(-len(places) // most)]


def _varied(piece: bytes) -> bool:
    return len(set(piece.decode("utf-16-le", "replace")) - {"\0"}) >= _LEAST_VARIETY


def _permutation(key: bytes, number: int) -> bytes:
    """The octets 0 to 255 in an order that only the key tells."""
    return bytes(sorted(range(256), key=lambda n: blake2b(bytes((number, n)), key=key).digest()))


def _xor_all(octets: bytes, value: int) -> bytes:
    return bytes(octet ^ value for octet in octets)
