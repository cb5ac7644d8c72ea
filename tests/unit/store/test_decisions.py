"""Decisions are kept sealed, by tenant, the newest; a reset can be undone."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sekisho.mail.decision import Decision
from sekisho.store import decisions
from sekisho.store.connection import DATABASE, connect
from sekisho.store.decisions import KEEP_DAYS

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
ONE = Decision(
    id="k1", tenant="acme", at=NOW, reviewer="ann", sender="news@corp.example", label="fine", kind="spam", logit=1.5,
    model="m", bits=19, features=b"\1\0\0\0\2\0\0\0", sketch=b"s" * 256,
)  # fmt: skip


def made(number, **more):
    return replace(ONE, id=f"k{number}", at=NOW + timedelta(seconds=number), **more)


def add(store, *rows):
    for row in rows:
        asyncio.run(store.decisions.add(row))


def ids(store, tenant="acme"):
    return [decision.id for decision in asyncio.run(store.decisions.of(tenant))]


def stamps(store):
    return asyncio.run(store.decisions.stamps())


def test_they_come_back_whole_the_newest_first_for_their_tenant_only(store):
    add(store, made(1), made(3), made(2), made(4, tenant="beta"))
    assert asyncio.run(store.decisions.of("acme")) == [made(3), made(2), made(1)]
    assert ids(store, "beta") == ["k4"]
    assert ids(store, "none") == []


def test_one_of_the_same_id_is_replaced(store):
    add(store, made(1), made(1, label="bad"))
    assert [decision.label for decision in asyncio.run(store.decisions.of("acme"))] == ["bad"]


def test_the_oldest_go_where_there_are_too_many(store, monkeypatch):
    monkeypatch.setattr(decisions, "MOST", 3)
    add(store, *(made(n) for n in (5, 1, 4, 2, 3)), made(9, tenant="beta"))
    assert ids(store) == ["k5", "k4", "k3"]
    assert ids(store, "beta") == ["k9"]


def test_nothing_is_readable_in_the_files(store, tmp_path):
    add(store, made(1))
    store.close()
    written = b"".join(file.read_bytes() for file in (tmp_path / "state").glob(f"{DATABASE}*"))
    assert b"decision" in written
    assert b"news@corp" not in written
    assert b"ann" not in written.replace(b"channel", b"")


def test_a_row_that_was_moved_to_another_tenant_is_left_out(store):
    add(store, made(1), made(2))
    with closing(connect(store._database)) as connection:
        connection.execute("UPDATE decision SET tenant = 'beta' WHERE id = 'k1'")
        connection.commit()
    assert ids(store) == ["k2"]
    assert ids(store, "beta") == []


def test_a_reset_is_undone_whole(store):
    add(store, made(1), made(2), made(3, tenant="beta"))
    before = stamps(store)
    assert asyncio.run(store.decisions.set_aside("acme", NOW)) == 2
    assert (ids(store), ids(store, "beta")) == ([], ["k3"])
    assert asyncio.run(store.decisions.copies("acme")) == (2, int(NOW.timestamp() * 1_000_000))
    add(store, made(7))
    assert asyncio.run(store.decisions.restore("acme")) == 2
    assert ids(store) == ["k7", "k2", "k1"]
    assert asyncio.run(store.decisions.copies("acme")) == (0, 0)
    assert asyncio.run(store.decisions.forget("acme", "k7"))
    assert stamps(store) == before


def test_a_second_reset_with_nothing_decided_since_keeps_the_copy(store):
    add(store, made(1))
    asyncio.run(store.decisions.set_aside("acme", NOW))
    assert asyncio.run(store.decisions.set_aside("acme", NOW)) == 0
    assert asyncio.run(store.decisions.restore("acme")) == 1


def test_the_copy_is_that_of_the_last_reset(store):
    add(store, made(1))
    asyncio.run(store.decisions.set_aside("acme", NOW))
    add(store, made(2))
    asyncio.run(store.decisions.set_aside("acme", NOW))
    asyncio.run(store.decisions.restore("acme"))
    assert ids(store) == ["k2"]


def test_forget_is_for_good_and_for_the_tenant(store):
    add(store, made(1), made(2))
    assert not asyncio.run(store.decisions.forget("beta", "k1"))
    assert asyncio.run(store.decisions.forget("acme", "k1"))
    assert not asyncio.run(store.decisions.forget("acme", "k1"))
    assert ids(store) == ["k2"]


def test_stamps_change_with_the_decisions(store):
    assert stamps(store) == {}
    seen = []
    for change in (
        lambda: add(store, made(1), made(2)),
        lambda: add(store, made(3)),
        lambda: asyncio.run(store.decisions.forget("acme", "k1")),
        lambda: add(store, made(0)),
        lambda: asyncio.run(store.decisions.set_aside("acme", NOW)),
    ):
        change()
        seen.append(stamps(store).get("acme"))
    assert len(set(seen)) == len(seen)
    assert seen[-1] is None


@pytest.mark.parametrize(("retention", "days"), [(0, KEEP_DAYS), (9999, KEEP_DAYS), (30, 30)])
def test_they_go_after_their_time(store, retention, days):
    add(store, made(1), made(2))
    asyncio.run(store.decisions.set_aside("acme", NOW))  # a copy ages as well
    add(store, made(3))
    asyncio.run(store.purge(NOW + timedelta(days=days), retention))
    assert ids(store) == ["k3"]
    asyncio.run(store.purge(NOW + timedelta(days=days, seconds=10), retention))
    assert (ids(store), asyncio.run(store.decisions.copies("acme"))) == ([], (0, 0))


def test_octets_that_are_no_utf_8_are_kept_as_escapes(store):
    add(store, made(1, sender="a\udcff@corp.example", reviewer="an\udce9"))
    (kept,) = asyncio.run(store.decisions.of("acme"))
    assert (kept.sender, kept.reviewer) == ("a\\udcff@corp.example", "an\\udce9")
