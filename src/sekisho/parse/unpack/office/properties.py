"""Properties of documents, where authors, templates and classification labels stand."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sekisho.parse.unpack.office.markup import attribute, elements, local
from sekisho.parse.unpack.opening import Opening

_MOST_PROPERTIES = 2000


def read_properties(opening: Opening, data: bytes) -> None:
    """Core, extended and custom properties and label information of a package: "name: value" lines."""
    lines = []
    for element in elements(data, ["*"], opening.budget, keep=True):
        name = local(element)
        if name == "property":
            value = " ".join(str(piece).strip() for piece in element.itertext()).strip()
            lines.append(f"{attribute(element, 'name')}: {value}")
        elif name == "label":  # MS-OFFCRYPTO 2.6: sensitivity label
            lines.append(" ".join(f"{key}: {value}" for key, value in element.attrib.items()))
        elif element.text and element.text.strip() and not _in_property(element):
            lines.append(f"{name}: {element.text.strip()}")
        if len(lines) >= _MOST_PROPERTIES:
            break
    opening.text("\n".join(lines), "properties")


def _in_property(element: object) -> bool:
    return next(element.iterancestors("{*}property"), None) is not None  # type: ignore[attr-defined]


def property_sets(streams: Iterator[bytes]) -> str:
    """The strings of OLE property sets (MS-OLEPS 2.21): "name: value" lines, as far as they can be read."""
    return "\n".join(line for stream in streams for line in _lines(stream))


def _lines(stream: bytes) -> list[str]:
    lines: list[str] = []
    for number in range(min(_whole_number(stream, 24), 4)):
        start = _whole_number(stream, 28 + number * 20 + 16)
        lines += _section(stream[start:]) if start else ()
    return lines


def _whole_number(octets: bytes, at: int) -> int:
    """The four octets there, 0 if they are not all there."""
    return int.from_bytes(octets[at : at + 4], "little") if at + 4 <= len(octets) else 0


def _section(section: bytes) -> list[str]:
    count = min(_whole_number(section, 4), _MOST_PROPERTIES, (len(section) - 8) // 8)
    places = list(struct.iter_unpack("<II", section[8 : 8 + 8 * max(0, count)]))
    offsets = dict(places)
    codepage = 1252
    if 1 in offsets and offsets[1] + 6 <= len(section):
        (codepage,) = struct.unpack_from("<H", section, offsets[1] + 4)
    names = _names(section[offsets[0] :], codepage) if 0 in offsets else {}
    lines = []
    for identity, offset in places:
        value = _value(section, offset, codepage) if identity > 1 else ""
        if value:
            lines.append(f"{names[identity]}: {value}" if identity in names else value)
    return lines


def _names(dictionary: bytes, codepage: int) -> dict[int, str]:
    """The names of custom properties (MS-OLEPS 2.17)."""
    names: dict[int, str] = {}
    at = 4
    for _ in range(min(_whole_number(dictionary, 0), _MOST_PROPERTIES)):
        if at + 8 > len(dictionary):
            break
        identity, length = struct.unpack_from("<II", dictionary, at)
        size = length * 2 if codepage == 1200 else length
        names[identity] = _decode(dictionary[at + 8 : at + 8 + size], codepage)
        at += 8 + size + (-size % 4 if codepage == 1200 else 0)
    return names


def _value(section: bytes, offset: int, codepage: int) -> str:
    try:
        kind, length = struct.unpack_from("<II", section, offset)
    except struct.error:
        return ""
    if kind == 0x1E:
        return _decode(section[offset + 8 : offset + 8 + min(length, 65_536)], codepage)
    if kind == 0x1F:
        return _decode(section[offset + 8 : offset + 8 + min(length, 65_536) * 2], 1200)
    return str(length) if kind == 3 else ""


def _decode(octets: bytes, codepage: int) -> str:
    name = {1200: "utf-16-le", 65001: "utf-8"}.get(codepage, f"cp{codepage}")
    try:
        text = octets.decode(name, "replace")
    except LookupError:
        text = octets.decode("cp1252", "replace")
    return text.partition("\0")[0].strip()
