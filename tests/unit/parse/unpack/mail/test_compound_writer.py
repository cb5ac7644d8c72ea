"""What is written is read by olefile, another implementation."""

import io

import olefile
import pytest
from support.opened_file import opening_of
from support.outlook import compound

from sekisho.parse.unpack.mail.compound_writer import storage_as_file
from sekisho.parse.unpack.office.ole_file import CompoundFile

TREE = {
    "a": b"x",
    "empty": b"",
    "at the cutoff": b"y" * 4096,
    "below": b"z" * 4095,
    "storage": {"b": b"1" * 70, "inner": {"c": b"2" * 100_000}},
    **{f"s{n:03}": bytes([n]) * n for n in range(200)},
}


def contents(content):
    with olefile.OleFileIO(io.BytesIO(content), raise_defects=olefile.DEFECT_INCORRECT) as ole:
        return {"/".join(path): ole.openstream(path).read() for path in ole.listdir()}


def flat(tree, prefix=""):
    made = {}
    for name, value in tree.items():
        made |= flat(value, f"{prefix}{name}/") if isinstance(value, dict) else {prefix + name: value}
    return made


def test_another_reader_reads_it():
    assert contents(compound(TREE)) == flat(TREE)


def test_a_table_that_needs_more_than_the_header():
    tree = {"big": bytes(8_000_000), "small": b"x"}
    assert contents(compound(tree)) == tree


def test_a_storage_becomes_a_file():
    content = compound(TREE)
    opening = opening_of(content)
    reader = CompoundFile(content, opening.budget)
    storage = reader.find("storage")
    below = [e for e in reader.entries if e.path[:1] == ("storage",) and len(e.path) > 1]
    assert contents(storage_as_file(reader, storage, below)) == flat(TREE["storage"])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 64])
def test_trees_of_any_size(count):
    tree = {f"n{i}": b"." for i in range(count)}
    assert contents(compound(tree)) == tree
