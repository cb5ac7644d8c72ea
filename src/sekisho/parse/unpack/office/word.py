"""Text of Word 97-2003 documents (MS-DOC), by place, and what their fields and template reach."""

from __future__ import annotations

import re
import struct

from msgspec import Struct, field

from sekisho.parse.unpack.office.fields import quoted, tell_field
from sekisho.parse.unpack.office.ole_file import CompoundFile
from sekisho.parse.unpack.office.remote import tell_target
from sekisho.parse.unpack.opening import CorruptError, Opening

_MOST_CHARS = 20_000_000
_FC_CLX, _FC_ASSOCIATED = 0x01A2, 0x019A
# The document's parts, in the order of their characters (MS-DOC 2.4.1, FibRgLw97).
_PLACES = (("", 0x4C), ("footnotes", 0x50), ("header", 0x54), ("", 0x58), ("comments", 0x5C), ("endnotes", 0x60),
           ("text boxes", 0x64), ("text boxes", 0x68))  # fmt: skip
_SHOWN = {7: "\t", 11: "\n", 12: "\n", 13: "\n", 14: "\n", 30: "-", 160: " ", 9: "\t", 10: "\n"}
_DROPPED = dict.fromkeys((*range(9), *range(15, 32), 31, 0xAD), "")
_TABLE = {**_DROPPED, **_SHOWN}
_FIELD_MARK = re.compile("[\x13\x14\x15]")


def read_word(opening: Opening, file: CompoundFile) -> None:
    """Report text by place, fields and the template. Raises CorruptError where there is no text to be found."""
    stream = file.read("WordDocument")
    if len(stream) < 0x60 or stream[:2] not in (b"\xec\xa5", b"\xdc\xa5", b"\x9b\xa5", b"\x97\xa6"):
        raise CorruptError("not a Word document")
    (flags,) = struct.unpack_from("<H", stream, 0x0A)
    (version,) = struct.unpack_from("<H", stream, 2)
    if version < 0xC1 or stream[:2] != b"\xec\xa5":
        _tell(opening, _old_text(stream), "")
        return
    table = file.read("1Table" if flags & 0x0200 else "0Table") or file.read("0Table") or file.read("1Table")
    text = _pieces(opening, stream, table)
    at = 0
    for place, offset in _PLACES:
        (length,) = struct.unpack_from("<I", stream, offset) if offset + 4 <= len(stream) else (0,)
        _tell(opening, text[at : at + length], place)
        at = min(at + length, len(text))
    _tell(opening, text[at:], "rest")
    _tell_template(opening, stream, table)
    if not text:
        raise CorruptError("Word document without readable text")


def _old_text(stream: bytes) -> str:
    """Word 6 and 95: one run of characters of the code page, Japanese ones in cp932."""
    first, last = struct.unpack_from("<II", stream, 0x18)
    octets = stream[first : min(last, len(stream), first + _MOST_CHARS)]
    for codec in ("cp932", "cp1252"):
        try:
            return octets.decode(codec)
        except UnicodeDecodeError:
            continue
    return octets.decode("cp1252", "replace")


def _pieces(opening: Opening, stream: bytes, table: bytes) -> str:
    """The characters in the order of the piece table (MS-DOC 2.4.1), as fast saves leave them scattered."""
    start, size = struct.unpack_from("<II", stream, _FC_CLX) if len(stream) >= _FC_CLX + 8 else (0, 0)
    clx = table[start : start + size]
    at = 0
    while at + 3 <= len(clx) and clx[at] == 1:  # Prc: property changes
        at += 3 + int.from_bytes(clx[at + 1 : at + 3], "little")
    if at + 5 > len(clx) or clx[at] != 2:
        return ""
    plc = clx[at + 5 : at + 5 + int.from_bytes(clx[at + 1 : at + 5], "little")]
    count = max(0, (len(plc) - 4) // 12)
    positions = struct.unpack_from(f"<{count + 1}I", plc) if count else ()
    out: list[str] = []
    total = 0
    for number in range(count):
        length = min(max(0, positions[number + 1] - positions[number]), len(stream))
        (place,) = struct.unpack_from("<I", plc, (count + 1) * 4 + number * 8 + 2)
        total += length
        if total > _MOST_CHARS:
            break
        if not number & 255:
            opening.budget.check_time()
        out.append(_piece(stream, place, length))
    return "".join(out)


def _piece(stream: bytes, place: int, length: int) -> str:
    """MS-DOC 2.9.73: bit 30 says one octet a character, the place counted double."""
    if place & 0x40000000:
        start = (place & 0x3FFFFFFF) // 2
        return stream[start : start + length].decode("cp1252", "replace")
    start = place & 0x3FFFFFFF
    return stream[start : start + 2 * length].decode("utf-16-le", "replace")


def _tell(opening: Opening, text: str, place: str) -> None:
    opening.text(without_fields(opening, text).translate(_TABLE), place)


class _Field(Struct):
    """A field that has begun: the pieces of its instruction and, once it is separated, of its result."""

    instruction: list[str] = field(default_factory=list)
    result: list[str] = field(default_factory=list)
    separated: bool = False


def without_fields(opening: Opening, text: str) -> str:
    """What a reader sees: the results of fields; their instructions are judged (MS-DOC 2.8.25)."""
    if "\x13" not in text:
        return text
    out: list[str] = []
    open_fields: list[_Field] = []
    at = 0
    for number, mark in enumerate(_FIELD_MARK.finditer(text)):
        if not number & 1023:
            opening.budget.check_time()
        _put(out, open_fields, text[at : mark.start()])
        at = mark.end()
        if mark.group() == "\x13" and len(open_fields) < 50:
            open_fields.append(_Field())
        elif mark.group() == "\x14" and open_fields:
            open_fields[-1].separated = True
        elif mark.group() == "\x15" and open_fields:
            _put(out, open_fields, _end_field(opening, open_fields.pop()))
    out += [_end_field(opening, unfinished) for unfinished in open_fields]
    out.append(text[at:])
    return "".join(out)


def _end_field(opening: Opening, ended: _Field) -> str:
    """Judge a field, and give back what it shows."""
    instruction = "".join(ended.instruction[:200])[:8192].translate(_TABLE)
    result = "".join(ended.result)
    value = quoted(instruction)
    if value is None:
        tell_field(opening, instruction, result[:500].translate(_TABLE))
    return result if value is None else value


def _put(out: list[str], open_fields: list[_Field], text: str) -> None:
    if not open_fields:
        out.append(text)
    elif open_fields[-1].separated:
        open_fields[-1].result.append(text)
    else:
        open_fields[-1].instruction.append(text)


def _tell_template(opening: Opening, stream: bytes, table: bytes) -> None:
    """The attached template: the second string of SttbfAssoc (MS-DOC 2.9.276)."""
    if len(stream) < _FC_ASSOCIATED + 8:
        return
    start, size = struct.unpack_from("<II", stream, _FC_ASSOCIATED)
    data = table[start : start + min(size, 65_536)]
    at = 6
    for number in range(2):
        if at + 2 > len(data) or data[:2] != b"\xff\xff":
            return
        length = int.from_bytes(data[at : at + 2], "little")
        text = data[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace")
        at += 2 + 2 * length
        if number == 1 and ("://" in text or text.startswith("\\\\")):
            tell_target(opening, "attachedtemplate", text)
