import random

from sekisho.inspect.link_lists.table import MOST_LABELS, Table


def test_labels_of_what_is_there_and_of_what_is_not():
    table = Table()
    table.add(b"ha.example", 7)
    table.add(b"hb.example", 0)
    table.add(b"ha.example", MOST_LABELS - 1)
    table.add(b"ha.example", 7)
    table.seal()
    assert list(table.labels(b"ha.example")) == [7, MOST_LABELS - 1]
    assert list(table.labels(b"hb.example")) == [0]
    assert list(table.labels(b"hc.example")) == []
    assert len(table) == 3
    assert table.kinds == {b"h"}


def test_empty():
    table = Table()
    table.seal()
    assert len(table) == 0
    assert list(table.labels(b"ha")) == []


def test_many_compared_with_a_dictionary():
    chance = random.Random(5)
    known = {b"u%d" % chance.getrandbits(40): chance.randrange(MOST_LABELS) for _ in range(50_000)}
    table = Table()
    for key, label in known.items():
        table.add(key, label)
    table.seal()
    assert len(table) == len(known)
    assert all(list(table.labels(key)) == [label] for key, label in known.items())
    assert not any(table.labels(b"x%d" % number) for number in range(50_000))


def test_eight_octets_for_one():
    table = Table()
    for number in range(10_000):
        table.add(b"h%d" % number, 1)
    table.seal()
    assert sum(run.itemsize * len(run) for run in table._runs) == 80_000
