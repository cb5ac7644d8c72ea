"""Gates: what must stand in a text before a pattern for a long number can match, found by reading the pattern.

A pattern that begins with any digit costs hyperscan time at each digit of a text, and dozens of them cost more than
all other patterns together. One gate is asked in the pass that is made anyway, and tells that none of them can match.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_BETWEEN = frozenset(" .-")
_MOST_REPEATED = 40
# What is read of RE2's syntax; anything else in a pattern, and it has no gate.
_TOKEN = re.compile(
    r"(?:(?P<class>\[(?!\^)(?:\\[^a-zA-Z0-9]|[^\]\\])+\])|(?P<open>\((?:\?i?:)?)|(?P<close>\))|(?P<bar>\|)|(?P<edge>\\b)"
    r"|\\(?P<escaped>[^a-zA-Z0-9])|(?P<plain>[^\\\[\](){}|?*+.^$]))(?P<repeat>\?|\*|\+|\{[0-9]+(?:,[0-9]*)?\})?(?![?+])"
)
_MEMBER = re.compile(r"(\\?.)(?:-(\\?.))?", re.DOTALL)  # of a class: a character, or the ends of a range


class Gate(Struct, frozen=True):
    """`text` is an expression in RE2's syntax that matches within every match of the patterns behind this gate.

    These have `run` characters of `digits` after each other, at most one blank, point or hyphen between two, and,
    where `lettered`, a letter before or behind them.
    """

    text: str
    digits: frozenset[str]
    run: int
    lettered: bool = False

    def is_before(self, pattern: str) -> bool:
        """Whether this can be told of every match of the pattern."""
        try:
            branches = _read(pattern)
        except ValueError:
            return False
        return all(any(self._stands_in(way) for way in (branch, branch[::-1])) for branch in branches)

    def _stands_in(self, pieces: Sequence[_Piece]) -> bool:
        found, between = 0, False
        for piece in pieces:
            if piece.characters <= self.digits:
                found += piece.least
                between = between and not piece.least
            elif piece.characters <= _BETWEEN and piece.most == 1:
                found = 0 if between else found
                between = True
            elif self.lettered and found >= self.run and piece.characters <= _LETTERS and piece.least:
                return True
            else:
                found, between = 0, False
            if found >= self.run and not self.lettered:
                return True
        return False


class _Piece(Struct, frozen=True):
    """From `least` to `most` of these characters; all that is not known is a piece of all characters."""

    characters: frozenset[str]
    least: int
    most: int


_Branches = list[list[_Piece]]
_ANYTHING = _Piece(frozenset(map(chr, range(128))), 0, _MOST_REPEATED)

# Kelvin sign and long s are letters to an expression that ignores case.
_LETTER = "[A-Za-z\u017f\u212a]"
_SIX = "[0-9](?:[ .-]?[0-9]){5}"
GATES = (
    Gate("[0-9ABab](?:[ .-]?[0-9ABab]){10}", _DIGITS | frozenset("AB"), 11),
    Gate(f"{_SIX}[ .-]?{_LETTER}|{_LETTER}[ .-]?{_SIX}", _DIGITS, 6, lettered=True),
)


def _read(pattern: str) -> _Branches:
    """What is known of the pattern's branches. Raises ValueError where it is written with anything else."""
    tokens = _tokens(pattern)
    branches, end = _branches(tokens)
    if end is not None:
        raise ValueError(pattern)
    return branches


def _tokens(pattern: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise ValueError(pattern)
        yield token
        at = token.end()


def _branches(tokens: Iterator[re.Match[str]]) -> tuple[_Branches, re.Match[str] | None]:
    """The branches up to the end of a group, and the token that ends it."""
    branches: _Branches = [[]]
    for token in tokens:
        if token["close"]:
            return branches, token
        if token["bar"]:
            branches.append([])
        elif token["open"]:
            inner, end = _branches(tokens)
            if end is None or token["repeat"]:
                raise ValueError(token.string)
            branches[-1] += _repeated(inner, *_times(end["repeat"]))
        elif not token["edge"]:
            branches[-1].append(_Piece(_characters(token), *_times(token["repeat"])))
    return branches, None


def _times(repeat: str | None) -> tuple[int, int]:
    if not repeat:
        return 1, 1
    if repeat in "?*+":
        return int(repeat == "+"), 1 if repeat == "?" else _MOST_REPEATED
    least, comma, most = repeat[1:-1].partition(",")
    return min(int(least), _MOST_REPEATED), int(most) if most else (_MOST_REPEATED if comma else int(least))


def _repeated(branches: _Branches, least: int, most: int) -> list[_Piece]:
    """What is known of a group that stands so many times."""
    if len(branches) == 1:
        return branches[0] * least + [_ANYTHING] * (most > least)
    characters = frozenset[str]().union(*(piece.characters for branch in branches for piece in branch))
    fewest = min(sum(piece.least for piece in branch) for branch in branches)
    return [_Piece(characters, fewest * least, _MOST_REPEATED)]


def _characters(token: re.Match[str]) -> frozenset[str]:
    if not token["class"]:
        return frozenset(token["escaped"] or token["plain"])
    found: set[str] = set()
    for first, last in _MEMBER.findall(token["class"][1:-1]):
        found.update((first[-1], (last or first)[-1]))
        found.update(map(chr, range(ord(first[-1]), min(ord((last or first)[-1]), 127) + 1)))
    return frozenset(found)
