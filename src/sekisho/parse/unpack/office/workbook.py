"""Excel 5-2003 workbooks (MS-XLS): cells of every sheet, notes, names, links, Excel 4.0 macros."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from msgspec import Struct, field

from sekisho.parse.unpack.office.biff import Strings, rk_number, shared_strings, short_string, wide_string
from sekisho.parse.unpack.office.fields import tell_dde, tell_formula
from sekisho.parse.unpack.office.formats import Format, float_text, format_of
from sekisho.parse.unpack.office.formula import formula_text
from sekisho.parse.unpack.office.objects import link_targets
from sekisho.parse.unpack.office.ole_file import CompoundFile
from sekisho.parse.unpack.office.remote import tell_target
from sekisho.parse.unpack.office.rows import Sheet
from sekisho.parse.unpack.office.sheets import tell_names
from sekisho.parse.unpack.office.xlm import tell_xlm
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, Opening

_CONTINUE, _BOF, _EOF, _FILEPASS = 0x3C, 0x0809, 0x0A, 0x2F
_BOUNDSHEET, _SST, _NAME, _SUPBOOK, _EXTERNSHEET = 0x85, 0xFC, 0x18, 0x01AE, 0x17
_LABELSST, _NUMBER, _RK, _MULRK, _FORMULA, _STRING, _LABEL, _RSTRING = (
    0xFD,
    0x203,
    0x27E,
    0xBD,
    0x06,
    0x207,
    0x204,
    0xD6,
)
_TXO, _HLINK, _HEADER, _FOOTER, _XF, _FORMAT, _CODEPAGE, _DATE1904, _NOTE = (
    0x1B6,
    0x1B8,
    0x14,
    0x15,
    0xE0,
    0x41E,
    0x42,
    0x22,
    0x1C,
)
_EXTERNNAME = 0x23
_STATES = ("visible", "hidden", "veryHidden", "hidden")
_AUTOMATIC = {1: "Auto_Open", 2: "Auto_Close", 10: "Auto_Activate", 11: "Auto_Deactivate"}
_MOST_RECORDS = 4_000_000
_HYPERLINK_CALL = re.compile(rb"[\x22\x42\x62][\x00-\xff]\x67\x01", re.DOTALL)


class _Book(Struct):
    """What is known of the workbook so far; cells are gathered by row of the sheet being read."""

    opening: Opening
    version: int = 8
    codepage: int = 1252
    from_1904: bool = False
    strings: list[str] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)
    formats: list[Format | None] = field(default_factory=list)
    sheets: dict[int, Sheet] = field(default_factory=dict)
    macro_starts: set[int] = field(default_factory=set)
    names: list[tuple[str, bytes]] = field(default_factory=list)
    automatic: list[str] = field(default_factory=list)
    external: list[str] = field(default_factory=list)
    macros: list[Sheet] = field(default_factory=list)
    sheet: Sheet | None = None
    is_macro: bool = False
    depth: int = 0
    row: int = -1
    cells: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_workbook_stream(opening: Opening, file: CompoundFile) -> None:
    """Report text by sheet, links and macros. Raises EncryptedError, CorruptError."""
    stream = file.read("Workbook") or file.read("Book")
    book = _Book(opening)
    for start, kind, data, more in _records(stream, opening):
        handler = _HANDLERS.get(kind)
        if kind == _BOF:
            _begin(book, start, data)
        elif kind == _EOF:
            _end(book)
        elif kind == _FILEPASS:
            raise EncryptedError("the workbook needs a password")
        elif handler:
            try:
                handler(book, data, more)
            except (struct.error, IndexError):
                continue
    _end(book)
    _finish(book)
    if not book.version or not stream:
        raise CorruptError("not a workbook")


def _records(stream: bytes, opening: Opening) -> Iterator[tuple[int, int, bytes, list[bytes]]]:
    """Offset, kind and content of each record, with those that continue it (MS-XLS 2.1.4)."""
    at = 0
    size = len(stream)
    for number in range(_MOST_RECORDS):
        if at + 4 > size:
            return
        if not number & 4095:
            opening.budget.check_time()
        start = at
        kind, length = struct.unpack_from("<HH", stream, at)
        data = stream[at + 4 : at + 4 + length]
        at += 4 + length
        more: list[bytes] = []
        while stream[at : at + 2] == b"\x3c\0" and at + 4 <= size:
            length = stream[at + 2] | stream[at + 3] << 8
            more.append(stream[at + 4 : at + 4 + length])
            at += 4 + length
        yield start, kind, data, more


def _begin(book: _Book, start: int, data: bytes) -> None:
    book.depth += 1
    kind = data[2] | data[3] << 8 if len(data) >= 4 else 0
    if book.depth == 1 and data[:2] == b"\0\x05":
        book.version = 5
    if kind == 0x05 or book.depth > 1:  # the globals; a chart in a sheet
        return
    book.sheet = book.sheets.get(start) or Sheet("")
    book.sheet.room = book.opening.budget.text_chars + 1
    book.is_macro = kind == 0x40 or start in book.macro_starts
    if book.is_macro:
        book.macros.append(book.sheet)


def _end(book: _Book) -> None:
    book.depth = max(0, book.depth - 1)
    if book.depth or book.sheet is None:
        return
    _flush(book)
    sheet = book.sheet
    book.opening.text("\n".join(sheet.lines), sheet.name)
    book.opening.text("\n".join(book.notes), "comments")
    if not book.is_macro:
        for formula in sheet.formulas:
            tell_formula(book.opening, formula)
    book.sheet, book.notes, book.row = None, [], -1


def _flush(book: _Book) -> None:
    if book.cells and book.sheet:
        book.sheet.add(book.cells)
    book.cells = []


def _finish(book: _Book) -> None:
    names = [(name, formula_text(tokens, book.version)) for name, tokens in book.names]
    tell_names(book.opening, names)
    book.opening.text("\n".join(book.external), "external")
    if book.macros:
        formulas = [formula for sheet in book.macros for formula in sheet.formulas]
        hidden = any(sheet.state != "visible" for sheet in book.macros)
        tell_xlm(book.opening, formulas, automatic=book.automatic, hidden=hidden)


def _cell(book: _Book, row: int, text: str) -> None:
    if row != book.row:
        _flush(book)
        book.row = row
    if text:
        book.cells.append(text)


def _shown(book: _Book, style: int, number: float) -> str:
    text = float_text(number)
    shown = book.formats[style] if style < len(book.formats) else None
    return shown(text) if shown else text


def _boundsheet(book: _Book, data: bytes, _more: list[bytes]) -> None:
    start, state, kind = struct.unpack_from("<IBB", data)
    book.sheets[start] = Sheet(short_string(data[6:], book.version, book.codepage), _STATES[state & 3])
    if kind == 1:
        book.macro_starts.add(start)


def _sst(book: _Book, data: bytes, more: list[bytes]) -> None:
    book.strings = shared_strings(Strings([data, *more]), book.opening.budget)


def _label_sst(book: _Book, data: bytes, _more: list[bytes]) -> None:
    row, _, _, number = struct.unpack_from("<HHHI", data)
    _cell(book, row, book.strings[number] if number < len(book.strings) else "")


def _number(book: _Book, data: bytes, _more: list[bytes]) -> None:
    row, _, style, number = struct.unpack_from("<HHHd", data)
    _cell(book, row, _shown(book, style, number))


def _rk(book: _Book, data: bytes, _more: list[bytes]) -> None:
    row, _, style, number = struct.unpack_from("<HHHI", data)
    _cell(book, row, _shown(book, style, rk_number(number)))


def _mulrk(book: _Book, data: bytes, _more: list[bytes]) -> None:
    (row,) = struct.unpack_from("<H", data)
    for style, number in struct.iter_unpack("<HI", data[4 : 4 + (len(data) - 6) // 6 * 6]):
        _cell(book, row, _shown(book, style, rk_number(number)))


def _formula(book: _Book, data: bytes, _more: list[bytes]) -> None:
    row, _, style = struct.unpack_from("<HHH", data)
    if data[12:14] != b"\xff\xff":
        (number,) = struct.unpack_from("<d", data, 6)
        _cell(book, row, _shown(book, style, number))
    else:
        _cell(book, row, "")
    (size,) = struct.unpack_from("<H", data, 20)
    tokens = data[22 : 22 + size]
    if book.sheet and (book.is_macro or _HYPERLINK_CALL.search(tokens)):
        book.sheet.formulas.append(formula_text(tokens, book.version, lambda _l, n: _name(book, n)))


def _name(book: _Book, number: int) -> str:
    return book.names[number - 1][0] if 0 < number <= len(book.names) else f"NAME{number}"


def _string(book: _Book, data: bytes, more: list[bytes]) -> None:
    _cell(book, book.row, wide_string([data, *more], book.version, book.codepage))


def _label(book: _Book, data: bytes, more: list[bytes]) -> None:
    (row,) = struct.unpack_from("<H", data)
    _cell(book, row, wide_string([data[6:], *more], book.version, book.codepage))


def _page_text(book: _Book, data: bytes, _more: list[bytes]) -> None:
    if data and book.sheet:
        text = wide_string([data], 8, book.codepage) if book.version == 8 else short_string(data, 5, book.codepage)
        book.sheet.lines.append(text)


def _txo(book: _Book, _data: bytes, more: list[bytes]) -> None:
    """A text box or note: its characters are in the first record that continues it (MS-XLS 2.4.329)."""
    if more and len(more[0]) > 1:
        book.notes.append(more[0][1:].decode("utf-16-le" if more[0][0] & 1 else "latin-1", "replace"))


def _note(book: _Book, data: bytes, _more: list[bytes]) -> None:
    if book.version == 5 and len(data) > 6:
        book.notes.append(_bytes_text(data[6:], book.codepage))


def _bytes_text(octets: bytes, codepage: int) -> str:
    try:
        return octets.decode(f"cp{codepage}", "replace")
    except LookupError:
        return octets.decode("cp1252", "replace")


def _hlink(book: _Book, data: bytes, _more: list[bytes]) -> None:
    for target in link_targets(data):
        tell_target(book.opening, "hyperlink", target)


def _defined(book: _Book, data: bytes, _more: list[bytes]) -> None:
    """MS-XLS 2.4.150: name and formula; a builtin name is one character, a number."""
    flags, _, length, size = struct.unpack_from("<HBBH", data)
    if book.version == 8:
        wide = data[14] & 1
        end = 15 + (2 * length if wide else length)
        name = data[15:end].decode("utf-16-le" if wide else "latin-1", "replace")
    else:
        end = 14 + length
        name = _bytes_text(data[14:end], book.codepage)
    if flags & 0x20:
        name = _AUTOMATIC.get(ord(name[0]) if name else 0, f"_builtin{ord(name[0]) if name else 0}")
    book.names.append((name, data[end : end + size]))
    if re.match(r"(?i)auto_", name):
        book.automatic.append(name)


def _supbook(book: _Book, data: bytes, _more: list[bytes]) -> None:
    """Another workbook, or service and topic with a mark between of DDE and OLE links (MS-XLS 2.5.277)."""
    count, length = struct.unpack_from("<HH", data)
    if length in (0x0401, 0x3A01) or book.version != 8:
        return
    text = data[5 : 5 + (2 * length if data[4] & 1 else length)]
    _external(book, text.decode("utf-16-le" if data[4] & 1 else "latin-1", "replace"), has_sheets=count > 0)


def _externsheet(book: _Book, data: bytes, _more: list[bytes]) -> None:
    if book.version == 5 and len(data) > 2:
        _external(book, _bytes_text(data[1:], book.codepage), has_sheets=False)


def _external(book: _Book, path: str, *, has_sheets: bool) -> None:
    service, mark, topic = path.partition("\x03")
    if mark and service and not has_sheets:
        if "." in service and not service.lower().endswith(".exe"):
            book.external.append(f"{service} {topic}")
        else:
            tell_dde(book.opening, f"{service} {topic}")
    elif len(path) > 2 and service:
        book.external.append(re.sub(r"[\x00-\x1f]", " ", path).strip())


def _codepage(book: _Book, data: bytes, _more: list[bytes]) -> None:
    (book.codepage,) = struct.unpack_from("<H", data)


def _date1904(book: _Book, data: bytes, _more: list[bytes]) -> None:
    book.from_1904 = data[:1] == b"\x01"


def _format(book: _Book, data: bytes, _more: list[bytes]) -> None:
    (number,) = struct.unpack_from("<H", data)
    code = wide_string([data[2:]], 8, 1252) if book.version == 8 else short_string(data[2:], 5, book.codepage)
    book.codes[number] = code[:200]


def _xf(book: _Book, data: bytes, _more: list[bytes]) -> None:
    (number,) = struct.unpack_from("<H", data, 2)
    book.formats.append(format_of(number, book.codes.get(number, ""), from_1904=book.from_1904))


_HANDLERS = {
    _BOUNDSHEET: _boundsheet, _SST: _sst, _LABELSST: _label_sst, _NUMBER: _number, _RK: _rk, _MULRK: _mulrk,
    _FORMULA: _formula, _STRING: _string, _LABEL: _label, _RSTRING: _label, _TXO: _txo, _HLINK: _hlink,
    _HEADER: _page_text, _FOOTER: _page_text, _NAME: _defined, _SUPBOOK: _supbook, _EXTERNSHEET: _externsheet,
    _CODEPAGE: _codepage, _DATE1904: _date1904, _FORMAT: _format, _XF: _xf, _NOTE: _note,
}  # fmt: skip
