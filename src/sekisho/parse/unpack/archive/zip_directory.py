"""The directory of a zip, read without trust: what it claims, and where it contradicts the rest of the file.

Structures after PKWARE's APPNOTE.TXT 6.3.10, sections cited by their numbers.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from msgspec import Struct

from sekisho.parse.unpack.archive.members import decode_name
from sekisho.parse.unpack.names import extension_of
from sekisho.parse.unpack.opening import Budget, CorruptError, EncryptedError, OverLimitError, UnreadableError

_END_MARK: Final = b"PK\x05\x06"
_END: Final = struct.Struct("<4sHHHHIIH")
_END_64: Final = struct.Struct("<4sQHHIIQQQQ")
_END_64_VERSION_2: Final = struct.Struct("<HQQH")  # method, sizes, encryption: behind the fields of version 1
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL_MARK: Final = b"PK\x01\x02"
ANOTHER_END: Final = "another end record stands behind that of the zip"
_SEARCHED: Final = 1 << 24  # from the end: a comment has 65,535 octets at most, but other readers look further up
_FULL: Final = 0xFFFFFFFF
_UTF_8: Final = 0x800
STREAMED: Final = 8  # flag: sizes and checksum follow the data
ENCRYPTED: Final = 1
AES: Final = 99
_UNIX: Final = (3, 19)  # made on Unix or macOS: the file mode is in the upper half of the attributes
_DATA_DESCRIPTOR: Final = 24


class Entry(Struct):
    """A member as the directory describes it; `data` is where its octets begin by its local header."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    data: int
    mode: int
    extra: bytes
    time: int = 0

    @property
    def encrypted(self) -> bool:
        """Whether a password is needed (4.4.4)."""
        return bool(self.flags & ENCRYPTED)

    @property
    def is_folder(self) -> bool:
        """A name that ends in a slash and has no content."""
        return self.name.endswith(("/", "\\")) and self.size == 0

    @property
    def is_link(self) -> bool:
        """A symbolic link by its Unix mode."""
        return self.mode & 0o170000 == 0o120000


class Directory(Struct):
    """All entries, in the order of the directory, and what contradicts: (grave, why, name)."""

    entries: list[Entry]
    anomalies: list[tuple[bool, str, str]]
    start: int  # of the zip in the file: octets before it belong to something else
    directory: int  # where the directory begins
    end: int  # of the zip in the file: octets behind it belong to something else


def read_directory(content: bytes, budget: Budget) -> Directory:
    """Find the end record and read the directory.

    Raises CorruptError, UnreadableError for one part of several, EncryptedError where the directory is encrypted,
    and OverLimitError at too many entries.
    """
    end, others = find_end(content, budget)
    if _is_encrypted(content, _zip64_at(content, end)):
        raise EncryptedError("the directory of the zip is encrypted")
    count, size, offset = _end_record(content, end)
    start = _central_end(content, end) - size
    if start < 0:
        raise CorruptError("the directory is larger than the file")
    if count > budget.limits.files:
        raise OverLimitError(f"files: the zip claims {count}")
    base = max(0, start - offset)
    found = Directory([], [], base, start, end_of_zip(content, end))
    if others:
        found.anomalies.append((True, ANOTHER_END, ""))
    for entry in _entries(content, start, start + size, base, budget):
        found.entries.append(entry)
    if len(found.entries) != count and len(found.entries) % 0x10000 != count:
        found.anomalies.append(
            (False, f"the end record counts {count} files, the directory {len(found.entries)}", "")
        )
    _compare(content, found, start)
    return found


