"""Which column of a list holds what: by what its heading says and what its first values look like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

from msgspec import Struct

from sekisho.inspect.exact.dates import day_comes_first
from sekisho.inspect.exact.normalise import FIELD_TYPES, FieldType, canonical
from sekisho.inspect.exact.plain import has_cjk, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ColumnType = Literal["name", "surname", "given", "phone", "email", "number", "date", "address", "text", "ignore"]
COLUMN_TYPES: tuple[ColumnType, ...] = get_args(ColumnType)

_MOST_LOOKED_AT = 500
_ENOUGH = 0.8  # of the values must be of a type
_READING = r"(?:\W*(?:カナ|かな|フリガナ|ふりがな)\W*)?"
_WORDS: dict[ColumnType, str] = {
    "email": r"e-?mail|メール|mail",
    "phone": r"電話|tel\b|phone|携帯|fax|ファックス|mobile",
    "date": r"年月日|日付|誕生|\bdate|birth|dob\b|入社日|登録日",
    "number": r"郵便番号|番号|コード|\bzip|postal|post ?code|\bid\b|_id\b|\bno\b\.?|number|code",
    "address": r"住所|所在地|address|street",
    "surname": rf"\A(?:姓{_READING}|苗字|名字|氏|セイ|せい)\Z|(?:sur|last|family)[ _]?name",
    "given": rf"\A(?:名{_READING}|メイ|めい)\Z|(?:given|first)[ _]?name|forename",
    "text": r"会社|企業|法人|団体|部署|部門|役職|所属|company|organi[sz]ation|department|title|備考|note",
    "name": r"氏名|名前|姓名|担当|様|フリガナ|ふりがな|カナ|かな|\bname",
}
_HEADINGS = tuple((kind, re.compile(words)) for kind, words in _WORDS.items())
# Surname and given name with a space between them; without a heading nothing else is taken for a name.
_NAME = re.compile(r"\s*[\u3005\u3040-\u30ff\u3400-\u9fff]{1,5}\s[\u3005\u3040-\u30ff\u3400-\u9fff]{1,5}\s*")


class Field(Struct, frozen=True):
    """What is looked for: the cells of one column, or surname and given name of two. `sources` count from 0."""

    name: str
    type: FieldType
    sources: tuple[int, ...]
    day_first: bool = False

    def value(self, cells: Sequence[str]) -> str:
        """The value that a row has, "" where the row is shorter."""
        if len(self.sources) == 1:
            return cells[self.sources[0]] if self.sources[0] < len(cells) else ""
        parts = [cells[source].strip() for source in self.sources if source < len(cells)]
        return " ".join(parts) if all(parts) else ""

    def canonical(self, cells: Sequence[str]) -> str:
        """What the row's value is kept by, "" for none."""
        value = self.value(cells)
        return canonical(self.type, value, day_first=self.day_first) if value else ""


def fields_of(
    headings: Sequence[str], sample: Sequence[Sequence[str]], given: Mapping[str, ColumnType]
) -> tuple[Field, ...]:
    """The fields of a list, in the order of their columns; `given` has types by heading."""
    types: list[ColumnType] = []
    columns = [[row[n] for row in sample if n < len(row) and row[n].strip()] for n in range(len(headings))]
    for heading, values in zip(headings, columns, strict=True):
        types.append(given.get(heading) or _guess(heading, values[:_MOST_LOOKED_AT]))
    return tuple(_fields(headings, types, columns))


def looks_like_data(headings: Sequence[str]) -> bool:
    """Whether the first row is no row of headings: one cell is an address, a date, a number, a name or a place."""
    kinds: tuple[FieldType, ...] = ("email", "date", "phone", "number")
    if any(canonical(kind, heading) for heading in headings for kind in kinds):
        return True
    unknown = [heading for heading in headings if _said(heading) is None]
    return any(_NAME.fullmatch(heading) or canonical("address", heading) for heading in unknown)


def _said(heading: str) -> ColumnType | None:
    """What a heading says that its column holds."""
    shown = plain(heading).strip()
    return next((kind for kind, words in _HEADINGS if words.search(shown)), None)


def _fields(headings: Sequence[str], types: Sequence[ColumnType], columns: Sequence[list[str]]) -> Iterator[Field]:
    waiting: dict[ColumnType, int] = {}
    for number, (heading, kind) in enumerate(zip(headings, types, strict=True)):
        if kind in ("surname", "given"):
            other = waiting.pop("given" if kind == "surname" else "surname", None)
            if other is None:
                waiting[kind] = number
            else:
                pair = (number, other) if kind == "surname" else (other, number)
                yield Field(f"{headings[pair[0]]}+{headings[pair[1]]}", "name", pair)
        elif kind in FIELD_TYPES:
            day_first = kind == "date" and day_comes_first(columns[number])
            yield Field(heading, kind, (number,), day_first)
    yield from (Field(headings[number], "name", (number,)) for number in waiting.values())


def _guess(heading: str, values: Sequence[str]) -> ColumnType:
    said = _said(heading)
    if not values:
        return said or "text"
    if said in ("surname", "given", "text") or (said and _share(said, values) >= _ENOUGH):
        return said
    for kind in ("email", "date", "phone", "number"):
        if _share(kind, values) >= _ENOUGH:
            return kind
    if sum(1 for value in values if _NAME.fullmatch(value)) >= _ENOUGH * len(values):
        return "name"
    return "address" if _share("address", values) >= _ENOUGH and any(map(has_cjk, values)) else "text"


def _share(kind: ColumnType, values: Sequence[str]) -> float:
    """The share of the values that may be of a type; for a date of those with other signs than digits in them."""
    if kind not in FIELD_TYPES:
        return 0.0
    return sum(1 for value in values if canonical(kind, value)) / len(values)
