"""Whether one mail domain could be taken for another: two sites beside each other, no list of names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct
from rapidfuzz.distance import OSA

from sekisho.inspect.content.parties import host_of
from sekisho.inspect.links.confusables import blurred
from sekisho.inspect.links.host import to_unicode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sekisho.inspect.links.lists import Lists

_SHORTEST = 4  # characters of a name that is compared at all
_SHORTEST_NEAR = 6
_SHORTEST_TWO_OFF = 11
_KEPT = 8192
_NOBODYS = "example"  # example.com and its like stand for any company in documents
_ENDINGS = frozenset(("hd", "holdings", "kk", "llc", "gmbh", "sales", "trade", "trading", "keiri", "jimu", "biz"))


class Likeness(Struct, frozen=True):
    """How a site resembles another, in words, and how likely somebody means it, 0..1."""

    how: str
    confidence: float


class Likenesses:
    """Compares sites. `lists` gives the words that are put beside a borrowed name, and free-mail providers."""

    def __init__(self, lists: Lists) -> None:
        self._words = frozenset(lists.lures) | _ENDINGS
        self._free = lists.free_mail
        self._abused = lists.abused_suffixes
        self.between = lru_cache(maxsize=_KEPT)(self._between)

    def first(self, site: str, others: Iterable[str]) -> tuple[str, Likeness] | None:
        """The site among the others that this one most resembles, or None."""
        found = [(other, like) for other in others if (like := self.between(site, other)) is not None]
        return max(found, key=lambda pair: pair[1].confidence, default=None)

    def _between(self, site: str, other: str) -> Likeness | None:
        """How `site` could be taken for `other`; None for the same, for free mail, and where it could not."""
        if site == other or not site or not other or site in self._free or other in self._free:
            return None
        label, suffix = _apart(site)
        genuine, other_suffix = _apart(other)
        if min(len(label), len(genuine)) < _SHORTEST or label == _NOBODYS:
            return None
        if label == genuine:  # many companies have several
            return Likeness("has another suffix than", 0.45 if suffix in self._abused else 0.15)
        found = _alike(label, genuine) or self._with_word(label, genuine)
        if found is None or suffix == other_suffix:
            return found
        return Likeness(found.how, round(found.confidence * 0.8, 4))

    def _with_word(self, label: str, genuine: str) -> Likeness | None:
        """A name with a word before or behind it: "acme-billing" for "acme"."""
        if genuine not in label or len(genuine) < _SHORTEST_NEAR - 1:
            return None
        before, _, behind = label.partition(genuine)
        rest = [word for word in (before.strip("-"), behind.strip("-")) if word]
        return Likeness("adds a word to", 0.55) if all(word in self._words for word in rest) else None


def _alike(label: str, genuine: str) -> Likeness | None:
    label, genuine = label.replace("-", ""), genuine.replace("-", "")
    if label == genuine:
        return Likeness("has other hyphens than", 0.65)
    if blurred(label) == blurred(genuine):
        if _is_plain(label) and not _is_plain(genuine):
            return None  # the other one is the disguise
        return Likeness("is written with characters that look like those of", 0.85)
    longest = min(len(label), len(genuine))
    most = 2 if longest >= _SHORTEST_TWO_OFF else 1
    if longest < _SHORTEST_NEAR or label[0] != genuine[0] or _numbered(label, genuine):
        return None
    distance = OSA.distance(label, genuine, score_cutoff=most)
    if distance > most:
        return None
    return (
        Likeness("is one character away from", 0.75)
        if distance == 1
        else Likeness("is two characters away from", 0.5)
    )


def _is_plain(label: str) -> bool:
    return label.isascii() and label.isalpha()


def _numbered(label: str, genuine: str) -> bool:
    """Whether the two differ in digits only: "server1" and "server2" are nobody's disguise."""
    digits = "0123456789"
    return label.strip(digits) == genuine.strip(digits)


def _apart(site: str) -> tuple[str, str]:
    """The label that was registered, in Unicode, and what is behind it."""
    host = host_of(site)
    label = host.label if host.site else host.ascii.partition(".")[0]
    return to_unicode(label), host.suffix or host.ascii.partition(".")[2]
