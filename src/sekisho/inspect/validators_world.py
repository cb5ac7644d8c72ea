"""Identifiers of the world that are made of digits: a table of weights and moduli, and the few that need more.

A number of one decimal check digit passes by chance one time in ten: its rule counts it near its words only.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sekisho.inspect.bank_checks import BANK_VALIDATORS
from sekisho.inspect.check_digits import (
    Check,
    Number,
    date_at,
    digits_of,
    is_day,
    luhn_digits,
    mod_11_10,
    number_of,
    verhoeff,
)
from sekisho.inspect.validators_lettered import LETTERED_VALIDATORS

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_TEN = {10: 0}
_TWICE_FROM_ONE = {0: 1, 10: 0}  # (11 - sum mod 11) mod 10, written for the negated sum
_DAY_MONTH_YEAR = date_at(2, 0)
_YEAR_MONTH_DAY = date_at(2, 4)
_CENTURY_FIRST = date_at(3, 5)


def _prefixed_luhn(digits: list[int]) -> bool:
    """The Luhn check of a number as if 80840 stood before it (CMS, NPI check digit)."""
    return digits[0] in (1, 2) and len(set(digits[:9])) > 1 and luhn_digits([8, 0, 8, 4, 0, *digits])


def _routing_prefix(digits: list[int]) -> bool:
    """Federal Reserve districts, thrifts and electronic, and traveller's cheques."""
    prefix = number_of(digits[:2])
    return prefix <= 12 or 21 <= prefix <= 32 or 61 <= prefix <= 72 or prefix == 80


def _itin_group(digits: list[int]) -> bool:
    """Area 9xx; groups 50 to 65, 70 to 88, 90 to 92, 94 to 99 (IRS, Publication 1915)."""
    group = number_of(digits[3:5])
    return digits[0] == 9 and (50 <= group <= 65 or 70 <= group <= 99) and group not in (89, 93)


# The campuses and the internet (IRS, "How EINs are assigned and valid EIN prefixes").
_NO_EIN_PREFIX = frozenset((0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97))


def _ein_prefix(digits: list[int]) -> bool:
    return number_of(digits[:2]) not in _NO_EIN_PREFIX and not _runs(digits)


def _runs(digits: list[int]) -> bool:
    """123456789 and 987654321: how a number looks in an example."""
    return len({b - a for a, b in pairwise(digits)}) == 1


def _steuer_id(digits: list[int]) -> bool:
    """One digit of the first ten stands twice or three times, not three in a row (BZSt, 139b AO)."""
    body = digits[:10]
    most = max(body.count(d) for d in body)
    in_a_row = any(a == b == c for a, b, c in zip(body, body[1:], body[2:], strict=False))
    others = len(set(body))
    return digits[0] != 0 and not in_a_row and (most, others) in ((2, 9), (3, 8)) and mod_11_10(digits)


def _steuer_id_or_example(digits: list[int]) -> bool:
    """The ten digits may also all differ: how the authority's own samples look."""
    return _steuer_id(digits) or (digits[0] != 0 and len(set(digits[:10])) == 10 and mod_11_10(digits))


def _belgian(digits: list[int]) -> bool:
    """Mod 97 of the first nine digits, a 2 before them for who was born from 2000 on (here until 2040).

    20 or 40 is added to the month for who is not registered as living there; month and day may be unknown.
    """
    year, month, day = (number_of(digits[at : at + 2]) for at in (0, 2, 4))
    body, check = number_of(digits[:9]), number_of(digits[9:])
    checks = (97 - body % 97, 97 - (2_000_000_000 + body) % 97 if year <= 40 else -1)
    return month < 60 and (is_day(month % 20, day) or month % 20 == 0 or day == 0) and check in checks


def _swedish(digits: list[int]) -> bool:
    """Luhn over the last ten digits; 60 is added to the day for who is not registered as living there."""
    ten = digits[-10:]
    century = number_of(digits[:2]) if len(digits) == 12 else 19
    return 18 <= century <= 20 and is_day(number_of(ten[2:4]), number_of(ten[4:6]) % 60) and luhn_digits(ten)


def _czech_or_slovak(digits: list[int]) -> bool:
    """Mod 11 over all ten digits (act 133/2000 Coll. 13); months +50 for women, +20 where a day is used up."""
    month = number_of(digits[2:4]) % 50
    rest = number_of(digits[:9]) % 11 % 10
    return is_day(month % 20, number_of(digits[4:6])) and digits[9] == rest


