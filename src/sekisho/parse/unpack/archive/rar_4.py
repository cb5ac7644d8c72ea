"""RAR 3 and 4 archives: headers read, decrypted and written anew. After RARLAB's notes on RAR 4 ("technote.txt")."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from sekisho.parse.unpack.archive import slow_keys
from sekisho.parse.unpack.archive.rar_headers import MOST_BLOCKS, RAR_4, name_4
from sekisho.parse.unpack.archive.rar_members import Contents, Lock, Octets, RarMember
from sekisho.parse.unpack.opening import Budget

_BASE: Final = struct.Struct("<HBHH")
_MAIN, _FILE, _LAST, _END = 0x73, 0x74, 0x7B, b"\xc4\x3d\x7b\x00\x40\x07\x00"
_FIRST: Final = 0x72  # of the types of blocks
_VOLUME, _LOCKED = 0x01, 0x80  # flags of the main header
_FROM_BEFORE, _GOES_ON, _ENCRYPTED, _SOLID, _LARGE, _SALTED, _ADDED = 0x01, 0x02, 0x04, 0x10, 0x100, 0x400, 0x8000
_SALT: Final = 8
_FIELDS: Final = 32  # octets of a file header before the name or the upper halves of sizes
_AES_SINCE: Final = 29  # version needed; before, RAR had ciphers of its own
_STORED: Final = 0x30
_BLOCK: Final = slow_keys.BLOCK


class Rar4:
    """An archive of this version."""

    formats: Final = ("rar",)

    def __init__(self, content: bytes, budget: Budget) -> None:
        self._content = memoryview(content)
        self._budget = budget
        self._keys: dict[tuple[str, bytes], tuple[bytes, bytes]] = {}

    def contents(self, password: str | None = None) -> Contents:
        """Read the headers; behind the main header they may be encrypted, each with a salt."""
        contents = Contents(RAR_4, [], _END)
        try:
            for block, behind in self._blocks(contents, password):
                _, kind, flags, _ = _BASE.unpack_from(block)
                if kind == _MAIN:
                    contents.front += _checked(block[:3] + struct.pack("<H", flags & ~_LOCKED) + block[5:])
                elif kind == _FILE:
                    contents.members.append(_member(block, flags, behind))
        except (struct.error, IndexError):
            contents.broken = True
        return contents

    def _blocks(self, contents: Contents, password: str | None) -> Iterator[tuple[bytes, int]]:
        """Each block's header, and where its data begin. Raises struct.error, IndexError."""
        at = len(RAR_4)
        for count in range(MOST_BLOCKS):
            if at + _BASE.size > len(self._content):
                return
            if not count % 256:
                self._budget.check_time()
            if contents.locked and password is None:
                return
            if contents.locked and password is not None:
                block, behind = self._sealed_block(at, password)
            else:
                size = _BASE.unpack_from(self._content, at)[3]
                block, behind = bytes(self._content[at : at + size]), at + size
            _, kind, flags, size = _BASE.unpack_from(block)
            if size < _BASE.size or _checked(block) != block:
                raise IndexError
            if kind == _MAIN:
                contents.several |= bool(flags & _VOLUME)
                if flags & _LOCKED:
                    contents.locked = Lock(b"")
            yield block, behind
            if kind == _LAST:
                return
            at = behind + _data(block, kind, flags)
        contents.broken = True

    def _sealed_block(self, at: int, password: str) -> tuple[bytes, int]:
        """A salt, then the header in whole blocks."""
        salt = bytes(self._content[at : at + _SALT])
        at += _SALT
        engine = slow_keys.decryptor(*self._key(salt, password))
        first = engine.update(self._content[at : at + _BLOCK])
        _, kind, _, size = _BASE.unpack_from(first)
        padded = -(-size // _BLOCK) * _BLOCK
        rest = self._content[at + _BLOCK : at + padded]
        if not _FIRST <= kind <= _LAST or len(rest) % _BLOCK:
            raise IndexError
        return (first + engine.update(rest))[:size], at + padded

    def opens_headers(self, contents: Contents, password: str) -> bool:
        """By type and checksum of the first header behind the main header."""
        if len(password) > slow_keys.LONGEST_RAR_3 or not contents.locked:
            return False
        at = len(contents.front)
        try:
            block, _ = self._sealed_block(at, password)
            return len(block) >= _BASE.size and _checked(block) == block
        except (struct.error, IndexError):
            return False

    @staticmethod
    def fits(lock: Lock, password: str) -> bool | None:
        """Only the content tells."""
        return False if len(password) > slow_keys.LONGEST_RAR_3 or lock.power else None

    def _key(self, salt: bytes, password: str) -> tuple[bytes, bytes]:
        name = password, salt
        if name not in self._keys:
            self._budget.check_time()
            self._keys[name] = slow_keys.rar_3_key(password, salt)
        return self._keys[name]

    def decrypted(self, member: RarMember, lock: Lock, password: str) -> Octets:
        """What is packed, without the padding where it is not compressed."""
        sealed = self._content[member.start : member.start + member.packed]
        plain = slow_keys.decrypt(*self._key(lock.salt, password), sealed)
        return plain[: member.size] if member.stored and not member.split else plain

    @staticmethod
    def head(member: RarMember, size: int) -> bytes:
        """Without salt and flag, and with the size of the data."""
        block = bytearray(member.head)
        flags = _BASE.unpack_from(block)[2]
        if flags & _ENCRYPTED and flags & _SALTED:
            behind = _name_end(block, flags)
            del block[behind : behind + _SALT]
        struct.pack_into("<HHI", block, 3, flags & ~(_ENCRYPTED | _SALTED), len(block), size & 0xFFFFFFFF)
        if flags & _LARGE:
            struct.pack_into("<I", block, _FIELDS, size >> 32)
        return _checked(bytes(block))


def _checked(block: bytes) -> bytes:
    """The header with its right checksum: the lower half of a CRC-32."""
    return (zlib.crc32(block[2:]) & 0xFFFF).to_bytes(2, "little") + block[2:]


def _data(block: bytes, kind: int, flags: int) -> int:
    """The size of what follows a header."""
    size: int = struct.unpack_from("<I", block, 7)[0] if flags & _ADDED or kind == _FILE else 0
    if kind == _FILE and flags & _LARGE:
        size += struct.unpack_from("<I", block, _FIELDS)[0] << 32
    return size


def _name_end(block: bytes | bytearray, flags: int) -> int:
    length: int = struct.unpack_from("<H", block, 26)[0]
    return _FIELDS + (8 if flags & _LARGE else 0) + length


def _member(block: bytes, flags: int, behind: int) -> RarMember:
    size, crc = struct.unpack_from("<I", block, 11)[0], struct.unpack_from("<I", block, 16)[0]
    if flags & _LARGE:
        size += struct.unpack_from("<I", block, _FIELDS + 4)[0] << 32
    member = RarMember(
        name_4(block, flags),
        block,
        behind,
        _data(block, _FILE, flags),
        size,
        stored=block[25] == _STORED,
        solid=bool(flags & _SOLID),
        split=bool(flags & (_FROM_BEFORE | _GOES_ON)),
        crc=crc,
    )
    if flags & _ENCRYPTED:
        end = _name_end(block, flags)
        salt = block[end : end + _SALT] if flags & _SALTED else b""
        member.lock, member.known = Lock(salt), block[24] >= _AES_SINCE
    return member
