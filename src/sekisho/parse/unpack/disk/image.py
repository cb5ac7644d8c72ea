"""Disk images: raw, Hyper-V and VMware ones; their partitions; the files of FAT and UDF volumes.

Windows, macOS and Linux open such an image like a folder, and what is in it often loses its mark of coming from
the Internet. So an image by mail is a finding in itself, and its files are opened like any others.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.disk.fat import FatVolume, is_fat
from sekisho.parse.unpack.disk.udf import UdfVolume
from sekisho.parse.unpack.disk.virtual_disk import RawDisk, Slice, vhd, vhdx, vmdk
from sekisho.parse.unpack.opening import CorruptError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.parse.unpack.disk.virtual_disk import Disk
    from sekisho.parse.unpack.opening import Opening

IMAGES = frozenset(("iso", "udf", "disk", "vhd", "vhdx", "vmdk", "dmg", "wim"))
_SECTOR = 512
_OPTICAL_SECTOR = 2048
_EXTENDED = frozenset((0x05, 0x0F, 0x85))
_GPT = 0xEE
_MOST_PARTITIONS = 128
# Where a file system can be told by, and its name for people.
_OTHER_SYSTEMS = (
    (3, b"NTFS    ", "NTFS"),
    (3, b"EXFAT   ", "exFAT"),
    (3, b"ReFS\0", "ReFS"),
    (3, b"-FVE-FS-", "BitLocker"),
    (1080, b"\x53\xef", "ext"),
    (1024, b"H+", "HFS+"),
    (1024, b"HX", "HFS+"),
    (32, b"NXSB", "APFS"),
    (0, b"XFSB", "XFS"),
)


def note_image(opening: Opening) -> None:
    """A look: say of every image that it is one."""
    if opening.kind in IMAGES:
        opening.finding("attachment/disk-image", Severity.MEDIUM, f"a disk image ({opening.kind})")


def open_disk(opening: Opening) -> None:
    """Hand on the files of a raw image."""
    _open(opening, RawDisk(opening.content))


def open_vhd(opening: Opening) -> None:
    """Hand on the files of a Hyper-V image, fixed or dynamic."""
    _open(opening, vhd(opening.content))


def open_vhdx(opening: Opening) -> None:
    """Hand on the files of a newer Hyper-V image (MS-VHDX)."""
    _open(opening, vhdx(opening.content))


def open_vmdk(opening: Opening) -> None:
    """Hand on the files of a VMware image that is one file."""
    disk = vmdk(opening.content, opening.budget)
    if disk is None:
        _unreadable(opening, "a description of an image that is elsewhere, or an old form of it")
    else:
        _open(opening, disk)


def open_udf(opening: Opening) -> None:
    """Hand on the files of an image with UDF and no ISO 9660 beside it."""
    UdfVolume(RawDisk(opening.content), opening.budget).tell(opening)


def open_other_image(opening: Opening) -> None:
    """Say that this kind of image is not looked into."""
    _unreadable(opening, f"images of this kind ({opening.kind}) are not looked into")


def _unreadable(opening: Opening, why: str, place: str = "") -> None:
    opening.finding("attachment/unreadable", Severity.MEDIUM, why, place)


def _open(opening: Opening, disk: Disk) -> None:
    """Open every partition, also behind one that is broken. Raises CorruptError at the end."""
    partitions = [*_partitions(disk)] or [(0, disk.size)]
    trouble: CorruptError | None = None
    for number, (start, size) in enumerate(partitions, 1):
        opening.budget.check_time()
        place = f"partition {number}" if len(partitions) > 1 else ""
        try:
            _volume(opening, Slice(disk, start, size), place)
        except CorruptError as error:
            trouble = error
    if trouble:
        raise trouble


def _volume(opening: Opening, volume: Disk, place: str) -> None:
    head = volume.read(0, 4096)
    for at, mark, name in _OTHER_SYSTEMS:
        if head.startswith(mark, at):
            _unreadable(opening, f"a file system that is not looked into ({name})", place)
            return
    if is_fat(head):
        FatVolume(volume, opening.budget).tell(opening, f"{place}/" if place else "")
    elif volume.read(16 * _OPTICAL_SECTOR + 1, 5) in {b"CD001", b"BEA01", b"NSR02", b"NSR03"}:
        _optical(opening, volume)
    elif volume.size:
        _unreadable(opening, "no file system that is known", place)


def _optical(opening: Opening, volume: Disk) -> None:
    """An image of a disc within the image: hand it on as a whole."""
    if volume.size >= len(opening.content):
        UdfVolume(volume, opening.budget).tell(opening)
        return
    opening.budget.take_bytes(volume.size)
    opening.inner("disc.iso", volume.read(0, volume.size))


def _partitions(disk: Disk) -> Iterator[tuple[int, int]]:
    """Start and size in octets of each partition; none where the image is one file system."""
    head = disk.read(0, _SECTOR)
    if len(head) < _SECTOR or is_fat(head) or any(head.startswith(m, at) for at, m, _ in _OTHER_SYSTEMS):
        return
    if head[510:] != b"\x55\xaa":
        if disk.read(_SECTOR, 8) == b"EFI PART":
            yield from _gpt(disk)
        return
    for kind, start, size in _table(head):
        if kind == _GPT:
            yield from _gpt(disk)
            return
        if kind in _EXTENDED:
            yield from _logical(disk, start)
        elif kind:
            yield start * _SECTOR, size * _SECTOR


def _table(sector: bytes) -> Iterator[tuple[int, int, int]]:
    """Type, first sector and number of sectors of the four entries of a partition table."""
    for at in range(446, 510, 16):
        yield sector[at + 4], *struct.unpack_from("<II", sector, at + 8)


def _logical(disk: Disk, extended: int) -> Iterator[tuple[int, int]]:
    """The chain of tables in an extended partition, each with one partition and the place of the next table."""
    at = extended
    seen: set[int] = set()
    while at not in seen and len(seen) < _MOST_PARTITIONS:
        seen.add(at)
        sector = disk.read(at * _SECTOR, _SECTOR)
        if sector[510:] != b"\x55\xaa":
            return
        following = at
        for kind, start, size in _table(sector):
            if kind in _EXTENDED:
                following = extended + start
            elif kind:
                yield (at + start) * _SECTOR, size * _SECTOR
        at = following


def _gpt(disk: Disk) -> Iterator[tuple[int, int]]:
    """The partitions of a GUID partition table (UEFI 5.3)."""
    header = disk.read(_SECTOR, 92)
    if len(header) < 92 or header[:8] != b"EFI PART":
        raise CorruptError("partition table without its header")
    first, count, width = struct.unpack_from("<QII", header, 72)
    if not 128 <= width <= 4096:
        raise CorruptError("partition table with an impossible entry size")
    for number in range(min(count, _MOST_PARTITIONS)):
        entry = disk.read(first * _SECTOR + number * width, 48)
        if len(entry) == 48 and entry[:16].strip(b"\0"):
            start, last = struct.unpack_from("<QQ", entry, 32)
            if start <= last:
                yield start * _SECTOR, (last - start + 1) * _SECTOR
