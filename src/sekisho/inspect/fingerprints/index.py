"""The file with the fingerprints of one tenant's documents, mapped into memory and shared by all processes.

Laid out as a head, a list of the documents (msgpack), the number of entries before each of 65,536 runs, the entries
(two columns of 32 bits, sorted by fingerprint), and a filter with a bit for each fingerprint. An entry is 48 bits of
a fingerprint, 16 of them said by the run it stands in, and its place among all pieces of all documents, with the
highest bit set where the document is public. No text can be read back from it; without the key nobody can even ask
whether a piece is there. The documents' names stand in it as they are.
"""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_left, bisect_right
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAGIC = b"SKFP\0\0\0\1"
HEAD = struct.Struct("<8s16sQQQ24x")  # magic, check of the key, octets of the list, entries, bits of the filter
RUNS = 1 << 16
PUBLIC = 1 << 31
PLACE = PUBLIC - 1
LEAST_FILTER_BITS = 1 << 13
MOST_DOCUMENTS = 12  # that may share a piece before it counts as a form of words that everybody uses


class IndexDamagedError(Exception):
    """The file is not one of these, is cut off, or was made under another key."""


class Document(Struct, frozen=True):
    """One registered document.

    `id` is a keyed hash of its name, `content` one of the file (hexadecimal). Its pieces are `start` to `end` in
    the count of all pieces; `common` of them stand in many other documents or in public ones. `letters` is how many
    letters and digits it has.
    """

    id: str
    name: str
    content: str
    added: datetime
    public: bool
    start: int
    end: int
    letters: int
    common: int = 0

    @property
    def own(self) -> int:
        """How many pieces count as its own."""
        return self.end - self.start - self.common


class Index:
    """A mapped file. Immutable; whoever changes the documents writes another (`writing`)."""

    def __init__(self, data: mmap.mmap | bytes, key: bytes) -> None:
        """Raises IndexDamagedError."""
        view = memoryview(data)
        listed, entries, bits = _head(view, key)
        try:
            self.documents: tuple[Document, ...] = msgspec.msgpack.decode(
                view[HEAD.size : HEAD.size + listed], type=tuple[Document, ...]
            )
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise IndexDamagedError("the list of documents cannot be read") from error
        at = after_list(listed)
        self.runs = view[at : at + 4 * (RUNS + 1)].cast("I")
        at += 4 * (RUNS + 1)
        self.values = view[at : at + 4 * entries].cast("I")
        at += 4 * entries
        self.places = view[at : at + 4 * entries].cast("I")
        at += 4 * entries
        self.filter = view[at : at + bits // 8]
        self._mask = bits - 1
        self._by_start = sorted(self.documents, key=attrgetter("start"))
        self._starts = [document.start for document in self._by_start]

    @classmethod
    def open(cls, path: Path, key: bytes) -> Index:
        """Map the file. Raises IndexDamagedError, OSError."""
        with path.open("rb") as stream:
            try:
                data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise IndexDamagedError("the file is empty") from error
        return cls(data, key)

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self.values)

    def found(self, fingerprints: Sequence[int]) -> list[tuple[int, Sequence[int]]]:
        """For each fingerprint that counts: where it stands in the sequence, and its places in documents.

        Those in public documents or in more than `MOST_DOCUMENTS` are left out. About 0.1 microseconds each.
        """
        bits, mask = self.filter, self._mask
        likely = [
            number
            for number, value in enumerate(fingerprints)
            if bits[(value >> 16 & mask) >> 3] >> (value >> 16 & 7) & 1
        ]
        found = []
        for number in likely:
            places = self._places_of(fingerprints[number] >> 16)
            if places and not any(place & PUBLIC for place in places):
                found.append((number, places))
        return found

    def document_at(self, place: int) -> Document | None:
        """The document that has the piece of this number."""
        number = bisect_right(self._starts, place) - 1
        document = self._by_start[number] if number >= 0 else None
        return document if document is not None and place < document.end else None

    def _places_of(self, value: int) -> Sequence[int]:
        """The places of a fingerprint of 48 bits; none where there are too many."""
        run, rest = value >> 32, value & 0xFFFF_FFFF
        start, end = self.runs[run], min(self.runs[run + 1], len(self.values))
        at = bisect_left(self.values, rest, start, max(start, end))
        last = bisect_right(self.values, rest, at, max(at, min(end, at + MOST_DOCUMENTS + 1)))
        return () if last - at > MOST_DOCUMENTS else self.places[at:last]


def after_list(length: int) -> int:
    """Where the columns begin, behind a list of documents of so many octets: at a multiple of 8."""
    return HEAD.size + (length + 7 & ~7)


def check_of(key: bytes) -> bytes:
    """16 octets that only this key gives."""
    return blake2b(b"check of the key", key=key, digest_size=16).digest()


def _head(view: memoryview, key: bytes) -> tuple[int, int, int]:
    """Octets of the list, entries, bits of the filter. Raises IndexDamagedError."""
    if len(view) < HEAD.size:
        raise IndexDamagedError("the file is too short")
    magic, check, listed, entries, bits = HEAD.unpack_from(view)
    if magic != MAGIC:
        raise IndexDamagedError("not a file of document fingerprints, or one of another version")
    if check != check_of(key):
        raise IndexDamagedError("made under another key file")
    size = after_list(listed) + 4 * (RUNS + 1) + 8 * entries + bits // 8
    if size != len(view) or bits < LEAST_FILTER_BITS or bits & (bits - 1) or bits > 1 << 32:
        raise IndexDamagedError("the file is damaged")
    return listed, entries, bits