_ESTONIAN = (
    Check((1, 2, 3, 4, 5, 6, 7, 8, 9, 1), 11, instead=_NO_TEN),
    Check((3, 4, 5, 6, 7, 8, 9, 1, 2, 3), 11, instead=_NO_TEN),
)


def _baltic(digits: list[int]) -> bool:
    """Two sets of weights: the second where the first leaves 10 (Estonian standard EVS 585, Lithuania the same)."""
    first = sum(w * d for w, d in zip(_ESTONIAN[0].weights, digits, strict=False)) % 11
    return 1 <= digits[0] <= 8 and _CENTURY_FIRST(digits) and _ESTONIAN[first == 10].holds(digits)


def _australian_business(digits: list[int]) -> bool:
    """Mod 89 with 1 taken off the first digit (ABR, "Format of the ABN")."""
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    return number_of(digits[:2]) > 10 and (sum(w * d for w, d in zip(weights, digits, strict=True)) - 10) % 89 == 0


def _canadian(digits: list[int]) -> bool:
    """Luhn; no number begins with 8, and 0 is for the tax agency's own use."""
    return digits[0] not in (0, 8) and luhn_digits(digits)


def _aadhaar(digits: list[int]) -> bool:
    """Verhoeff; the first digit is 2 to 9, and a palindrome is not given out (UIDAI)."""
    return digits[0] >= 2 and digits != digits[::-1] and verhoeff(digits)


def _korean(digits: list[int]) -> bool:
    """Born in a century that digit 7 tells, and the check digit; since October 2020 the last six are drawn by lot."""
    check = Check((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), 11, -1, _TWICE_FROM_ONE)
    born_since_2020 = digits[6] in (3, 4, 7, 8) and 20 <= number_of(digits[:2]) <= 40
    return _YEAR_MONTH_DAY(digits) and 1 <= digits[6] <= 8 and (born_since_2020 or check.holds(digits))


def _south_african(digits: list[int]) -> bool:
    return _YEAR_MONTH_DAY(digits) and digits[10] <= 2 and digits[11] >= 8 and luhn_digits(digits)


def _danish(digits: list[int]) -> bool:
    """A date; 5 to 8 in the seventh place are this century until 57 (none after 2040), else the one before last."""
    return _DAY_MONTH_YEAR(digits) and not (digits[6] in (5, 6, 7, 8) and 41 <= number_of(digits[4:6]) <= 57)


def _thai(digits: list[int]) -> bool:
    """The kind of person, 1 to 8, and the number of a province, 10 to 96."""
    return 1 <= digits[0] <= 8 and 10 <= number_of(digits[1:3]) <= 96


def _portuguese(digits: list[int]) -> bool:
    """0 is not given out, and of the numbers from 4 on only 45, for who lives abroad."""
    return digits[0] not in (0, 4) or digits[:2] == [4, 5]


def _turkish(digits: list[int]) -> bool:
    return digits[0] != 0 and sum(digits[:10]) % 10 == digits[10]


def _norwegian(digits: list[int]) -> bool:
    """Days +40 for who stays for a time, months +40 for hospitals' own numbers; the serial tells the century."""
    day, month, year = (number_of(digits[at : at + 2]) for at in (0, 2, 4))
    serial = number_of(digits[6:9])
    century = serial < 500 or year < 40 or (serial < 750 and year >= 54) or serial >= 900
    return century and is_day(month - 40 * (month > 40), day - 40 * (day > 40))


def _romanian(digits: list[int]) -> bool:
    """A date, and the number of a county or of a sector of Bucharest; 70 and 80 to 83 for others."""
    county = number_of(digits[7:9])
    placed = 1 <= county <= 48 or county in (51, 52, 70, 80, 81, 82, 83)
    return digits[0] != 0 and _CENTURY_FIRST(digits) and placed


def _bulgarian(digits: list[int]) -> bool:
    """A date; months +20 for the century before the last, +40 for this one."""
    return digits[2] < 6 and date_at(2, 4, months=20)(digits)