def find_end(content: bytes, budget: Budget) -> tuple[int, bool]:
    """Where the end record is (4.3.16), and whether others stand behind it that have no directory.

    Readers that begin at the front see what it lists, those that take the last of all see nothing. Without any
    directory it is the last one whose comment fits. Raises CorruptError where there is none, OverLimitError.
    """
    lowest = max(0, len(content) - _SEARCHED)
    end, last = content.rfind(_END_MARK, lowest), -1
    while end >= 0:
        if end_of_zip(content, end) <= len(content):
            if _has_directory(content, end):
                return end, last >= 0
            last = max(last, end)
        budget.check_time()
        end = content.rfind(_END_MARK, lowest, end)
    if last < 0:
        raise CorruptError("the zip has no end record: cut off, or one part of several")
    return last, False


def _has_directory(content: bytes, end: int) -> bool:
    size = _sizes(content, end)[1]
    start = _central_end(content, end) - size
    return start >= 0 and content.startswith(_CENTRAL_MARK, start)


def end_of_zip(content: bytes, end: int) -> int:
    """Where the comment of the end record at `end` should end; beyond the file where it is cut off."""
    whole = len(content) >= end + _END.size
    return end + _END.size + (_END.unpack_from(content, end)[7] if whole else 0)


def _end_record(content: bytes, end: int) -> tuple[int, int, int]:
    """Count, size and offset of the directory. Raises UnreadableError where it goes on elsewhere."""
    _, disk, _, _, count, size, offset, _ = _END.unpack_from(content, end)
    sizes = _sizes(content, end)
    if sizes == (count, size, offset) and disk not in {0, 0xFFFF}:
        raise UnreadableError("one part of a zip in several parts")
    return sizes


def _sizes(content: bytes, end: int) -> tuple[int, int, int]:
    """The same as it stands, from the ZIP64 record (4.3.14) where the old one is full."""
    _, _, _, _, count, size, offset, _ = _END.unpack_from(content, end)
    full = count == 0xFFFF or _FULL in {size, offset}
    at = _zip64_at(content, end)
    if full and at >= 0:
        _, _, _, _, _, _, _, count, size, offset = _END_64.unpack_from(content, at)
    return count, size, offset


def _zip64_at(content: bytes, end: int) -> int:
    """Where the ZIP64 end record is: it stands before its locator, which stands before the end record (4.3.15)."""
    if content[max(0, end - 20) : end - 16] != b"PK\x06\x07":
        return -1
    at = content.rfind(b"PK\x06\x06", max(0, end - 20 - 4096), end - 20)
    return at if at >= 0 and len(content) >= at + _END_64.size else -1


def _is_encrypted(content: bytes, end_64: int) -> bool:
    """Whether a ZIP64 end record of version 2 names an encryption of the directory (7.3.4)."""
    more = end_64 + _END_64.size
    if end_64 < 0 or len(content) < more + _END_64_VERSION_2.size:
        return False
    size = _END_64.unpack_from(content, end_64)[1]  # without the record's first twelve octets
    wanted = _END_64.size + _END_64_VERSION_2.size - 12
    return size >= wanted and bool(_END_64_VERSION_2.unpack_from(content, more)[3])


def _central_end(content: bytes, end: int) -> int:
    at = _zip64_at(content, end)
    return at if at >= 0 else end


def _entries(content: bytes, at: int, end: int, base: int, budget: Budget) -> Iterator[Entry]:
    most = budget.limits.files
    while at + _CENTRAL.size <= end:
        entry, at = _entry(content, at, base)
        most -= 1
        if most < 0:
            raise OverLimitError("files: in the directory of a zip")
        if not most % 128:
            budget.check_time()
        yield entry


