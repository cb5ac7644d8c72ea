"""Rows of a sheet in plain SpreadsheetML, read by expressions over thousands of cells at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from msgspec import Struct, field

from sekisho.parse.unpack.office.formats import Format, number_text
from sekisho.parse.unpack.opening import Budget

_FORMULA = r"(?:<f[^>]*+>(?:(?<=/>)|[^<]*+</f>))?+"
# Style and type of a cell, with its attributes in any order.
_CELL = re.compile(
    r'<c(?:(?=[^<>]*? s="([^"]*)")|)(?:(?=[^<>]*? t="([^"]*)")|)(?: [\w:.]+="[^"<>&]*")*'
    rf">{_FORMULA}<v></v></c>"
)
_EMPTY_CELL = re.compile(rf"<c(?: [^<>]*+)?>(?:(?<=/>)|{_FORMULA}(?:<v></v>|<v/>)?</c>)")
_INLINE = re.compile(r"<is><t(?: [^<>]*)?>([^<]*)</t></is>")
_PREFIX = re.compile(r"xmlns:[^=<>\"']{1,80}=\s*(?:\"([^\"<&]*)\"|'([^'<&]*)')")
_SPACES = frozenset((
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main",
))  # fmt: skip
_FORMULAS = re.compile(r"<f(?:\s[^<>]*)?>([^<]+)</f>")
_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ESCAPED = re.compile(r"_x([0-9A-F]{4})_")
_END = "\x1e"  # in place of a row's end: no XML contains it
_INLINED = "\x1f"  # in front of a text that stood inside of its cell
_REFERRED_END, _BARE_END = (f"<c{reference}><v>{_END}</v></c>" for reference in (' r=""', ""))
_AT_ONCE = 131_072  # characters
_MOST_AT_ONCE = 4_000_000


class Sheet(Struct):
    """A sheet: `name` as in the workbook, `state` "visible", "hidden" or "veryHidden", its text and formulas."""

    name: str
    state: str = "visible"
    lines: list[str] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)
    room: int = 8_000_000

    def add(self, cells: list[str]) -> None:
        """A row, as far as there is room: cells of a few octets may each stand for the same long string."""
        cells = self._fitting(cells)
        if cells:
            self.lines.append("\t".join(cells))

    def _fitting(self, cells: list[str]) -> list[str]:
        """The cells that have room, the last one cut; the room is theirs."""
        size = sum(map(len, cells))
        if size <= self.room:
            self.room -= size
            return cells
        kept = []
        for cell in cells:
            if self.room <= 0:
                break
            kept.append(cell[: self.room])
            self.room -= len(kept[-1])
        return kept

    def add_rows(self, cells: list[str]) -> None:
        """Rows that are each ended by the mark of `rows.add_rows`."""
        cells = self._fitting(cells)
        if not cells:
            return
        rows = "\t".join(cells).split(_END)
        rows[0] = f"\t{rows[0]}"
        rows[-1] = f"{rows[-1]}\t"
        self.lines += [row[1:-1] for row in rows if len(row) > 1]  # in between, each row has a tab at both ends


class Book(dict[str, str]):
    """What the cells of all sheets share: `strings` by their number as cells write it, `formats` by style.

    As a mapping: what a cell shows, by what is written between its reference and its end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strings: dict[str, str] = {}
        self.formats: dict[str, Format] = {}
        self._kinds: dict[str, tuple[str, str]] = {}  # style and type, by what is written of a cell before its value

    def value(self, style: str, kind: str, value: str) -> str:
        """What a cell shows (ECMA-376 part 1, 18.18.11); all three without character references."""
        if kind == "s":
            string = self.strings.get(value)
            return self.strings.get(_whole(value), "") if string is None else string
        if kind in ("", "n"):
            shown = self.formats.get(style) or (self.formats.get(_whole(style)) if style else None) or number_text
            return shown(value.strip())
        if kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        return unescaped(value)

    def __missing__(self, written: str) -> str:
        """Raises ValueError where this is not read here."""
        before, _, value = written.rpartition("<v>")
        style, kind = self._kinds.get(before) or self._kind(before)
        if value.startswith(_INLINED):
            if kind != "inlineStr":
                raise ValueError(kind)
            value = value[1:]
        shown = self.value(style, kind, referred(value)).replace(_END, " ")
        self[written] = shown
        return shown

    def _kind(self, before: str) -> tuple[str, str]:
        cell = _CELL.fullmatch(f"<c{before}<v></v></c>")
        if not cell:
            raise ValueError(before)
        style, kind = cell.groups("")
        if "<f" not in before:
            self._kinds[before] = style, kind
        return style, kind


