"""The contents of virtual disks, read where they are asked for: nothing is laid out that a header only claims."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Protocol

from sekisho.parse.unpack.opening import CorruptError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.parse.unpack.opening import Budget

_SECTOR = 512
_MOST_GRAINS_KEPT = 64
_MOST_BLOCKS = 1 << 21  # of one table: 4 TiB in blocks of 2 MiB


class Disk(Protocol):
    """Octets by offset. `read` gives fewer than asked for at the end, and zeros where nothing was ever written."""

    size: int

    def read(self, offset: int, count: int) -> bytes:
        """The octets at an offset."""


class RawDisk:
    """An image that is the disk itself, `size` octets of `content` from `start` on."""

    def __init__(self, content: bytes, start: int = 0, size: int | None = None) -> None:
        self._view = memoryview(content)[start : None if size is None else start + size]
        self.size = len(self._view)

    def read(self, offset: int, count: int) -> bytes:
        """The octets at an offset."""
        return bytes(self._view[offset : offset + count])


class Slice:
    """A partition: as much of a disk as there really is from `start` on, at most `size` octets."""

    def __init__(self, disk: Disk, start: int, size: int) -> None:
        self._disk = disk
        self._start = start
        self.size = max(0, min(size, disk.size - start))

    def read(self, offset: int, count: int) -> bytes:
        """The octets at an offset in the partition."""
        count = min(count, self.size - offset)
        return self._disk.read(self._start + offset, count) if count > 0 else b""


class BlockDisk:
    """A disk in blocks of `block` octets: `places` says where in the file each is, 0 where it was never written."""

    def __init__(self, content: bytes, size: int, block: int, places: dict[int, int]) -> None:
        self._view = memoryview(content)
        self._block = block
        self._places = places
        self.size = min(size, (max(places, default=-1) + 1) * block)

    def read(self, offset: int, count: int) -> bytes:
        """The octets at an offset."""
        pieces = []
        count = min(count, self.size - offset)
        while count > 0:
            number, inside = divmod(offset, self._block)
            step = min(count, self._block - inside)
            pieces.append(self._piece(number, inside, step))
            offset += step
            count -= step
        return b"".join(pieces)

    def _piece(self, number: int, inside: int, count: int) -> bytes:
        place = self._places.get(number, 0)
        if not place:
            return bytes(count)
        return bytes(self._view[place + inside : place + inside + count]).ljust(count, b"\0")


class _PackedDisk(BlockDisk):
    """A VMware disk whose grains are deflated one by one."""

    def __init__(self, content: bytes, size: int, block: int, places: dict[int, int], budget: Budget) -> None:
        super().__init__(content, size, block, places)
        self._budget = budget
        self._kept: dict[int, bytes] = {}

    def _piece(self, number: int, inside: int, count: int) -> bytes:
        if not self._places.get(number):
            return bytes(count)
        grain = self._kept.get(number)
        if grain is None:
            if len(self._kept) >= _MOST_GRAINS_KEPT:
                self._kept.clear()
            grain = self._kept[number] = self._inflated(self._places[number])
        return grain[inside : inside + count].ljust(count, b"\0")

    def _inflated(self, place: int) -> bytes:
        """A grain: its first sector and its size, then zlib's format."""
        self._budget.check_time()
        if place + 12 > len(self._view):
            raise CorruptError("VMDK grain beyond the end")
        packed = int(struct.unpack_from("<I", self._view, place + 8)[0])
        try:
            grain = zlib.decompressobj().decompress(self._view[place + 12 : place + 12 + packed], self._block)
        except zlib.error as error:
            raise CorruptError("VMDK grain is broken") from error
        self._budget.take_bytes(len(grain))
        return grain


