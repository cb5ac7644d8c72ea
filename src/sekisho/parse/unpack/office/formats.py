"""Numbers of sheets as people see them: dates, leading zeros, whole numbers without exponent."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from lxml import etree

from sekisho.parse.unpack.office.markup import attribute, elements, local
from sekisho.parse.unpack.opening import Budget

Format = Callable[[str], str]
_DATES = {*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)}  # ECMA-376 part 1, 18.8.30, East Asian too
_QUOTED = re.compile(r'"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]|_.|\*.')
_ZEROS = re.compile(r"0{2,}(?:-0+)*$|0(?:-0+)+$")
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - sheets know no time zones
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001


def number_text(value: str) -> str:
    """A number as written in a file, without exponent if it is whole: "4.1E+15" becomes "4100000000000000"."""
    if "E" in value or "e" in value:
        try:
            number = float(value)
        except ValueError:
            return value
        return str(int(number)) if number.is_integer() and abs(number) < 1e21 else value
    return value


def float_text(number: float) -> str:
    """The same for a number that is one already."""
    if number == number and abs(number) < 1e21 and number == int(number):  # noqa: PLR0124 - not for NaN
        return str(int(number))
    return repr(number)


@lru_cache(maxsize=20_000)
def date_text(value: str) -> str:
    """A day number since 1900 as "2026-03-31", with the time if there is one."""
    try:
        number = float(value)
        moment = _EPOCH + timedelta(days=number)
    except (ValueError, OverflowError):
        return value
    if 0 <= number < 1:
        return moment.time().isoformat("seconds")
    return moment.date().isoformat() if number == int(number) else moment.isoformat(" ", "seconds")


def date_text_1904(value: str) -> str:
    """The same for workbooks that count from 1904."""
    try:
        return date_text(str(float(value) + (_EPOCH_1904 - _EPOCH).days))
    except ValueError:
        return value


def format_of(number: int, code: str, *, from_1904: bool = False) -> Format | None:
    """How a number format shows a number, if that matters: dates, and codes of nothing but zeros and hyphens."""
    if number in _DATES:
        return date_text_1904 if from_1904 else date_text
    bare = _QUOTED.sub("", code).partition(";")[0] if code else ""
    if re.search(r"[ydhs]|m(?!\w*0)|g{1,3}|e", bare, re.IGNORECASE) and not re.search(
        r"general|0|#", bare, re.IGNORECASE
    ):
        return date_text_1904 if from_1904 else date_text
    zeros = code.replace("\\-", "-").replace('"-"', "-")
    return _padded(zeros) if _ZEROS.match(zeros) else None


def _padded(code: str) -> Format:
    groups = [len(group) for group in code.split("-")]

    def shown(value: str) -> str:
        text = number_text(value)
        if not text.isdecimal() or len(text) > 40:
            return text
        text = text.zfill(min(sum(groups), 40))
        pieces: list[str] = []
        for size in reversed(groups[1:]):
            text, piece = text[:-size], text[-size:]
            pieces.insert(0, piece)
        return "-".join([text, *pieces])

    return shown


def formats_of(data: bytes, budget: Budget, *, from_1904: bool) -> dict[str, Format]:
    """By cell style number (the attribute `s`): how it shows numbers. From the styles part. Raises CorruptError."""
    codes: dict[int, str] = {}
    found: dict[str, Format] = {}
    number = -1
    for element in elements(data, ["{*}numFmt", "{*}xf"], budget, keep=True):
        parent = element.getparent()
        if local(element) == "numFmt":
            codes[_number(element, "numFmtId")] = attribute(element, "formatCode")[:200]
        elif parent is not None and local(parent) == "cellXfs":
            number += 1
            identity = _number(element, "numFmtId")
            shown = format_of(identity, codes.get(identity, ""), from_1904=from_1904)
            if shown:
                found[str(number)] = shown
    return found


def _number(element: etree._Element, name: str) -> int:
    text = attribute(element, name)
    return int(text) if text.isdecimal() and len(text) < 10 else 0
