"""Text of PowerPoint 97-2003 presentations (MS-PPT), links, and the objects that stand compressed in their stream."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from msgspec import Struct, field

from sekisho.parse.unpack.office.ole_file import CompoundFile
from sekisho.parse.unpack.office.remote import tell_target
from sekisho.parse.unpack.opening import CorruptError, Opening

_SLIDE_PERSIST, _TEXT_CHARS, _TEXT_BYTES, _STRING, _OBJECT = 0x03F3, 0x0FA0, 0x0FA8, 0x0FBA, 0x1011
_HYPERLINK, _SLIDE, _NOTES, _LIST, _MASTER = 0x0FD7, 0x03EE, 0x03F0, 0x0FF0, 0x03F8
_CONTAINERS = {_SLIDE: "slide", _NOTES: "notes", _MASTER: "master"}
_CONTENT = frozenset((_TEXT_CHARS, _TEXT_BYTES, _STRING, _OBJECT))
_MOST_RECORDS = 500_000


class _Read(Struct):
    """Where the reader is: the place of the text that follows, and the end of the link it is in."""

    opening: Opening
    place: str = ""
    slide: int = 0
    link_end: int = 0
    texts: dict[str, list[str]] = field(default_factory=dict)
    objects: list[bytes] = field(default_factory=list)


def read_slides(opening: Opening, file: CompoundFile) -> list[bytes]:
    """Report text by slide and links; the compound files of embedded objects and of the VBA project come back."""
    stream = file.read("PowerPoint Document")
    if not stream:
        raise CorruptError("no presentation in the file")
    read = _Read(opening)
    for kind, instance, content, end in _records(stream, opening):
        if kind in _CONTENT:
            _take(read, kind, instance, content, end)
        else:
            _go(read, kind, instance, end)
    for name, lines in read.texts.items():
        opening.text("\n".join(lines), name)
    return [content for content in read.objects if content]


def _go(read: _Read, kind: int, instance: int, end: int) -> None:
    """Follow the containers: lists of slides hold the text of all, each slide that of its own shapes."""
    if kind == _LIST:
        read.place, read.slide = {0: "slide", 1: "master", 2: "notes"}.get(instance, ""), 0
    elif kind == _SLIDE_PERSIST:
        read.slide += 1
    elif kind in _CONTAINERS:
        read.place, read.slide = _CONTAINERS[kind], 0
    elif kind == _HYPERLINK:
        read.link_end = end


def _take(read: _Read, kind: int, instance: int, content: bytes, end: int) -> None:
    if kind == _OBJECT:
        read.objects.append(_object(read.opening, content, compressed=instance == 1))
        return
    text = content.decode("latin-1" if kind == _TEXT_BYTES else "utf-16-le", "replace")
    name = f"{read.place} {read.slide}" if read.slide and read.place != "master" else read.place
    if kind != _STRING:
        read.texts.setdefault(name, []).append(text.replace("\r", "\n").replace("\v", "\n"))
    elif end <= read.link_end and instance == 1:
        tell_target(read.opening, "hyperlink", text)
    elif not text.startswith("___PPT"):
        read.texts.setdefault("names", []).append(text)


def _records(stream: bytes, opening: Opening) -> Iterator[tuple[int, int, bytes, int]]:
    """Kind, instance, content ("" for a container, whose records follow) and end of each record (MS-PPT 2.3.1)."""
    at = 0
    for number in range(_MOST_RECORDS):
        if at + 8 > len(stream):
            return
        if not number & 1023:
            opening.budget.check_time()
        version, kind, length = struct.unpack_from("<HHI", stream, at)
        end = at + 8 + length
        container = version & 0x0F == 0x0F
        wanted = kind in _CONTENT
        yield kind, version >> 4, stream[at + 8 : end] if wanted and not container else b"", end
        at = at + 8 if container else end


def _object(opening: Opening, content: bytes, *, compressed: bool) -> bytes:
    """An object's compound file; compressed ones begin with their size (MS-PPT 2.10.34)."""
    if not compressed:
        opening.budget.take_bytes(len(content))
        return content
    packed = content[4:]
    return opening.budget.collect(_inflate(packed), len(packed))


def _inflate(packed: bytes) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    try:
        chunk = unpacker.decompress(packed, 1 << 18)
        while chunk:
            yield chunk
            chunk = unpacker.decompress(unpacker.unconsumed_tail, 1 << 18)
    except zlib.error:
        return
