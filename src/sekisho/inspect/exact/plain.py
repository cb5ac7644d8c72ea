"""The characters that differ without a difference: width, case, dashes, kanji numerals."""

from __future__ import annotations

import re
import unicodedata

DASHES = "\\-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500\u30fc\ufe58\ufe63\uff0d\uff70"
DIGIT = "0-9\uff10-\uff19"

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af\uff66-\uff9f"
_HAS_CJK = re.compile(f"[{_CJK}]")
_NUMERAL = re.compile("[〇一二三四五六七八九十]{1,4}(?=丁目|番|号|年|月|日)")
_KANJI = {character: value for value, character in enumerate("〇一二三四五六七八九")}


def plain(value: str) -> str:
    """NFKC and no case: full-width, half-width and capital forms become one (Unicode UAX 15)."""
    if value.isascii():
        return value.lower()
    return unicodedata.normalize("NFKC", value).casefold()


def has_cjk(text: str) -> bool:
    """Whether any character is one of those written without spaces between words."""
    return _HAS_CJK.search(text) is not None


def arabic(text: str) -> str:
    """Kanji numerals before 丁目, 番, 号, 年, 月 and 日 as digits, and the first year of an era as 1."""
    if text.isascii():
        return text
    text = text.replace("元年", "1年")
    return _NUMERAL.sub(lambda match: _number(match[0]), text)


def _number(numeral: str) -> str:
    """二十三 and 二三 are both 23."""
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return "".join(str(_KANJI[character]) for character in numeral)
    try:
        return str((_KANJI[tens] if tens else 1) * 10 + (_KANJI[ones] if ones else 0))
    except KeyError:  # more than one numeral on a side of 十: nobody writes that
        return numeral
