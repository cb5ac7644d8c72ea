import pytest
from msgspec.structs import replace

from sekisho.inspect.exact.table import MAGIC, Column, Head, ListFileError, Table, hasher
from sekisho.inspect.exact.writer import Writer

KEY, OTHER = bytes(32), bytes([1]) * 32
HEAD = Head("customers", "default", "2026-11-24T00:00:00Z", 3, (Column("a", "name"), Column("b", "email")), 5, 3)


@pytest.fixture(name="path")
def _path(tmp_path):
    writer, of = Writer(2), hasher(KEY)
    for row, column, value in ((0, 0, "x"), (1, 0, "x"), (2, 0, "y"), (2, 1, "z")):
        writer.add(of(value), row, column)
    writer.begin(of("start"), 1 << 3)
    writer.begin(of("start"), 1 << 31)
    path = tmp_path / "customers.idx"
    with path.open("wb") as stream:
        writer.write(stream, HEAD, KEY)
    return path


def test_what_was_written_is_found(path):
    table, of = Table.open(path, KEY), hasher(KEY)
    assert (table.head.name, table.head.rows, table.head.entries) == ("customers", 3, 5)
    assert {value: table.references(*table.find(of(value))) for value in "xyzq"} == {
        "x": [0, 2],
        "y": [4],
        "z": [5],
        "q": [],
    }
    low, high = table.find(of("x"))
    assert [reference for reference in range(6) if table.has(low, high, reference)] == [0, 2]
    assert table.mask(of("start")) == 1 << 3 | 1 << 31
    assert table.mask(of("nothing")) == 0


def test_the_hash_is_keyed():
    assert hasher(KEY)("x") == hasher(KEY)("x") != hasher(OTHER)("x")
    assert hasher(KEY)("\ud800") < 1 << 64


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-8],
        lambda content: content + bytes(8),
        lambda content: b"X" + content[1:],
        lambda content: content.replace(b'"rows":3', b'"rows":4'),
        lambda content: MAGIC + b"\xff" * 100,
    ],
)
def test_damaged(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises((ListFileError, ValueError)):
        Table.open(path, KEY)


def test_another_key(path):
    with pytest.raises(ListFileError, match="another key"):
        Table.open(path, OTHER)


def test_another_kind_of_machine(tmp_path):
    path = tmp_path / "x.idx"
    with path.open("wb") as stream:
        Writer(2).write(stream, replace(HEAD, byte_order="middle"), KEY)
    with pytest.raises(ListFileError, match="another kind"):
        Table.open(path, KEY)
