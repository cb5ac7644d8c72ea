"""VBA projects (MS-OVBA): the modules' source out of a compound file."""

from __future__ import annotations

import encodings.cp932
import encodings.cp1252  # noqa: F401 - the usual code pages, there before the process is confined
import re
import struct
from collections.abc import Iterator

from msgspec import Struct

from sekisho.parse.unpack.office.ole_file import CompoundFile, Entry
from sekisho.parse.unpack.opening import Budget, CorruptError

MOST_SOURCE = 4_000_000  # octets of one module
_MOST_MODULES = 1000
# Where the source of a module stands compressed: its first line begins with "Attribute", never packed at the start.
_SOURCE_START = re.compile(rb"\x01[\x00-\xff][\xb0-\xbf]\x00Attribut", re.DOTALL)
_STRING = re.compile(rb"[\x20-\x7e]{5,400}")
_WIDE_STRING = re.compile(rb"(?:[\x20-\x7e]\x00){5,400}")


class Module(Struct, frozen=True):
    """A module: its name, its source, and `cached`, the octets of compiled code that stand before the source.

    `strings` are those of the compiled code where the source says nothing (it may have been taken away).
    """

    name: str
    source: str
    cached: int = 0
    strings: str = ""


class _Place(Struct):
    """What the dir stream says about a module."""

    name: str = ""
    stream: str = ""
    offset: int = -1


def decompress(data: bytes, budget: Budget, most: int = MOST_SOURCE) -> bytes:
    """Undo the compression of MS-OVBA 2.4.1, as far as it goes. Raises CorruptError for another beginning."""
    if data[:1] != b"\x01":
        raise CorruptError("VBA container without its signature")
    out = bytearray()
    at = 1
    while at + 2 < len(data) and len(out) < most:
        budget.check_time()
        header = data[at] | data[at + 1] << 8
        end = min(at + (header & 0x0FFF) + 3, len(data))
        if header >> 12 & 7 != 3:
            break
        if header & 0x8000:
            _chunk(data, at + 2, end, out)
        else:
            out += data[at + 2 : at + 2 + 4096]
            end = min(at + 2 + 4096, len(data))
        at = end
    budget.take_bytes(len(out))
    return bytes(out)


def _chunk(data: bytes, at: int, end: int, out: bytearray) -> None:
    """One compressed chunk (MS-OVBA 2.4.1.3.2 and 2.4.1.3.19)."""
    start = len(out)
    while at < end:
        flags = data[at]
        at += 1
        if not flags:
            out += data[at : min(at + 8, end)]
            at += 8
            continue
        for bit in range(8):
            if at >= end:
                return
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            if at + 1 >= end or len(out) == start:
                return
            token = data[at] | data[at + 1] << 8
            at += 2
            width = max((len(out) - start - 1).bit_length(), 4)
            length = (token & 0xFFFF >> width) + 3
            offset = (token >> 16 - width) + 1
            _copy(out, offset, length, start)