NUMBERS: dict[str, Number] = {
    "us_npi": Number((10,), also=_prefixed_luhn),
    "us_itin": Number((9,), also=_itin_group),
    "us_ein": Number((9,), also=_ein_prefix),
    "us_routing": Number((9,), (Check((3, 7, 1, 3, 7, 1, 3, 7), 10, -1),), _routing_prefix),
    "uk_nhs": Number((10,), (Check((10, 9, 8, 7, 6, 5, 4, 3, 2), 11, -1),)),
    "de_steuer_id": Number((11,), also=_steuer_id_or_example),
    "nl_bsn": Number((9,), (Check((9, 8, 7, 6, 5, 4, 3, 2), 11),)),
    "pl_pesel": Number((11,), (Check((1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10, -1),), date_at(2, 4, months=20)),
    "be_national": Number((11,), also=_belgian),
    "se_personnummer": Number((10, 12), also=_swedish),
    # Numbers given out since 2007 need not pass mod 11: the date is all that can be checked.
    "dk_cpr": Number((10,), also=_danish),
    "no_fodselsnummer": Number(
        (11,),
        (Check((3, 7, 6, 1, 8, 9, 4, 5, 2), 11, -1), Check((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, -1)),
        _norwegian,
    ),
    "pt_nif": Number((9,), (Check((9, 8, 7, 6, 5, 4, 3, 2), 11, -1, _NO_TEN),), _portuguese),
    "at_svnr": Number((10,), (Check((3, 7, 9, 0, 5, 8, 4, 2, 1, 6), 11, at=3),), lambda d: d[0] != 0),
    "cz_rc": Number((10,), also=_czech_or_slovak),
    "ro_cnp": Number(
        (13,), (Check((2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9), 11, instead={10: 1}),), _romanian
    ),
    "bg_egn": Number((10,), (Check((2, 4, 8, 5, 10, 9, 7, 3, 6), 11, instead=_NO_TEN),), _bulgarian),
    "hr_oib": Number((11,), also=mod_11_10),
    "gr_amka": Number((11,), also=lambda d: _DAY_MONTH_YEAR(d) and luhn_digits(d)),
    "baltic_code": Number((11,), also=_baltic),
    "si_emso": Number((13,), (Check((7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, -1, _NO_TEN),), _DAY_MONTH_YEAR),
    "ch_ahv": Number((13,), (Check((1, 3) * 6, 10, -1),), lambda d: d[:3] == [7, 5, 6]),
    "tr_kimlik": Number((11,), (Check((7, -1) * 4 + (7,), 10),), _turkish),
    "is_kennitala": Number(
        (10,), (Check((3, 2, 7, 6, 5, 4, 3, 2), 11, -1),), lambda d: _DAY_MONTH_YEAR(d) and d[9] in (0, 9)
    ),
    "il_id": Number((9,), also=luhn_digits),
    "za_id": Number((13,), also=_south_african),
    "au_tfn": Number((9,), (Check((1, 4, 3, 7, 5, 8, 6, 9), 11),)),
    "au_abn": Number((11,), also=_australian_business),
    "au_acn": Number((9,), (Check((8, 7, 6, 5, 4, 3, 2, 1), 10, -1),)),
    "au_medicare": Number((10, 11), (Check((1, 3, 7, 9, 1, 3, 7, 9), 10),), lambda d: 2 <= d[0] <= 6),
    "ca_sin": Number((9,), also=_canadian),
    "in_aadhaar": Number((12,), also=_aadhaar),
    "kr_rrn": Number((13,), also=_korean),
    "br_cpf": Number(
        (11,),
        (Check(tuple(range(10, 1, -1)), 11, -1, _NO_TEN), Check(tuple(range(11, 1, -1)), 11, -1, _NO_TEN)),
    ),
    "th_pin": Number((13,), (Check(tuple(range(13, 1, -1)), 11, -1, _TWICE_FROM_ONE),), _thai),
}  # fmt: skip


def phone_like(value: str) -> bool:
    """A telephone number as people write it: 7 to 15 digits (E.164 6.1), no date, not one digit over and over."""
    digits = digits_of(value)
    return 7 <= len(digits) <= 15 and len(set(digits)) > 2


WORLD_VALIDATORS: dict[str, Callable[[str], bool]] = {
    **NUMBERS,
    **LETTERED_VALIDATORS,
    **BANK_VALIDATORS,
    "phone_like": phone_like,
}
