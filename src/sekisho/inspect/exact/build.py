"""Turns a list into the file that it is found by."""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.exact.addresses import address_of
from sekisho.inspect.exact.columns import ColumnType, Field, fields_of, looks_like_data
from sekisho.inspect.exact.normalise import TAGS
from sekisho.inspect.exact.phrases import Tag, beginnings
from sekisho.inspect.exact.plain import has_cjk
from sekisho.inspect.exact.source import Source, SourceError
from sekisho.inspect.exact.table import Column, Head, countable, hasher
from sekisho.inspect.exact.writer import MOST_ENTRIES, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

_SAMPLE = 1000
_PROGRESS_ROWS = 50_000
_FIELDS = 3
_ROWS = 5


class Plan(Struct, frozen=True):
    """How a list is to be made: its name, whose it is, when, and what a message must carry of it.

    `types` by heading; `key_columns` are headings: of those one must be found. `least_fields` 0 takes 3, or what
    there is.
    """

    name: str
    tenant: str
    created: str
    types: Mapping[str, ColumnType] = {}
    key_columns: Sequence[str] = ()
    least_rows: int = _ROWS
    least_fields: int = _FIELDS


class Built(Struct, frozen=True):
    """What became of it: the head as written; by column how many values are unusable, and the line of the first."""

    head: Head
    unreadable: dict[str, tuple[int, int]]


def build(
    source: Source, plan: Plan, key: bytes, stream: BinaryIO, progress: Callable[[int], None] = lambda _: None
) -> Built:
    """Write the file of a list. `progress` is told the number of rows now and then. Raises SourceError, OSError."""
    if source.headed and looks_like_data(source.headings):
        raise SourceError(
            "the first line seems to hold values, not headings: say so with --no-headings, or name its columns"
        )
    rows = source.rows()
    sample = list(islice(rows, _SAMPLE))
    fields = _fields(source, [cells for _, cells in sample], plan)
    making = _Making(fields, key)
    for line, cells in chain(sample, rows):
        making.add(line, cells)
        if making.rows % _PROGRESS_ROWS == 0:
            progress(making.rows)
    making.check(source)
    head = making.writer.write(stream, making.head(plan), key)
    return Built(head, making.unreadable())


def _fields(source: Source, sample: Sequence[Sequence[str]], plan: Plan) -> tuple[Field, ...]:
    unknown = [name for name in (*plan.types, *plan.key_columns) if name not in source.headings]
    if unknown:
        raise SourceError(f'there is no column "{unknown[0]}" (there are: {", ".join(source.headings)})')
    fields = fields_of(source.headings, sample, plan.types)
    if countable(of.type for of in fields) < 2:
        raise SourceError("a list needs two columns that can be looked for; all names of a row are one")
    for name in plan.key_columns:
        if not any(_is_of(of, name) for of in fields):
            raise SourceError(f'the column "{name}" is ignored, so no row could ever be found by it')
    return fields


def _is_of(of: Field, heading: str) -> bool:
    """Whether a field is made of the column with this heading."""
    return heading == of.name or heading in of.name.split("+")


class _Making:
    def __init__(self, fields: Sequence[Field], key: bytes) -> None:
        self.writer = Writer(len(fields))
        self.rows = 0
        self._fields = fields
        self._hash = hasher(key)
        self._begun: set[str] = set()
        self._lengths: dict[str, set[int]] = {}
        self._forms: set[str] = set()
        self._scripts: set[bool] = set()
        self._wrong: Counter[int] = Counter()
        self._right: Counter[int] = Counter()
        self._first_wrong: dict[int, int] = {}

    def add(self, line: int, cells: Sequence[str]) -> None:
        """One row."""
        if (self.rows + 1) * len(self._fields) > MOST_ENTRIES:
            raise SourceError(f"line {line}: the list is too long")
        for column, of in enumerate(self._fields):
            kept = of.canonical(cells)
            if kept:
                self._right[column] += 1
                self.writer.add(self._hash(TAGS[of.type] + kept), self.rows, column)
                self._note(of, kept, cells)
            elif of.value(cells).strip():
                self._wrong[column] += 1
                self._first_wrong.setdefault(column, line)
        self.rows += 1

    def head(self, plan: Plan) -> Head:
        """The head of the file, before it is known what is left out."""
        keys = tuple(
            number
            for number, of in enumerate(self._fields)
            if any(_is_of(of, heading) for heading in plan.key_columns)
        )
        return Head(
            name=plan.name,
            tenant=plan.tenant,
            created=plan.created,
            rows=self.rows,
            columns=tuple(Column(of.name, of.type) for of in self._fields),
            least_rows=plan.least_rows,
            least_fields=plan.least_fields,
            key_columns=keys,
            lengths={tag: tuple(sorted(lengths)) for tag, lengths in sorted(self._lengths.items())},
            forms=tuple(sorted(self._forms)),
            cjk=True in self._scripts,
            words=False in self._scripts,
        )

    def check(self, source: Source) -> None:
        """Raises SourceError where there are no rows, or most values of a column are not of its type."""
        if not self.rows:
            raise SourceError("there are no rows")
        for column, wrong in self._wrong.items():
            of = self._fields[column]
            if wrong > self._right[column] and of.type not in ("text", "name"):
                what = f"{wrong} of {wrong + self._right[column]} values cannot be read as {of.type}, this the first"
                raise SourceError(source.at(self._first_wrong[column], of.name, what))

    def unreadable(self) -> dict[str, tuple[int, int]]:
        """By column, how many values cannot be looked for, and the line of the first."""
        return {self._fields[n].name: (count, self._first_wrong[n]) for n, count in sorted(self._wrong.items())}

    def _note(self, of: Field, kept: str, cells: Sequence[str]) -> None:
        """What look-ups will have to know about the values: their lengths, forms and beginnings."""
        if of.type == "phone":
            self._lengths.setdefault("p", set()).add(len(kept))
        elif of.type == "number":
            self._lengths.setdefault("i" if kept.isdecimal() else "c", set()).add(len(kept))
        elif of.type == "address":
            found = address_of(of.value(cells))
            self._forms.add(found[0] if found else "")
        elif of.type in ("name", "text"):
            tag: Tag = "n" if of.type == "name" else "t"
            self._scripts.add(has_cjk(kept))
            for beginning, bit in beginnings(tag, kept):
                noted = f"{beginning} {bit}"
                if noted not in self._begun:
                    self._begun.add(noted)
                    self.writer.begin(self._hash(beginning), bit)
