"""RAR 5 archives: headers read, decrypted and written anew. After RARLAB's "RAR 5.0 archive format"."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from sekisho.parse.unpack.archive import slow_keys
from sekisho.parse.unpack.archive.rar_headers import MOST_BLOCKS, RAR_5, name_5, vint
from sekisho.parse.unpack.archive.rar_members import MOST_HEADER, Contents, Lock, Octets, RarMember
from sekisho.parse.unpack.opening import Budget, UnreadableError

_MAIN, _FILE, _ENCRYPTION, _END = 1, 2, 4, 5
_END_BLOCK: Final = bytes.fromhex("1d77565103050400")
_HAS_EXTRA, _HAS_DATA, _FROM_BEFORE, _GOES_ON = 1, 2, 8, 16  # flags of every header
_HAS_TIME, _HAS_CRC, _NO_SIZE = 2, 4, 8  # flags of a file
_SOLID: Final = 0x40  # in what is told of the compression, as are the bits of the method
_METHOD: Final = 0x380
_LAST_BLOCK: Final = 0x40
_RECORD_ENCRYPTION, _RECORD_HASH = 1, 2
_HAS_CHECK, _TWEAKED = 1, 2  # flags of an encryption record
_BLOCK: Final = slow_keys.BLOCK


class _Header(Struct):
    """A header: its `plain` octets whole, with checksum and size; `body` is what follows the sizes."""

    kind: int
    flags: int
    plain: bytes
    body: bytes
    extra: bytes
    start: int
    packed: int


class Rar5:
    """An archive of this version."""

    formats: Final = ("rar5",)

    def __init__(self, content: bytes, budget: Budget) -> None:
        self._content = memoryview(content)
        self._budget = budget
        self._keys: dict[tuple[str, bytes, int], bytes] = {}
        self._right: dict[tuple[str, bytes, int], bytes] = {}

    def contents(self, password: str | None = None) -> Contents:
        """Read the headers, decrypting them once one says that those behind it are encrypted."""
        contents = Contents(RAR_5, [], _END_BLOCK)
        try:
            for header in self._headers(contents, password):
                self._take(header, contents)
        except IndexError:
            contents.broken = True
        return contents

    def _take(self, header: _Header, contents: Contents) -> None:
        if header.kind == _MAIN:
            contents.front += header.plain
            contents.several |= bool(vint(header.body, 0)[0] & 1)
        elif header.kind == _FILE:
            contents.members.append(_member(header))
        elif header.kind == _END:
            contents.back = header.plain

    def _headers(self, contents: Contents, password: str | None) -> Iterator[_Header]:
        at, key = len(RAR_5), b""
        for count in range(MOST_BLOCKS):
            if at + 7 > len(self._content):
                return
            if not count % 256:
                self._budget.check_time()
            plain, behind = self._sealed_header(at, key) if key else self._plain_header(at)
            if zlib.crc32(plain[4:]) != int.from_bytes(plain[:4], "little"):
                raise IndexError
            header = _read_header(plain, behind)
            if header.kind == _ENCRYPTION and not key:
                contents.locked = _lock(header.body, 0, vectors=False)
                if password is None:
                    return
                key = self._key(contents.locked, password)
            yield header
            if header.kind == _END:
                return
            at = behind + header.packed
        contents.broken = True

    def _plain_header(self, at: int) -> tuple[bytes, int]:
        head = bytes(self._content[at : at + 16])
        size, start = vint(head, 4)
        if size > MOST_HEADER:
            raise IndexError
        return bytes(self._content[at : at + start + size]), at + start + size

    def _sealed_header(self, at: int, key: bytes) -> tuple[bytes, int]:
        """A first block for each header, then the header in whole blocks."""
        engine = slow_keys.decryptor(key, self._content[at : at + _BLOCK].tobytes().ljust(_BLOCK, b"\0"))
        at += _BLOCK
        first = engine.update(self._content[at : at + _BLOCK])
        size, start = vint(first, 4)
        padded = -(-(start + size) // _BLOCK) * _BLOCK
        rest = self._content[at + _BLOCK : at + padded]
        if size > MOST_HEADER or len(rest) % _BLOCK:
            raise IndexError
        return (first + engine.update(rest))[: start + size], at + padded

    def opens_headers(self, contents: Contents, password: str) -> bool:
        """By the check value, or by the checksum of the first header."""
        fits = self.fits(contents.locked, password) if contents.locked else False
        if fits is None:
            return len(self.contents(password).front) > len(RAR_5)
        return fits

    def fits(self, lock: Lock, password: str) -> bool | None:
        """By the check value, which nearly all have."""
        if lock.power > slow_keys.MOST_POWER_RAR:
            return False
        if not lock.check:
            return None
        name = password, lock.salt, lock.power
        if name not in self._right:
            self._budget.check_time()
            self._right[name] = slow_keys.rar_5_check(*name)
        return self._right[name] == lock.check

    def _key(self, lock: Lock, password: str) -> bytes:
        name = password, lock.salt, lock.power
        if name not in self._keys:
            self._budget.check_time()
            self._keys[name] = slow_keys.rar_5_key(*name)
        return self._keys[name]

    def decrypted(self, member: RarMember, lock: Lock, password: str) -> Octets:
        """What is packed, without the padding behind it: libarchive would read on there."""
        sealed = self._content[member.start : member.start + member.packed]
        plain = slow_keys.decrypt(self._key(lock, password), lock.vector, sealed)
        if member.split:
            return plain
        return plain[: member.size] if member.stored else plain[: _end_of_blocks(plain)]

    @staticmethod
    def head(member: RarMember, size: int) -> bytes:
        """Without the record of encryption, and without checksums that are none of the content."""
        header = _read_header(member.head, 0)
        fields, tweaked = header.body, member.lock is not None and member.lock.tweaked
        if tweaked:
            fields = _without_crc(fields)
        left = {_RECORD_ENCRYPTION} | ({_RECORD_HASH} if tweaked else set())
        extra = b"".join(record for kind, record in _records(header.extra) if kind not in left)
        flags = header.flags & ~_HAS_EXTRA | (_HAS_EXTRA if extra else 0) | _HAS_DATA
        sizes = _number(len(extra)) * bool(extra) + _number(size)
        inside = _number(header.kind) + _number(flags) + sizes + fields + extra
        sized = _number(len(inside)) + inside
        return zlib.crc32(sized).to_bytes(4, "little") + sized


def _read_header(plain: bytes, behind: int) -> _Header:
    _, at = vint(plain, 4)
    kind, at = vint(plain, at)
    flags, at = vint(plain, at)
    extra = packed = 0
    if flags & _HAS_EXTRA:
        extra, at = vint(plain, at)
    if flags & _HAS_DATA:
        packed, at = vint(plain, at)
    end = len(plain) - extra
    if end < at:
        raise IndexError
    return _Header(kind, flags, plain, plain[at:end], plain[end:], behind, packed)


def _member(header: _Header) -> RarMember:
    flags, at = vint(header.body, 0)
    size, at = vint(header.body, at)
    _, at = vint(header.body, at)
    at += 4 * bool(flags & _HAS_TIME)
    crc = int.from_bytes(header.body[at : at + 4], "little") if flags & _HAS_CRC else None
    method, _ = vint(header.body, at + 4 * bool(flags & _HAS_CRC))
    member = RarMember(
        name_5(header.body),
        header.plain,
        header.start,
        header.packed,
        size,
        stored=not method & _METHOD and not flags & _NO_SIZE,
        solid=bool(method & _SOLID),
        split=bool(header.flags & (_FROM_BEFORE | _GOES_ON)),
        crc=crc,
    )
    for kind, record in _records(header.extra):
        if kind == _RECORD_ENCRYPTION:
            _, start = vint(record, 0)
            try:
                member.lock = _lock(record, vint(record, start)[1], vectors=True)
            except UnreadableError:  # this one stays closed, the others need not
                member.lock, member.known = Lock(b""), False
            member.crc = None if member.lock.tweaked else crc
    return member


def _records(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The type of each record of an extra area, and the record whole."""
    at = 0
    while at < len(extra):
        size, start = vint(extra, at)
        end = start + max(size, 1)
        yield vint(extra, start)[0], extra[at:end]
        at = end


