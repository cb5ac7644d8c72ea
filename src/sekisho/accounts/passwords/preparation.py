"""Passwords as they are compared: OpaqueString for what we keep, SASLprep for the keys of SCRAM.

NIST SP 800-63B-4 3.1.1.2 wants NFC without code points that are not assigned, which is what OpaqueString gives
(RFC 8265 4.2). A client of SCRAM prepares the password itself, by SASLprep (RFC 5802 5.1).
"""

from __future__ import annotations

import re
import stringprep
import unicodedata
from functools import lru_cache
from typing import Literal

Property = Literal["valid", "joiner", "context", "no"]

MOST_OCTETS = 4096  # of UTF-8; what is longer is never looked at

# RFC 8264 9.6, 9.8, 9.11: what is looked at before anything else
_EXCEPTIONS: dict[str, Property] = {
    **dict.fromkeys("\u00df\u03c2\u06fd\u06fe\u0f0b\u3007", "valid"),
    **dict.fromkeys("\u00b7\u0375\u05f3\u05f4\u30fb", "context"),
    **dict.fromkeys("\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669", "context"),
    **dict.fromkeys("\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9", "context"),
    **dict.fromkeys("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b", "no"),
    **dict.fromkeys(map(chr, range(0x20, 0x7F)), "valid"),
    **dict.fromkeys("\u200c\u200d", "joiner"),
}
# RFC 8264 9.9: code points of Hangul_Syllable_Type L, V and T
_OLD_HANGUL = re.compile("[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]")
# RFC 8264 9.13: Default_Ignorable_Code_Point and Noncharacter_Code_Point
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_PRINTABLE_ASCII = re.compile(r"[ -~]+")


class PreparationError(ValueError):
    """A password has no prepared form: it is empty, too long, or has a character that none may have."""


def prepared(password: str) -> str:
    """A password in OpaqueString form: non-ASCII blanks become blanks, NFC. Raises PreparationError.

    RFC 8265 4.2.2: the mapping and normalisation come first, then what the string is made of is looked at.
    """
    if not password or len(password) > MOST_OCTETS:
        raise PreparationError("empty or too long")
    if _PRINTABLE_ASCII.fullmatch(password):
        return password
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    normal = unicodedata.normalize("NFC", spaced)
    if not all(_allowed(normal, place) for place in range(len(normal))):
        raise PreparationError("a character that no password may have")
    if len(normal.encode()) > MOST_OCTETS:
        raise PreparationError("too long")
    return normal


def _allowed(text: str, place: int) -> bool:
    found = _property(text[place])
    if found == "joiner":
        # RFC 5892 A.1, A.2: behind a virama; by the joining types of its neighbours alone we allow none
        return place > 0 and unicodedata.combining(text[place - 1]) == 9
    return found == "valid" or (found == "context" and _in_context(text, place))


@lru_cache(4096)
def _property(character: str) -> Property:
    """The derived property of a code point in FreeformClass. RFC 8264 8."""
    category = unicodedata.category(character)
    if (exception := _EXCEPTIONS.get(character)) is not None:
        return exception
    # RFC 8264 9.13, 9.12, 9.10: these come before the compatibility characters
    if category in ("Cn", "Cc", "Cs") or _OLD_HANGUL.match(character) or _IGNORABLE.match(character):
        return "no"
    has_compatible = unicodedata.normalize("NFKC", character) != character
    # RFC 8264 9.1, 9.14, 9.15, 9.16, 9.18: letters, marks, digits, punctuation and symbols of every kind, and blanks
    return "valid" if has_compatible or category[0] in "LMNPS" or category == "Zs" else "no"


def _in_context(text: str, place: int) -> bool:
    """Whether a character that needs a context has it. RFC 5892 A.3 to A.9."""
    character = text[place]
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if character == "\u00b7":
        return before == after == "l"
    if character == "\u0375":
        return _of_script(after, "GREEK")
    if character in "\u05f3\u05f4":
        return _of_script(before, "HEBREW")
    if character == "\u30fb":
        return any(_of_script(c, "HIRAGANA", "KATAKANA", "CJK") for c in text if c != character)
    others = range(0x6F0, 0x6FA) if "\u0660" <= character <= "\u0669" else range(0x660, 0x66A)
    return not any(ord(c) in others for c in text)


def _of_script(character: str, *scripts: str) -> bool:
    return bool(character) and unicodedata.name(character, "").startswith(scripts)


def saslprep(text: str) -> str:
    """Text by SASLprep as a stored string. Raises PreparationError. RFC 4013 2, RFC 3454."""
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in text[: MOST_OCTETS + 1] if not stringprep.in_table_b1(c)
    )
    # RFC 3454 4: with the character data of Unicode 3.2
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not normal or len(normal) > MOST_OCTETS:
        raise PreparationError("empty or too long")
    if any(_prohibited(c) for c in normal):
        raise PreparationError("a character that SASLprep prohibits")
    if not _one_direction(normal):
        raise PreparationError("mixed directions")
    return normal


_PROHIBITED = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def _prohibited(character: str) -> bool:
    """RFC 4013 2.3, 2.5."""
    return not " " <= character <= "~" and any(table(character) for table in _PROHIBITED)


def _one_direction(text: str) -> bool:
    """RFC 3454 6: what is written from right to left begins and ends so, and has nothing else."""
    right = [stringprep.in_table_d1(c) for c in text]
    return not any(right) or (right[0] and right[-1] and not any(stringprep.in_table_d2(c) for c in text))


def for_scram(password: str) -> str:
    """A password as a client of SCRAM prepares it. Raises PreparationError.

    SASLprep knows Unicode 3.2 only; where it has no form for a password, clients send the OpaqueString form
    (RFC 7677 asks for nothing else) or the text as it is, which for what is typed is the same.
    """
    form = prepared(password)
    try:
        return saslprep(form)
    except PreparationError:
        return form