def add_rows(text: str, sheet: Sheet, book: Book, budget: Budget) -> bool:
    """Read the rows in the characters of a sheet; False, with nothing added, where this does not see every cell."""
    if _END in text or may_have_prefixed_names(text):
        return False
    if _add(text, sheet, book, budget):
        return True
    return "<is>" in text and _add(_INLINE.sub(rf"<v>{_INLINED}\1</v>", text), sheet, book, budget)


def may_have_prefixed_names(text: str) -> bool:
    """Whether a prefix stands for the name space of sheets, or for one that cannot be told."""
    at = text.find("xmlns:")
    while at >= 0:
        bound = _PREFIX.match(text, at)
        if not bound or (bound[1] or bound[2] or "").strip() in _SPACES:
            return True
        at = text.find("xmlns:", bound.end())
    return False


def _add(text: str, sheet: Sheet, book: Book, budget: Budget) -> bool:
    typed = ' t="n"' in text[:_AT_ONCE]
    for reference, end in ((' r="[^"]*+"', _REFERRED_END), ('(?: r="[^"]*+")?', _BARE_END)):
        expression = _cells(reference, frozenset(book.formats), typed=typed)
        trial = Sheet(sheet.name, sheet.state, room=sheet.room)
        try:
            for piece in _pieces(text):
                budget.check_time()
                trial.add_rows(_shown(end.join(piece.split("</row>")), expression, book))
        except ValueError:
            continue
        sheet.lines, sheet.room = trial.lines, trial.room
        return True
    return False


@lru_cache(maxsize=64)
def _cells(reference: str, formatted: frozenset[str], *, typed: bool) -> re.Pattern[str]:
    """An expression whose one group is the value of a number, of other cells all that is behind the reference.

    A number here has nothing but digits, signs and a point. `formatted` are the styles that do not show a number as
    it is written; `typed`: numbers may say their type.
    """
    other = f'(?!0[0-9]|(?:{"|".join(sorted(formatted))})")'
    kind = '(?: t="n")?+' if typed else ""
    number = rf'(?: s="{other}[0-9]++")?{kind}>{_FORMULA}<v>'
    return re.compile(rf"<c{reference}(?:{number})?([-+.0-9{_END}]++|[^<]++(?<=>){_FORMULA}<v>[^<]++)</v></c>")


def _pieces(text: str) -> Iterator[str]:
    """The rows, many at once. Raises ValueError where a row is overlong or there are none."""
    at, last = text.find("<sheetData"), text.rfind("</sheetData")
    last = last if last >= 0 else len(text)
    if at < 0:
        raise ValueError
    while at < last:
        end = text.find("</row>", at + _AT_ONCE, last) + len("</row>")
        end = end if end >= len("</row>") else last
        if end - at > _MOST_AT_ONCE:
            raise ValueError
        yield text[at:end]
        at = end


def _shown(rows: str, expression: re.Pattern[str], book: Book) -> list[str]:
    """What the cells show. Raises ValueError where one was not seen."""
    cells = expression.findall(rows)
    there = rows.count("<c")
    if len(cells) != there and len(cells) != there - len(_EMPTY_CELL.findall(rows)):
        raise ValueError
    return [book[cell] if "<" in cell else cell for cell in cells]


def formulas_in(text: str) -> Iterable[str]:
    """The formulas in the characters of a sheet."""
    return map(unescape, _FORMULAS.findall(text))


def unescape(text: str) -> str:
    """Character references of XML, and Excel's own "_x000D_"."""
    return unescaped(referred(text))


def referred(text: str) -> str:
    """What the character references of XML stand for."""
    return _ENTITY.sub(_entity, text) if "&" in text else text


def unescaped(text: str) -> str:
    """What Excel's own references stand for: "_x000D_" (ECMA-376 part 1, 22.9.2.19)."""
    return _ESCAPED.sub(lambda m: _character(int(m.group(1), 16)), text) if "_x" in text else text


def _whole(number: str) -> str:
    """The number of a string or a style as it is counted here: "0" for "00" or " 0"."""
    return number.strip().lstrip("0") or "0"


def _entity(match: re.Match[str]) -> str:
    code, number, name = match.groups()
    return _NAMED[name] if name else _character(int(code, 16) if code else int(number))


def _character(code: int) -> str:
    return chr(code) if 0 < code < 0xD800 or 0xE000 <= code < 0x110000 else ""
