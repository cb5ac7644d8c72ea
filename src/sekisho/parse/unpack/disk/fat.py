"""FAT12, FAT16 and FAT32 volumes (Microsoft FAT specification, 2005; long names in VFAT's way)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sekisho.parse.unpack.opening import CorruptError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.parse.unpack.disk.virtual_disk import Disk
    from sekisho.parse.unpack.opening import Budget, Opening

_ENTRY = 32
_LONG_NAME, _LABEL, _DIRECTORY = 0x0F, 0x08, 0x10
_DELETED, _LEAD_E5 = 0xE5, 0x05
_MOST_LONG_ENTRIES = 20
_MOST_DIRECTORY = 1 << 21  # octets of one directory: 65,536 entries
_MOST_DEPTH = 64
_PAGE = 1 << 16  # of the table, read at once


def is_fat(head: bytes) -> bool:
    """Whether a boot sector describes a FAT volume, whatever it calls itself."""
    if len(head) < 512:
        return False
    sector, cluster, reserved, fats, _root, _small, media = struct.unpack_from("<HBHBHHB", head, 11)
    return (
        sector in (512, 1024, 2048, 4096)
        and cluster != 0
        and cluster & (cluster - 1) == 0
        and reserved != 0
        and fats in (1, 2, 3, 4)
        and (media == 0xF0 or media >= 0xF8)
    )


class FatVolume:
    """A FAT volume. Raises CorruptError where the boot sector makes no sense."""

    def __init__(self, disk: Disk, budget: Budget) -> None:
        head = disk.read(0, 512)
        if not is_fat(head):
            raise CorruptError("no FAT volume")
        self._disk = disk
        self._budget = budget
        sector, cluster, reserved, fats, entries, small, _, table16 = struct.unpack_from("<HBHBHHBH", head, 11)
        large, table32 = struct.unpack_from("<II", head, 32)
        table = table16 or table32
        self._table_at = reserved * sector
        self._root_at = self._table_at + fats * table * sector
        self._root_size = -(-entries * _ENTRY // sector) * sector
        self._data_at = self._root_at + self._root_size
        self._cluster = cluster * sector
        self._clusters = max(0, ((small or large) * sector - self._data_at) // self._cluster)
        self._bits = 12 if self._clusters < 4085 else 16 if self._clusters < 65525 else 32
        self._first = struct.unpack_from("<I", head, 44)[0] if self._bits == 32 else 0
        self._page = (-1, b"")
        self._complete = True

    def tell(self, opening: Opening, prefix: str = "") -> None:
        """Hand on all files, with their directories in their names. Raises CorruptError at the end if one was cut."""
        waiting = [(prefix, self._first, 0)]
        seen = {self._first}
        while waiting:
            path, start, depth = waiting.pop()
            content = self._chain_content(start, _MOST_DIRECTORY) if start else self._root()
            for name, attributes, first, size in self._entries(content):
                if not attributes & _DIRECTORY:
                    opening.inner(path + name, self._file(first, size))
                elif first and first not in seen and depth < _MOST_DEPTH:
                    seen.add(first)
                    self._budget.take_file()
                    waiting.append((f"{path}{name}/", first, depth + 1))
        if not self._complete:
            raise CorruptError("FAT volume with a file that is cut off")

    def _root(self) -> bytes:
        return self._disk.read(self._root_at, min(self._root_size, _MOST_DIRECTORY))

    def _file(self, first: int, size: int) -> bytes:
        content = self._chain_content(first, size) if size else b""
        self._budget.take_bytes(len(content))
        if len(content) < size:
            self._complete = False
        return content

    def _chain_content(self, first: int, most: int) -> bytes:
        """The clusters of a chain, at most `most` octets: neighbours are read at once."""
        pieces = []
        left = min(most, self._budget.unpacked_bytes + 1)
        for start, count in self._runs(first, -(-left // self._cluster)):
            at = self._data_at + (start - 2) * self._cluster
            piece = self._disk.read(at, min(left, count * self._cluster))
            pieces.append(piece)
            left -= len(piece)
            if len(piece) < count * self._cluster:
                break
        return b"".join(pieces)

    def _runs(self, first: int, most: int) -> Iterator[tuple[int, int]]:
        """Neighbouring clusters of a chain as (first, number), `most` clusters in all: so a loop ends."""
        most = min(most, self._clusters)
        start = cluster = first
        count = 0
        for _ in range(most):
            if not 2 <= cluster < self._clusters + 2:
                break
            if cluster != start + count:
                self._budget.check_time()
                yield start, count
                start, count = cluster, 0
            count += 1
            cluster = self._next(cluster)
        if count:
            yield start, count

    def _next(self, cluster: int) -> int:
        """The table's entry of a cluster."""
        if self._bits == 12:
            pair = int.from_bytes(self._table(cluster * 3 // 2, 2), "little")
            return pair >> 4 if cluster & 1 else pair & 0xFFF
        width = self._bits // 8
        return int.from_bytes(self._table(cluster * width, width), "little") & 0x0FFFFFFF

    def _table(self, at: int, count: int) -> bytes:
        number = at // _PAGE
        if self._page[0] != number:
            self._budget.check_time()
            self._page = (number, self._disk.read(self._table_at + number * _PAGE, _PAGE + 4))
        inside = at - number * _PAGE
        return self._page[1][inside : inside + count]

    def _entries(self, directory: bytes) -> Iterator[tuple[str, int, int, int]]:
        """Name, attributes, first cluster and size of what is in a directory."""
        pieces: dict[int, bytes] = {}
        sum_of_short = -1
        for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
            entry = directory[at : at + _ENTRY]
            self._budget.check_time()
            if entry[0] == 0:
                return
            if entry[0] == _DELETED:
                pieces = {}
                continue
            attributes = entry[11]
            if attributes & 0x3F == _LONG_NAME:
                if entry[0] & 0x40 or entry[13] != sum_of_short:
                    pieces, sum_of_short = {}, entry[13]
                pieces[entry[0] & 0x1F] = entry[1:11] + entry[14:26] + entry[28:32]
                continue
            long_name = _long_name(pieces) if sum_of_short == _checksum(entry[:11]) else ""
            pieces, sum_of_short = {}, -1
            name = long_name or _short_name(entry)
            if attributes & _LABEL or name in (".", ".."):
                continue
            high, low, size = *struct.unpack_from("<H", entry, 20), *struct.unpack_from("<HI", entry, 26)
            yield name.replace("/", "_"), attributes, (high << 16 if self._bits == 32 else 0) | low, size


def _long_name(pieces: dict[int, bytes]) -> str:
    """The name in its pieces of thirteen UTF-16 units, the first numbered 1."""
    if not pieces or len(pieces) > _MOST_LONG_ENTRIES or sorted(pieces) != list(range(1, len(pieces) + 1)):
        return ""
    units = b"".join(pieces[number] for number in sorted(pieces))
    return units.decode("utf-16-le", "replace").partition("\0")[0]


def _checksum(name: bytes) -> int:
    """What a long name's entries carry of the short name they belong to."""
    total = 0
    for octet in name:
        total = ((total & 1) << 7) + (total >> 1) + octet & 0xFF
    return total


def _short_name(entry: bytes) -> str:
    """The 8.3 name, in the code page of Japanese systems; lower case where Windows NT notes it in octet 12."""
    stem, extension = entry[:8], entry[8:11]
    if stem[0] == _LEAD_E5:
        stem = b"\xe5" + stem[1:]
    first, second = (part.decode("cp932", "replace").rstrip() for part in (stem, extension))
    first = first.lower() if entry[12] & 8 else first
    second = second.lower() if entry[12] & 16 else second
    return f"{first}.{second}" if second else first
