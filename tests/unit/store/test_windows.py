"""Sending windows in the store."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sekisho.mail.kept import StoreAwayError
from sekisho.mail.window import SendingWindow
from sekisho.store.connection import DATABASE, connect
from sekisho.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
WINDOW = SendingWindow(
    "w1", "acme", "hana@example.jp", NOW, NOW + timedelta(hours=3), 5000, "autumn letter", "hana", NOW
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with SqliteStore.open(tmp_path) as opened:
        yield opened


def run(coroutine):
    return asyncio.run(coroutine)


def approved(window, at=NOW):
    return replace(window, state="approved", approved_by="boss", approved_at=at)


def test_it_comes_back_whole(store):
    run(store.windows.add(WINDOW))
    assert run(store.windows.window("w1")) == WINDOW
    assert run(store.windows.window("w2")) is None


def test_only_approved_ones_that_are_not_over_are_coming(store):
    run(store.windows.add(WINDOW))
    run(store.windows.add(replace(WINDOW, id="w2", ends_at=NOW + timedelta(hours=1))))
    assert run(store.windows.coming(NOW)) == []
    for window_id in ("w1", "w2"):
        before = run(store.windows.window(window_id))
        assert run(store.windows.change(approved(before), before))
    assert [w.id for w in run(store.windows.coming(NOW))] == ["w2", "w1"]
    assert [w.id for w in run(store.windows.coming(NOW + timedelta(hours=2)))] == ["w1"]


def test_who_is_slower_changes_nothing(store):
    run(store.windows.add(WINDOW))
    assert run(store.windows.change(approved(WINDOW), WINDOW))
    assert not run(store.windows.change(replace(WINDOW, state="cancelled"), WINDOW))
    assert run(store.windows.window("w1")).state == "approved"


def test_by_tenant_account_and_time(store):
    run(store.windows.add(WINDOW))
    run(store.windows.add(replace(WINDOW, id="w2", login="jiro")))
    run(store.windows.add(replace(WINDOW, id="w3", tenant="beta")))
    assert [w.id for w in run(store.windows.of("acme"))] == ["w1", "w2"]
    assert [w.id for w in run(store.windows.of("acme", "jiro"))] == ["w2"]
    assert run(store.windows.of("acme", since=NOW + timedelta(days=1))) == []


def test_a_row_that_was_moved_to_another_tenant_is_none(store, tmp_path):
    run(store.windows.add(WINDOW))
    assert run(store.windows.change(approved(WINDOW), WINDOW))
    with closing(connect(tmp_path / DATABASE)) as connection:
        connection.execute("UPDATE sending_window SET tenant = 'beta'")
    assert run(store.windows.coming(NOW)) == []
    with pytest.raises(StoreAwayError):
        run(store.windows.window("w1"))
