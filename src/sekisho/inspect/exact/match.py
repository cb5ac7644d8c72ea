"""From the candidates of a text to the rows of a list that it carries. Pure."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.exact.phrases import phrases_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sekisho.inspect.exact.lists import ExactList

WINDOW = 1000  # characters in which the fields of one row must stand
_SEEDS = 64  # a value in more rows than this only confirms what others say
_MOST_ROWS = 20_000  # of one list in one text
_MOST_EVIDENCE = 48  # of one row
_MOST_CONFIRMED = 200  # values around one row
TYPE_OF_TAG = {"n": "name", "p": "phone", "e": "email", "i": "number", "d": "date", "a": "address", "t": "text"}


class TooLongError(Exception):
    """A text keeps the look-ups busy for longer than they may take."""


class Hit(Struct, frozen=True):
    """Something in a text that is a value of the list: its place, its hash, its entries in the table, its type."""

    place: int
    value: int
    low: int
    high: int
    kind: str


class Evidence(Struct, frozen=True):
    """A field of a row, seen in a text."""

    place: int
    value: int
    column: int


class Row(Struct, frozen=True):
    """A row of which two fields or more stand together: how many, in which columns, and the values' hashes."""

    number: int
    fields: int
    columns: frozenset[int]
    values: frozenset[int]


def rows_in(text: str, hits: list[Hit], of: ExactList, deadline: float) -> list[Row]:
    """The rows of a list that a text carries two fields or more of. Raises TooLongError after `deadline` (monotonic).

    `hits` are what can be told by its shape, in the order of their places. Names and texts are looked for here, where
    they can make it enough, or everywhere where the list has rows that consist of them.
    """
    if of.phrases_alone:
        everything = sorted([*hits, *_phrases([(0, text)], of, deadline)], key=lambda hit: hit.place)
        found = _seeded(everything, of)
        _confirm(found, _common(everything), of, deadline)
        return list(_rows(found, of))
    values = {hit.value for hit in hits}
    if len(values) < min(of.least_told, of.head.least_rows):
        return []
    found = _seeded(hits, of)
    _confirm(found, _common(hits), of, deadline)
    if of.tags and (near := _worth_reading(found, hits, len(values), of)):
        # Names and texts only confirm here, for they cannot make a row without other fields.
        _confirm(found, list(_phrases(_around(text, near), of, deadline)), of, deadline)
    return list(_rows(found, of))


def _worth_reading(found: Mapping[int, list[Evidence]], hits: list[Hit], values: int, of: ExactList) -> list[int]:
    """The places around which names and texts may make rows that count."""
    if values >= of.head.least_rows:
        return [hit.place for hit in hits]
    rows = (seen for seen in found.values() if len({evidence.value for evidence in seen}) >= of.least_told)
    return sorted({evidence.place for seen in rows for evidence in seen})


def _around(text: str, places: Iterable[int]) -> Iterator[tuple[int, str]]:
    """The pieces of a text that are near enough to something found, each with where it begins."""
    begin = end = 0
    for place in places:
        if place - WINDOW > end:
            if end > begin:
                yield begin, text[begin:end]
            begin = max(0, place - WINDOW)
        end = max(end, place + WINDOW)
    if end > begin:
        yield begin, text[begin:end]


def _phrases(pieces: Iterable[tuple[int, str]], of: ExactList, deadline: float) -> Iterator[Hit]:
    known: dict[str, tuple[int, int, int]] = {}
    for begin, piece in pieces:
        for number, (place, key) in enumerate(
            phrases_in(piece, of.starts, of.tags, cjk=of.head.cjk, words=of.head.words)
        ):
            if number % 1000 == 999 and time.monotonic() > deadline:
                raise TooLongError
            where = known.get(key)
            if where is None:
                value = of.hash_of(key)
                where = known[key] = (value, *of.table.find(value))
            value, low, high = where
            if low < high:
                yield Hit(begin + place, value, low, high, TYPE_OF_TAG[key[0]])


def _seeded(hits: Iterable[Hit], of: ExactList) -> dict[int, list[Evidence]]:
    """Rows by number, with what was seen of them: by values that few rows have."""
    width = len(of.head.columns)
    found: dict[int, list[Evidence]] = {}
    cells: dict[int, list[tuple[int, int]]] = {}
    for hit in hits:
        if hit.high - hit.low > _SEEDS:
            continue
        if hit.low not in cells:
            cells[hit.low] = [divmod(reference, width) for reference in of.table.references(hit.low, hit.high)]
        for row, column in cells[hit.low]:
            seen = found.get(row)
            if seen is None:
                if len(found) >= _MOST_ROWS:
                    continue
                seen = found[row] = []
            if len(seen) < _MOST_EVIDENCE:
                seen.append(Evidence(hit.place, hit.value, column))
    return found


def _common(hits: Iterable[Hit]) -> list[Hit]:
    """What only confirms."""
    return [hit for hit in hits if hit.high - hit.low > _SEEDS]


def _confirm(found: Mapping[int, list[Evidence]], hits: Sequence[Hit], of: ExactList, deadline: float) -> None:
    """Add to each row what else stands around it."""
    if not hits or not found:
        return
    hits = sorted(hits, key=lambda hit: hit.place)
    places = [hit.place for hit in hits]
    columns: dict[str, list[int]] = {}
    for number, described in enumerate(of.head.columns):
        columns.setdefault(described.type, []).append(number)
    width = len(of.head.columns)
    for row, seen in found.items():
        if time.monotonic() > deadline:
            raise TooLongError
        known = {evidence.value for evidence in seen}
        first = bisect_left(places, min(e.place for e in seen) - WINDOW)
        last = bisect_right(places, max(e.place for e in seen) + WINDOW)
        for hit in hits[first : min(last, first + _MOST_CONFIRMED)]:
            if hit.value in known:
                continue
            for column in columns[hit.kind]:
                if of.table.has(hit.low, hit.high, row * width + column):
                    seen.append(Evidence(hit.place, hit.value, column))


def _rows(found: Mapping[int, list[Evidence]], of: ExactList) -> Iterator[Row]:
    for number, seen in found.items():
        if len(seen) < 2 or len({evidence.value for evidence in seen}) < 2:
            continue
        best = max(_windows(seen), key=lambda near: _fields(near, of))
        fields = _fields(best, of)
        if fields >= 2:
            columns, values = frozenset(e.column for e in best), frozenset(e.value for e in best)
            yield Row(number, fields, columns, values)


def _windows(seen: list[Evidence]) -> Iterator[list[Evidence]]:
    """What stands together, from each place on."""
    ordered = sorted(seen, key=lambda evidence: evidence.place)[:_MOST_EVIDENCE]
    for first, start in enumerate(ordered):
        yield [evidence for evidence in ordered[first:] if evidence.place - start.place <= WINDOW]


def _fields(near: Sequence[Evidence], of: ExactList) -> int:
    """How many fields were seen: no more than columns, than values, than places. A name and its kana are one."""
    names = {evidence.column for evidence in near if of.head.columns[evidence.column].type == "name"}
    if len(names) > 1:
        others = names - {min(names)}
        near = [evidence for evidence in near if evidence.column not in others]
    return min(len({e.column for e in near}), len({e.value for e in near}), len({e.place for e in near}))
