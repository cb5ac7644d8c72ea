import random
from datetime import UTC, datetime

import pytest

from sekisho.inspect.fingerprints.index import MOST_DOCUMENTS, PUBLIC, Document, Index, IndexDamagedError
from sekisho.inspect.fingerprints.writing import Columns, written

KEY = b"k" * 32


def document(number, start, end, **more):
    now = datetime(2026, 11, 24, tzinfo=UTC)
    values = {"id": f"{number:012x}", "name": f"d{number}", "content": "", "added": now, "public": False}
    return Document(**values | {"start": start, "end": end, "letters": 9} | more)


def made(path, documents, entries):
    columns = Columns()
    columns.merge(None, sorted(entries))
    written(path, KEY, documents, columns)
    return Index.open(path, KEY)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "index"


def test_every_fingerprint_is_found_and_no_other(path):
    chance = random.Random(1)
    values = [chance.getrandbits(64) for _ in range(20_000)]
    index = made(path, [document(0, 0, 20_000)], [(value >> 16, n) for n, value in enumerate(values)])
    assert len(index) == 20_000
    assert [(n, list(places)) for n, places in index.found(values)] == [(n, [n]) for n in range(20_000)]
    assert index.found([chance.getrandbits(64) for _ in range(20_000)]) == []


def test_the_first_and_the_last_run(path):
    values = [0, 1 << 16, (1 << 64) - 1, (1 << 64) - (1 << 16) - 1]
    index = made(path, [document(0, 0, 4)], [(value >> 16, n) for n, value in enumerate(values)])
    assert [list(places) for _, places in index.found(values)] == [[0], [1], [2], [3]]


def test_what_stands_in_many_documents_does_not_count(path):
    few, many = 5 << 16, 6 << 16
    documents = [document(n, 2 * n, 2 * n + 2) for n in range(MOST_DOCUMENTS + 1)]
    entries = [(many >> 16, d.start) for d in documents] + [(few >> 16, d.start + 1) for d in documents[:-1]]
    index = made(path, documents, entries)
    assert [(n, len(places)) for n, places in index.found([few, many])] == [(0, MOST_DOCUMENTS)]
    assert [d.common for d in index.documents] == [1] * (MOST_DOCUMENTS + 1)


def test_what_is_public_does_not_count(path):
    documents = [document(0, 0, 2), document(1, 2, 3, public=True)]
    index = made(path, documents, [(5, 0), (6, 1), (5, 2 | PUBLIC)])
    assert [(n, list(places)) for n, places in index.found([5 << 16, 6 << 16])] == [(1, [1])]
    assert [d.own for d in index.documents] == [1, 0]


def test_whose_a_place_is(path):
    index = made(path, [document(0, 0, 10), document(1, 15, 20)], [])
    names = {place: d.name if (d := index.document_at(place)) else None for place in (0, 9, 10, 14, 15, 19, 20)}
    assert names == {0: "d0", 9: "d0", 10: None, 14: None, 15: "d1", 19: "d1", 20: None}


def test_damaged_files(path):
    made(path, [document(0, 0, 1)], [(5, 0)])
    good = path.read_bytes()
    bad = [b"", b"x", good[:-1], good + b"\0", good[:40] + b"\xff" + good[41:], b"XXXX" + good[4:], good[:64]]
    for content in bad:
        path.write_bytes(content)
        with pytest.raises(IndexDamagedError):
            Index.open(path, KEY)
    path.write_bytes(good)
    with pytest.raises(IndexDamagedError, match="another key"):
        Index.open(path, b"x" * 32)


def test_bits_that_have_changed_never_raise_later(path):
    chance = random.Random(3)
    values = [chance.getrandbits(64) for _ in range(500)]
    made(path, [document(0, 0, 500)], [(value >> 16, n) for n, value in enumerate(values)])
    good = path.read_bytes()
    for _ in range(60):
        broken = bytearray(good)
        for _ in range(2000):
            broken[chance.randrange(400, len(broken))] = chance.randrange(256)
        for _, places in Index(bytes(broken), KEY).found(values):
            for place in places:
                Index(bytes(broken), KEY).document_at(place)


def test_nobody_else_may_read_it(path):
    made(path, [document(0, 0, 1)], [(5, 0)])
    assert path.stat().st_mode & 0o777 == 0o600
