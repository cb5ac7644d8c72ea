"""UDF volumes without an ISO 9660 bridge, as Windows mounts them (ECMA-167, OSTA UDF 2.60)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sekisho.parse.unpack.opening import CorruptError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.parse.unpack.disk.virtual_disk import Disk
    from sekisho.parse.unpack.opening import Budget, Opening

# ECMA-167 3/7.2.1 and 4/7.2.1: descriptor tags.
_ANCHOR, _PARTITION, _LOGICAL, _TERMINATOR = 2, 5, 6, 8
_FILE_SET, _FILE_ID, _FILE, _EXTENDED_FILE = 256, 257, 261, 266
_DIRECTORY_TYPE = 4
_BLOCK_SIZES = (2048, 512, 4096)
_MOST_DESCRIPTORS = 64
_MOST_EXTENTS = 10_000
_MOST_DIRECTORY = 1 << 22
_MOST_DEPTH = 64
_DELETED, _PARENT = 4, 8


class UdfVolume:
    """A UDF volume. Raises CorruptError where its descriptors are not found."""

    def __init__(self, disk: Disk, budget: Budget) -> None:
        self._disk = disk
        self._budget = budget
        self._complete = True
        self._block = 0
        self._starts: dict[int, int] = {}  # first block by partition number
        self._maps: list[int] = []  # first block of each partition reference
        self._metadata: dict[int, list[tuple[int, int]]] = {}  # extents in octets of a metadata partition
        self._root = self._mount()

    def tell(self, opening: Opening) -> None:
        """Hand on all files, with their directories in their names. Raises CorruptError at the end if one was cut."""
        waiting = [("", self._root, 0)]
        seen: set[tuple[int, int]] = set()
        while waiting:
            path, place, depth = waiting.pop()
            entry = self._entry(place)
            if entry is None:
                self._complete = False
                continue
            kind, content = entry
            if kind != _DIRECTORY_TYPE:
                self._budget.take_bytes(len(content))
                opening.inner(path, content)
                continue
            if place in seen or depth > _MOST_DEPTH:
                continue
            seen.add(place)
            for name, inner in self._names(content):
                self._budget.take_file()
                waiting.append((f"{path}/{name}" if path else name, inner, depth + 1))
        if not self._complete:
            raise CorruptError("UDF volume with a file that is cut off")

    def _mount(self) -> tuple[int, int]:
        """Find the volume's descriptors; returns the place of the root directory."""
        logical = self._logical_volume(self._anchor())
        if not logical or not self._starts:
            raise CorruptError("UDF volume without a partition")
        self._read_maps(logical)
        block, partition = struct.unpack_from("<IH", logical, 252)
        file_set = self._read_blocks((partition, block), self._block)
        if _tag(file_set) != _FILE_SET:
            raise CorruptError("UDF volume without a file set")
        root_block, root_partition = struct.unpack_from("<IH", file_set, 404)
        return root_partition, root_block

    def _anchor(self) -> bytes:
        """The anchor in block 256, which also tells the size of the blocks (ECMA-167 3/8.4.2.1)."""
        for size in _BLOCK_SIZES:
            anchor = self._disk.read(256 * size, 512)
            if _tag(anchor) == _ANCHOR:
                self._block = size
                return anchor
        raise CorruptError("UDF volume without an anchor")

    def _logical_volume(self, anchor: bytes) -> bytes:
        """The descriptor of the logical volume; those of partitions are noted on the way."""
        length, start = struct.unpack_from("<II", anchor, 16)
        logical = b""
        for number in range(min(length // self._block, _MOST_DESCRIPTORS)):
            descriptor = self._disk.read((start + number) * self._block, self._block)
            tag = _tag(descriptor)
            if tag == _PARTITION:
                partition = struct.unpack_from("<H", descriptor, 22)[0]
                self._starts[partition] = struct.unpack_from("<I", descriptor, 188)[0]
            elif tag == _LOGICAL:
                logical = descriptor
            elif tag == _TERMINATOR:
                break
        return logical

    def _read_maps(self, logical: bytes) -> None:
        """What the partition references stand for (ECMA-167 3/10.7)."""
        at = 440
        for _ in range(min(16, struct.unpack_from("<I", logical, 268)[0])):
            kind, length = logical[at], logical[at + 1]
            number = struct.unpack_from("<H", logical, at + (4 if kind == 1 else 38))[0]
            self._maps.append(self._starts.get(number, -1))
            if kind == 2 and b"*UDF Metadata Partition" in logical[at : at + 64]:
                self._read_metadata(len(self._maps) - 1, struct.unpack_from("<I", logical, at + 40)[0])
            if not length:
                break
            at += length
            if at + 64 > len(logical):
                break

    def _read_metadata(self, reference: int, block: int) -> None:
        """The file that holds the blocks of a metadata partition; it lies in the partition itself."""
        entry = self._disk.read((self._maps[reference] + block) * self._block, self._block)
        if _tag(entry) in (_FILE, _EXTENDED_FILE):
            self._metadata[reference] = [
                ((self._maps[reference] + at) * self._block, size) for _, at, size in self._extents(entry, reference)
            ]

    def _read_blocks(self, place: tuple[int, int], count: int) -> bytes:
        """Octets from a block on."""
        reference, block = place
        if reference in self._metadata:
            return self._read_metadata_blocks(reference, block * self._block, count)
        if reference >= len(self._maps) or self._maps[reference] < 0:
            return b""
        return self._disk.read((self._maps[reference] + block) * self._block, count)

    def _read_metadata_blocks(self, reference: int, offset: int, count: int) -> bytes:
        pieces = []
        for start, size in self._metadata[reference]:
            if offset < size and count > 0:
                step = min(count, size - offset)
                pieces.append(self._disk.read(start + offset, step))
                count -= step
                offset = 0
            else:
                offset -= size
            if count <= 0:
                break
        return b"".join(pieces)

    def _entry(self, place: tuple[int, int]) -> tuple[int, bytes] | None:
        """Type and content of a file entry (ECMA-167 4/14.9, 4/14.17); None where there is none."""
        self._budget.check_time()
        entry = self._read_blocks(place, self._block)
        if _tag(entry) not in (_FILE, _EXTENDED_FILE):
            return None
        kind = entry[27]
        size = struct.unpack_from("<Q", entry, 56)[0]
        if kind == _DIRECTORY_TYPE:
            size = min(size, _MOST_DIRECTORY)
        size = min(size, self._budget.unpacked_bytes + 1)
        return kind, self._content(entry, place[0], size)

    def _content(self, entry: bytes, reference: int, size: int) -> bytes:
        if entry[34] & 7 == 3:  # in the entry itself
            start, _ = _descriptors(entry)
            content = entry[start : start + size]
        else:
            pieces = []
            left = size
            for inner, block, whole in self._extents(entry, reference):
                if left <= 0:
                    break
                length = min(whole, left)
                piece = self._read_blocks((inner, block), length) if block >= 0 else bytes(length)
                pieces.append(piece)
                left -= len(piece)
                if not piece:
                    break
            content = b"".join(pieces)
        if len(content) < size:
            self._complete = False
        return content

    def _extents(self, entry: bytes, reference: int) -> Iterator[tuple[int, int, int]]:
        """Partition reference, block and octets of each extent; block -1 where nothing was written."""
        start, length = _descriptors(entry)
        data = entry[start : start + length]
        width = {0: 8, 1: 16}.get(entry[34] & 7)
        if width is None:
            raise CorruptError("UDF file with unknown descriptors")
        at = 0
        for _ in range(_MOST_EXTENTS):
            if at + width > len(data):
                return
            self._budget.check_time()
            raw, block = struct.unpack_from("<II", data, at)
            inner = struct.unpack_from("<H", data, at + 8)[0] if width == 16 else reference
            at += width
            kind, size = raw >> 30, raw & 0x3FFFFFFF
            if not size:
                return
            if kind == 3:  # more descriptors elsewhere (ECMA-167 4/12)
                more = self._read_blocks((inner, block), min(size, self._block))
                data = more[24 : 24 + struct.unpack_from("<I", more, 20)[0]] if len(more) >= 24 else b""
                at = 0
                continue
            yield inner, block if kind == 0 else -1, size

    def _names(self, directory: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
        """Name and place of what is in a directory (ECMA-167 4/14.4)."""
        at = 0
        while at + 38 <= len(directory) and struct.unpack_from("<H", directory, at)[0] == _FILE_ID:
            traits, name_length = directory[at + 18], directory[at + 19]
            block, reference = struct.unpack_from("<IH", directory, at + 24)
            start = at + 38 + struct.unpack_from("<H", directory, at + 36)[0]
            if not traits & (_DELETED | _PARENT):
                yield _name(directory[start : start + name_length]), (reference, block)
            at += (start - at + name_length + 3) & ~3


def _tag(descriptor: bytes) -> int:
    """The identifier of a descriptor whose tag is whole, else 0 (ECMA-167 3/7.2)."""
    if len(descriptor) < 512 or sum(descriptor[:4] + descriptor[5:16]) & 0xFF != descriptor[4]:
        return 0
    return int(struct.unpack_from("<H", descriptor)[0])


def _descriptors(entry: bytes) -> tuple[int, int]:
    """Where the allocation descriptors are, behind the extended attributes, and how many octets."""
    fixed = 176 if _tag(entry) == _FILE else 216
    attributes, length = struct.unpack_from("<II", entry, fixed - 8)
    if fixed + attributes > len(entry):
        raise CorruptError("UDF file entry is cut off")
    return fixed + attributes, length


def _name(raw: bytes) -> str:
    """OSTA compressed unicode: eight or sixteen bits a character."""
    text = raw[1:].decode("utf-16-be", "replace") if raw[:1] == b"\x10" else raw[1:].decode("latin-1")
    return text.replace("/", "_") or "unnamed"
