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
_MOST_EVIDENCE = 1_000_000  # of all of them
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
    """A row of which two fields or more stand together: how many, in which columns, and the values' hashes.

    The first of them begins at `first`, the last at `last`.
    """

    number: int
    fields: int
    columns: frozenset[int]
    values: frozenset[int]
    first: int
    last: int


class Rows(Struct, frozen=True):
    """The rows that a text carries; not `complete` where there are more than are looked at (20,000 of a list)."""

    found: list[Row] = []
    complete: bool = True


def rows_in(text: str, hits: list[Hit], of: ExactList, deadline: float) -> Rows:
    """The rows of a list that a text carries two fields or more of. Raises TooLongError after `deadline` (monotonic).

    `hits` are what can be told by its shape, in the order of their places. Names and texts are looked for here, where
    they can make it enough, or everywhere where the list has rows that consist of them.
    """
    if of.phrases_alone:
        everything = sorted([*hits, *_phrases([(0, text)], of, deadline)], key=_place)
        return _rows(_seen(everything, of, deadline), of, deadline)
    found = _seen(hits, of, deadline)
    if of.tags and (near := _worth_reading(found, hits, of)):
        phrases = sorted(_phrases(_around(text, near), of, deadline), key=_place)
        if _common(hits):
            # With a value that very many rows have, it is the name that says which row it is.
            found = _seen(sorted([*hits, *phrases], key=_place), of, deadline)
        else:
            # Names and texts only confirm here, for they cannot make a row without other fields.
            found.take(phrases, deadline, confirming=True)
            found.confirm(_common(phrases), deadline)
    return _rows(found, of, deadline)


def _worth_reading(found: _Found, hits: list[Hit], of: ExactList) -> list[int]:
    """The places around which names and texts may make rows that count."""
    if len(found.rows) >= of.head.least_rows or _common(hits):
        return [hit.place for hit in hits]
    rows = (seen for seen in found.rows.values() if _different(seen) >= of.least_told)
    return sorted({evidence.place for seen in rows for places in seen.values() for evidence in places})


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


def _seen(hits: Sequence[Hit], of: ExactList, deadline: float) -> _Found:
    """Rows, found by values that few rows have, with what else of them stands near."""
    found = _Found(of)
    found.take(hits, deadline)
    found.confirm(_common(hits), deadline)
    return found


class _Found:
    """Rows by number, with what was seen of each, by column and in the order of the places.

    A row has one value in a column.
    """

    def __init__(self, of: ExactList) -> None:
        self.rows: dict[int, dict[int, list[Evidence]]] = {}
        self.complete = True
        self._of = of
        self._width = len(of.head.columns)
        self._kept = 0

    def take(self, hits: Iterable[Hit], deadline: float, *, confirming: bool = False) -> None:
        """Add what few rows have; rows that are not there yet too, unless `confirming`. Raises TooLongError."""
        cells: dict[int, list[tuple[int, int]]] = {}
        for number, hit in enumerate(_thinned(hit for hit in hits if hit.high - hit.low <= _SEEDS)):
            if number % 1000 == 999 and time.monotonic() > deadline:
                raise TooLongError
            if hit.low not in cells:
                references = self._of.table.references(hit.low, hit.high)
                cells[hit.low] = [divmod(reference, self._width) for reference in references]
            for row, column in cells[hit.low]:
                seen = self.rows.get(row)
                if seen is None:
                    if confirming:
                        continue
                    if len(self.rows) >= _MOST_ROWS:
                        self.complete = False
                        continue
                    seen = self.rows[row] = {}
                self._add(seen, column, hit)

    def confirm(self, hits: Sequence[Hit], deadline: float) -> None:
        """Add to each row what very many rows have and stands around it. Raises TooLongError."""
        if not hits:
            return
        hits = _thinned(sorted(hits, key=_place))
        places = [hit.place for hit in hits]
        columns: dict[str, list[int]] = {}
        for number, described in enumerate(self._of.head.columns):
            columns.setdefault(described.type, []).append(number)
        for row, seen in self.rows.items():
            known: dict[int, list[int]] = {}  # the columns that have a value
            for first, last in _near(seen, places):
                if time.monotonic() > deadline:
                    raise TooLongError
                for hit in hits[first:last]:
                    if hit.value not in known:
                        known[hit.value] = [c for c in columns[hit.kind] if self._has(hit, row, c)]
                    for column in known[hit.value]:
                        self._add(seen, column, hit)

    def _has(self, hit: Hit, row: int, column: int) -> bool:
        return self._of.table.has(hit.low, hit.high, row * self._width + column)

    def _add(self, seen: dict[int, list[Evidence]], column: int, hit: Hit) -> None:
        self._kept += 1
        if self._kept > _MOST_EVIDENCE:
            raise TooLongError
        seen.setdefault(column, []).append(Evidence(hit.place, hit.value, column))


