"""The header of a 7z archive: what is packed where and how, read and written anew. After 7-Zip's "7zFormat.txt"."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from sekisho.parse.unpack.opening import CorruptError, UnreadableError

SIGNATURE: Final = b"7z\xbc\xaf\x27\x1c"
START: Final = 32  # octets of the signature header; offsets count from its end
AES: Final = b"\x06\xf1\x07\x01"
HEADER, ENCODED_HEADER = 0x01, 0x17
STREAMS, FILES, PACK = 0x04, 0x05, 0x06
_END, _PROPERTIES, _UNPACK, _SUBSTREAMS, _SIZE, _CRC = 0x00, 0x02, 0x07, 0x08, 0x09, 0x0A
_FOLDER, _SIZES, _COUNT = 0x0B, 0x0C, 0x0D
_NAMES: Final = 0x11
_COMPLEX, _HAS_PROPERTIES, _RESERVED = 0x10, 0x20, 0xC0
_MOST: Final = 20_000  # folders, streams, steps: more than is ever opened
_MOST_CODERS: Final = 32
_LARGEST: Final = 1 << 62

Octets = bytes | memoryview


class Coder(Struct):
    """One step of unpacking, by 7-Zip's number of its method; `ins` is the packed side."""

    method: bytes
    ins: int = 1
    outs: int = 1
    properties: bytes = b""


class Folder(Struct):
    """What is packed as one: `binds` of (in, out), `packed` the ins read from the archive, `sizes` by out."""

    coders: list[Coder]
    binds: list[tuple[int, int]]
    packed: list[int]
    sizes: list[int] = []
    crc: int | None = None

    @property
    def size(self) -> int:
        """Octets that come out in the end: of the out that no other coder reads."""
        bound = {out for _, out in self.binds}
        return next((size for out, size in enumerate(self.sizes) if out not in bound), 0)


class Streams(Struct):
    """Folders and the sizes of what is packed, from `position` on; the folders have theirs in their order."""

    position: int = 0
    packed: list[int] = []
    folders: list[Folder] = []


class Content(Struct, frozen=True):
    """A file in a folder that is not empty: its size and its checksum or None."""

    size: int
    crc: int | None


