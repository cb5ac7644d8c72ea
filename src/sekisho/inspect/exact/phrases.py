"""Names and short texts: what they are kept by, and how they are found in running text.

Text without spaces between words (Japanese, Chinese, Korean) is compared by characters, spaces left out; other text
by words. Names may stand with the given name first or last. So that running text need not be looked up at every
length, the list also knows how phrases begin and how long those are: a mask, bit L-1 for a length of L.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from sekisho.inspect.exact.plain import has_cjk, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_CHARACTERS = 32
MOST_WORDS = 6

_LETTER = re.compile(r"[^\W_]")
_WORD = re.compile(r"[^\W_]{2,}")
_HONORIFIC = re.compile(r"(?<=..)\s*(?:様|さま|さん|殿|氏|先生|御中|君|くん)\s*\Z")
_TITLE = re.compile(r"\s*(?:mr|mrs|ms|miss|dr|prof)\b\.?\s*")

Tag = Literal["n", "t"]


def name_of(value: str) -> str:
    """A person's name: without title and spaces; words in order of the alphabet. "" where it is too short to tell."""
    value = _TITLE.sub("", plain(value), count=1) if value[:1].isascii() else plain(value)
    if not has_cjk(value):
        words = _WORD.findall(value)[:MOST_WORDS]
        return " ".join(sorted(words)) if len(words) > 1 else ""
    spaced = len(value.split()) > 1
    letters = "".join(_LETTER.findall(_HONORIFIC.sub("", value)))
    return letters[:MOST_CHARACTERS] if len(letters) >= (2 if spaced else 3) else ""


def text_of(value: str) -> str:
    """A short text such as a company or a diagnosis, or the beginning of a long one. "" where it is too short."""
    value = plain(value)
    if has_cjk(value):
        letters = "".join(_LETTER.findall(value))
        return letters[:MOST_CHARACTERS] if len(letters) >= 3 else ""
    words = " ".join(_WORD.findall(value)[:MOST_WORDS])
    return words if len(words) >= 5 else ""


def beginnings(kind: Tag, phrase: str) -> Iterator[tuple[str, int]]:
    """The keys under which a phrase's length is noted, and its bit. A name may begin with any of its words."""
    if has_cjk(phrase):
        yield f"c{phrase[:2]}", 1 << len(phrase) - 1
        return
    words = phrase.split(" ")
    for word in words if kind == "n" else words[:1]:
        yield f"w{word}", 1 << len(words) - 1


def phrases_in(
    text: str, starts: Callable[[str], int], tags: frozenset[Tag], *, cjk: bool, words: bool
) -> Iterator[tuple[int, str]]:
    """Where in `text` something stands that may be a phrase, and the key to look it up by ("n…" or "t…").

    `starts` gives the mask of lengths for a beginning. Places are those in the text's NFKC form.
    """
    text = plain(text)
    if cjk and not text.isascii():
        yield from _by_characters(text, starts, tags)
    if words:
        yield from _by_words(text, starts, tags)


def _by_characters(text: str, starts: Callable[[str], int], tags: frozenset[Tag]) -> Iterator[tuple[int, str]]:
    places = [match.start() for match in _LETTER.finditer(text)]
    letters = "".join([text[place] for place in places])
    for at, pair in enumerate(map(str.__add__, letters, letters[1:])):
        if pair.isascii():
            continue
        mask = starts(f"c{pair}")
        while mask:
            length = mask.bit_length()
            mask ^= 1 << length - 1
            phrase = letters[at : at + length]
            if len(phrase) == length:
                for tag in tags:
                    yield places[at], tag + phrase


def _by_words(text: str, starts: Callable[[str], int], tags: frozenset[Tag]) -> Iterator[tuple[int, str]]:
    found = list(_WORD.finditer(text))
    words = [match[0] for match in found]
    masks = {word: starts(f"w{word}") for word in set(words)}
    for at, word in enumerate(words):
        mask = masks[word]
        while mask:
            length = mask.bit_length()
            mask ^= 1 << length - 1
            phrase = words[at : at + length]
            if len(phrase) < length:
                continue
            if "n" in tags and all(map(masks.__getitem__, phrase)):
                yield found[at].start(), "n" + " ".join(sorted(phrase))
            if "t" in tags:
                yield found[at].start(), "t" + " ".join(phrase)
