"""Bank numbers and payment cards: national check digits inside an IBAN, SWIFT codes, brands of cards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.inspect.check_digits import Check, digits_of, luhn_digits, mod_97

if TYPE_CHECKING:
    from collections.abc import Callable

# Lengths of the ISO 13616 registry, by country.
IBAN_LENGTHS = {
    code: int(length)
    for length, codes in {
        "15": "NO", "16": "BE", "18": "DK FI FO FK GL NL SD", "19": "MK SI", "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV", "22": "BG BH CR DE GB GE IE ME RS VA", "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG", "25": "LY PT ST", "26": "IS TR", "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HN HU LB NI PL SV", "29": "BR EG PS QA UA", "30": "JO KW MU YE", "31": "MT SC",
        "32": "LC", "33": "RU",
    }.items()
    for code in codes.split()
}  # fmt: skip

# A RIB's letters stand for digits: A to I 1 to 9, J to R 1 to 9, S to Z 2 to 9.
_RIB = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")
_ITALIAN_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_SPANISH = Check((1, 2, 4, 8, 5, 10, 9, 7, 3, 6), 11, -1, {10: 1, 0: 0})
_CZECH_PREFIX = (10, 5, 8, 4, 2, 1)
_CZECH_ACCOUNT = (6, 3, 7, 9, 10, 5, 8, 4, 2, 1)


def _belgian(bban: str) -> bool:
    return (int(bban[:10]) % 97 or 97) == int(bban[10:])


def _mod_97_whole(bban: str) -> bool:
    """The national key is the account's own mod 97-10 (ISO/IEC 7064), as in Portugal and what was Yugoslavia."""
    return mod_97(bban) == 1


def _french(bban: str) -> bool:
    digits = bban.translate(_RIB)
    return (89 * int(digits[:5]) + 15 * int(digits[5:10]) + 3 * int(digits[10:21]) + int(digits[21:])) % 97 == 0


def _italian(bban: str) -> bool:
    values = [int(c) if c.isdigit() else ord(c) - 65 for c in bban[1:]]
    total = sum(_ITALIAN_ODD[v] if n % 2 == 0 else v for n, v in enumerate(values))
    return chr(65 + total % 26) == bban[0]


def _spanish(bban: str) -> bool:
    bank, account = digits_of("00" + bban[:8] + bban[8]), digits_of(bban[10:] + bban[9])
    return _SPANISH.holds(bank) and _SPANISH.holds(account)


