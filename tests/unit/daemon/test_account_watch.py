"""A worker ends the sessions of whom anybody locks, and locks on incidents itself."""

import asyncio
from types import SimpleNamespace

import pytest

from sekisho.accounts.locks import Locker, Locks
from sekisho.config.account_settings import LockSettings
from sekisho.config.settings import TenantSettings
from sekisho.daemon.account_watch import AccountWatch, Observed, lock_settings
from sekisho.mail.envelope import Session
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.lock import LockReason
from sekisho.store.sqlite import SqliteStore

WHY = (LockReason("x", "x"),)


@pytest.fixture
def store(tmp_path):
    with SqliteStore.open(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def dropped():
    return []


@pytest.fixture
def watch(store, dropped):
    return AccountWatch(store.locks, {"acme": TenantSettings()}, lambda *who: dropped.append(who))


def test_its_own_lock_ends_sessions_at_once(watch, dropped):
    assert asyncio.run(watch.locker.lock("acme", "Hana", WHY, by="limits"))
    assert dropped == [("acme", "hana")]


def test_anothers_lock_with_the_next_round_and_a_store_that_was_away_in_between(watch, dropped, store, monkeypatch):
    since = store.locks.since
    rounds = []

    async def now_and_then(number):
        rounds.append(number)
        if len(rounds) < 3:
            raise StoreAwayError("away")
        return await since(number)

    monkeypatch.setattr(store.locks, "since", now_and_then)
    monkeypatch.setattr("sekisho.daemon.account_watch._EVERY_SECONDS", 0.001)

    async def run():
        await Locker(Locks(store.locks), {}).lock("acme", "hana", WHY, by="ann")
        watching = asyncio.create_task(watch.run())
        async with asyncio.timeout(30):
            while not dropped:
                await asyncio.sleep(0)
        watching.cancel()

    asyncio.run(run())
    assert dropped == [("acme", "hana")]
    assert watch.locks.locked("acme", "hana")


def test_what_is_recorded_is_looked_at_and_no_failure_costs_a_record(watch, monkeypatch):
    recorded, seen = [], []

    class Recorder:
        async def record(self, audit):
            recorded.append(audit)

    async def look(audit):
        seen.append(audit)
        raise {1: StoreAwayError("away"), 2: RuntimeError("bug")}[audit]

    monkeypatch.setattr(watch._locking, "seen", look)
    observed = watch.observing(Recorder())

    class Audit(int):
        transaction = type("T", (), {"id": "t", "session": Session("s", "192.0.2.1")})

    for number in (1, 2):
        asyncio.run(observed.record(Audit(number)))
    assert recorded == seen == [1, 2]


def test_settings_of_a_reload(watch):
    assert watch.locker.settings["acme"] == LockSettings()
    watch.reload({"acme": TenantSettings(lock=LockSettings(incidents=9))})
    assert watch.locker.settings["acme"].incidents == 9
    assert lock_settings({"a": TenantSettings()}) == {"a": LockSettings()}


def test_an_observer_that_fails_changes_no_reply():
    """The message is delivered and recorded: an exception would become 451, and its client send it once more."""
    calls = []

    class Recorder:
        async def record(self, audit):
            calls.append(("recorded", audit.transaction.id))

    async def broken(_audit):
        raise RuntimeError("a mistake")

    async def other(audit):
        calls.append(("told", audit.transaction.id))

    audit = SimpleNamespace(transaction=SimpleNamespace(id="t1"))
    asyncio.run(Observed(Recorder(), (broken, other)).record(audit))
    assert calls == [("recorded", "t1"), ("told", "t1")]


@pytest.mark.parametrize(("source", "logs_in", "looked"), [("sender", True, 0), ("sender", False, 1), ("", True, 1)])
def test_who_only_claims_to_be_somebody_locks_nobody_that_logs_in(store, monkeypatch, source, logs_in, looked):
    seen = []
    watch = AccountWatch(store.locks, {"acme": TenantSettings()}, lambda *_: None, lambda *_: logs_in)

    async def look(audit):
        seen.append(audit)

    monkeypatch.setattr(watch._locking, "seen", look)
    monkeypatch.setattr(watch._incidents, "seen", look)
    session = Session("s", "192.0.2.1", account="hana", tenant="acme", account_source=source)
    audit = type("Audit", (), {"transaction": type("T", (), {"id": "t", "session": session})})
    asyncio.run(watch._seen(audit))
    assert len(seen) == 2 * looked
