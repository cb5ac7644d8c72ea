"""Which of many patterns occur in a text at all: one pass by hyperscan, whatever their number."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import hyperscan
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FLAGS = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_SINGLEMATCH
_LONGEST_REPEAT = 8
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{([0-9]+),([0-9]+)\}", re.DOTALL)


class Expression(Struct, frozen=True):
    """A pattern in RE2's syntax; `^` and `$` are line ends. `caseless` ignores case."""

    text: str
    caseless: bool = False


class Prefilter:
    """Compiled once, then shared by all threads; each thread has a hyperscan scratch of its own.

    `always` are the numbers of the patterns that hyperscan cannot take: they count as occurring in every text.
    """

    def __init__(self, expressions: Sequence[Expression]) -> None:
        numbers = list(range(len(expressions)))
        self._database = _compile(expressions, numbers)
        self.always: frozenset[int] = frozenset()
        if self._database is None:
            fitting = [n for n in numbers if _compile(expressions, [n]) is not None]
            self._database = _compile(expressions, fitting)
            self.always = frozenset(numbers if self._database is None else set(numbers) - set(fitting))
        self._local = threading.local()

    def occurring(self, data: bytes) -> list[int]:
        """The numbers of the patterns that may occur in UTF-8 `data`, and surely of all that do, in order."""
        found = set(self.always)
        if self._database is not None:
            self._database.scan(data, match_event_handler=_collector(found), scratch=self._scratch())
        return sorted(found)

    def _scratch(self) -> hyperscan.Scratch:
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        return scratch


def relaxed(pattern: str) -> str:
    r"""The pattern with long bounded repeats open at the end, and the ends of the text as ends of lines.

    It matches wherever the original does (`.{0,40}` becomes `.{0,}`). hyperscan unrolls bounded repeats: the built-in
    rules took 7 s to compile as they are, 0.2 s relaxed, and a few did not compile at all. Texts are joined with line
    ends before they are scanned, so that `\A` may stand in the middle of what is scanned.
    """
    return _TOKEN.sub(_relaxed_token, pattern)


def _relaxed_token(token: re.Match[str]) -> str:
    if token[2] is not None and int(token[2]) > _LONGEST_REPEAT:
        return f"{{{token[1]},}}"
    return {r"\A": "^", r"\z": "$"}.get(token[0], token[0])


def _collector(found: set[int]) -> Callable[..., None]:
    def on_match(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        found.add(number)

    return on_match


def _compile(expressions: Sequence[Expression], numbers: Sequence[int]) -> hyperscan.Database | None:
    """A database of these patterns; None where there are none, or one of them cannot be taken."""
    if not numbers:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    chosen = [expressions[n] for n in numbers]
    try:
        database.compile(
            expressions=[relaxed(e.text).encode() for e in chosen],
            ids=list(numbers),
            flags=[_FLAGS | (hyperscan.HS_FLAG_CASELESS if e.caseless else 0) for e in chosen],
        )
    except hyperscan.error:
        return None
    return database