class _Source:
    """Octets that are read from the front."""

    def __init__(self, octets: bytes, at: int = 0) -> None:
        self._octets = octets
        self.at = at

    def take(self, size: int) -> bytes:
        """Raises CorruptError where there are not so many."""
        piece = self._octets[self.at : self.at + size]
        if len(piece) != size:
            raise CorruptError("the 7z header is cut off")
        self.at += size
        return piece

    def octet(self) -> int:
        return self.take(1)[0]

    def number(self, most: int = _LARGEST) -> int:
        """A number of one to nine octets: the ones at the top of the first tell how many follow."""
        first = self.octet()
        more = 8 - (first ^ 0xFF).bit_length()
        value = int.from_bytes(self.take(more), "little")
        if more < 7:
            value += (first & (0x7F >> more)) << 8 * more
        if value > most:
            raise UnreadableError("a number in the 7z header is too large")
        return value

    def expect(self, mark: int) -> None:
        if self.octet() != mark:
            raise CorruptError("the 7z header is not in its order")

    def is_next(self, mark: int) -> bool:
        """Whether `mark` comes next; it is taken then."""
        found = self._octets[self.at : self.at + 1] == bytes([mark])
        self.at += found
        return found

    def checksums(self, count: int) -> list[int | None]:
        """A vector of bits, left away where all are set, then a CRC-32 for each."""
        known = [True] * count
        if not self.octet():
            bits = self.take((count + 7) // 8)
            known = [bool(bits[n >> 3] & 0x80 >> (n & 7)) for n in range(count)]
        return [int.from_bytes(self.take(4), "little") if is_known else None for is_known in known]


def next_header(content: bytes) -> bytes:
    """The header that the start of an archive leads to. Raises CorruptError where there is none."""
    if len(content) < START or not content.startswith(SIGNATURE):
        raise CorruptError("no 7z archive")
    offset, size = (int.from_bytes(content[at : at + 8], "little") for at in (12, 20))
    header = content[START + offset : START + offset + size]
    if len(header) != size or not size:
        raise CorruptError("the 7z archive is cut off")
    return header


def read_streams(header: bytes, at: int = 1) -> tuple[Streams, int]:
    """Folders and packed sizes, and where the list of files in them begins. Raises CorruptError, UnreadableError."""
    source, streams = _Source(header, at), Streams()
    if source.is_next(PACK):
        streams.position, count = source.number(), source.number(_MOST)
        if source.is_next(_SIZE):
            streams.packed = [source.number() for _ in range(count)]
        if source.is_next(_CRC):
            source.checksums(count)
        source.expect(_END)
    if source.is_next(_UNPACK):
        source.expect(_FOLDER)
        streams.folders = _folders(source)
    if sum(len(folder.packed) for folder in streams.folders) != len(streams.packed):
        raise CorruptError("the 7z header does not fit what is packed")
    return streams, source.at


def main_streams(header: bytes) -> tuple[Streams, bytes]:
    """The same of a whole header, whose properties are passed over; the second is what follows the folders."""
    source = _Source(header, 1)
    if source.is_next(_PROPERTIES):
        while source.octet() != _END:
            source.take(source.number())
    if not source.is_next(STREAMS):
        return Streams(), bytes([_END]) + header[source.at :]
    streams, at = read_streams(header, source.at)
    return streams, header[at:]


def _folders(source: _Source) -> list[Folder]:
    count = source.number(_MOST)
    if source.octet():
        raise UnreadableError("the 7z header is in several places")
    folders: list[Folder] = []
    steps = 0
    for _ in range(count):
        folders.append(_folder(source))
        steps += sum(max(coder.ins, 1) for coder in folders[-1].coders)
        if steps > _MOST:  # a hundred times the memory that they take in the header
            raise UnreadableError("too many steps in a 7z archive")
    source.expect(_SIZES)
    for folder in folders:
        folder.sizes = [source.number() for coder in folder.coders for _ in range(coder.outs)]
    if source.is_next(_CRC):
        for folder, crc in zip(folders, source.checksums(count), strict=True):
            folder.crc = crc
    source.expect(_END)
    return folders


def _folder(source: _Source) -> Folder:
    coders = [_coder(source) for _ in range(source.number(_MOST_CODERS))]
    ins, outs = sum(coder.ins for coder in coders), sum(coder.outs for coder in coders)
    if not outs or ins < outs - 1:
        raise CorruptError("a folder of a 7z archive without a result")
    binds = [(source.number(ins - 1), source.number(outs - 1)) for _ in range(outs - 1)]
    bound = {into for into, _ in binds}
    count = ins - len(binds)
    if len(bound) != len(binds) or len({out for _, out in binds}) != len(binds):
        raise CorruptError("two steps of a 7z archive read the same")
    if count == 1:
        return Folder(coders, binds, [into for into in range(ins) if into not in bound])
    packed = [source.number(ins - 1) for _ in range(count)]
    if len(set(packed)) != count or bound.intersection(packed):
        raise CorruptError("two steps of a 7z archive read the same")
    return Folder(coders, binds, packed)


def _coder(source: _Source) -> Coder:
    flags = source.octet()
    if flags & _RESERVED:
        raise UnreadableError("a method of a 7z archive is described in a way that is not known")
    coder = Coder(source.take(flags & 0x0F))
    if flags & _COMPLEX:
        coder.ins, coder.outs = source.number(_MOST_CODERS), source.number(_MOST_CODERS)
    if flags & _HAS_PROPERTIES:
        coder.properties = source.take(source.number())
    return coder


def contents(rest: bytes, folders: list[Folder]) -> list[list[Content]]:
    """The files of each folder that are not empty, by what follows the folders in the header.

    Raises CorruptError, UnreadableError.
    """
    source = _Source(rest)
    if not source.is_next(_SUBSTREAMS):
        return [_not_empty([folder.size], [folder.crc]) for folder in folders]
    counts = [1] * len(folders)
    if source.is_next(_COUNT):
        counts = [source.number(_MOST) for _ in folders]
    if sum(counts) > _MOST:
        raise UnreadableError("too many files in a 7z archive")
    sizes = [[folder.size] if count else [] for folder, count in zip(folders, counts, strict=True)]
    if source.is_next(_SIZE):
        sizes = [_sizes(source, count, folder.size) for folder, count in zip(folders, counts, strict=True)]
    return [_not_empty(*pair) for pair in zip(sizes, _checksums(source, counts, folders), strict=True)]


def _sizes(source: _Source, count: int, whole: int) -> list[int]:
    """Of the files of a folder: the last has what is left."""
    sizes = [source.number() for _ in range(count - 1)]
    return [*sizes, max(0, whole - sum(sizes))] if count else []


def _not_empty(sizes: list[int], checksums: list[int | None]) -> list[Content]:
    return [Content(*pair) for pair in zip(sizes, checksums, strict=False) if pair[0]]


def _checksums(source: _Source, counts: list[int], folders: list[Folder]) -> Iterator[list[int | None]]:
    """Of the files in each folder. One of one file with a checksum of its own is not in the list."""
    own = [count == 1 and folder.crc is not None for folder, count in zip(folders, counts, strict=True)]
    listed = sum(count for count, is_own in zip(counts, own, strict=True) if not is_own)
    checksums: list[int | None] = source.checksums(listed) if source.is_next(_CRC) else [None for _ in range(listed)]
    at = 0
    for folder, count, is_own in zip(folders, counts, own, strict=True):
        if is_own:
            yield [folder.crc]
        else:
            yield checksums[at : at + count]
            at += count


def written(streams: list[Octets], folders: list[Folder], rest: bytes) -> bytes:
    """An archive of these packed streams; `rest` is what follows the folders in its header."""
    sizes = [len(stream) for stream in streams]
    header = _written_header(sizes, folders, rest) if folders else bytes([HEADER]) + rest.lstrip(b"\0")
    start = b"".join(n.to_bytes(8, "little") for n in (sum(sizes), len(header)))
    start += zlib.crc32(header).to_bytes(4, "little")
    return b"".join((SIGNATURE, b"\0\4", zlib.crc32(start).to_bytes(4, "little"), start, *streams, header))


def _written_header(sizes: list[int], folders: list[Folder], rest: bytes) -> bytes:
    return b"".join((
        bytes([HEADER, STREAMS, PACK]), _number(0), _number(len(sizes)),
        bytes([_SIZE]), *map(_number, sizes), bytes([_END]),
        bytes([_UNPACK, _FOLDER]), _number(len(folders)), b"\0", *map(_written_folder, folders),
        bytes([_SIZES]), *(_number(size) for folder in folders for size in folder.sizes),
        _written_checksums(folders), bytes([_END]), rest,
    ))  # fmt: skip


def single(streams: list[Octets], folder: Folder) -> bytes:
    """An archive of one folder that is one file."""
    rest = bytes([_SUBSTREAMS, _END, _END, FILES, 1, _NAMES, 5, 0]) + "x\0".encode("utf-16-le") + bytes([_END, _END])
    return written(streams, [folder], rest)


def _number(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else b"\xff" + value.to_bytes(8, "little")


def _written_folder(folder: Folder) -> bytes:
    parts = [_number(len(folder.coders))]
    for coder in folder.coders:
        is_complex, has_properties = (coder.ins, coder.outs) != (1, 1), bool(coder.properties)
        parts.append(bytes([len(coder.method) | _COMPLEX * is_complex | _HAS_PROPERTIES * has_properties]))
        parts.append(coder.method)
        if is_complex:
            parts += [_number(coder.ins), _number(coder.outs)]
        if has_properties:
            parts += [_number(len(coder.properties)), coder.properties]
    parts += [_number(n) for bind in folder.binds for n in bind]
    if len(folder.packed) > 1:
        parts += map(_number, folder.packed)
    return b"".join(parts)


def _written_checksums(folders: list[Folder]) -> bytes:
    """Those of the folders: where each file has one of its own there are none."""
    if all(folder.crc is None for folder in folders):
        return b""
    known = "".join("01"[folder.crc is not None] for folder in folders).ljust((len(folders) + 7) // 8 * 8, "0")
    bits = bytes(int(known[at : at + 8], 2) for at in range(0, len(known), 8))
    values = (folder.crc.to_bytes(4, "little") for folder in folders if folder.crc is not None)
    return b"".join((bytes([_CRC, 0]), bits, *values))
