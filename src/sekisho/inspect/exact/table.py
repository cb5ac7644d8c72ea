"""The file of one list: sorted hashes in memory that all processes share, each with what it stands for.

    magic, length of the head, head (JSON), keyed digest of the head, padding to 8 octets
    directory: for each beginning of a hash (its first `bits` bits) where its entries start, 32 bits each
    entries: 64 bits each, the next 32 bits of the hash and a reference, sorted

A hash is keyed BLAKE2s (RFC 7693) of the value's type and canonical form. Of each `bits` + 32 bits are kept: without
the key nothing can be told from them, and with it values could only be guessed one by one.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
import sys
from bisect import bisect_left
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from sekisho.inspect.exact.normalise import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

MAGIC = b"SKEXACT1"
LOW = 0xFFFF_FFFF
_DIGEST = 16
_LONGEST_HEAD = 1_000_000
_LENGTH = 4


class ListFileError(Exception):
    """The file of a list is no such file, is damaged, or was made under another key."""


class Column(Struct, frozen=True):
    """One column of a list: its heading and its type. `left_out` counts values that are too common to tell."""

    name: str
    type: FieldType
    left_out: int = 0


class Head(Struct, frozen=True):
    """What a list's file says about itself.

    `rows` in the list, `least_rows` and `least_fields` what a message must carry; of `key_columns` (numbers of
    columns) one must be among the fields where there are any. `lengths` has the lengths of numbers by tag ("p", "i",
    "c" for codes), `forms` those of addresses. `created` RFC 3339.
    """

    name: str
    tenant: str
    created: str
    rows: int
    columns: tuple[Column, ...]
    least_rows: int
    least_fields: int
    key_columns: tuple[int, ...] = ()
    lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    forms: tuple[str, ...] = ()
    cjk: bool = False
    words: bool = False
    bits: int = 12
    entries: int = 0
    byte_order: str = sys.byteorder

    @property
    def most_fields(self) -> int:
        """How many fields can be found of a row: all names, such as one and its kana, are one."""
        return countable(column.type for column in self.columns)


def countable(types: Iterable[FieldType]) -> int:
    """How many fields columns of these types are: all names are one."""
    types = tuple(types)
    return len(types) - max(0, types.count("name") - 1)


def hasher(key: bytes) -> Callable[[str], int]:
    """A function from a text to 64 bits, keyed; `key` at most 32 octets. Under a microsecond."""
    keyed = hashlib.blake2s(key=key, digest_size=8)

    def of(text: str) -> int:
        copy = keyed.copy()
        copy.update(text.encode("utf-8", "surrogatepass"))
        return int.from_bytes(copy.digest(), "big")

    return of


def sealed_head(head: Head, key: bytes) -> bytes:
    """The file up to the directory."""
    encoded = msgspec.json.encode(head)
    whole = MAGIC + len(encoded).to_bytes(_LENGTH, "little") + encoded + _digest(encoded, key)
    return whole + bytes(-len(whole) % 8)


class Table:
    """The file of a list, ready to be looked up in. Immutable; shared by all threads."""

    __slots__ = ("_directory", "_entries", "_shift", "head")

    def __init__(self, head: Head, content: memoryview) -> None:
        """`content` is what follows the head: directory and entries. Raises ListFileError where its size is wrong."""
        directory = 4 * ((1 << head.bits) + 2)  # one for the end, one for the padding
        if len(content) != directory + 8 * head.entries:
            raise ListFileError("is damaged: its size is wrong")
        self.head = head
        self._shift = 32 - head.bits
        self._directory = content[:directory].cast("I")
        self._entries = content[directory:].cast("Q")

    @classmethod
    def open(cls, path: Path, key: bytes) -> Table:
        """Map a file into memory. Raises ListFileError, OSError."""
        with path.open("rb") as file:
            head, at = _read_head(file.read(len(MAGIC) + _LENGTH + _LONGEST_HEAD), key)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return cls(head, memoryview(mapped)[at:])

    def find(self, value: int) -> tuple[int, int]:
        """Where the entries of a hash begin and end; the same twice where there are none. Under a microsecond."""
        kept = value >> self._shift
        bucket = kept >> 32
        low, high = self._directory[bucket], self._directory[bucket + 1]
        if low == high:
            return 0, 0
        wanted = (kept & LOW) << 32
        first = bisect_left(self._entries, wanted, low, high)
        if first == high or self._entries[first] >> 32 != wanted >> 32:
            return 0, 0
        return first, bisect_left(self._entries, wanted + (1 << 32), first, high)

    def references(self, low: int, high: int) -> list[int]:
        """What the entries from `low` to `high` stand for, the lowest first."""
        return [entry & LOW for entry in self._entries[low:high]]

    def has(self, low: int, high: int, reference: int) -> bool:
        """Whether one of the entries of a hash, from `low` to `high`, stands for `reference`."""
        wanted = self._entries[low] & ~LOW | reference
        at = bisect_left(self._entries, wanted, low, high)
        return at < high and self._entries[at] == wanted

    def mask(self, value: int) -> int:
        """The lengths of the phrases with this beginning, a bit for each; 0 where there are none."""
        low, high = self.find(value)
        return self._entries[low] & LOW if high > low else 0


def _read_head(start: bytes, key: bytes) -> tuple[Head, int]:
    """The head and where it ends."""
    at = len(MAGIC) + _LENGTH
    length = int.from_bytes(start[len(MAGIC) : at], "little")
    encoded, digest = start[at : at + length], start[at + length : at + length + _DIGEST]
    if not start.startswith(MAGIC) or length > _LONGEST_HEAD or len(digest) < _DIGEST:
        raise ListFileError("is no list that `sekisho dlp index` has made")
    if not hmac.compare_digest(digest, _digest(encoded, key)):
        raise ListFileError("is damaged, or was made under another key")
    try:
        head = msgspec.json.decode(encoded, type=Head)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ListFileError("is of another version") from error
    if head.byte_order != sys.byteorder:
        raise ListFileError("was made on a machine of another kind")
    end = at + length + _DIGEST
    return head, end + -end % 8


def _digest(encoded: bytes, key: bytes) -> bytes:
    return hashlib.blake2s(encoded, key=key, digest_size=_DIGEST, person=b"head").digest()
