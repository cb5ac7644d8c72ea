"""Which kind of compound file ([MS-CFB]) a file is: the names of the streams at its top."""

from __future__ import annotations

import struct
from typing import Final

_ENTRY: Final = 128
_MOST_SECTORS: Final = 64
_MOST_NODES: Final = 200
_NONE: Final = 0xFFFFFFFA  # larger ones are marks, not sectors or entries
_LARGEST_SHIFT: Final = 12
_SMALLEST_SHIFT: Final = 7
_HEADER_FAT: Final = 109  # [MS-CFB] 2.2: how many FAT sectors the header itself names

_INSTALLER: Final = frozenset(
    bytes([number, 0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]) for number in (0x82, 0x84, 0x86)
)
_BY_NAME: Final = (
    ("EncryptedPackage", "encrypted-office"),
    ("\tDRMContent", "encrypted-office"),
    ("__properties_version1.0", "msg"),
    ("WordDocument", "doc"),
    ("PowerPoint Document", "ppt"),
    ("PP40", "ppt"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("VisioDocument", "visio"),
    ("Quill", "publisher"),
)


def ole_kind(content: bytes) -> str:
    """The kind of a compound file: "doc", "xls", "ppt", "msg", "msi", "encrypted-office", …, or "ole"."""
    try:
        entries = _entries(content)
    except struct.error:
        return "ole"
    if not entries:
        return "ole"
    if entries[0][80:96] in _INSTALLER:
        return "msi"
    names = _top_names(entries)
    return next((kind for name, kind in _BY_NAME if name.casefold() in names), "ole")


def _entries(content: bytes) -> list[bytes]:
    """The directory entries of the first 64 sectors of the directory."""
    shift = struct.unpack_from("<H", content, 30)[0]
    if not _SMALLEST_SHIFT <= shift <= _LARGEST_SHIFT:
        return []
    size = 1 << shift
    sector: int = struct.unpack_from("<I", content, 48)[0]
    found: list[bytes] = []
    for _ in range(_MOST_SECTORS):
        start = (sector + 1) << shift
        if sector >= _NONE or start >= len(content):
            break
        whole = content[start : start + size]
        found += [whole[at : at + _ENTRY] for at in range(0, len(whole) - _ENTRY + 1, _ENTRY)]
        sector = _next(content, sector, shift)
    return found


def _next(content: bytes, sector: int, shift: int) -> int:
    """The sector after this one, by the part of the FAT that the header names."""
    row, column = divmod(sector, 1 << shift >> 2)
    if row >= _HEADER_FAT:
        return _NONE
    fat: int = struct.unpack_from("<I", content, 76 + 4 * row)[0]
    at = ((fat + 1) << shift) + 4 * column
    if fat >= _NONE or at + 4 > len(content):
        return _NONE
    following: int = struct.unpack_from("<I", content, at)[0]
    return following


def _top_names(entries: list[bytes]) -> set[str]:
    """The names next to each other under the root ([MS-CFB] 2.6.4), in lower case."""
    names: set[str] = set()
    seen: set[int] = set()
    waiting = [struct.unpack_from("<I", entries[0], 76)[0]]
    while waiting and len(seen) < _MOST_NODES:
        number = waiting.pop()
        if number in seen or number >= len(entries):
            continue
        seen.add(number)
        entry = entries[number]
        length = struct.unpack_from("<H", entry, 64)[0]
        names.add(entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace").casefold())
        waiting += struct.unpack_from("<II", entry, 68)
    return names
