"""The directory of people whose names others may not write under: names in any usual spelling, with addresses."""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from sekisho.inspect.links.confusables import skeleton

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST_NAME = 120
_MOST_PIECES = 12
_MOST_TOGETHER = 3  # words of one Japanese name: family, given, and one between
_SEPARATORS = re.compile(
    '[()\\[\\]{}<>|/\\\\:;"\u201c\u201d\u201e【】「」『』〈〉《》・•*_]| [-\u2013\u2014] |\\bvia\\b'
)
_WORD = re.compile("[^\\W\\d_]+(?:['\u2019][^\\W\\d_]+)*")
_EAST_ASIAN = re.compile("[\u3005\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
# No title is made of others ("取締役会長"): a run of them could then be read in 2 ** n ways.
_TITLES_JA = (
    "株式会社|有限会社|合同会社|代表取締役|取締役|代表理事|理事長|理事|執行役員|監査役"
    "|相談役|顧問|会長|副社長|社長|専務|常務|本部長|副部長|部長|次長|課長|係長|主任|支店長|支社長|工場長|所長"
    "|室長|店長|院長|校長|弁護士|税理士|経理部|総務部|人事部|営業部|財務部|経理|総務|人事|財務"
)
_POLITE_JA = "様|さま|さん|サン|殿|どの|氏|君|くん|先生|拝"
# Names are compared by their skeletons, so that titles are taken off in that form too.
_LEADING_JA = re.compile("^(?:{})+".format("|".join(skeleton(title) for title in _TITLES_JA.split("|"))))
_TRAILING_JA = re.compile(
    "(?:{})+$".format("|".join(skeleton(word) for word in f"{_TITLES_JA}|{_POLITE_JA}".split("|")))
)
_TITLES = frozenset((
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "herr", "frau", "mme", "jr", "sr",
    "phd", "mba", "cpa", "esq", "ceo", "cfo", "coo", "cto", "president", "chairman", "director", "managing",
    "san", "sama",
))  # fmt: skip


class People:
    """Names by what is the same in all their spellings. Shared by all threads; a look-up takes microseconds."""

    def __init__(self, entries: Iterable[tuple[Iterable[str], Iterable[str]]] = ()) -> None:
        self._addresses: dict[str, frozenset[str]] = {}
        for names, addresses in entries:
            owned = frozenset(address.lower() for address in addresses)
            for key in {key for name in names for key in _keys_of_entry(name)}:
                self._addresses[key] = self._addresses.get(key, frozenset()) | owned  # two may have one name
        self._known = lru_cache(maxsize=4096)(self._addresses_of)

    def __bool__(self) -> bool:
        return bool(self._addresses)

    def addresses_of(self, name: str) -> frozenset[str] | None:
        """The addresses, in lower case, of those who have this name; None where nobody has it."""
        return self._known(name[:_LONGEST_NAME])

    def _addresses_of(self, name: str) -> frozenset[str] | None:
        for key in _keys(name):
            if key in self._addresses:
                return self._addresses[key]
        return None


class PeopleError(ValueError):
    """A line that names nobody or has no address; `line` counts from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def read_people(lines: Iterable[str]) -> People:
    """Read a directory: "name;other spelling;…;address;…" a line, or CSV with commas; "#" begins a comment.

    What has "@" in it is an address. Raises PeopleError.
    """
    return People(list(_entries(lines)))


def _entries(lines: Iterable[str]) -> Iterator[tuple[list[str], list[str]]]:
    for number, line in enumerate(lines, 1):
        text = line.lstrip("\ufeff").strip()
        if not text or text.startswith("#"):
            continue
        between = next((mark for mark in (";", "\t") if mark in text), ",")
        fields = [field.strip() for field in next(csv.reader([text], delimiter=between, skipinitialspace=True))]
        names = [field for field in fields if field and "@" not in field]
        addresses = [field for field in fields if "@" in field]
        if not names or not addresses:
            raise PeopleError(number, "expected a name and an address, separated by semicolons")
        if not any(_keys_of_entry(name) for name in names):
            raise PeopleError(number, "no name has both a family and a given name")
        yield names, addresses


def _keys_of_entry(name: str) -> set[str]:
    """The keys of a name as the directory has it: Japanese ones in both orders. A single word identifies nobody."""
    words = _words(name)
    if len(words) < 2 and not (words and _EAST_ASIAN.search(words[0]) and len(words[0]) > 2):
        return set()
    if not _EAST_ASIAN.search(name):
        return {_latin(words)} if len(_full(words)) > 1 else set()
    return {"".join(words), "".join(reversed(words))}


def _keys(name: str) -> Iterator[str]:
    """What to look for: the whole, its pieces, and Japanese words side by side."""
    plain = _plain(name)
    pieces = [piece for piece in _SEPARATORS.split(plain) if piece.strip()][:_MOST_PIECES]
    by_comma = [part for whole in pieces for part in whole.split(",")]  # also after "Yamada, Taro" as a whole
    for piece in dict.fromkeys((plain, *pieces, *by_comma)):
        words = _words(piece)
        if _EAST_ASIAN.search(piece):
            yield from _side_by_side(words)
        elif len(_full(words)) > 1:
            yield _latin(words)


def _side_by_side(words: list[str]) -> Iterator[str]:
    for start in range(min(len(words), _MOST_PIECES)):
        for end in range(start + 1, min(len(words), start + _MOST_TOGETHER) + 1):
            run = "".join(words[start:end])
            bare = _TRAILING_JA.sub("", _LEADING_JA.sub("", run))
            yield from (run, bare)


def _latin(words: list[str]) -> str:
    """Words in the order of the alphabet, without titles and initials."""
    return " ".join(sorted(_full(words)))


def _full(words: list[str]) -> list[str]:
    return [word for word in words if len(word) > 1 and word not in _TITLES]


def _words(text: str) -> list[str]:
    return _WORD.findall(_plain(text))


def _plain(text: str) -> str:
    """One spelling: half-width, lower case, without accents; letters that look Latin are Latin."""
    return skeleton(unicodedata.normalize("NFKC", text).casefold())