def _lock(octets: bytes, at: int, *, vectors: bool) -> Lock:
    """An encryption record from its version on. Raises IndexError, UnreadableError for another version."""
    version, at = vint(octets, at)
    flags, at = vint(octets, at)
    if version:
        raise UnreadableError(f"RAR encryption of version {version}, for which there is no reader")
    sizes = 16, 16 * vectors, 12 * (flags & _HAS_CHECK)
    power, at, fields = octets[at], at + 1, []
    for size in sizes:
        fields.append(octets[at : at + size])
        at += size
    if at > len(octets):
        raise IndexError
    salt, vector, check = fields
    sound = hashlib.sha256(check[:8]).digest()[:4] == check[8:]
    return Lock(salt, power, check[:8] if sound else b"", vector, bool(flags & _TWEAKED))


def _without_crc(fields: bytes) -> bytes:
    flags, start = vint(fields, 0)
    if not flags & _HAS_CRC:
        return fields
    _, at = vint(fields, start)
    _, at = vint(fields, at)
    at += 4 * bool(flags & _HAS_TIME)
    return _number(flags & ~_HAS_CRC) + fields[start:at] + fields[at + 4 :]


def _end_of_blocks(packed: bytes) -> int:
    """Where compressed data end: behind the block that says that it is the last one; or all of them."""
    at = 0
    while at + 3 < len(packed):
        flags = packed[at]
        octets = (flags >> 3 & 3) + 1
        at += 2 + octets + int.from_bytes(packed[at + 2 : at + 2 + octets], "little")
        if flags & _LAST_BLOCK:
            return at
    return len(packed)


def _number(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)
