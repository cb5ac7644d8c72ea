"""Binary workbooks in packages, xlsb (MS-XLSB): cells of every sheet, comments, names, links, Excel 4.0 macros."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from msgspec import Struct, field

from sekisho.parse.unpack.office.biff import rk_number
from sekisho.parse.unpack.office.fields import tell_dde, tell_formula
from sekisho.parse.unpack.office.formats import Format, float_text, format_of
from sekisho.parse.unpack.office.formula import formula_text
from sekisho.parse.unpack.office.parts import Parts
from sekisho.parse.unpack.office.relations import Relations
from sekisho.parse.unpack.office.rows import Sheet
from sekisho.parse.unpack.office.sheets import sheet_relations, tell_names
from sekisho.parse.unpack.office.xlm import tell_xlm
from sekisho.parse.unpack.opening import Opening

_ROW, _RK, _REAL, _STRING, _SHARED, _FORMULA_STRING, _FORMULA_NUMBER, _RICH = 0, 2, 5, 6, 7, 8, 9, 62
_FORMULA_BOOL, _FORMULA_ERROR = 10, 11
_SST_ITEM, _NAME, _FORMAT, _XF, _BOOK_PROPERTIES, _SHEET = 19, 39, 44, 47, 153, 156
_SUPBOOK, _CELL_XFS, _COMMENT = 360, 617, 637
_STATES = ("visible", "hidden", "veryHidden", "hidden")
_HYPERLINK_CALL = re.compile(rb"[\x22\x42\x62][\x00-\xff]\x67\x01", re.DOTALL)
_LONGEST = 65_536


class _Book(Struct):
    """What the cells of all sheets share."""

    opening: Opening
    strings: list[str] = field(default_factory=list)
    formats: list[Format | None] = field(default_factory=list)
    names: list[tuple[str, bytes]] = field(default_factory=list)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    from_1904: bool = False


def read_binary_workbook(opening: Opening, parts: Parts, relations: Relations, main: str) -> None:
    """Report text by sheet, hidden ones too, links and macros; broken records are skipped."""
    book = _Book(opening)
    for kind, data in _records(parts.read(main), opening):
        _globals(book, kind, data)
    targets = {r.kind: r.target for r in relations.of(main)}
    book.strings = [
        _wide(data, 1)[0] for kind, data in _records(parts.read(targets.get("sharedstrings", "")), opening)
        if kind == _SST_ITEM
    ]  # fmt: skip
    book.formats = _formats(book, parts.read(targets.get("styles", "")))
    macro_sheets: list[Sheet] = []
    for relation in sheet_relations(relations, main):
        macros = "macro" in relation.kind
        sheet = book.sheets.get(relation.name) or Sheet(relation.target.rpartition("/")[2])
        _read_sheet(book, parts.read(relation.target), sheet, macros=macros)
        macro_sheets += [sheet] if macros else []
    names = [(name, formula_text(tokens, 12)) for name, tokens in book.names]
    tell_names(opening, names)
    if macro_sheets:
        automatic = [name for name, _ in names if re.match(r"(?i)(?:_xlnm\.)?auto_", name)]
        formulas = [formula for sheet in macro_sheets for formula in sheet.formulas]
        tell_xlm(opening, formulas, automatic=automatic, hidden=any(s.state != "visible" for s in macro_sheets))


def _records(data: bytes, opening: Opening) -> Iterator[tuple[int, bytes]]:
    """Type and content of each record (MS-XLSB 2.1.4)."""
    at, size, number = 0, len(data), 0
    while at < size:
        number += 1
        if not number & 4095:
            opening.budget.check_time()
        kind = data[at]
        at += 1
        if kind & 0x80 and at < size:
            kind = kind & 0x7F | (data[at] & 0x7F) << 7
            at += 1
        length = shift = 0
        while at < size:
            octet = data[at]
            at += 1
            length |= (octet & 0x7F) << shift
            shift += 7
            if not octet & 0x80 or shift > 21:
                break
        yield kind, data[at : at + length]
        at += length


def _wide(data: bytes, at: int) -> tuple[str, int]:
    """A string with a length of four octets, and where it ends; all ones stand for none (MS-XLSB 2.5.168)."""
    length = int.from_bytes(data[at : at + 4], "little")
    if length == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * min(length, _LONGEST)
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


def _globals(book: _Book, kind: int, data: bytes) -> None:
    if kind == _SHEET:
        identity, at = _wide(data, 8)
        book.sheets[identity] = Sheet(_wide(data, at)[0], _STATES[data[0] & 3 if data else 0])
    elif kind == _NAME:
        name, at = _wide(data, 9)
        size = int.from_bytes(data[at : at + 4], "little")
        book.names.append((name, data[at + 4 : at + 4 + size]))
    elif kind == _BOOK_PROPERTIES:
        book.from_1904 = bool(data[:1] and data[0] & 1)


def _formats(book: _Book, data: bytes) -> list[Format | None]:
    codes: dict[int, str] = {}
    formats: list[Format | None] = []
    in_cells = False
    for kind, record in _records(data, book.opening):
        if kind == _FORMAT:
            codes[int.from_bytes(record[:2], "little")] = _wide(record, 2)[0][:200]
        elif kind in (_CELL_XFS, _CELL_XFS + 1):
            in_cells = kind == _CELL_XFS
        elif kind == _XF and in_cells:
            number = int.from_bytes(record[2:4], "little")
            formats.append(format_of(number, codes.get(number, ""), from_1904=book.from_1904))
    return formats


def _read_sheet(book: _Book, data: bytes, sheet: Sheet, *, macros: bool) -> None:
    sheet.room = book.opening.budget.text_chars + 1
    cells: list[str] = []
    for kind, record in _records(data, book.opening):
        if kind == _ROW:
            sheet.add(cells)
            cells = []
        elif kind <= _FORMULA_ERROR or kind == _RICH:
            text, tokens = _cell(book, kind, record)
            if text:
                cells.append(text)
            if tokens and (macros or _HYPERLINK_CALL.search(tokens)):
                sheet.formulas.append(formula_text(tokens, 12, lambda _l, n: _name(book, n)))
    sheet.add(cells)
    book.opening.text("\n".join(sheet.lines), sheet.name)
    if not macros:
        for formula in sheet.formulas:
            tell_formula(book.opening, formula)


def _name(book: _Book, number: int) -> str:
    return book.names[number - 1][0] if 0 < number <= len(book.names) else f"NAME{number}"


def _cell(book: _Book, kind: int, data: bytes) -> tuple[str, bytes]:
    """What a cell shows, and its formula's tokens (MS-XLSB 2.4.1 on)."""
    style = int.from_bytes(data[4:7], "little")
    tokens = b""
    text = ""
    try:
        if kind == _RK:
            text = _shown(book, style, rk_number(int.from_bytes(data[8:12], "little")))
        elif kind in (_REAL, _FORMULA_NUMBER):
            text = _shown(book, style, struct.unpack_from("<d", data, 8)[0])
            tokens = _tokens(data, 16) if kind == _FORMULA_NUMBER else b""
        elif kind in (_STRING, _FORMULA_STRING):
            text, at = _wide(data, 8)
            tokens = _tokens(data, at) if kind == _FORMULA_STRING else b""
        elif kind == _RICH:
            text = _wide(data, 9)[0]
        elif kind == _SHARED:
            number = int.from_bytes(data[8:12], "little")
            text = book.strings[number] if number < len(book.strings) else ""
        elif kind in (_FORMULA_BOOL, _FORMULA_ERROR):
            tokens = _tokens(data, 9)
    except struct.error:
        return "", b""
    return text, tokens


def _tokens(data: bytes, at: int) -> bytes:
    """A formula that stands after two octets of flags."""
    size = int.from_bytes(data[at + 2 : at + 6], "little")
    return data[at + 6 : at + 6 + size]


def _shown(book: _Book, style: int, number: float) -> str:
    text = float_text(number)
    shown = book.formats[style] if style < len(book.formats) else None
    return shown(text) if shown else text


def read_binary_link(opening: Opening, data: bytes) -> None:
    """An external link: another workbook, or by DDE another program (BrtBeginSupBook)."""
    for kind, record in _records(data, opening):
        if kind == _SUPBOOK and len(record) > 2:
            service, at = _wide(record, 2)
            topic = _wide(record, at)[0]
            if record[0] == 1:
                tell_dde(opening, f"{service} {topic}")
            else:
                opening.text(f"{service} {topic}", "external")


def read_binary_comments(opening: Opening, data: bytes) -> None:
    """The notes of a sheet."""
    lines = [_wide(record, 1)[0] for kind, record in _records(data, opening) if kind == _COMMENT]
    opening.text("\n".join(lines), "comments")