def _entry(content: bytes, at: int, base: int) -> tuple[Entry, int]:
    """A member's central header (4.3.12) and where the next begins."""
    fields = _CENTRAL.unpack_from(content, at)
    signature, made, _, flags, method, when, _, crc, packed, size = fields[:10]
    if signature != _CENTRAL_MARK:
        raise CorruptError("the directory of the zip is broken")
    name_end = at + _CENTRAL.size + fields[10]
    raw, extra = content[at + _CENTRAL.size : name_end], content[name_end : name_end + fields[11]]
    size, packed, offset = zip64_sizes(extra, size, packed, fields[16])
    mode = fields[15] >> 16 if made >> 8 in _UNIX else 0
    offset += base
    entry = Entry(
        member_name(raw, flags, extra), raw, flags, method, crc, packed, size, offset, -1, mode, extra, when
    )
    return entry, name_end + fields[11] + fields[12]


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The extra fields of a header: id and content (4.5.1)."""
    at = 0
    while at + 4 <= len(extra):
        number, length = struct.unpack_from("<HH", extra, at)
        yield number, extra[at + 4 : at + 4 + length]
        at += 4 + length


def zip64_sizes(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The sizes, from the ZIP64 field where the header's are full (4.5.3); a field that is too short is ignored."""
    if _FULL not in {size, packed, offset}:
        return size, packed, offset
    field = next((data for number, data in extra_fields(extra) if number == 1), b"")
    values = [size, packed, offset]
    for index, value in enumerate(values):
        if value == _FULL and len(field) >= 8:
            values[index] = struct.unpack_from("<Q", field)[0]
            field = field[8:]
    return values[0], values[1], values[2]


def member_name(raw: bytes, flags: int, extra: bytes) -> str:
    """The name: by the Unicode path field if it is about this name (4.6.9), the UTF-8 flag, or its looks."""
    for number, data in extra_fields(extra):
        if number == 0x7075 and len(data) > 5 and struct.unpack_from("<I", data, 1)[0] == zlib.crc32(raw):
            return data[5:].decode("utf-8", "replace")
    return raw.decode("utf-8", "replace") if flags & _UTF_8 else decode_name(raw)


def _compare(content: bytes, found: Directory, directory: int) -> None:
    """Hold the directory against the local headers and the members against each other."""
    for entry in found.entries:
        problem = _locate(content, entry, directory)
        if problem:
            found.anomalies.append((*problem, entry.name))
    placed = sorted((e for e in found.entries if e.data >= 0), key=lambda e: e.offset)
    for before, after in pairwise(placed):
        if after.offset < before.data + before.packed:
            found.anomalies.append((True, "members that share their octets", after.name))
            break
    if found.start:
        found.anomalies.append((content.startswith(b"PK"), "something else stands before the zip", ""))
    behind = len(content) - found.end
    if behind > 0:
        found.anomalies.append((False, f"{behind} octets behind the end of the zip", ""))


def _locate(content: bytes, entry: Entry, directory: int) -> tuple[bool, str] | None:
    """Set where the data begin; what the local header (4.3.7) says otherwise, and whether that is grave."""
    if entry.offset + LOCAL.size > len(content) or content[entry.offset : entry.offset + 4] != b"PK\x03\x04":
        return True, "a member that is not where the directory says"
    fields = LOCAL.unpack_from(content, entry.offset)
    start = entry.offset + LOCAL.size
    entry.data = start + fields[9] + fields[10]
    if entry.data + entry.packed > directory:
        return True, "a member that does not fit into the file"
    raw_name = content[start : start + fields[9]]
    return _other_name(entry, raw_name) or _other_sizes(entry, fields)


def _other_name(entry: Entry, raw_name: bytes) -> tuple[bool, str] | None:
    """Two spellings of one name are an old habit; another extension makes it another file to some readers."""
    if raw_name == entry.raw_name:
        return None
    name = decode_name(raw_name)
    grave = extension_of(name) != extension_of(entry.name)
    return (grave, "the member calls itself otherwise than the directory calls it") if name != entry.name else None


def _other_sizes(entry: Entry, fields: tuple[int, ...]) -> tuple[bool, str] | None:
    _, _, flags, method, _, _, _, packed, size = fields[:9]
    if method != entry.method or (flags ^ entry.flags) & ENCRYPTED:
        return True, "the member and the directory name different methods"
    if not flags & STREAMED and _FULL not in {packed, size} and (packed, size) != (entry.packed, entry.size):
        return True, "the member and the directory name different sizes"
    return None