def _copy(out: bytearray, offset: int, length: int, start: int) -> None:
    begin = len(out) - offset
    if begin < start:
        raise CorruptError("VBA source refers to before its chunk")
    piece = out[begin : begin + length]
    if len(piece) < length:  # it overlaps itself: a run
        piece = (piece * (length // len(piece) + 1))[:length]
    out += piece


def has_project(file: CompoundFile) -> bool:
    """Whether there is a VBA project anywhere in the compound file."""
    return any(e.name.lower() == "_vba_project" for e in file.streams) or any(
        e.name.lower() == "dir" and len(e.path) > 1 and e.path[-2].lower() == "vba" for e in file.streams
    )


def modules_of(file: CompoundFile, budget: Budget) -> list[Module]:
    """The modules of all VBA projects in a compound file, and of what a broken directory does not name."""
    modules: list[Module] = []
    storages = dict.fromkeys(
        e.path[:-1] for e in file.streams if e.name.lower() in ("_vba_project", "dir") and e.path[:-1]
    )
    for storage in storages:
        modules += _project(file, storage, budget)
        if len(modules) > _MOST_MODULES:
            break
    if not storages:
        modules = [m for entry in file.streams if (m := _guess(entry, file.content(entry), budget, 1252))]
    return modules


def _project(file: CompoundFile, storage: tuple[str, ...], budget: Budget) -> Iterator[Module]:
    try:
        directory = decompress(file.read(*storage, "dir"), budget)
    except CorruptError:
        directory = b""
    codepage, places = _directory(directory)
    by_stream = {place.stream.lower(): place for place in places}
    for entry in file.children(storage)[:_MOST_MODULES]:
        lower = entry.name.lower()
        if lower in ("dir", "_vba_project") or lower.startswith("__srp_"):
            continue
        data = file.content(entry)
        place = by_stream.get(lower)
        module = _module(place, data, budget, codepage) if place else None
        module = module or _guess(entry, data, budget, codepage)
        if module:
            yield module


def _module(place: _Place, data: bytes, budget: Budget, codepage: int) -> Module | None:
    if not 0 <= place.offset < len(data):
        return None
    try:
        raw = decompress(data[place.offset :], budget)
    except CorruptError:
        return None
    source = _decode(raw, codepage)
    silent = not says_something(source)
    strings = _strings(data[: place.offset]) if silent else ""
    return Module(place.name or place.stream, source, place.offset, strings)


def _guess(entry: Entry, data: bytes, budget: Budget, codepage: int) -> Module | None:
    """A module that the directory does not describe rightly, found by its first line."""
    found = _SOURCE_START.search(data)
    if found is None:
        return None
    try:
        return Module(entry.name, _decode(decompress(data[found.start() :], budget), codepage), found.start())
    except CorruptError:
        return None


def _directory(data: bytes) -> tuple[int, list[_Place]]:
    """Code page and modules of a dir stream (MS-OVBA 2.3.4.2): records of id, size and content."""
    codepage = 1252
    places: list[_Place] = []
    at = 0
    while at + 6 <= len(data) and len(places) < _MOST_MODULES:
        record, size = struct.unpack_from("<HI", data, at)
        size = 6 if record == 0x0009 else size  # PROJECTVERSION says 4 and has 6
        content = data[at + 6 : at + 6 + size]
        at += 6 + size
        if record == 0x0003 and size == 2:
            codepage = content[0] | content[1] << 8
        elif record == 0x0019:  # MODULENAME begins a module
            places.append(_Place(name=_decode(content, codepage)))
        elif places and record == 0x0047:
            places[-1].name = content.decode("utf-16-le", "replace")
        elif places and record == 0x001A:
            places[-1].stream = _decode(content, codepage)
        elif places and record == 0x0032:
            places[-1].stream = content.decode("utf-16-le", "replace")
        elif places and record == 0x0031 and size == 4:
            places[-1].offset = int.from_bytes(content, "little")
    return codepage, places


def _decode(octets: bytes, codepage: int) -> str:
    try:
        return octets.decode(f"cp{codepage}", "replace")
    except LookupError:
        return octets.decode("cp1252", "replace")


def says_something(source: str) -> bool:
    """Whether there is more in a source than what an empty module has."""
    lines = (line.strip() for line in source.splitlines())
    return any(
        line and not line.startswith(("Attribute ", "Option ", "'", "VERSION", "BEGIN", "END")) for line in lines
    )


def _strings(octets: bytes) -> str:
    plain = [m.decode("ascii") for m in _STRING.findall(octets)]
    wide = [m.decode("utf-16-le") for m in _WIDE_STRING.findall(octets)]
    return "\n".join((plain + wide)[:2000])


def form_strings(file: CompoundFile) -> str:
    """The characters that the forms of a project keep: captions and tags, where macros like to hide commands."""
    found = [
        _strings(file.content(entry))
        for entry in file.streams[:500]
        if entry.name in ("o", "f") and entry.size < 1_000_000
    ]
    return "\n".join(piece for piece in found if piece)