def _thinned(hits: Iterable[Hit]) -> list[Hit]:
    """Of a value that is repeated within a window only its first and last place, in order.

    Nothing is lost: what stands together with one between them stands together with one of these.
    """
    kept: dict[int, list[Hit]] = {}
    for hit in hits:
        same = kept.setdefault(hit.value, [])
        if len(same) > 1 and hit.place - same[-2].place <= WINDOW:
            same[-1] = hit
        else:
            same.append(hit)
    return sorted((hit for same in kept.values() for hit in same), key=_place)


def _place(hit: Hit) -> int:
    return hit.place


def _common(hits: Iterable[Hit]) -> list[Hit]:
    """What only confirms."""
    return [hit for hit in hits if hit.high - hit.low > _SEEDS]


def _different(seen: Mapping[int, list[Evidence]]) -> int:
    """How many different values were seen of a row: a telephone number in two columns is one."""
    return len({places[0].value for places in seen.values()})


def _near(seen: Mapping[int, list[Evidence]], places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """From where to where others stand, by their places, that are near enough to something of a row."""
    done = 0
    for place in sorted(evidence.place for column in seen.values() for evidence in column):
        first, last = bisect_left(places, place - WINDOW), bisect_right(places, place + WINDOW)
        if last > done:
            yield max(first, done), last
            done = last


def _rows(found: _Found, of: ExactList, deadline: float) -> Rows:
    return Rows(list(_rows_of(found, of, deadline)), found.complete)


def _rows_of(found: _Found, of: ExactList, deadline: float) -> Iterator[Row]:
    for number, (row, seen) in enumerate(found.rows.items()):
        if number % 100 == 99 and time.monotonic() > deadline:
            raise TooLongError
        if _different(seen) < 2:
            continue
        best, fields = _best(seen, of, deadline)
        if fields >= 2:
            columns, values = frozenset(e.column for e in best), frozenset(e.value for e in best)
            yield Row(row, fields, columns, values, best[0].place, best[-1].place)


def _best(seen: Mapping[int, list[Evidence]], of: ExactList, deadline: float) -> tuple[list[Evidence], int]:
    """The stretch of a text that has most of a row, and how many fields these are."""
    best: list[Evidence] = []
    fields, most = 0, _different(seen)
    for near in _windows(seen, deadline):
        if len(near) > fields and (count := _fields(near, of)) > fields:
            best, fields = near, count
            if fields == most:
                break
    return best, fields


def _windows(seen: Mapping[int, list[Evidence]], deadline: float) -> Iterator[list[Evidence]]:
    """What stands together, from each place on."""
    ordered = sorted((e for places in seen.values() for e in places), key=lambda evidence: evidence.place)
    end = 0
    for first, start in enumerate(ordered):
        if first % 1000 == 999 and time.monotonic() > deadline:
            raise TooLongError
        while end < len(ordered) and ordered[end].place - start.place <= WINDOW:
            end += 1
        yield ordered[first:end]


def _fields(near: Sequence[Evidence], of: ExactList) -> int:
    """How many fields were seen: no more than columns, than values, than places. A name and its kana are one."""
    names = {evidence.column for evidence in near if of.head.columns[evidence.column].type == "name"}
    if len(names) > 1:
        others = names - {min(names)}
        near = [evidence for evidence in near if evidence.column not in others]
    return min(len({e.column for e in near}), len({e.value for e in near}), len({e.place for e in near}))
