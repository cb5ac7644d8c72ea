"""Named checks of Japanese identifiers and names. Pure; the match comes normalised to half-width."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from sekisho.inspect.check_digits import digits_of, luhn
from sekisho.inspect.words_jp import is_full_name, words

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_YEAR = 1900
_KANJI_DIGITS = dict(zip("\u3007零一二三四五六七八九元", "001234567891", strict=True))


def _in_digits(value: str) -> str:
    """Kanji numerals as digits, one for one: here rather than as a step over all of a text, which costs more."""
    return value if value.isascii() else "".join(_KANJI_DIGITS.get(c, c) for c in value)


def jp_my_number(value: str) -> bool:
    """Individual number, 12 digits: mod 11 over Q = n+1 (n <= 6), n-5 (MIC ordinance 85 of 2014, article 5).

    Numbers of one or two different digits are round sums and fillers, and are refused.
    """
    digits = digits_of(_in_digits(value))
    if len(digits) != 12 or len(set(digits)) <= 2:
        return False
    weighted = sum(d * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(digits[:11]), 1))
    rest = weighted % 11
    return digits[11] == (0 if rest <= 1 else 11 - rest)


def jp_corporate_number(value: str) -> bool:
    """Corporate number, 13 digits, check digit first: mod 9, weights 1, 2 (MOF ordinance 70 of 2014, article 2)."""
    digits = digits_of(value)
    if len(digits) != 13 or len(set(digits)) == 1:
        return False
    weighted = sum(d * (2 if n % 2 == 0 else 1) for n, d in enumerate(reversed(digits[1:]), 1))
    return digits[0] == 9 - weighted % 9


# Codes of the prefectural public safety commissions: Hokkaido has five regions, 10 to 14.
_COMMISSIONS = (
    frozenset(range(10, 15))
    | frozenset(range(20, 28))
    | frozenset(range(30, 32))
    | frozenset(range(40, 50))
    | frozenset(range(50, 56))
    | frozenset(range(60, 66))
    | frozenset(range(70, 75))
    | frozenset(range(80, 84))
    | frozenset(range(90, 98))
)


def jp_drivers_licence(value: str) -> bool:
    """Driver's licence, 12 digits: commission, year, serial, check digit (mod 11, weights 2 to 7), reissues."""
    digits = digits_of(value)
    if len(digits) != 12 or digits[0] * 10 + digits[1] not in _COMMISSIONS:
        return False
    weighted = sum(d * w for d, w in zip(digits[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
    # Mod 10 at the end: remainders 0 and 10 share the digit 1, which is how the numbers are given out.
    return digits[10] == (11 - weighted % 11) % 10


# Kinds of insurer (MHLW, "保険者番号等の設定要領"): the first two of eight digits. National insurance has six.
_INSURERS = frozenset((1, 2, 3, 4, 6, 7, 31, 32, 33, 34, 39, 63, 67, 72, 73, 74, 75))


def jp_insurer_number(value: str) -> bool:
    """Health insurer, 8 digits, or 6 for national insurance: kind, prefecture 01 to 47, number, check digit (mod 10).

    The check digit doubles every other digit from the right and adds the digits, as ISO/IEC 7812-1 annex B does.
    """
    digits = digits_of(value)
    if len(digits) == 8 and digits[0] * 10 + digits[1] not in _INSURERS:
        return False
    if len(digits) not in (6, 8) or not 1 <= digits[-6] * 10 + digits[-5] <= 47:
        return False
    return luhn(value)


def jp_pension_number(value: str) -> bool:
    """Basic pension number, 10 digits, more than two of them different. No check digit is published."""
    digits = digits_of(value)
    return len(digits) == 10 and len(set(digits)) > 2


def jp_bank_account(value: str) -> bool:
    """Account number: up to 8 digits, or 13 with the symbol of Japan Post Bank before it; not all the same digit."""
    digits = digits_of(value)
    longest = 13 if digits[:1] in ([0], [1]) else 8
    return 1 < len(digits) <= longest and len(set(digits)) > 1


def jp_passport(value: str) -> bool:
    """Two letters and seven digits; dates behind two letters (FY2024040) and fillers are refused."""
    digits = digits_of(value)
    return len(digits) == 7 and len(set(digits)) > 1 and value[:2].upper() not in ("FY", "NO", "ID", "PO", "QA", "VE")


_MOBILE = frozenset(("070", "080", "090", "050"))
_TOLL = frozenset(("0120", "0800", "0570", "0990", "0180", "0170", "0910", "0600", "0200"))
_ABROAD = re.compile(r"\A\D{0,2}81(?=\D|[1-9])\D{0,2}(?:\(?0\)?)?")
_TRUNK = re.compile(r"\A\D*(?:010|00)?\D*")


def jp_phone(value: str) -> bool:
    """A telephone number of a person or an office under the numbering plan: mobile, IP, or a real area code.

    Ten or eleven digits from 0, or nine or ten behind +81, 0081 or 010-81. Groups must end where the area code
    ends. Numbers that services have (0120, 0570 …) and fillers are refused.
    """
    national = value = _in_digits(value)
    if value.lstrip("(").startswith(("+81", "81", "010", "0081")):
        national = "0" + _ABROAD.sub("", _TRUNK.sub("", value))
    groups = re.findall(r"[0-9]+", national)
    number = "".join(groups)
    if not number.startswith("0") or number[:4] in _TOLL or len(set(number[-7:])) < 2:
        return False
    if number[:3] in _MOBILE:
        return len(number) == 11 and number[3] != "0" and (len(groups) < 2 or len(groups[0]) in (3, 7))
    return len(number) == 10 and _has_area_code(number, groups)


def _has_area_code(number: str, groups: list[str]) -> bool:
    """Whether a landline number begins with an area code, and its first group is one where there are several."""
    codes = words("area-codes")
    if len(groups) == 1:
        return any(number[1 : 1 + size] in codes and number[1 + size] != "0" for size in (4, 3, 2, 1))
    first = groups[0][1:]
    local = number[1 + len(first) : 2 + len(first)]
    return first in codes and local != "0" and len(groups) == 3 and len(groups[-1]) == 4


_ERAS = {
    "明治": (1868, 45), "大正": (1912, 15), "昭和": (1926, 64), "平成": (1989, 31), "令和": (2019, 99),
    "m": (1868, 45), "t": (1912, 15), "s": (1926, 64), "h": (1989, 31), "r": (2019, 99),
    "明": (1868, 45), "大": (1912, 15), "昭": (1926, 64), "平": (1989, 31), "令": (2019, 99),
}  # fmt: skip
_DATE = re.compile(
    r"(明治|大正|昭和|平成|令和|[明大昭平令]|[MTSHRmtshr])?[. ]{0,2}([0-9\u3007零一二三四五六七八九十元]{1,4})"
    r"[年/. -]{1,2}([0-9一二三四五六七八九十]{1,3})[月/. -]{1,2}([0-9一二三四五六七八九十]{1,4})"
)
_COMPACT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")


def jp_birth_date(value: str) -> bool:
    """A day that exists, from 1900 on, in western years or those of an era.

    昭和50年3月3日, S50.3.3, 昭和五十年三月三日, 1975-03-03, 19750303.
    """
    match = _DATE.match(value)
    if match:
        era, year, month, day = match[1], *(kanji_number(match[n]) for n in (2, 3, 4))
    elif compact := _COMPACT.fullmatch(value):
        era, year, month, day = None, *(int(compact[n]) for n in (1, 2, 3))
    else:
        return False
    if era:
        first, last = _ERAS[era.lower()]
        year = first + year - 1 if 1 <= year <= last else 0
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return year >= _FIRST_YEAR and year < _FIRST_YEAR + 200


def kanji_number(text: str) -> int:
    """A number up to 9999 in digits or kanji, positional (一九八〇) or with 十 (五十三). 0 for none."""
    if "十" in text:
        tens, _, ones = text.partition("十")
        return 10 * (kanji_number(tens) or 1) + kanji_number(ones)
    plain = _in_digits(text)
    return int(plain) if plain.isascii() and plain.isdigit() else 0


def jp_full_name(value: str) -> bool:
    """A listed surname with a given name, in kanji or kana (see `lists/jp-surnames.txt`)."""
    return is_full_name(value)


_PLATE = re.compile(r"([0-9ACFHKLMPXY]{1,3})[- ]?([ぁ-んEHKMTYV])[- ]?([0-9-]{1,5})")
_NEVER_ON_PLATES = frozenset("おしへん")


def jp_vehicle_plate(value: str) -> bool:
    """A number plate after its place name: class of one to three places, one kana, serial (規則 第1号様式)."""
    match = _PLATE.search(value.replace(" ", ""))
    if match is None or match[2] in _NEVER_ON_PLATES:
        return False
    serial = match[3].replace("-", "")
    return serial.isdigit() and 1 <= len(serial) <= 4 and int(serial) > 0 and match[1][0] in "12345678930"


_NO_ILLNESS = re.compile(
    r"(?:特に|特記|とくに)?(?:なし|無し|ない|無|不明|未記入|別紙|上記|下記|以下|記載|記入|欄|該当|同上|コ[ー-]ド|一覧|項目|必須|任意|入力)"
)


def jp_medical_value(value: str) -> bool:
    """Something said about health behind its name: not "none", "see below" or a form's own words."""
    return _NO_ILLNESS.match(value) is None


JAPANESE_VALIDATORS: dict[str, Callable[[str], bool]] = {
    check.__name__: check
    for check in (
        jp_my_number,
        jp_corporate_number,
        jp_drivers_licence,
        jp_insurer_number,
        jp_pension_number,
        jp_bank_account,
        jp_passport,
        jp_phone,
        jp_birth_date,
        jp_full_name,
        jp_vehicle_plate,
        jp_medical_value,
    )
}
