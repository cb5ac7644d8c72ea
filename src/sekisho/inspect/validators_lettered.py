"""Identifiers of the world that hold letters: national ids, US health numbers, passports' machine readable zone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.inspect.check_digits import digits_of, is_day, number_of

if TYPE_CHECKING:
    from collections.abc import Callable

_SEPARATORS = re.compile(r"[\s./-]+")
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU_LETTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_PPS_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"


def compact(value: str) -> str:
    """A match in capitals, without blanks, points, slashes and hyphens."""
    return _SEPARATORS.sub("", value).upper()


def es_dni(value: str) -> bool:
    """Spanish DNI or NIE: the letter is the number mod 23; X, Y, Z of a NIE are 0, 1, 2 (INT/2058/2008)."""
    number = compact(value)
    if not re.fullmatch(r"[XYZ]?[0-9]{7,8}[A-Z]", number):
        return False
    digits = int(number[:-1].translate(str.maketrans("XYZ", "012")))
    return digits > 0 and _DNI_LETTERS[digits % 23] == number[-1]


def fr_nir(value: str) -> bool:
    """French NIR: 97 less the first 13 places mod 97; Corsica's 2A and 2B count as 19 and 18 (INSEE)."""
    number = compact(value)
    if not re.fullmatch(r"[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8}", number):
        return False
    month = int(number[3:5])
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and int(number[13:]) == 97 - int(body) % 97


# Odd places of a codice fiscale, by digit and by letter (Decree of 23 December 1976, annex).
_CF_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_CF_DIGIT = "[0-9L-NP-V]"
_CF = re.compile(rf"[A-Z]{{6}}{_CF_DIGIT}{{2}}[ABCDEHLMPRST]{_CF_DIGIT}{{2}}[A-Z]{_CF_DIGIT}{{3}}[A-Z]")


def it_codice_fiscale(value: str) -> bool:
    """Italian codice fiscale: shape, day of birth (women +40) and control letter; letters may stand for digits."""
    number = compact(value)
    if not _CF.fullmatch(number):
        return False
    values = [int(c, 36) - 10 if c.isalpha() else int(c) for c in number[:15]]
    total = sum(_CF_ODD[v] if n % 2 == 0 else v for n, v in enumerate(values))
    day = number[9:11].translate(str.maketrans("LMNPQRSTUV", "0123456789"))
    return is_day("ABCDEHLMPRST".index(number[8]) + 1, int(day) % 40) and chr(65 + total % 26) == number[15]


def fi_hetu(value: str) -> bool:
    """Finnish personal identity code: date, century sign, and the check mark mod 31 (decree 690/2022)."""
    number = value.strip().upper()
    if not re.fullmatch(r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]", number):
        return False
    digits = digits_of(number[:10])
    return (
        is_day(number_of(digits[2:4]), number_of(digits[:2]))
        and number_of(digits[6:9]) >= 2
        and _HETU_LETTERS[number_of(digits[:9]) % 31] == number[10]
    )


def ie_pps(value: str) -> bool:
    """Irish PPS number: the letter is the weighted sum mod 23, a second letter counting nine times."""
    number = compact(value)
    if not re.fullmatch(r"[0-9]{7}[A-W][A-IWTX]?", number):
        return False
    total = sum(w * int(d) for w, d in zip(range(8, 1, -1), number[:7], strict=True))
    second = number[8:9]
    total += 9 * (ord(second) - 64) if second and second <= "I" else 0
    return _PPS_LETTERS[total % 23] == number[7]


# Prefix and suffix pairs that are never given out (HMRC, NIM39110).
_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]")


def uk_nino(value: str) -> bool:
    """UK national insurance number, by its shape: it has no check digit."""
    number = compact(value)
    return _NINO.fullmatch(number) is not None and len(set(number[2:8])) > 1


def uk_driving_licence(value: str) -> bool:
    """GB driving licence number: five letters of the surname (9 fills up), decade, month (women +50), day, year."""
    number = compact(value)
    if not re.fullmatch(r"[A-Z]{1,5}9{0,4}[0-9]{6}[A-Z9]{2}[0-9A-Z][A-Z]{2}", number) or len(number) != 16:
        return False
    month = int(number[6:8])
    return number[11].isalpha() and is_day(month % 50, int(number[8:10]))


_RVNR_WEIGHTS = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)


def de_social_security(value: str) -> bool:
    """German pension insurance number: area, date, letter, serial; cross sums of weighted digits mod 10 (VKVV)."""
    number = compact(value)
    if not re.fullmatch(r"[0-9]{8}[A-Z][0-9]{3}", number):
        return False
    area, day, month = int(number[:2]), int(number[2:4]), int(number[4:6])
    digits = digits_of(f"{number[:8]}{ord(number[8]) - 64:02}{number[9:11]}")
    total = sum(sum(divmod(w * d, 10)) for w, d in zip(_RVNR_WEIGHTS, digits, strict=True))
    dated = is_day(month, day) or is_day(month, day - 50)
    return 2 <= area <= 89 and dated and total % 10 == int(number[11])


def seven_three_one(text: str) -> int:
    """The check digit of machine readable travel documents: weights 7, 3, 1, `<` counts 0 (ICAO 9303-3 4.9)."""
    return sum((7, 3, 1)[n % 3] * (0 if c == "<" else int(c, 36)) for n, c in enumerate(text)) % 10


