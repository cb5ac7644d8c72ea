"""What in a text has the shape of a number, a date, an address or an e-mail address: the candidates to look up.

One walk over the digits and one over the signs "@"; nothing is normalised but what is looked up.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.exact.addresses import addresses_at
from sekisho.inspect.exact.dates import dates_at
from sekisho.inspect.exact.normalise import LONGEST_NUMBER, SHORTEST_NUMBER, significant, stripped
from sekisho.inspect.exact.plain import DASHES, DIGIT, arabic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_GROUPS = 5  # of digits in one number: a card's has four, a telephone's with country code five
_MOST_DIGITS = 20

_RUN = re.compile(f"[{DIGIT}][{DIGIT}]*")  # written so, it is looked for twice as fast as with "+"
# Digits that begin a date or an address with what follows them; so most others never leave the regular expression.
_TELLING = re.compile(
    rf"[{DIGIT}][{DIGIT}]*(?:(?=\s?[年丁番号の]|\s?[{DASHES}/.\uff0f\uff0e]\s?[{DIGIT}]|[{DASHES}][A-Za-z]{{3}}"
    rf"|[A-Za-z]{{0,2}},?\s[A-Za-z0-9\u00c0-\u024f])|(?<=[{DIGIT}]{{8}})(?![{DIGIT}]))"
)
_CLUSTER = re.compile(rf"[{DIGIT}](?:[ \u3000{DASHES}/.()\uff08\uff09\u30fb_]{{0,2}}[{DIGIT}]){{4,400}}")
_GROUP = re.compile("[0-9]+")
_CODE_BEFORE = re.compile(rf"(?:[A-Za-z\uff21-\uff3a\uff41-\uff5a]{{1,12}}[_{DASHES}]?)+\Z")
_ALNUM = r"[0-9A-Za-z\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]"
_CODE = re.compile(rf"{_ALNUM}+(?:[_{DASHES}]{_ALNUM}+){{0,5}}")
_NOT_CODE = re.compile("[^0-9a-z]+")
_JOINS = frozenset("_-\u2010\u2011\u2012\u2013\u2212\uff0d")

_AT = re.compile("[@\uff20]")
_LOCAL = re.compile(r"[^\s@<>,;:\"()\[\]=&?/\uff00-\uff0c\uff1a-\uff1f\u3000-\u303f\u3040-\u9fff]{1,64}\Z")
_DOMAIN = re.compile(r"[^\s@<>,;:\"()\[\]=&?/\uff00-\uff0c\uff1a-\uff1f\u3000-\u303f\u3040-\u9fff]{1,255}")


class Wanted(Struct, frozen=True):
    """What is worth looking up, over several lists: the lengths of their numbers, and which types they have.

    `phones` and `numbers` are sets of lengths; `codes` those of numbers with letters; `addresses` the forms.
    """

    phones: frozenset[int] = frozenset()
    numbers: frozenset[int] = frozenset()
    codes: frozenset[int] = frozenset()
    addresses: frozenset[str] = frozenset()
    emails: bool = False
    dates: bool = False

    def together(self, other: Wanted) -> Wanted:
        """What either wants."""
        return Wanted(
            self.phones | other.phones,
            self.numbers | other.numbers,
            self.codes | other.codes,
            self.addresses | other.addresses,
            self.emails or other.emails,
            self.dates or other.dates,
        )


def spots(text: str, wanted: Wanted) -> Iterator[tuple[int, str]]:
    """Each candidate's place and the key to look it up by: the tag of its type, then its canonical form."""
    if wanted.emails and ("@" in text or "\uff20" in text):
        yield from _emails(text)
    if wanted.dates or wanted.addresses:
        text = arabic(text)
    if wanted.phones or wanted.numbers:
        for cluster in _CLUSTER.finditer(text):
            yield from _numbers(text, cluster.start(), cluster[0], wanted)
    if wanted.dates or wanted.addresses or wanted.codes:
        yield from _around_digits(text, wanted)


