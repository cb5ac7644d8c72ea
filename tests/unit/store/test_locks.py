"""Events of locks: sealed, in order, one writer at a time, and never gone."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sekisho.mail.kept import StoreAwayError
from sekisho.mail.lock import Evidence, LockEvent, LockReason
from sekisho.store.connection import DATABASE, connect
from sekisho.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
EVENT = LockEvent(
    "acme", "hana@example.jp", "locked", NOW, "behaviour", (LockReason("takeover", "secret reason"),),
    Evidence(("account/takeover",), ("t1",)),
)  # fmt: skip


def add(store, event=EVENT, allowed=lambda _before: True):
    return asyncio.run(store.locks.add(event, allowed))


def run(coroutine):
    return asyncio.run(coroutine)


def test_they_come_back_whole_in_their_order(store):
    first, other = add(store), add(store, replace(EVENT, login="jiro"))
    second = add(store, replace(EVENT, step="unlocked", at=NOW - timedelta(days=1)))  # a clock that was set back
    assert first == replace(EVENT, number=first.number)
    assert run(store.locks.history("acme", "hana@example.jp")) == (first, second)
    assert run(store.locks.since(0)) == [first, other, second]
    assert run(store.locks.since(other.number)) == [second]
    assert run(store.locks.newest()) == second.number
    assert run(store.locks.history("beta", "hana@example.jp")) == ()


def test_nobody_locks_between_reading_and_writing(tmp_path):
    with SqliteStore.open(tmp_path / "s") as one, SqliteStore.open(tmp_path / "s") as two:

        async def both():
            first_only = lambda before: not before  # noqa: E731
            return await asyncio.gather(*(store.locks.add(EVENT, first_only) for store in (one, two) * 5))

        assert sum(event is not None for event in run(both())) == 1
        assert len(run(one.locks.history("acme", EVENT.login))) == 1


def test_what_nobody_was_told_of(store):
    first = add(store)
    add(store, replace(EVENT, step="incident"))  # of that alone nobody is
    second = add(store, replace(EVENT, step="unlocked"))
    assert run(store.locks.untold()) == [first, second]
    run(store.locks.told(first.number))
    assert run(store.locks.untold()) == [second]


def test_no_reason_is_readable_in_the_files(store, tmp_path):
    add(store)
    store.close()
    files = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert b"hana@example.jp" in files
    assert b"secret reason" not in files


def test_a_row_that_cannot_be_read_is_no_unlock(store, tmp_path):
    add(store)
    with closing(connect(tmp_path / "state" / DATABASE)) as connection:
        connection.execute("UPDATE account_lock SET login = 'jiro'")  # sealed for another
    with pytest.raises(StoreAwayError, match="cannot be read"):
        run(store.locks.history("acme", "jiro"))
    with pytest.raises(StoreAwayError):
        run(store.locks.since(0))


def test_names_that_utf_8_has_no_form_for(store):
    written = add(store, replace(EVENT, login="a\udcff@example.jp"))
    assert run(store.locks.history("acme", "a\udcff@example.jp")) == (written,)
