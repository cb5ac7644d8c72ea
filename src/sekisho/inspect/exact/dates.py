"""Dates in the forms that people write them in, Japanese eras included, as "19750401"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.inspect.exact.plain import DASHES, DIGIT, arabic, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
_ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018,
         "m": 1867, "t": 1911, "s": 1925, "h": 1988, "r": 2018}  # fmt: skip
_ERA = re.compile(r"(?:(明治|大正|昭和|平成|令和)|(?:^|[^a-z])([mtshr]))[. ]?\Z")
_MONTH_BEFORE = re.compile(r"(?:^|[^a-z])(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? {1,2}\Z")

_SEPARATOR = rf"[{DASHES}/.\uff0f\uff0e]"
_SHAPE = re.compile(
    rf"([{DIGIT}]{{1,4}})(?:"
    rf" ?(?:年|{_SEPARATOR}) ?([{DIGIT}]{{1,2}}) ?(?:月|{_SEPARATOR}) ?([{DIGIT}]{{1,4}})"
    rf"|(?:st|nd|rd|th)?[ {DASHES}](?:of )?([A-Za-z]{{3,9}})\.?,?[ {DASHES}]([0-9]{{4}})"
    rf"|(?:st|nd|rd|th)?, ?([0-9]{{4}})"
    rf")(?![{DIGIT}])"
)
_COMPACT = re.compile(rf"[{DIGIT}]{{8}}(?![{DIGIT}])")


def dates_at(text: str, start: int) -> tuple[str, ...]:
    """What a date that begins with the digit at `start` may mean: two where day and month may be either."""
    match = _SHAPE.match(text, start)
    if match is None:
        compact = _COMPACT.match(text, start)
        return _known(*_split(plain(compact[0]))) if compact else ()
    if match[6]:
        named = _MONTH_BEFORE.search(plain(text[max(0, start - 12) : start]))
        return _known(match[6], _MONTHS[named[1]], match[1]) if named else ()
    if match[4]:
        month = _MONTHS.get(match[4][:3].lower())
        return _known(match[5], month, match[1]) if month else ()
    return _numeric(text, start, *match.group(1, 2, 3))


def date_of(value: str, *, day_first: bool) -> str:
    """The date that a cell holds, "" where it holds none. `day_first` says what 04/05/1975 means."""
    value = arabic(plain(value)).strip()
    for match in re.finditer(r"[0-9]+", value[:40]):
        found = dates_at(value, match.start())
        if found:
            return found[0] if day_first or len(found) == 1 else found[1]
    return ""


def day_comes_first(values: list[str]) -> bool:
    """Whether a column of dates that end with the year begins them with the day."""
    first = [m for m in map(re.compile(r"\s*([0-9]{1,2})[/.-]([0-9]{1,2})[/.-][0-9]{4}").match, values) if m]
    if any(int(m[2]) > 12 for m in first):
        return False
    return any(int(m[1]) > 12 for m in first)


def _numeric(text: str, start: int, one: str, two: str, three: str) -> tuple[str, ...]:
    if len(three) > 2:
        return _known(three, two, one) + (_known(three, one, two) if one != two else ()) if len(three) == 4 else ()
    if len(one) <= 2:
        era = _ERA.search(plain(text[max(0, start - 4) : start]))
        return _known(_ERAS[era[1] or era[2]] + int(one), two, three) if era else ()
    return _known(one, two, three)


def _split(digits: str) -> Iterator[str]:
    yield from (digits[:4], digits[4:6], digits[6:])


def _known(year: str | int, month: str | int, day: str | int) -> tuple[str, ...]:
    y, m, d = int(year), int(month), int(day)
    return (f"{y:04}{m:02}{d:02}",) if 1868 <= y <= 2100 and 1 <= m <= 12 and 1 <= d <= 31 else ()
