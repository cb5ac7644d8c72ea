"""The headers of RAR archives: names, what is encrypted, and whether the archive goes on in another file.

libarchive reads the contents; of encryption in RAR 5 it only says that it cannot go on. After RARLAB's technical
notes on RAR 4 ("technote.txt") and the RAR 5.0 archive format.
"""

from __future__ import annotations

import struct
from typing import Final

from msgspec import Struct

from sekisho.parse.unpack.archive.members import decode_name
from sekisho.parse.unpack.opening import Budget, UnreadableError

RAR_5: Final = b"Rar!\x1a\x07\x01\x00"
RAR_4: Final = b"Rar!\x1a\x07\x00"
_BLOCK_4: Final = struct.Struct("<HBHH")
MOST_BLOCKS: Final = 20_000
_LONGEST_NAME: Final = 4096


class Headers(Struct):
    """What the headers tell.

    `locked`: they are encrypted themselves; `several`: one volume of several; `unread`: more of them follow, or what
    cannot be read as one.
    """

    names: list[str]
    encrypted: list[str]
    locked: bool = False
    several: bool = False
    unread: bool = False


def read_headers(content: bytes, budget: Budget) -> Headers:
    """Walk over the headers as far as they can be read. Raises OverLimitError, UnreadableError."""
    headers = Headers([], [])
    try:
        if content.startswith(RAR_5):
            _walk_5(content, headers, budget)
        elif content.startswith(RAR_4):
            _walk_4(content, headers, budget)
        else:
            raise UnreadableError("a RAR archive of an unknown version")
    except (struct.error, IndexError):
        headers.unread = True  # what was read before counts
    return headers


def vint(content: bytes, at: int) -> tuple[int, int]:
    """A number: seven bits an octet, least significant first; and where it ends. Raises IndexError."""
    value = shift = 0
    for _ in range(10):
        octet = content[at]
        at += 1
        value |= (octet & 0x7F) << shift
        if not octet & 0x80:
            return value, at
        shift += 7
    raise IndexError


def _walk_5(content: bytes, headers: Headers, budget: Budget) -> None:
    at = len(RAR_5)
    for count in range(MOST_BLOCKS):
        if at + 7 > len(content):
            return
        if not count % 256:
            budget.check_time()
        size, start = vint(content, at + 4)
        kind, inside = vint(content, start)
        flags, inside = vint(content, inside)
        extra = data = 0
        if flags & 1:
            extra, inside = vint(content, inside)
        if flags & 2:
            data, inside = vint(content, inside)
        end = start + size
        if end > len(content):
            raise IndexError
        if kind == 4:
            headers.locked = True
            return
        _block_5(content[inside:end], kind, extra, headers)
        if kind == 5:
            return
        at = end + data
    headers.unread = True


def _block_5(block: bytes, kind: int, extra: int, headers: Headers) -> None:
    if kind == 1:
        headers.several |= bool(vint(block, 0)[0] & 1)
    elif kind == 2:
        name = name_5(block)
        headers.names.append(name)
        if 0 < extra <= len(block) and _has_encryption(block[len(block) - extra :]):
            headers.encrypted.append(name)


def name_5(block: bytes) -> str:
    """The name in a file header: flags, size, attributes, time, checksum, method, system, length of the name."""
    flags, at = vint(block, 0)
    _, at = vint(block, at)
    _, at = vint(block, at)
    at += 4 * bool(flags & 2) + 4 * bool(flags & 4)
    _, at = vint(block, at)
    _, at = vint(block, at)
    length, at = vint(block, at)
    return block[at : at + min(length, _LONGEST_NAME)].decode("utf-8", "replace")


def _has_encryption(extra: bytes) -> bool:
    """Whether one of the records in the extra area is of type 1."""
    at = 0
    while at < len(extra):
        size, at = vint(extra, at)
        kind, _ = vint(extra, at)
        if kind == 1:
            return True
        at += max(size, 1)
    return False


def _walk_4(content: bytes, headers: Headers, budget: Budget) -> None:
    at = len(RAR_4)
    for count in range(MOST_BLOCKS):
        if at + _BLOCK_4.size > len(content):
            return
        if not count % 256:
            budget.check_time()
        _, kind, flags, size = _BLOCK_4.unpack_from(content, at)
        if kind == 0x73:
            headers.several |= bool(flags & 1)
            headers.locked = bool(flags & 0x80)
        if headers.locked or kind == 0x7B:
            return
        if size < _BLOCK_4.size or at + size > len(content):
            raise IndexError
        data = struct.unpack_from("<I", content, at + 7)[0] if flags & 0x8000 or kind == 0x74 else 0
        if kind == 0x74:
            data += _file_4(content[at : at + size], flags, headers)
        at += size + data
    headers.unread = True


def _file_4(block: bytes, flags: int, headers: Headers) -> int:
    """Take a file header; gives the upper half of its packed size."""
    large = bool(flags & 0x100)
    name = name_4(block, flags)
    headers.names.append(name)
    if flags & 4:
        headers.encrypted.append(name)
    return struct.unpack_from("<I", block, 32)[0] << 32 if large else 0


def name_4(block: bytes, flags: int) -> str:
    """The name in a file header; behind it, after a NUL, there may be what makes it Unicode. Raises struct.error."""
    length = struct.unpack_from("<H", block, 26)[0]
    start = 40 if flags & 0x100 else 32
    raw = block[start : start + length]
    return decode_name(raw.split(b"\0")[0]) if flags & 0x200 else decode_name(raw)