def vhd(content: bytes) -> Disk:
    """A VHD image (Virtual Hard Disk Image Format Specification, 2006). Raises CorruptError."""
    footer = content[-_SECTOR:] if content[-_SECTOR:].startswith(b"conectix") else content[:_SECTOR]
    if not footer.startswith(b"conectix") or len(footer) < 84:
        raise CorruptError("VHD image without its footer")
    header_at, _, _, _, _, _, size, _, kind = struct.unpack_from(">QIIIIQQII", footer, 16)
    if kind == 2:
        return RawDisk(content, 0, len(content) - _SECTOR)
    header = content[header_at : header_at + 1024]
    if kind not in (3, 4) or not header.startswith(b"cxsparse"):
        raise CorruptError("VHD image of an unknown type")
    table_at, _version, entries, block = struct.unpack_from(">QIII", header, 16)
    if block < _SECTOR or block & (block - 1) or block > 1 << 28:
        raise CorruptError("VHD image with an impossible block size")
    table = _numbers(content, table_at, entries, ">I")
    bitmap = -(-(block // _SECTOR) // 8 // _SECTOR) * _SECTOR or _SECTOR
    places = {n: at * _SECTOR + bitmap for n, at in enumerate(table) if at != 0xFFFFFFFF}
    return BlockDisk(content, size, block, _honest(places, content))


def vhdx(content: bytes) -> Disk:
    """A VHDX image (MS-VHDX); changes that are only in its log are not seen. Raises CorruptError."""
    regions = _regions(content)
    table_at, metadata_at = (regions.get(bytes.fromhex(name)) for name in (_BAT, _METADATA))
    if table_at is None or metadata_at is None:
        raise CorruptError("VHDX image without its tables")
    items = _metadata(content, metadata_at)
    try:
        block = struct.unpack("<I", items[bytes.fromhex(_FILE_PARAMETERS)][:4])[0]
        size = struct.unpack("<Q", items[bytes.fromhex(_DISK_SIZE)][:8])[0]
        sector = struct.unpack("<I", items[bytes.fromhex(_SECTOR_SIZE)][:4])[0]
    except (KeyError, struct.error) as error:
        raise CorruptError("VHDX image without its size") from error
    if not 1 << 20 <= block <= 1 << 28 or sector not in (512, 4096):
        raise CorruptError("VHDX image with an impossible block size")
    ratio = (1 << 23) * sector // block  # MS-VHDX 2.5: behind so many blocks one entry for their bitmap
    count = -(-size // block)
    table = _numbers(content, table_at, count + count // max(1, ratio) + 1, "<Q")
    places = {}
    for number, entry in enumerate(table):
        chunk, inside = divmod(number, ratio + 1)
        if inside < ratio and entry & 7 in (6, 7):  # fully or partly present
            places[chunk * ratio + inside] = entry >> 20 << 20
    return BlockDisk(content, size, block, _honest(places, content))


_BAT = "6677c22d23f600429d64115e9bfd4a08"
_METADATA = "06a27c8b90479a4bb8fe575f050f886e"
_FILE_PARAMETERS = "3767a1ca36fa434db3b633f0aa44e76b"
_DISK_SIZE = "2442a52f1bcd7648b2115dbed83bf4b8"
_SECTOR_SIZE = "1dbf41816fa90947ba47f233a8faab5f"


def _regions(content: bytes) -> dict[bytes, int]:
    """Where the regions are, by GUID (MS-VHDX 2.2.3); the second copy of the table where the first is broken."""
    for at in (192 * 1024, 256 * 1024):
        if content[at : at + 4] == b"regi":
            count = min(2047, struct.unpack_from("<I", content, at + 8)[0])
            entries = [content[at + 16 + n * 32 : at + 48 + n * 32] for n in range(count)]
            return {e[:16]: struct.unpack_from("<Q", e, 16)[0] for e in entries if len(e) == 32}
    raise CorruptError("VHDX image without a region table")


def _metadata(content: bytes, at: int) -> dict[bytes, bytes]:
    """The metadata items by GUID (MS-VHDX 2.6)."""
    if content[at : at + 8] != b"metadata" or len(content) < at + 32:
        raise CorruptError("VHDX image without metadata")
    items = {}
    for number in range(min(2047, struct.unpack_from("<H", content, at + 10)[0])):
        entry = content[at + 32 + number * 32 : at + 64 + number * 32]
        if len(entry) < 32:
            break
        offset, length = struct.unpack_from("<II", entry, 16)
        items[entry[:16]] = content[at + offset : at + offset + min(length, 64)]
    return items


def vmdk(content: bytes, budget: Budget) -> Disk | None:
    """A VMware image in the sparse form (Virtual Disk Format 5.0); None for others. Raises CorruptError."""
    if content[:4] != b"KDMV" or len(content) < _SECTOR:
        return None
    flags, capacity, grain, _, _, per_table, _, directory = struct.unpack_from("<IQQQQIQQ", content, 8)
    if directory == 0xFFFFFFFFFFFFFFFF:  # written in one go: the true header is at the end
        directory = struct.unpack_from("<Q", content[-1024:].ljust(1024, b"\0"), 56)[0]
    if not 8 <= grain <= 1 << 16 or not 1 <= per_table <= 1 << 16:
        raise CorruptError("VMDK image with impossible sizes")
    places: dict[int, int] = {}
    tables = -(-capacity // (grain * per_table))
    for number, table in enumerate(_numbers(content, directory * _SECTOR, tables, "<I")):
        budget.check_time()
        if table > 1:
            entries = _numbers(content, table * _SECTOR, per_table, "<I")
            places.update((number * per_table + n, at * _SECTOR) for n, at in enumerate(entries) if at > 1)
        _honest(places, content)
    if flags >> 16 & 1:
        return _PackedDisk(content, capacity * _SECTOR, grain * _SECTOR, places, budget)
    return BlockDisk(content, capacity * _SECTOR, grain * _SECTOR, places)


def _numbers(content: bytes, at: int, count: int, form: str) -> Iterator[int]:
    """So many numbers at an offset, or as many as there are."""
    width = struct.calcsize(form)
    data = memoryview(content)[at : at + min(count, _MOST_BLOCKS) * width]
    return (number for (number,) in struct.iter_unpack(form, data[: len(data) // width * width]))


def _honest(places: dict[int, int], content: bytes) -> dict[int, int]:
    """The places as they are. Raises CorruptError where there are more blocks than octets for them."""
    if len(places) * _SECTOR > len(content) + (1 << 20):
        raise CorruptError("disk image with more blocks than octets for them")
    return places
