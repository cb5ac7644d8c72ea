import random
from datetime import UTC, datetime

import pytest

from sekisho.inspect.fingerprints.index import RUNS, Document, Index
from sekisho.inspect.fingerprints.writing import Columns, written

KEY = b"k" * 32


def document(start, end):
    return Document(f"{start:012x}", f"d{start}", "", datetime(2026, 11, 24, tzinfo=UTC), False, start, end, 9)  # noqa: FBT003


def entries(index):
    """All entries, read without the code that looks them up."""
    return [
        (run << 32 | index.values[at], index.places[at])
        for run in range(RUNS)
        for at in range(index.runs[run], index.runs[run + 1])
    ]


def test_merged_and_taken_out_again_as_a_sorted_list_would_be(tmp_path):
    chance = random.Random(1)
    path, index, model, documents = tmp_path / "index", None, [], []
    for start in range(0, 5000, 500):
        new = sorted((chance.choice((chance.getrandbits(48), chance.getrandbits(9))), start + n) for n in range(500))
        documents.append(document(start, start + 500))
        columns = Columns()
        columns.merge(index, new)
        written(path, KEY, documents, columns)
        index = Index.open(path, KEY)
        model = sorted(model + new)
        assert sorted(entries(index)) == model
        assert [value for value, _ in entries(index)] == [value for value, _ in model]
    gone = documents[2:9:3]
    columns = Columns()
    columns.keep(index, gone)
    written(path, KEY, [d for d in documents if d not in gone], columns)
    left = Index.open(path, KEY)
    assert sorted(entries(left)) == [e for e in model if not any(d.start <= e[1] < d.end for d in gone)]
    found = left.found([value << 16 for value, _ in model if value > 1 << 20])
    assert {place for _, places in found for place in places} == {e[1] for e in entries(left) if e[0] > 1 << 20}


def test_whoever_has_the_old_file_open_keeps_it(tmp_path):
    path = tmp_path / "index"
    columns = Columns()
    columns.merge(None, [(5, 0)])
    written(path, KEY, [document(0, 1)], columns)
    old = Index.open(path, KEY)
    written(path, KEY, [], Columns())
    assert [list(places) for _, places in old.found([5 << 16])] == [[0]]
    assert Index.open(path, KEY).found([5 << 16]) == []


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "index"
    written(path, KEY, [], Columns())
    before = path.read_bytes()
    columns = Columns()
    columns.values = "not octets"
    with pytest.raises(TypeError):
        written(path, KEY, [], columns)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("index", before)]
