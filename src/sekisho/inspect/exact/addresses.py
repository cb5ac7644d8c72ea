"""Addresses by what stays of them however they are written: the end of the place's name and the house number.

東京都港区芝公園四丁目2番8号, 港区芝公園4の2の8 芝公園ビル3階        公園|4-2-8
1600 Amphitheatre Parkway, Mountain View                          1600|amphitheatre
Hauptstraße 12, 10827 Berlin                                      hauptstrasse|12
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from sekisho.inspect.exact.plain import DASHES, arabic, has_cjk, plain

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

Form = Literal["place", "lot", "number-first", "number-last"]  # "lot": a place with one number only

_STEP = rf"\s?(?:丁目?|番地?の?|号|の|[{DASHES}])\s?"
_NUMBERS = re.compile(rf"([0-9]{{1,5}})(?:{_STEP}([0-9]{{1,5}}))?(?:{_STEP}([0-9]{{1,4}}))?")
_STEPS = frozenset("丁番号の 　-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500\u30fc\ufe63\uff0d\uff70")
_PLACE = re.compile(r"([\u3005-\u3007\u3040-\u30ff\u3400-\u9fff]{2})\s?\Z")
_LETTERS = r"[^\W\d_]"
_STREET = re.compile(rf"([0-9]{{1,5}})[a-z]?,?\s+((?:{_LETTERS}+[.']?[\s'-]+){{0,3}}{_LETTERS}+)")
_STREET_FOLLOWS = re.compile(r"[A-Za-z]?,?\s[^\W\d_]")
_WORD = re.compile(rf"{_LETTERS}{{3,}}")
_WORD_BEFORE = re.compile(rf"({_LETTERS}{{4,30}})\.?\s\Z")
_NO_NAMES = frozenset((
    "rue", "via", "calle", "avenue", "avenida", "north", "south", "east", "west", "the", "new", "old", "and", "des",
    "del", "della", "von", "van",
))  # fmt: skip
_BEFORE, _AFTER = 32, 48


def addresses_at(text: str, start: int, end: int, forms: Container[str]) -> Iterator[tuple[Form, str]]:
    """What an address of one of these forms would be kept by whose house number is the run of digits here."""
    before = text[start - 1 : start]
    if before.isspace():
        before = text[start - 2 : start - 1]
    if "\u3005" <= before <= "\u9fff":
        if before in "目号":
            return  # within a house number
        if "lot" in forms or ("place" in forms and text[end : end + 1] in _STEPS):
            yield from _place(text, start, forms)
    elif "number-first" in forms and _STREET_FOLLOWS.match(text, end):
        street = _STREET.match(plain(text[start : start + _AFTER]))
        word = next((w for w in _WORD.findall(street[2]) if w not in _NO_NAMES), "") if street else ""
        if street and word:
            yield "number-first", f"{street[1]}|{word}"
    if "number-last" in forms and before.isalpha():
        word_before = _WORD_BEFORE.search(plain(text[max(0, start - _BEFORE) : start]))
        if word_before:
            yield "number-last", f"{word_before[1]}|{plain(text[start:end])}"


def _place(text: str, start: int, forms: Container[str]) -> Iterator[tuple[Form, str]]:
    place = _PLACE.search(plain(text[max(0, start - _BEFORE) : start]))
    match = _NUMBERS.match(plain(text[start : start + _AFTER])) if place else None
    if place and match:
        numbers = "-".join(str(int(number)) for number in match.groups() if number)
        form: Form = "place" if "-" in numbers else "lot"
        if form in forms:
            yield form, f"{place[1]}|{numbers}"


def address_of(value: str) -> tuple[Form, str] | None:
    """What the address in a cell is kept by; None where there is no house number to be seen."""
    value = arabic(plain(value)).strip()
    digits = list(re.finditer(r"[0-9]+", value[:200]))
    if has_cjk(value):
        forms: tuple[Form, ...] = ("place", "lot")
    else:
        forms = ("number-first",) if value[:1].isdecimal() else ("number-last",)
    found = (one for match in digits for one in addresses_at(value, *match.span(), forms))
    return next(found, None)
