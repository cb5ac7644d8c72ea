"""What the values of a list are kept by: one form for all the ways in which people write the same thing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

from sekisho.inspect.exact.addresses import address_of
from sekisho.inspect.exact.dates import date_of
from sekisho.inspect.exact.phrases import name_of, text_of
from sekisho.inspect.exact.plain import plain

if TYPE_CHECKING:
    from collections.abc import Callable

FieldType = Literal["name", "phone", "email", "number", "date", "address", "text"]
FIELD_TYPES: tuple[FieldType, ...] = get_args(FieldType)
TAGS: dict[FieldType, str] = {
    "name": "n", "phone": "p", "email": "e", "number": "i", "date": "d", "address": "a", "text": "t",
}  # fmt: skip

SHORTEST_NUMBER = 5
LONGEST_NUMBER = 24
SHORTEST_PHONE = 8
LONGEST_PHONE = 13
_LONGEST_VALUE = 1000

_NOT_ALNUM = re.compile(r"[^0-9a-z]")
_NUMBER = re.compile(r"[0-9a-z\s./_:()\u3012\-\u00ad\u2010-\u2015\u2212\u2500\u30fc]+")
_PHONE = re.compile(
    r"\s*(?:tel|fax|phone|電話)?[.:\s]*([+(0-9][-0-9\s.()/\u00ad\u2010-\u2015\u2212\u2500\u30fc]{6,28})"
)
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]=&?/]{1,64}@[^\s@<>,;:\"()\[\]=&?/]{1,255}")
_DIGITS = re.compile("[0-9]")
# ITU-T E.164 annex: country codes of one and of two digits; all others have three.
_ONE = frozenset("17")
_TWO = frozenset(str(code) for code in (
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60,
    61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
))  # fmt: skip


def canonical(kind: FieldType, value: str, *, day_first: bool = False) -> str:
    """What a cell is kept by; "" where it is empty, too short, or no value of this type."""
    value = value[:_LONGEST_VALUE]
    if kind == "date":
        return date_of(value, day_first=day_first)
    return _FORMS[kind](value)


def email_of(value: str) -> str:
    """An address, in lower case."""
    match = _EMAIL.search(plain(value))
    return match[0].removeprefix("mailto:").rstrip(".") if match and "." in match[0].partition("@")[2] else ""


def phone_of(value: str) -> str:
    """A telephone number without country code and leading zeros (ITU-T E.164 national significant number)."""
    match = _PHONE.match(plain(value))
    if match is None:
        return ""
    written = match[1].strip()
    return significant("".join(_DIGITS.findall(written)), abroad=written.startswith("+"))


def significant(digits: str, *, abroad: bool) -> str:
    """The national significant number; `abroad`: the digits begin with a country code. "" where it is none."""
    if not abroad:
        for prefix in ("010", "00"):  # how Japan and most others dial abroad
            if digits.startswith(prefix) and len(digits) >= len(prefix) + 10:
                return significant(digits[len(prefix) :], abroad=True)
        if len(digits) >= 11 and digits[:2] == "81":
            digits = digits[2:]
        elif len(digits) == 11 and digits[0] == "1":
            digits = digits[1:]
    else:
        digits = digits[1 if digits[:1] in _ONE else 2 if digits[:2] in _TWO else 3 :]
    digits = digits.lstrip("0")
    return digits if SHORTEST_PHONE <= len(digits) <= LONGEST_PHONE else ""


def number_of(value: str) -> str:
    """A number or code: letters and digits only, leading zeros left out as spreadsheets do; with 3 digits or more."""
    value = plain(value)
    if _NUMBER.fullmatch(value) is None:
        return ""
    return stripped(_NOT_ALNUM.sub("", value))


def stripped(code: str) -> str:
    """A code of letters and digits without leading zeros; "" where it is too short or too long to tell."""
    code = code.lstrip("0") if code.isdecimal() else code
    sound = SHORTEST_NUMBER <= len(code) <= LONGEST_NUMBER and len(_DIGITS.findall(code)) >= 3
    return code if sound else ""


def _address(value: str) -> str:
    found = address_of(value)
    return found[1] if found else ""


_FORMS: dict[FieldType, Callable[[str], str]] = {
    "name": name_of, "phone": phone_of, "email": email_of, "number": number_of, "address": _address, "text": text_of,
}  # fmt: skip