_SERIAL = re.compile("([CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8})([0-9]?)")


def de_id_card(value: str) -> bool:
    """German identity card or passport number: nine places of a reduced alphabet, and the check digit if it is there.

    What is printed on the front is without it: such a number is known by its shape, at least two digits, alone.
    """
    match = _SERIAL.fullmatch(compact(value))
    if match is None or len(digits_of(match[1])) < 2:
        return False
    return not match[2] or seven_three_one(match[1]) == int(match[2])


_NRIC = {"S": (0, "JZIHGFEDCBA"), "T": (4, "JZIHGFEDCBA"), "F": (0, "XWUTRQPNMLK"), "G": (4, "XWUTRQPNMLK"),
         "M": (3, "XWUTRQPNJLK")}  # fmt: skip


def sg_nric(value: str) -> bool:
    """Singapore NRIC or FIN: the letter of the weighted sum mod 11; the tables differ by the first letter."""
    number = compact(value)
    if not re.fullmatch(r"[STFGM][0-9]{7}[A-Z]", number):
        return False
    offset, letters = _NRIC[number[0]]
    weighted = offset + sum(w * int(d) for w, d in zip((2, 7, 6, 5, 4, 3, 2), number[1:8], strict=True))
    return letters[weighted % 11] == number[8]


def in_pan(value: str) -> bool:
    """Indian PAN, by its shape: the fourth letter tells the kind of holder; its check letter is not public."""
    number = compact(value)
    return re.fullmatch(r"[A-Z]{3}[ABCFGHJKLPT][A-Z][0-9]{4}[A-Z]", number) is not None and number[5:9] != "0000"


_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def cn_resident_id(value: str) -> bool:
    """Chinese resident id: region, date of birth, check mark by ISO 7064 mod 11-2 (GB 11643-1999)."""
    number = compact(value)
    if not re.fullmatch(r"[1-8][0-9]{5}(?:18|19|20)[0-9]{9}[0-9X]", number):
        return False
    total = sum(w * int(d) for w, d in zip(_RESIDENT_WEIGHTS, number[:17], strict=True))
    return is_day(int(number[10:12]), int(number[12:14])) and "10X98765432"[total % 11] == number[17]


_CURP_ALPHABET = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ"  # & stands where the Spanish letter after N does

_CURP = re.compile(r"[A-Z][AEIOUX][A-Z]{2}[0-9]{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z][0-9]")
# NE is for who was born abroad.
_MEXICAN_STATES = frozenset(re.findall("..", "ASBCBSCCCHCLCMCSDFDGGRGTHGJCMCMNMSNENLNTOCPLQRQTSLSPSRTCTLTSVZYNZS"))


def mx_curp(value: str) -> bool:
    """Mexican CURP: shape, date, state and the check digit over 17 places (Instructivo Normativo, 2021)."""
    number = compact(value)
    if not _CURP.fullmatch(number) or number[11:13] not in _MEXICAN_STATES:
        return False
    total = sum((18 - n) * _CURP_ALPHABET.index(c) for n, c in enumerate(number[:17]))
    return is_day(int(number[6:8]), int(number[8:10])) and -total % 10 == int(number[17])


def us_dea(value: str) -> bool:
    """US DEA registration: two letters, six digits, and (1st + 3rd + 5th) + 2 x (2nd + 4th + 6th) mod 10."""
    number = compact(value)
    if not re.fullmatch(r"[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}", number) or len(set(number[2:])) == 1:
        return False
    digits = digits_of(number[2:])
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


def _card_number(number: str, check: str, optional: str) -> tuple[str, str]:
    """The document number of a TD1 or TD2, and its check digit.

    Of a number longer than nine characters the rest and the check digit begin the optional field, up to a filler; a
    filler stands in the check digit's own place (ICAO 9303-5 4.2.2, ICAO 9303-6 4.2.2).
    """
    rest = optional.partition("<")[0]
    return (number + rest[:-1], rest[-1]) if check == "<" and len(rest) > 1 else (number, check)


def passport_mrz(value: str) -> bool:
    """A passport's or identity card's machine readable zone: TD1, TD2 or TD3 with its check digits (ICAO 9303).

    The lines come one below the other. At least number, date of birth and date of expiry must check.
    """
    lines = value.upper().split()
    if len(lines) == 3:
        first, second = lines[0], lines[1]
        number = _card_number(first[5:14], first[14:15], first[15:30])
        fields = [number, (second[:6], second[6:7]), (second[8:14], second[14:15])]
    elif len(lines) == 2:
        second = lines[1]
        optional = second[28:35] if len(second) == 36 else ""  # of a TD3, the personal number
        number = _card_number(second[:9], second[9:10], optional)
        fields = [number, (second[13:19], second[19:20]), (second[21:27], second[27:28])]
    else:
        return False
    return all(re.fullmatch("[0-9A-Z<]+", text) and str(seven_three_one(text)) == digit for text, digit in fields)


LETTERED_VALIDATORS: dict[str, Callable[[str], bool]] = {
    check.__name__: check
    for check in (
        es_dni,
        fr_nir,
        it_codice_fiscale,
        fi_hetu,
        ie_pps,
        uk_nino,
        uk_driving_licence,
        de_social_security,
        de_id_card,
        sg_nric,
        in_pan,
        cn_resident_id,
        mx_curp,
        us_dea,
        passport_mrz,
    )
}
