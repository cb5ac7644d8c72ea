"""Compound files (MS-CFB): the file system inside doc, xls, ppt and embedded objects, read with bounds."""

from __future__ import annotations

import struct
from array import array

from msgspec import Struct

from sekisho.parse.unpack.opening import Budget, CorruptError, OverLimitError

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_ENTRIES = 20_000
_MOST_DEPTH = 64
_LAST_SECTOR = 0xFFFFFFFA  # above: free, end of chain, FAT and DIFAT marks (MS-CFB 2.1)
_NO_ENTRY = 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5


class Entry(Struct, frozen=True):
    """A directory entry: `path` its names from the root, `class_id` 16 octets, `size` in octets (0 for a storage)."""

    path: tuple[str, ...]
    kind: int
    class_id: bytes
    start: int
    size: int

    @property
    def name(self) -> str:
        """The last name of the path."""
        return self.path[-1] if self.path else ""


class CompoundFile:
    """Storages and streams of `content`. Raises CorruptError where there is no directory to be found.

    Entries that no storage leads to are listed too, at the top: a reader may find them some other way.
    """

    def __init__(self, content: bytes, budget: Budget) -> None:
        if content[:8] != MAGIC or len(content) < 512:
            raise CorruptError("not a compound file")
        self._content = content
        self._budget = budget
        shift, mini_shift = struct.unpack_from("<HH", content, 30)
        if shift not in (9, 12) or mini_shift != 6:  # MS-CFB 2.2
            raise CorruptError("compound file with impossible sector size")
        self._size = 1 << shift
        self._fat = self._load_fat()
        first_directory, _, _, first_mini = struct.unpack_from("<IIII", content, 48)
        self._mini_fat = _numbers(b"".join(self._chain(first_mini, len(content))))
        self.entries = self._load_entries(b"".join(self._chain(first_directory, _MOST_ENTRIES * 128)))
        root = next((e for e in self.entries if e.kind == _ROOT), None)
        if root is None:
            raise CorruptError("compound file without a root entry")
        self.class_id = root.class_id
        self._mini = b"".join(self._chain(root.start, len(content)))
        self._read: dict[tuple[int, int], bytes] = {}
        self._by_path = {tuple(n.lower() for n in e.path): e for e in reversed(self.entries)}

    def find(self, *path: str) -> Entry | None:
        """The entry at this path from the root, names without regard to case."""
        return self._by_path.get(tuple(name.lower() for name in path))

    def read(self, *path: str) -> bytes:
        """The stream at this path, b"" if there is none."""
        entry = self.find(*path)
        return self.content(entry) if entry and entry.kind == _STREAM else b""

    def content(self, entry: Entry) -> bytes:
        """What a stream holds; what lies outside the file is missing. Counted in the budget, once."""
        key = (entry.start, entry.size)
        if key in self._read:
            return self._read[key]
        small = entry.size < 4096  # MS-CFB 2.2: the mini stream cutoff
        data = self._mini_content(entry) if small else b"".join(self._chain(entry.start, entry.size))
        data = data[: entry.size]
        self._budget.take_bytes(len(data))
        self._read[key] = data
        return data

    @property
    def streams(self) -> list[Entry]:
        """All streams, in the order of the directory."""
        return [entry for entry in self.entries if entry.kind == _STREAM]

    def children(self, path: tuple[str, ...]) -> list[Entry]:
        """The streams directly in the storage `path`."""
        return [entry for entry in self.streams if entry.path[:-1] == path]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        return self._content[start : start + self._size]

    def _load_fat(self) -> array[int]:
        """The allocation table from its 109 first sectors in the header and the DIFAT chain (MS-CFB 2.2, 2.5)."""
        difat = list(struct.unpack_from("<109I", self._content, 76))
        following, left = struct.unpack_from("<II", self._content, 68)
        seen = set[int]()
        while following < _LAST_SECTOR and following not in seen and left:
            self._budget.check_time()
            seen.add(following)
            left -= 1
            sector = _numbers(self._sector(following))
            if not sector:
                break
            difat.extend(sector[:-1])
            following = sector[-1]
        sectors = dict.fromkeys(n for n in difat if (n + 1) * self._size < len(self._content))
        return _numbers(b"".join(self._sector(number) for number in sectors))

    def _chain(self, sector: int, most: int) -> list[bytes]:
        """The sectors of a chain; a chain that comes back to itself ends there."""
        parts: list[bytes] = []
        fat = self._fat
        limit = min(most // self._size + 1, len(fat))
        while sector < len(fat) and len(parts) < limit:
            parts.append(self._sector(sector))
            sector = fat[sector]
        if len(parts) > 10_000:
            self._budget.check_time()
        return parts

    def _mini_content(self, entry: Entry) -> bytes:
        parts: list[bytes] = []
        sector = entry.start
        while sector < len(self._mini_fat) and len(parts) * 64 < entry.size:
            parts.append(self._mini[sector * 64 : sector * 64 + 64])
            sector = self._mini_fat[sector]
        return b"".join(parts)

    def _load_entries(self, directory: bytes) -> tuple[Entry, ...]:
        raw = [_raw_entry(directory, at) for at in range(0, len(directory) - 127, 128)]
        if len(raw) > _MOST_ENTRIES:
            raise OverLimitError("entries of a compound file")
        paths = _paths(raw)
        entries = []
        for number, item in enumerate(raw):
            if item is not None:
                path = paths.get(number, () if item.kind == _ROOT else (item.name,))
                entries.append(Entry(path, item.kind, item.class_id, item.start, item.size))
        return tuple(entries)


class _Raw(Struct, frozen=True):
    name: str
    kind: int
    left: int
    right: int
    child: int
    class_id: bytes
    start: int
    size: int


def _raw_entry(directory: bytes, at: int) -> _Raw | None:
    """MS-CFB 2.6.1. None for an unused one. Only the low half of the size counts: nothing here is over 4 GB."""
    length, kind, _, left, right, child = struct.unpack_from("<HBBIII", directory, at + 64)
    if kind not in (_STORAGE, _STREAM, _ROOT):
        return None
    name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
    class_id = directory[at + 80 : at + 96]
    start, size = struct.unpack_from("<II", directory, at + 116)
    return _Raw(name, kind, left, right, child, class_id, start, 0 if kind == _STORAGE else size)


def _paths(raw: list[_Raw | None]) -> dict[int, tuple[str, ...]]:
    """The path of every entry that the root leads to, each visited once (trees may hold circles)."""
    paths: dict[int, tuple[str, ...]] = {}
    waiting: list[tuple[int, tuple[str, ...]]] = []
    for number, item in enumerate(raw):
        if item is not None and item.kind == _ROOT:
            paths[number] = ()
            waiting.append((item.child, ()))
            break
    while waiting:
        number, above = waiting.pop()
        item = raw[number] if number < len(raw) else None
        if item is None or number in paths:
            continue
        paths[number] = (*above, item.name)
        waiting += [(item.left, above), (item.right, above)]
        if item.kind == _STORAGE and len(above) < _MOST_DEPTH:
            waiting.append((item.child, paths[number]))
    return paths


def _numbers(octets: bytes) -> array[int]:
    numbers = array("I")  # 4 octets wherever CPython runs on Linux
    numbers.frombytes(octets[: len(octets) // 4 * 4])
    return numbers
