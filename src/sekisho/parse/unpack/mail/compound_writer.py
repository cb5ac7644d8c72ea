"""Makes a storage inside a compound file a compound file of its own, to be opened like any other (MS-CFB).

Outlook keeps an attached message, and an embedded document, as a storage among others.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sekisho.parse.unpack.office.ole_file import MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sekisho.parse.unpack.office.ole_file import CompoundFile, Entry

STORAGE, STREAM, ROOT = 1, 2, 5  # MS-CFB 2.6.1
_MINI_SECTOR, _MINI_CUTOFF = 64, 4096
_SECTOR = 512
_EACH = _SECTOR // 4
_FREE, _END, _FAT, _DIFAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
_HEADER_FAT = 109


class Node:
    """A stream or storage to write: `content` of a stream, `children` of a storage."""

    __slots__ = ("child", "children", "class_id", "content", "kind", "left", "name", "right", "size", "start")

    def __init__(self, name: str, kind: int, content: bytes = b"", class_id: bytes = bytes(16)) -> None:
        self.name = name
        self.kind = kind
        self.content = content
        self.class_id = class_id
        self.children: list[int] = []
        self.left = self.right = self.child = _FREE
        self.start = _END if kind != STORAGE else 0
        self.size = len(content)


def storage_as_file(compound: CompoundFile, storage: Entry, below: Iterable[Entry]) -> bytes:
    """A storage as a compound file; `below` are all entries in it, at any depth.

    Its streams are counted; may raise OverLimitError.
    """
    nodes = [Node("Root Entry", ROOT, class_id=storage.class_id)]
    numbers = {storage.path: 0}
    for entry in sorted(below, key=lambda e: len(e.path)):
        parent = numbers.get(entry.path[:-1])
        if parent is None or entry.kind not in (STORAGE, STREAM) or entry.path in numbers:
            continue
        numbers[entry.path] = len(nodes)
        nodes[parent].children.append(len(nodes))
        content = compound.content(entry) if entry.kind == STREAM else b""
        nodes.append(Node(entry.name, entry.kind, content, entry.class_id))
    return written(nodes)


def written(nodes: Sequence[Node]) -> bytes:
    """A compound file of these nodes, the root first, children by their index."""
    for node in nodes:
        if node.kind in (ROOT, STORAGE):
            node.child = _tree(nodes, sorted(node.children, key=lambda n: _order(nodes[n].name)))
    mini = bytearray()
    mini_fat: list[int] = []
    body = bytearray()
    fat: list[int] = []
    for node in nodes:
        if node.kind == STREAM and 0 < node.size < _MINI_CUTOFF:
            node.start = _append(mini, mini_fat, node.content, _MINI_SECTOR)
        elif node.kind == STREAM and node.size:
            node.start = _append(body, fat, node.content, _SECTOR)
    nodes[0].size = len(mini)
    nodes[0].start = _append(body, fat, mini, _SECTOR)
    first_mini = _append(body, fat, struct.pack(f"<{len(mini_fat)}I", *mini_fat), _SECTOR, b"\xff")
    first_directory = _append(body, fat, b"".join(map(_packed, nodes)), _SECTOR)
    return _finished(body, fat, first_directory, first_mini, -(-len(mini_fat) // _EACH))


def _order(name: str) -> tuple[int, str]:
    """Names in one storage are sorted by length, then as capitals (MS-CFB 2.6.4)."""
    return len(name.encode("utf-16-le", "surrogatepass")), name.upper()


def _tree(nodes: Sequence[Node], numbers: list[int]) -> int:
    """A balanced tree of siblings; returns its top."""
    if not numbers:
        return _FREE
    middle = len(numbers) // 2
    top = nodes[numbers[middle]]
    top.left = _tree(nodes, numbers[:middle])
    top.right = _tree(nodes, numbers[middle + 1 :])
    return numbers[middle]


def _append(body: bytearray, table: list[int], content: bytes | bytearray, size: int, pad: bytes = b"\0") -> int:
    """Append content in whole sectors and chain them; returns the first."""
    if not content:
        return _END
    first = len(table)
    count = -(-len(content) // size)
    body += content
    body += pad * (count * size - len(content))
    table += range(first + 1, first + count)
    table.append(_END)
    return first


def _packed(node: Node) -> bytes:
    name = node.name.encode("utf-16-le", "surrogatepass")[:62]
    return struct.pack(
        "<64sHBBIII16s4x16xII4x", name, len(name) + 2, node.kind, 1, node.left, node.right, node.child,
        node.class_id, node.start, node.size,
    )  # fmt: skip


def _finished(body: bytearray, fat: list[int], first_directory: int, first_mini: int, mini_sectors: int) -> bytes:
    """Behind the content its allocation table, in front of it the header."""
    count = fat_sectors = difat_sectors = 0
    while count != len(fat) + fat_sectors + difat_sectors:
        count = len(fat) + fat_sectors + difat_sectors
        fat_sectors = -(-count // _EACH)
        difat_sectors = -(-max(0, fat_sectors - _HEADER_FAT) // (_EACH - 1))
    first = len(fat)
    numbers = list(range(first, first + fat_sectors))
    fat = fat + [_FAT] * fat_sectors + [_DIFAT] * difat_sectors
    fat += [_FREE] * (-len(fat) % _EACH)
    body += struct.pack(f"<{len(fat)}I", *fat)
    for i in range(difat_sectors):
        at = _HEADER_FAT + i * (_EACH - 1)
        group = numbers[at : at + _EACH - 1]
        group += [_FREE] * (_EACH - 1 - len(group))
        following = first + fat_sectors + i + 1 if i + 1 < difat_sectors else _END
        body += struct.pack(f"<{_EACH}I", *group, following)
    in_header = numbers[:_HEADER_FAT] + [_FREE] * max(0, _HEADER_FAT - len(numbers))
    header = struct.pack(
        f"<8s16xHHHHH6xIIIIIIIII{_HEADER_FAT}I", MAGIC, 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors, first_directory, 0,
        _MINI_CUTOFF, first_mini, mini_sectors, first + fat_sectors if difat_sectors else _END,
        difat_sectors, *in_header,
    )  # fmt: skip
    return header + bytes(body)
