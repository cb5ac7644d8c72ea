"""Strings and numbers of BIFF records (MS-XLS 2.5)."""

from __future__ import annotations

import struct

from sekisho.parse.unpack.opening import Budget

_MOST_STRINGS = 2_000_000


class Strings:
    """Characters that run over a record and those that continue it; each goes on with an octet that says how wide."""

    def __init__(self, blocks: list[bytes]) -> None:
        self._blocks = blocks
        self._block = 0
        self._at = 0

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        while self._block < len(self._blocks) and self._at >= len(self._blocks[self._block]):
            self._block += 1
            self._at = 0
        return self._block >= len(self._blocks)

    def take(self, size: int) -> bytes:
        """The next octets, whatever record they are in; fewer at the end."""
        out = b""
        while len(out) < size and not self.at_end:
            block = self._blocks[self._block]
            piece = block[self._at : self._at + size - len(out)]
            self._at += len(piece)
            out += piece
        return out

    def characters(self, count: int, *, wide: bool) -> str:
        """The next characters; a continuing record begins with its own width (MS-XLS 2.5.293)."""
        out = ""
        while count > 0:
            block = self._blocks[self._block] if self._block < len(self._blocks) else b""
            size = min(2 * count if wide else count, len(block) - self._at)
            size -= size % 2 if wide else 0
            piece = block[self._at : self._at + size]
            out += piece.decode("utf-16-le" if wide else "latin-1", "replace")
            count -= size // 2 if wide else size
            self._at += size
            if count <= 0:
                break
            self._block += 1
            self._at = 1
            if self._block >= len(self._blocks):
                break
            wide = bool(self._blocks[self._block][:1] and self._blocks[self._block][0] & 1)
        return out


def shared_strings(strings: Strings, budget: Budget) -> list[str]:
    """The SST record (MS-XLS 2.4.265): each with formatting runs and readings, which are left out."""
    head = strings.take(8)
    count = int.from_bytes(head[4:8], "little")
    found: list[str] = []
    while len(found) < min(count, _MOST_STRINGS) and not strings.at_end:
        if not len(found) & 1023:
            budget.check_time()
        head = strings.take(3)
        if len(head) < 3:
            break
        length, flags = head[0] | head[1] << 8, head[2]
        runs = int.from_bytes(strings.take(2), "little") if flags & 8 else 0
        extra = int.from_bytes(strings.take(4), "little") if flags & 4 else 0
        found.append(strings.characters(length, wide=bool(flags & 1)))
        if runs:
            strings.take(4 * runs)
        if extra:
            strings.take(min(extra, 1_000_000))
    return found


def wide_string(blocks: list[bytes], version: int, codepage: int) -> str:
    """A string with a length of two octets, over several records if it must be."""
    data = blocks[0]
    if len(data) < 3:
        return ""
    length = data[0] | data[1] << 8
    if version == 5:
        return _decode(data[2 : 2 + length], codepage)
    return Strings([data[3:], *blocks[1:]]).characters(length, wide=bool(data[2] & 1))


def short_string(data: bytes, version: int, codepage: int) -> str:
    """A string with a length of one octet."""
    if len(data) < 2:
        return ""
    if version == 5:
        return _decode(data[1 : 1 + data[0]], codepage)
    return Strings([data[2:]]).characters(data[0], wide=bool(data[1] & 1))


def _decode(octets: bytes, codepage: int) -> str:
    try:
        return octets.decode(f"cp{codepage}", "replace")
    except LookupError:
        return octets.decode("cp1252", "replace")


def rk_number(packed: int) -> float:
    """An RK number (MS-XLS 2.5.217): 30 bits of an integer or of a float, perhaps in hundredths."""
    if packed & 2:
        number: float = (packed >> 2) - (1 << 30 if packed & 0x80000000 else 0)
    else:
        (number,) = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))
    return number / 100 if packed & 1 else number