def _around_digits(text: str, wanted: Wanted) -> Iterator[tuple[int, str]]:
    """Dates, addresses and codes: what takes more than digits."""
    date_end = code_end = 0
    every = wanted.codes or not wanted.addresses.isdisjoint(("lot", "number-last"))
    for run in (_RUN if every else _TELLING).finditer(text):
        start, end = run.span()
        if wanted.dates and start >= date_end and (end - start <= 4 or end - start == 8):
            for date in dates_at(text, start):
                date_end = end
                yield start, f"d{date}"
        if wanted.codes and start >= code_end and _beside_letters(text, start, end):
            code_end, keys = _codes(text, start, wanted.codes)
            for key in keys:
                yield start, key
        if wanted.addresses and end - start <= 5:
            for _, key in addresses_at(text, start, end, wanted.addresses):
                yield start, f"a{key}"


def _beside_letters(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return before.isalpha() or after.isalpha() or before in _JOINS or after in _JOINS


def _emails(text: str) -> Iterator[tuple[int, str]]:
    for sign in _AT.finditer(text):
        at = sign.start()
        local = _LOCAL.search(text[max(0, at - 64) : at])
        domain = _DOMAIN.match(text, at + 1)
        if local and domain:
            address = unicodedata.normalize("NFKC", f"{local[0]}@{domain[0]}").casefold().rstrip(".'")
            yield at, f"e{address.lstrip(chr(39))}"


def _numbers(text: str, start: int, cluster: str, wanted: Wanted) -> list[tuple[int, str]]:
    """All numbers that neighbouring groups of digits may make, of a wanted length."""
    plain = cluster if cluster.isascii() else unicodedata.normalize("NFKC", cluster)
    found = [(match[0], match.start()) for match in _GROUP.finditer(plain)]
    sign = start > 0 and text[start - 1] in "+\uff0b"
    made: list[tuple[int, str]] = []
    for first, (digits, place) in enumerate(found):
        following = found[first + 1 : first + _MOST_GROUPS]
        if len(digits) == 1 and following and len(following[0][0]) == 1:
            continue  # nobody writes a number digit by digit
        made += [(start + place, key) for key in _readings(digits, wanted, abroad=sign and first == 0)]
        for group, _ in following:
            digits += group  # noqa: PLW2901 - grows by a group at a time
            if len(digits) > _MOST_DIGITS:
                break
            made += [(start + place, key) for key in _readings(digits, wanted, abroad=sign and first == 0)]
    return made


def _readings(digits: str, wanted: Wanted, *, abroad: bool) -> list[str]:
    """What digits may be: a number, a telephone number as dialled in the country, or one with a country code."""
    number = digits.lstrip("0")
    length = len(number)
    if length < SHORTEST_NUMBER:
        return []
    found = [f"i{number}"] if length in wanted.numbers else []
    if wanted.phones:
        if length in wanted.phones:
            found.append(f"p{number}")
        if length >= 10 and (abroad or digits[:1] in "01" or digits[:2] == "81"):
            phone = significant(digits, abroad=abroad)
            if phone != number and len(phone) in wanted.phones:
                found.append(f"p{phone}")
    return found


def _codes(text: str, start: int, lengths: Iterable[int]) -> tuple[int, set[str]]:
    """The end of the run of letters and digits around a digit, and the codes with letters that are in it."""
    before = _CODE_BEFORE.search(text[max(0, start - LONGEST_NUMBER) : start])
    begin = start - len(before[0]) if before else start
    match = _CODE.match(text, begin)
    if match is None:
        return start, set()
    plain = unicodedata.normalize("NFKC", match[0]).lower()
    parts = [part for part in _NOT_CODE.split(plain) if part]
    found = set()
    for first in range(len(parts)):
        for last in range(first + 1, min(first + 5, len(parts)) + 1):
            code = "".join(parts[first:last])
            if len(code) in lengths and not code.isdecimal() and stripped(code):
                found.add(f"i{code}")
    return match.end(), found
