"""Named checks of a pattern's match: check digits, structure, entropy. Pure; the match comes normalised."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def digits_of(value: str) -> list[int]:
    """The ASCII digits of a match, separators left out."""
    return [ord(c) - 48 for c in value if "0" <= c <= "9"]


def jp_my_number(value: str) -> bool:
    """Individual number, 12 digits: mod 11 over Q = n+1 (n <= 6), n-5 (MIC ordinance 85 of 2014, article 5).

    Numbers of one or two different digits are round sums and fillers, and are refused.
    """
    digits = digits_of(value)
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


def luhn(value: str) -> bool:
    """The double-add-double check digit at the right end (ISO/IEC 7812-1 annex B)."""
    digits = digits_of(value)
    total = sum(d if n % 2 == 0 else d * 2 - 9 * (d > 4) for n, d in enumerate(reversed(digits)))
    return len(digits) > 1 and total % 10 == 0


def payment_card(value: str) -> bool:
    """A payment card number: a known brand's prefix and length, and the check digit (ISO/IEC 7812-1)."""
    digits = digits_of(value)
    number = "".join(map(str, digits))
    return len(set(digits)) > 1 and len(number) in _card_lengths(number) and luhn(number)


_TO_19 = range(16, 20)


def _card_lengths(number: str) -> tuple[int, ...] | range:
    """The lengths that the brand of this prefix uses; empty for no brand."""
    two, three, four = int(number[:2] or 0), int(number[:3] or 0), int(number[:4] or 0)
    if number.startswith("4"):
        return (13, 16, 19)
    if two in (34, 37):
        return (15,)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return (16,)
    if 3528 <= four <= 3589 or four == 6011 or 644 <= three <= 649 or two in (62, 65):
        return _TO_19
    return range(14, 20) if 300 <= three <= 305 or two in (36, 38, 39) else ()


# Lengths of the ISO 13616 registry, by country.
_IBAN_LENGTHS = {
    code: int(length)
    for length, codes in {
        "15": "NO", "16": "BE", "18": "DK FI FO GL NL SD", "19": "MK SI", "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV", "22": "BG BH CR DE GB GE IE ME RS VA", "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG", "25": "LY PT ST", "26": "IS TR", "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV", "29": "BR EG PS QA UA", "30": "JO KW MU", "31": "MT SC",
        "32": "LC", "33": "RU",
    }.items()
    for code in codes.split()
}  # fmt: skip


def iban(value: str) -> bool:
    """An IBAN: its country's length, and the whole number mod 97 is 1 (ISO 13616-1, ISO/IEC 7064).

    A word in capitals may follow after a space, since a pattern cannot tell it from one more group.
    """
    places = [i for i, c in enumerate(value) if c.isalnum() and c.isascii()]
    length = _IBAN_LENGTHS.get(value[:2])
    if length is None or len(places) < length or value[places[length - 1] + 1 :][:1].isalnum():
        return False
    text = "".join(value[i] for i in places[:length]).upper()
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def us_ssn(value: str) -> bool:
    """A US social security number that may have been issued (SSA, POMS RM 10201.035), known samples left out."""
    number = "".join(map(str, digits_of(value)))
    area, group, serial = number[:3], number[3:5], number[5:]
    if len(number) != 9 or number in ("078051120", "219099999", "123456789", "987654321"):
        return False
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def entropy(value: str) -> float:
    """Shannon entropy of the characters, in bits per character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def random_looking(value: str) -> bool:
    """Letters and digits as a generator makes them: at least 3 bits a character, and no vendor's EXAMPLE."""
    return entropy(value) >= 3.0 and "EXAMPLE" not in value


_PLACEHOLDERS = (
    "xxx", "***", "...", "…", "<", "${", "{{", "%(", "example", "password", "your", "changeme", "パスワード",
)  # fmt: skip


def no_placeholder(value: str) -> bool:
    """A value rather than a hole for one (`<password>`, `****`, `changeme`)."""
    lowered = value.lower()
    return len(set(value)) > 2 and not any(p in lowered for p in _PLACEHOLDERS)


def password_like(value: str) -> bool:
    """A password rather than a word of prose or a placeholder: 6 to 64 characters of two kinds or more."""
    if not 6 <= len(value) <= 64 or not no_placeholder(value) or "://" in value:
        return False
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: c.isascii() and not c.isalnum())
    body = value.rstrip(".,;:!?)]}\"'")
    present = [any(kind(c) for c in body) for kind in kinds]
    return present[2] and any(present[:2])


def json_web_token(value: str) -> bool:
    """A JSON Web Token: its first part is base64url of a JSON object with "alg" (RFC 7519 3, RFC 7515 4.1.1)."""
    head = value.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return False
    return isinstance(header, dict) and "alg" in header


VALIDATORS: dict[str, Callable[[str], bool]] = {
    check.__name__: check
    for check in (
        jp_my_number,
        jp_corporate_number,
        jp_drivers_licence,
        luhn,
        payment_card,
        iban,
        us_ssn,
        random_looking,
        no_placeholder,
        password_like,
        json_web_token,
    )
}
