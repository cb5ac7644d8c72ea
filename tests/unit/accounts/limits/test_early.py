from sekisho.accounts.limits.amounts import Sender
from sekisho.accounts.limits.early import Beyond

HANA = Sender("acme", "hana", "acme.example", "submission")
JIRO = Sender("acme", "jiro", "other.example", "relay")
OWN = frozenset(("acme.example",))


def test_for_whom_and_to_whom():
    beyond = Beyond(lambda: 0.0)
    beyond.note(HANA, "account", "internal", 60, OWN)
    assert beyond.refuses(HANA, "x@acme.example")
    assert not beyond.refuses(HANA, "x@y.example")
    assert not beyond.refuses(HANA)
    assert not beyond.refuses(JIRO, "x@acme.example")
    beyond.note(HANA, "tenant", "any", 60, OWN)
    assert beyond.refuses(JIRO)
    assert beyond.refuses(JIRO, "x@y.example")


def test_both_sides():
    beyond = Beyond(lambda: 0.0)
    beyond.note(HANA, "domain", "external", 60, OWN)
    beyond.note(HANA, "account", "internal", 60, OWN)
    assert beyond.refuses(HANA, "x@acme.example")
    assert beyond.refuses(HANA, "x@y.example")


def test_for_some_seconds_and_not_longer_than_it_lasts():
    now = [0.0]
    beyond = Beyond(lambda: now[0])
    beyond.note(HANA, "account", "any", 2.0, OWN)
    now[0] = 1.9
    assert beyond.refuses(HANA)
    now[0] = 2.1
    assert not beyond.refuses(HANA)
    beyond.note(HANA, "account", "any", 3600.0, OWN)
    now[0] += 5.1
    assert not beyond.refuses(HANA)


def test_it_stays_small():
    beyond = Beyond(lambda: 0.0)
    for number in range(12_000):
        beyond.note(Sender("acme", f"a{number}", "", ""), "account", "any", 60, OWN)
    assert len(beyond._until) == 10_000
