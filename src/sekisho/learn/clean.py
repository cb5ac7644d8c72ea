# ruff: noqa: RUF001 - full-width characters are the subject
"""A text as the models read it: one spelling for what looks or means the same; hosts and addresses masked."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import re2

LONGEST: Final = 10_000  # characters of a body
# Masks are private characters: words of their own that nobody writes.
LINK, ADDRESS, MONEY, LINE = "\ue000", "\ue001", "\ue002", "\ue003"
# RE2 takes a tenth of the time of `re`, and ends of words are those of ASCII words in it: an address that follows
# Japanese without a blank is one too. It puts in ASCII only, so the masks come after.
_LINK = re2.compile(
    r"(?:(?:https?|hxxps?|ftp)://|\bwww\.)[^\x09-\x0d\x1c-\x20\x{85}\x{a0}\x{2028}\x{2029}\x{3000}<>\"'、。」）)\]]{1,1000}"
)
_ADDRESS = re2.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")
_ENDS = r"\.(?:com|net|org|info|biz|example|test|invalid|jp|uk|de|fr|cn|ru|top|xyz|io)\b"
_MAY_BE_HOST = re.compile(_ENDS)
_HOST = re2.compile(r"\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,6}" + _ENDS)
_MONEY = re2.compile(
    r"(?:[$€£¥₩]|\b(?:usd|eur|gbp|jpy|us\$)\s?)\s?[0-9][0-9.,]{0,20}"
    r"|\b[0-9][0-9.,]{0,20}\s?(?:usd|eur|gbp|jpy|dollars?|euros?|pounds?|円|万円|億円|ドル|ユーロ)"
)
_NUMBER = re.compile(r"[0-9](?:[0-9.,:/-]{0,30}[0-9])?")
# Texts that were split into words; the blank stands first, so that the search goes from blank to blank.
_BEFORE_MARKS = re.compile(r" (?:(?=[,.;:!?')\]%])(?<=\w )|(?=\w)(?<=[(\['] ))")
_RULES = re.compile(r"([-=_*~#+.・－─━＝■□◆◇○●※★☆])\1{2,}")
# Letters that look Latin; folded only in words that have Latin letters too.
_ALIKE = str.maketrans("аеорсухіјѕԁһкмнвтαενορτυχικ", "aeopcyxijsdhkmhbtaevoptuxik")
_GREEK_OR_CYRILLIC = re.compile("[\u0370-\u052f]")
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
    text = text[:LONGEST].lower()
    return len(_MIXED.findall(text)) if _GREEK_OR_CYRILLIC.search(text) else 0


def _plain(text: str) -> str:
    if not text.isascii():
        text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    text = text.lower()
    if _GREEK_OR_CYRILLIC.search(text):
        text = _MIXED.sub(lambda word: word[0].translate(_ALIKE), text)
    text = _masked(text)
    text = _RULES.sub(r"\1\1", _NUMBER.sub(_length, text))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return _BEFORE_MARKS.sub("", "\n".join(filter(None, lines)))


def _masked(text: str) -> str:
    """The text with masks for links, addresses, hosts and amounts. Each is looked for only where there may be one."""
    if "://" in text or "www." in text:
        text = _LINK.sub(" \x01 ", text)
    if "@" in text:
        text = _ADDRESS.sub(" \x02 ", text)
    if _MAY_BE_HOST.search(text):
        text = _HOST.sub(" \x01 ", text)
    text = _MONEY.sub(" \x03 ", text)
    return text.replace("\x01", LINK).replace("\x02", ADDRESS).replace("\x03", MONEY)


def _length(number: re.Match[str]) -> str:
    return "0" * min(len(number[0]), 4)
