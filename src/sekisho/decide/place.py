"""A table of a policy file with its place, so that whatever is wrong with it is noted with file, line and key."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any, TypeVar

from msgspec import Struct

from sekisho.config.toml import Locations, Problem, decode
from sekisho.decide.match import Count
from sekisho.mail.address import IpNetwork

S = TypeVar("S", bound=Struct)

Words = str | tuple[str, ...]

_COUNT = re.compile(r"(>=|<=|>|<|=) *([0-9]{1,9})")


class Place(Struct, frozen=True, eq=False):
    """The key at which a table stands. All readers note problems and go on with something harmless."""

    locations: Locations
    problems: list[Problem]
    key: str

    def below(self, key: str) -> Place:
        """The place of a key of this table."""
        return Place(self.locations, self.problems, f"{self.key}.{key}")

    def item(self, index: int) -> Place:
        """The place of an element of this array."""
        return Place(self.locations, self.problems, f"{self.key}[{index}]")

    def bad(self, text: str) -> None:
        """Note what is wrong here."""
        self.problems.append(self.locations.problem(self.key, text))

    def read(self, table: object, type_: type[S]) -> S | None:
        """The table that stands here as a struct; None where it cannot be read."""
        return decode(table, type_, self.locations, self.problems, self.key)

    def words(self, words: Words | None, form: re.Pattern[str], wanted: str) -> tuple[str, ...]:
        """A word or a list of them, each of a given form; `wanted` says which."""
        if words is None:
            return ()
        words = (words,) if isinstance(words, str) else words
        if not words:
            self.bad("is empty: leave the key out, or name at least one")
        for word in words:
            if not form.fullmatch(word):
                self.bad(f'"{word}" is not {wanted}')
        return words

    def networks(self, words: Words | None) -> tuple[IpNetwork, ...]:
        """Networks in CIDR notation, or single addresses."""
        found = []
        for word in self.words(words, re.compile(".*"), "a network"):
            try:
                found.append(ip_network(word))
            except ValueError as error:
                self.bad(f"not a network: {error}")
        return tuple(found)

    def count(self, count: float | str | None) -> Count | None:
        """`20` (at least as many) or a comparison such as `">20"`."""
        if count is None:
            return None
        read = _count(count)
        if read is None:
            self.bad(f'"{count}" is not a number (at least as many) or a comparison such as ">20"')
        elif not any(read.holds(n) for n in (1, read.number, read.number + 1) if n > 0):
            self.bad(f'"{count}" can never hold: there is always at least one')
        return read


def _count(count: float | str) -> Count | None:
    if isinstance(count, int):
        return Count(">=", count) if count >= 0 else None
    match = _COUNT.fullmatch(count.strip()) if isinstance(count, str) else None
    return Count(match[1], int(match[2])) if match else None


def one_or_more(word: Any) -> tuple[Any, ...]:
    """A word, a tuple of them or None as a tuple."""
    if word is None:
        return ()
    return word if isinstance(word, tuple) else (word,)
