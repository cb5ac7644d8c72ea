"""A text as it is compared: letters and digits, without case and compatibility forms."""

from __future__ import annotations

import re
import unicodedata

_LOWER = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))
_NOT_SAID = bytes(c for c in range(128) if not chr(c).isalnum())
# Letters of another form that ordinary text has: half and full width, circled and squared ones, letter-like signs.
_FORMS = re.compile(r"[\u2100-\u218f\u2460-\u24ff\u3200-\u33ff\uff00-\uffef]+")
# Putting marks into their order takes time with the square of their number (UAX 15), and no word has so many.
_LONG_RUN = re.compile(r"(\W{32})\W+")
# The last two are sentences in one character, 18 and 8 letters of NFKC.
_USUAL_MARKS = "\u3000、。・「」…\u201c\u201d\u2018\u2019\u2013\u2014\u2022\ufdfa\ufdfb"
_OTHER_MARKS = re.compile(r"\W+")


def normalised(text: str) -> str:
    """NFKC (UAX 15), no case, letters and digits only. Linear in time, at most 4 times as long. Never raises."""
    if text.isascii():
        return text.encode("ascii").translate(_LOWER, _NOT_SAID).decode("ascii")
    length = len(text)
    for mark in _USUAL_MARKS:  # a dozen searches are done before one pattern is half through
        text = text.replace(mark, "")
    octets = _composed(text).casefold().encode("utf-8", "replace")
    plain = octets.translate(_LOWER, _NOT_SAID).decode("utf-8")
    return plain if plain.isascii() else _OTHER_MARKS.sub("", plain)[: 4 * length]


def _composed(text: str) -> str:
    """NFKC, without line ends. Only pieces and lines that need it are taken through it: it is slow."""
    if unicodedata.is_normalized("NFKC", text):
        return text
    text = _FORMS.sub(_normal_forms, _LONG_RUN.sub(r"\1", text))
    return "".join([_normal(line) for line in text.split("\n")])


def _normal(line: str) -> str:
    return line if unicodedata.is_normalized("NFKC", line) else unicodedata.normalize("NFKC", line)


def _normal_forms(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match[0])