def _norwegian(bban: str) -> bool:
    return Check((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, -1).holds(digits_of(bban))


def _czech(bban: str) -> bool:
    digits = digits_of(bban)
    parts = ((_CZECH_PREFIX, digits[4:10]), (_CZECH_ACCOUNT, digits[10:]))
    return all(sum(w * d for w, d in zip(weights, part, strict=True)) % 11 == 0 for weights, part in parts)


def _polish(bban: str) -> bool:
    return Check((3, 9, 7, 1, 3, 9, 7), 10, -1).holds(digits_of(bban))


def _finnish(bban: str) -> bool:
    return luhn_digits(digits_of(bban))


# How the rest of the number looks where it is not letters and digits at will (ISO 13616 registry), and its own check.
_NATIONAL: dict[str, tuple[str, Callable[[str], bool] | None]] = {
    "AT": ("[0-9]{16}", None),
    "BA": ("[0-9]{16}", _mod_97_whole),
    "BE": ("[0-9]{12}", _belgian),
    "CZ": ("[0-9]{20}", _czech),
    "DE": ("[0-9]{18}", None),
    "DK": ("[0-9]{14}", None),
    "ES": ("[0-9]{20}", _spanish),
    "FI": ("[0-9]{14}", _finnish),
    "FR": ("[0-9]{10}[0-9A-Z]{11}[0-9]{2}", _french),
    "GB": ("[A-Z]{4}[0-9]{14}", None),
    "IE": ("[A-Z]{4}[0-9]{14}", None),
    "IT": ("[A-Z][0-9]{10}[0-9A-Z]{12}", _italian),
    "MC": ("[0-9]{10}[0-9A-Z]{11}[0-9]{2}", _french),
    "ME": ("[0-9]{18}", _mod_97_whole),
    "MK": ("[0-9]{3}[0-9A-Z]{10}[0-9]{2}", _mod_97_whole),
    "NL": ("[A-Z]{4}[0-9]{10}", None),
    "NO": ("[0-9]{11}", _norwegian),
    "PL": ("[0-9]{24}", _polish),
    "PT": ("[0-9]{21}", _mod_97_whole),
    "RS": ("[0-9]{18}", _mod_97_whole),
    "SE": ("[0-9]{20}", None),
    "SI": ("[0-9]{15}", _mod_97_whole),
    "SK": ("[0-9]{20}", _czech),
    "SM": ("[A-Z][0-9]{10}[0-9A-Z]{12}", _italian),
    "XK": ("[0-9]{16}", _mod_97_whole),
}


def iban(value: str) -> bool:
    """An IBAN: its country's length, mod 97 (ISO 13616-1, ISO/IEC 7064), and the account's own check digits.

    A word may follow after a blank, since a pattern cannot tell it from one more group. In one case, upper or lower.
    """
    places = [i for i, c in enumerate(value) if c.isalnum() and c.isascii()]
    length = IBAN_LENGTHS.get(value[:2].upper())
    if length is None or len(places) < length or value[places[length - 1] + 1 :][:1].isalnum():
        return False
    written = "".join(value[i] for i in places[:length])
    text = written.upper()
    if text not in (written, written.swapcase()):
        return False
    return mod_97(text[4:] + text[:4]) == 1 and _national(text[:2], text[4:])


def _national(country: str, bban: str) -> bool:
    shape, check = _NATIONAL.get(country, ("[0-9A-Z]+", None))
    return re.fullmatch(shape, bban) is not None and (check is None or check(bban))


# Countries that have banks with a SWIFT code: ISO 3166-1, and Kosovo.
_COUNTRIES = frozenset(
    re.findall(
        "..",
        "ADAEAFAGAIALAMAOARATAUAWAZBABBBDBEBFBGBHBIBJBMBNBOBRBSBTBWBYBZCACDCFCGCHCICKCLCMCNCOCRCUCVCWCYCZ"
        "DEDJDKDMDODZECEEEGERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGTGWGYHKHNHRHTHUIDIEILIMINIQIRIS"
        "ITJEJMJOJPKEKGKHKIKMKNKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMGMKMLMMMNMOMRMSMTMUMVMWMXMYMZNANCNE"
        "NGNINLNONPNRNZOMPAPEPFPGPHPKPLPMPSPTPWPYQARERORSRURWSASBSCSDSESGSISKSLSMSNSOSRSSSTSVSXSYSZTCTDTG"
        "THTJTLTMTNTOTRTTTVTWTZUAUGUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW",
    )
)


def swift_code(value: str) -> bool:
    """A SWIFT code or BIC: four letters, a country, two places, perhaps a branch (ISO 9362)."""
    shape = re.fullmatch("[A-Z]{6}[0-9A-Z]{2}(?:[0-9A-Z]{3})?", value)
    return shape is not None and value[4:6] in _COUNTRIES


def payment_card(value: str) -> bool:
    """A payment card number: a known brand's prefix and length, and the check digit (ISO/IEC 7812-1)."""
    digits = digits_of(value)
    number = "".join(map(str, digits))
    return len(set(digits)) > 1 and len(number) in _lengths(number) and luhn_digits(digits)


# The first four digits from and to, and the lengths that the brand uses; the first row that fits counts.
_BRANDS: tuple[tuple[int, int, tuple[int, ...] | range], ...] = (
    (4000, 4999, (13, 16, 19)),  # Visa
    (3400, 3499, (15,)),  # American Express
    (3700, 3799, (15,)),
    (5100, 5599, (16,)),  # Mastercard
    (2221, 2720, (16,)),
    (3528, 3589, range(16, 20)),  # JCB, and its older numbers
    (3500, 3599, (16,)),
    (1800, 1800, (15,)),
    (2131, 2131, (15,)),
    (6011, 6011, range(16, 20)),  # Discover
    (6440, 6599, range(16, 20)),
    (6200, 6299, range(16, 20)),  # UnionPay
    (3000, 3059, range(14, 20)),  # Diners Club
    (3600, 3699, range(14, 20)),
    (3800, 3999, range(14, 20)),
    (2200, 2204, range(16, 20)),  # Mir
    (1220, 1220, (15,)),  # UATP
    (5000, 5099, range(12, 20)),  # Maestro and the debit schemes that share its ranges
    (5600, 5899, range(12, 20)),
    (6000, 6999, range(12, 20)),
)


def _lengths(number: str) -> tuple[int, ...] | range:
    """The lengths that the brand of this prefix uses; empty for no brand."""
    prefix = int(number[:4] or 0)
    return next((lengths for low, high, lengths in _BRANDS if low <= prefix <= high), ())


BANK_VALIDATORS: dict[str, Callable[[str], bool]] = {
    check.__name__: check for check in (iban, swift_code, payment_card)
}
