# ruff: noqa: RUF001 - full-width characters are the subject
"""A text as the models read it: one spelling for what looks or means the same; hosts and addresses masked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

import re2

LONGEST: Final = 10_000  # characters of a body
# Masks are private characters: words of their own that nobody writes.
LINK, ADDRESS, MONEY, LINE = "\ue000", "\ue001", "\ue002", "\ue003"
_LINK = re.compile(r"(?:https?|hxxps?|ftp)://[^\s<>\"'、。」）)\]]{1,2000}|\bwww\.[^\s<>\"'、。」）)\]]{1,500}")
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")
_HOST = re.compile(
    r"\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,6}\.(?:com|net|org|info|biz|example|test|invalid|jp|uk|de|fr|cn|ru|top|xyz|io)\b"
)
_MONEY = re.compile(
    r"(?:[$€£¥₩]|\b(?:usd|eur|gbp|jpy|us\$)\s?)\s?[0-9][0-9.,]{0,20}"
    r"|\b[0-9][0-9.,]{0,20}\s?(?:usd|eur|gbp|jpy|dollars?|euros?|pounds?|円|万円|億円|ドル|ユーロ)"
)
_MAY_BE_HOST = re.compile(r"\.(?:com|net|org|info|biz|example|test|invalid|jp|uk|de|fr|cn|ru|top|xyz|io)\b")
# RE2 takes a tenth of the time. It knows the ends of ASCII words only; in other texts it says whether to look.
_ASCII_ADDRESS, _ASCII_HOST, _ASCII_MONEY = (re2.compile(one.pattern) for one in (_ADDRESS, _HOST, _MONEY))
_REAL_MASKS = {1: LINK, 2: ADDRESS, 3: MONEY}  # RE2 puts in ASCII only
_NUMBER = re.compile(r"[0-9](?:[0-9.,:/-]{0,30}[0-9])?")
# Texts that were split into words; the blank stands first, so that the search goes from blank to blank.
_BEFORE_MARKS = re.compile(r" (?:(?=[,.;:!?')\]%])(?<=\w )|(?=\w)(?<=[(\['] ))")
_RULES = re.compile(r"([-=_*~#+.・－─━＝■□◆◇○●※★☆])\1{2,}")
# Letters that look Latin; folded only in words that have Latin letters too.
_ALIKE = str.maketrans("аеорсухіјѕԁһкмнвтαενορτυχικ", "aeopcyxijsdhkmhbtaevoptuxik")
_MIXED = re.compile(r"\b(?=[^\W\d_]*[a-z])(?=[^\W\d_]*[\u0370-\u052f])[^\W\d_]{2,60}\b")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_TAG = re.compile(r"\s*\[[^\]\n]{1,40}\]\s*")
_THREAD = re.compile(r"\s*(?:(?:re|fwd?|aw|wg|sv|tr|rv|antw|返信|転送)\s?(?:\[\d+\])?\s?[:：]\s*)+", re.IGNORECASE)


def cleaned(subject: str, body: str) -> str:
    """Subject and body as one text in lower case; addresses, hosts, amounts and numbers masked.

    The subject stands first, between two line marks. Marks of replies and of lists are dropped. Linear time.
    """
    return f"{LINE} {_plain(bare_subject(subject)[:500])} {LINE} {_plain(body[:LONGEST])}"


def bare_subject(subject: str) -> str:
    """A subject without "Re:" and the tag of a list. Linear time."""
    at = 0
    while mark := _THREAD.match(subject, at) or _TAG.match(subject, at):
        at = mark.end()
    return subject[at:]


def unseen_characters(text: str) -> int:
    """How many characters a text has that nobody sees: used to break up words."""
    return 0 if text.isascii() else len(_UNSEEN.findall(text[:LONGEST]))


def looks_alike(text: str) -> int:
    """How many words a text has that mix Latin letters with Cyrillic or Greek ones."""
    return 0 if text.isascii() else len(_MIXED.findall(text[:LONGEST].lower()))


def _plain(text: str) -> str:
    if not text.isascii():
        text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    text = text.lower()
    if not text.isascii():
        text = _MIXED.sub(lambda word: word[0].translate(_ALIKE), text)
    text = _masked(text)
    text = _RULES.sub(r"\1\1", _NUMBER.sub(_length, text))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return _BEFORE_MARKS.sub("", "\n".join(filter(None, lines)))


def _masked(text: str) -> str:
    """The text with masks for links, addresses, hosts and amounts. Each is looked for only where there may be one."""
    if not text.isascii():
        return _with_masks(text, (LINK, ADDRESS, MONEY), (_ADDRESS, _HOST, _MONEY))
    return _with_masks(text, "\x01\x02\x03", (_ASCII_ADDRESS, _ASCII_HOST, _ASCII_MONEY)).translate(_REAL_MASKS)


def _with_masks(text: str, masks: Sequence[str], patterns: tuple[Any, Any, Any]) -> str:
    link, address, money = masks
    if "://" in text or "www." in text:
        text = _LINK.sub(f" {link} ", text)
    if "@" in text:
        text = patterns[0].sub(f" {address} ", text)
    if _MAY_BE_HOST.search(text):
        text = patterns[1].sub(f" {link} ", text)
    return patterns[2].sub(f" {money} ", text) if _ASCII_MONEY.search(text) else text


def _length(number: re.Match[str]) -> str:
    return "0" * min(len(number[0]), 4)
