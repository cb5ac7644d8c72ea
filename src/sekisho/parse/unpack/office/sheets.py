"""Workbooks in XML (SpreadsheetML): the cells of every sheet as lines with tabs, formulas, names, links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from sekisho.parse.unpack.office.fields import tell_dde, tell_formula
from sekisho.parse.unpack.office.formats import formats_of
from sekisho.parse.unpack.office.markup import attribute, elements, local
from sekisho.parse.unpack.office.parts import Parts
from sekisho.parse.unpack.office.relations import Relation, Relations
from sekisho.parse.unpack.office.rows import (
    Book,
    Sheet,
    add_rows,
    formulas_in,
    may_have_prefixed_names,
    unescape,
    unescaped,
)  # fmt: skip
from sekisho.parse.unpack.office.xlm import tell_xlm
from sekisho.parse.unpack.opening import CorruptError, Opening

_STRING = re.compile(r"<t(?: [^<>]*)?>([^<]*)</t>|(</si>|<si/>)")
_SIMPLE_STRING = re.compile(r"<si><t(?: [^<>]*)?>([^<]*)</t></si>")
_LOOK_AT = ("hyperlink", "webservice", "image", "import", "dde", "|")  # what `tell_formula` judges
_PAGE_TEXT = ("{*}oddHeader", "{*}oddFooter", "{*}evenHeader", "{*}evenFooter", "{*}firstHeader", "{*}firstFooter")
_PAGE = re.compile(r"<(?:odd|even|first)(?:Header|Footer)(?:\s[^<>]*)?>([^<]*)<")


def read_workbook(opening: Opening, parts: Parts, relations: Relations, main: str) -> None:
    """Text by sheet, hidden sheets too, links and DDE of formulas, and Excel 4.0 macros."""
    sheets: dict[str, Sheet] = {}
    names: list[tuple[str, str]] = []
    from_1904 = False
    try:
        for element in elements(parts.read(main), ["{*}sheet", "{*}definedName", "{*}workbookPr"], opening.budget):
            kind = local(element)
            if kind == "sheet":
                identity = next((str(v) for k, v in element.attrib.items() if str(k).endswith("}id")), "")
                state = attribute(element, "state") or "visible"
                sheets.setdefault(identity, Sheet(attribute(element, "name"), state))
            elif kind == "definedName":
                names.append((attribute(element, "name"), element.text or ""))
            else:
                from_1904 = attribute(element, "date1904") in ("1", "true")
    except CorruptError:
        parts.broken(main)
    book = _book(opening, parts, relations, main, from_1904=from_1904)
    macro_sheets = []
    for relation in sheet_relations(relations, main):
        sheet = sheets.get(relation.name) or Sheet(relation.target.rpartition("/")[2])
        if _read_sheet(opening, parts, relation, sheet, book):
            macro_sheets.append(sheet)
    tell_names(opening, names)
    if macro_sheets:
        _tell_macro_sheets(opening, macro_sheets, names)


def tell_names(opening: Opening, names: Iterable[tuple[str, str]]) -> None:
    """Defined names of a workbook as text, and what their formulas reach."""
    lines = []
    for name, formula in names:
        if not name.startswith("_xlnm._FilterDatabase"):
            lines.append(f"{name}\t{formula}")
            tell_formula(opening, formula)
    opening.text("\n".join(lines), "names")


def _tell_macro_sheets(opening: Opening, sheets: list[Sheet], names: list[tuple[str, str]]) -> None:
    automatic = [name for name, _ in names if re.match(r"(?i)(?:_xlnm\.)?auto_", name)]
    formulas = [formula for sheet in sheets for formula in sheet.formulas]
    tell_xlm(opening, formulas, automatic=automatic, hidden=any(sheet.state != "visible" for sheet in sheets))


def sheet_relations(relations: Relations, main: str) -> Iterator[Relation]:
    """The relations of a workbook to its sheets, each sheet once."""
    read = set[str]()
    for relation in relations.of(main):
        if relation.kind.endswith("sheet") and not relation.external and relation.target.lower() not in read:
            read.add(relation.target.lower())
            yield relation


def _book(opening: Opening, parts: Parts, relations: Relations, main: str, *, from_1904: bool) -> Book:
    targets = {r.kind: r.target for r in relations.of(main)}
    book = Book()
    try:
        strings = shared_strings(opening, parts.read(targets.get("sharedstrings", "")))
        book.strings = dict(zip(map(str, range(len(strings))), strings, strict=True))
        styles = parts.read(targets.get("styles", ""))
        book.formats = formats_of(styles, opening.budget, from_1904=from_1904) if styles else {}
    except CorruptError:
        parts.broken("shared strings or styles")
    return book


def shared_strings(opening: Opening, data: bytes) -> list[str]:
    """The shared strings, readings above characters (rPh) left out. Raises CorruptError."""
    if not data:
        return []
    text = _plain_utf8(data, b"<sst")
    if text is not None and not may_have_prefixed_names(text):
        strings = _fast_strings(text)
        if strings is not None:
            return strings
    return [_rich(item) for item in elements(data, ["{*}si"], opening.budget)]


def _plain_utf8(data: bytes, root: bytes) -> str | None:
    """The part as characters if it is the plain XML that Excel writes, which expressions can read faster."""
    start = data[:2048].find(root)
    if start < 0 or _is_decorated(data) or b"encoding" in data[: max(start, 0)].replace(
        b'encoding="UTF-8"', b"").replace(b'encoding="utf-8"', b""):  # fmt: skip
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _is_decorated(data: bytes) -> bool:
    """Whether there are comments, CDATA, a document type or instructions. One octet is found faster than two."""
    if b"!" in data and b"<!" in data:
        return True
    return data.find(b"?", data.find(b"?>") + 2) >= 0 and data.count(b"<?") > 1


def _fast_strings(text: str) -> list[str] | None:
    if "<rPh" in text:
        if text.count("<rPh") != text.count("</rPh>"):
            return None
        first, *others = text.split("<rPh")
        text = first + "".join(piece.partition("</rPh>")[2] for piece in others)
    simple = _SIMPLE_STRING.findall(text)
    if len(simple) == text.count("<si"):
        return [unescape(piece) for piece in simple] if "&" in text or "_x" in text else simple
    found = _STRING.findall(text)
    ends = text.count("</si>") + text.count("<si/>")
    if len(found) - ends != text.count("</t>") or text.count("<si") != ends:
        return None
    strings: list[str] = []
    pieces: list[str] = []
    for piece, end in found:
        if end:
            strings.append(unescape("".join(pieces)) if pieces else "")
            pieces = []
        else:
            pieces.append(piece)
    return strings


def _rich(item: etree._Element) -> str:
    pieces = []
    for run in item.iter("{*}t"):
        parent = run.getparent()
        if parent is None or local(parent) != "rPh":
            pieces.append(run.text or "")
    return unescaped("".join(pieces))


def _read_sheet(opening: Opening, parts: Parts, relation: Relation, sheet: Sheet, book: Book) -> bool:
    """Read one sheet; True if it is one of Excel 4.0 macros."""
    data = parts.read(relation.target)
    macros = "macro" in relation.kind or b"macrosheet" in data[:2048]
    try:
        _read_cells(opening, data, sheet, book)
    except CorruptError:
        parts.broken(relation.target)
    opening.text("\n".join(sheet.lines), sheet.name)
    if not macros:
        _tell_formulas(opening, sheet)
    return macros


def read_lost_sheet(opening: Opening, data: bytes, place: str) -> None:
    """Read a sheet that no workbook names, so that its shared strings are not known. Raises CorruptError."""
    sheet = Sheet(place)
    try:
        _read_cells(opening, data, sheet, Book())
    finally:
        opening.text("\n".join(sheet.lines), place)
        _tell_formulas(opening, sheet)


def _read_cells(opening: Opening, data: bytes, sheet: Sheet, book: Book) -> None:
    sheet.room = opening.budget.text_chars + 1
    text = _plain_utf8(data, b"<worksheet")
    if text is not None and add_rows(text, sheet, book, opening.budget):
        sheet.lines += map(unescape, _PAGE.findall(text, text.rfind("</row>") + 1))
        sheet.formulas += formulas_in(text)
    else:
        _slow_rows(opening, data, sheet, book)


def _tell_formulas(opening: Opening, sheet: Sheet) -> None:
    lower = "\n".join(sheet.formulas).lower()
    if any(word in lower for word in _LOOK_AT):
        for formula in sheet.formulas:
            tell_formula(opening, formula)


def _slow_rows(opening: Opening, data: bytes, sheet: Sheet, book: Book) -> None:
    for row in elements(data, ["{*}row", *_PAGE_TEXT], opening.budget):
        if local(row) != "row":
            sheet.lines.append(unescaped(row.text or ""))
            continue
        shown = []
        for number, cell in enumerate(row.iterchildren("{*}c")):
            if not number & 1023:
                opening.budget.check_time()
            shown.append(_slow_cell(cell, sheet, book))
        sheet.add([piece for piece in shown if piece])


def _slow_cell(cell: etree._Element, sheet: Sheet, book: Book) -> str:
    value = ""
    for child in cell:
        name = local(child)
        if name == "v":
            value = child.text or ""
        elif name == "is":
            return _rich(child)
        elif name == "f" and child.text:
            sheet.formulas.append(unescaped(child.text))
    return book.value(cell.get("s") or "", cell.get("t") or "", value) if value else ""


def read_external_link(opening: Opening, data: bytes) -> None:
    """A link to another workbook or, by DDE, to another program, with what was last read from it."""
    lines = []
    for element in elements(data, ["{*}ddeLink", "{*}oleLink", "{*}v", "{*}val"], opening.budget, keep=True):
        name = local(element)
        if name == "ddeLink":
            tell_dde(opening, f"{attribute(element, 'ddeService')} {attribute(element, 'ddeTopic')}")
        elif name != "oleLink" and element.text:
            lines.append(element.text)
    opening.text("\n".join(lines), "external")
