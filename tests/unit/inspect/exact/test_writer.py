import io
import random

import pytest

from sekisho.inspect.exact.table import Column, Head, Table, hasher
from sekisho.inspect.exact.writer import Writer, most_rows

KEY = bytes(32)


def head(rows, *types):
    return Head("l", "t", "", rows, tuple(Column(kind, kind) for kind in types), 5, 3)


def test_against_a_dictionary(tmp_path):
    """The same look-ups as a plain dictionary gives."""
    chance, writer, known = random.Random(5), Writer(2), {}
    for row in range(5000):
        for column in range(2):
            value = chance.getrandbits(64)
            writer.add(value, row, column)
            known.setdefault(value, []).append(row * 2 + column)
    path = tmp_path / "x"
    with path.open("wb") as stream:
        written = writer.write(stream, head(5000, "name", "email"), KEY)
    table = Table.open(path, KEY)
    assert written.entries == 10_000
    assert all(table.references(*table.find(value)) == references for value, references in known.items())
    others = [chance.getrandbits(64) for _ in range(10_000)]
    assert [value for value in others if table.find(value) != (0, 0)] == []


def test_what_is_common_is_left_out():
    writer, of = Writer(2), hasher(KEY)
    for row in range(100):
        writer.add(of("Tokyo"), row, 0)
        writer.add(of(str(row)), row, 1)
        writer.add(of("one of ten"), row, 1) if row % 10 == 0 else None
    written = writer.write(io.BytesIO(), head(100, "text", "number"), KEY)
    assert [column.left_out for column in written.columns] == [100, 0]
    assert written.entries == 110


@pytest.mark.parametrize(
    ("rows", "kind", "most"),
    [
        (5, "name", 2),
        (100, "name", 10),
        (10_000, "name", 20),
        (1_000_000, "name", 1000),
        (100, "text", 3),
        (1_000_000, "text", 1000),
    ],
)
def test_how_common(rows, kind, most):
    assert most_rows(head(rows, kind), 0) == most
