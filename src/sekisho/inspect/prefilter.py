"""Which of many patterns occur in a text at all: one pass by hyperscan, whatever their number."""

from __future__ import annotations

import hashlib
import re
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

import hyperscan
from msgspec import Struct

from sekisho.inspect.gates import GATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_FLAGS = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_SINGLEMATCH
_LONGEST_REPEAT = 8
_GROUP = 100  # patterns in a database: larger ones take longer to compile, smaller ones to scan
_LEAST_BEHIND = 4  # patterns that are worth a gate
_MOST_REMEMBERED = 64  # groups of this process
_VERSION = version("hyperscan")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{([0-9]+),([0-9]+)\}", re.DOTALL)


class Expression(Struct, frozen=True):
    """A pattern in RE2's syntax; `^` and `$` are line ends. `caseless` ignores case, `literal` means plain words."""

    text: str
    caseless: bool = False
    literal: bool = False


class _Pass(Struct, frozen=True, eq=False):
    """A database, the numbers of its patterns, and the number of the gate without which it is not asked."""

    database: hyperscan.Database
    numbers: list[int]
    gate: int | None


class Compilations(Protocol):
    """Where compiled databases are kept between starts; what it gives back may be None or damaged."""

    def get(self, name: str) -> bytes | None:
        """What was kept under this name."""

    def put(self, name: str, data: bytes) -> None:
        """Keep it; silently not, where that fails."""


class Prefilter:
    """Compiled once, then shared by all threads; each thread has hyperscan scratches of its own.

    Patterns behind a gate are looked for only in a text in which the gate occurs.

    `always` are the numbers of the patterns that hyperscan cannot take: they count as occurring in every text.
    `kept` saves compiling what an earlier process has compiled; this process remembers by itself.
    """

    def __init__(self, expressions: Sequence[Expression], kept: Compilations | None = None) -> None:
        self._databases: list[_Pass] = []
        always: set[int] = set()
        every, behind = _gated(expressions)
        for numbers, gate in (*((some, None) for some in _groups(every, behind)), *behind):
            database, left = _group(tuple(every[n] for n in numbers), kept)
            always.update(numbers[n] for n in left)
            if database is not None:
                self._databases.append(_Pass(database, numbers, gate))
        self._count = len(expressions)
        # A gate that hyperscan cannot take is open.
        self._open = frozenset(n for n in always if n >= self._count)
        self.always = frozenset(always - self._open)
        self._local = threading.local()

    def occurring(self, data: bytes) -> list[int]:
        """The numbers of the patterns that may occur in UTF-8 `data`, and surely of all that do, in order."""
        found = set(self.always | self._open)
        for one, scratch in zip(self._databases, self._scratches(), strict=True):
            if one.gate is None or one.gate in found:
                one.database.scan(data, match_event_handler=_collector(found, one.numbers), scratch=scratch)
        return sorted(number for number in found if number < self._count)

    def _scratches(self) -> list[hyperscan.Scratch]:
        scratches: list[hyperscan.Scratch] | None = getattr(self._local, "scratches", None)
        if scratches is None:
            scratches = self._local.scratches = [hyperscan.Scratch(one.database) for one in self._databases]
        return scratches


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


def _collector(found: set[int], numbers: Sequence[int]) -> Callable[..., None]:
    def on_match(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        found.add(numbers[number])

    return on_match


def _gated(expressions: Sequence[Expression]) -> tuple[list[Expression], list[tuple[list[int], int]]]:
    """The expressions with those of the gates behind them; the numbers behind each gate, with the gate's."""
    every, behind = list(expressions), []
    free = {n for n, expression in enumerate(expressions) if not expression.literal}
    for gate in GATES:
        numbers = sorted(n for n in free if gate.is_before(expressions[n].text))
        if len(numbers) >= _LEAST_BEHIND:
            behind.append((numbers, len(every)))
            every.append(Expression(gate.text))
            free.difference_update(numbers)
    return every, behind


def _groups(expressions: Sequence[Expression], behind: Sequence[tuple[list[int], int]]) -> Iterator[list[int]]:
    """All literals together, which hyperscan finds fastest, and the others in groups, but for those behind a gate."""
    closed = {number for numbers, _ in behind for number in numbers}
    literals = [n for n, expression in enumerate(expressions) if expression.literal]
    if literals:
        yield literals
    others = [n for n, expression in enumerate(expressions) if not expression.literal and n not in closed]
    yield from (others[at : at + _GROUP] for at in range(0, len(others), _GROUP))


_Compiled = tuple[hyperscan.Database | None, frozenset[int]]  # and the numbers that it does not take
_REMEMBERED: dict[tuple[Expression, ...], _Compiled] = {}


def _group(group: tuple[Expression, ...], kept: Compilations | None) -> _Compiled:
    compiled = _REMEMBERED.pop(group, None) or _read(group, kept) or _made(group, kept)
    _REMEMBERED[group] = compiled  # the latest is the last
    while len(_REMEMBERED) > _MOST_REMEMBERED:
        _REMEMBERED.pop(next(iter(_REMEMBERED)))
    return compiled


def _made(group: tuple[Expression, ...], kept: Compilations | None) -> _Compiled:
    numbers = range(len(group))
    database, left = _compile(group, numbers), frozenset[int]()
    if database is None:
        fitting = [n for n in numbers if _compile(group, [n]) is not None]
        database, left = _compile(group, fitting), frozenset(numbers) - frozenset(fitting)
    elif kept is not None:
        kept.put(_name(group), hyperscan.dumpb(database))
    return database, left


def _read(group: tuple[Expression, ...], kept: Compilations | None) -> _Compiled | None:
    data = kept.get(_name(group)) if kept is not None else None
    if data is None:
        return None
    try:
        return hyperscan.loadb(data, mode=hyperscan.HS_MODE_BLOCK), frozenset()
    except (hyperscan.error, ValueError, TypeError):
        return None  # cut short, or made by another hyperscan or for another processor


def _name(group: Iterable[Expression]) -> str:
    """Names what goes into a database: another version or other flags give another name."""
    parts = [_VERSION, str(_FLAGS), *(f"{relaxed(e.text)}\0{e.caseless}" for e in group)]
    return hashlib.sha256("\1".join(parts).encode("utf-8", "replace")).hexdigest()


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
