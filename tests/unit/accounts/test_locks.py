"""A lock holds at once where it is made, and in the others with their next look."""

import asyncio

import pytest

from sekisho.accounts.locks import Locks
from sekisho.accounts.unlock import unlock
from sekisho.config.account_settings import LockSettings
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.lock import Evidence, LockReason

WHY = LockReason("takeover", "mail to the whole address book")


def lock(locker, login="hana", **more):
    return asyncio.run(locker.lock("acme", login, (WHY,), by="behaviour", **more))


def test_it_holds_in_every_process(worker):
    (one, told_one), (two, told_two) = worker(), worker()
    evidence = Evidence(("account/takeover",), ("t1", "t2"))
    assert lock(one, "Hana", evidence=evidence)
    assert told_one == [("hana", "locked")]
    held = one.locks.locked("acme", "HANA")
    assert (held.event.reasons, held.event.by, held.event.evidence) == ((WHY,), "behaviour", evidence)
    assert two.locks.locked("acme", "hana") is None
    asyncio.run(two.locks.refresh())
    assert two.locks.locked("acme", "hana") == held
    assert told_two == [("hana", "locked")]
    assert two.locks.locked("other", "hana") is None
    assert two.locks.locked("acme", "hanae") is None


def test_a_second_lock_is_none_and_a_third_process_starts_with_what_there_is(worker):
    (one, told), (two, _) = worker(), worker()
    assert lock(one)
    assert not lock(two)
    assert not lock(one)
    assert told == [("hana", "locked")]
    asyncio.run(two.locks.refresh())
    assert two.locks.locked("acme", "hana")


def test_unlocked_and_locked_again_it_counts_how_often(worker, clock):
    (one, told), (two, told_two) = worker(), worker()
    for times in range(3):
        assert lock(one)
        assert one.locks.locked("acme", "hana").before == times
        clock.later(hours=1)
        asyncio.run(unlock(one.locks, "acme", "hana", by="ann", reason="her own", now=clock))
        assert one.locks.locked("acme", "hana") is None
    assert told == [("hana", "locked"), ("hana", "open")] * 3
    asyncio.run(two.locks.refresh())
    assert told_two == []
    assert len(asyncio.run(one.locks.memory.history("acme", "hana"))) == 6


def test_an_event_of_another_that_came_before_ones_own_is_not_missed(worker):
    (one, _), (two, _) = worker(), worker()
    assert lock(one, "a")
    assert lock(two, "b")
    asyncio.run(two.locks.refresh())
    assert two.locks.locked("acme", "a")
    asyncio.run(one.locks.refresh())
    assert one.locks.locked("acme", "b")


def test_what_is_no_login_is_not_locked(worker):
    locker, _ = worker()
    for login in ("", "  ", "a\x00b", "x" * 400):
        with pytest.raises(ValueError, match="login"):
            lock(locker, login)


def incident(locker, message, login="hana"):
    evidence = Evidence(("phishing/content",), (message,))
    return asyncio.run(
        locker.incident("acme", login, LockReason("account-abuse", "rule certain-abuse"), evidence=evidence)
    )


def test_a_few_incidents_within_the_time_lock(worker, clock):
    locker, told = worker(LockSettings(incidents=3, incident_minutes=60))
    assert not incident(locker, "t1")
    clock.later(minutes=50)
    assert not incident(locker, "t2")
    assert not incident(locker, "other", "jiro")
    clock.later(minutes=11)
    assert not incident(locker, "t3")  # the first is too long ago
    assert told == []
    clock.later(minutes=1)
    assert incident(locker, "t4")
    event = locker.locks.locked("acme", "hana").event
    assert (event.by, event.evidence.messages) == ("policy", ("t2", "t3", "t4"))
    assert not incident(locker, "t5")  # it is locked already
    asyncio.run(unlock(locker.locks, "acme", "hana", by="ann", reason="cleaned", now=clock))
    assert not incident(locker, "t6")  # what was dealt with counts no more
    assert not incident(locker, "t7")
    assert incident(locker, "t8")


def test_incidents_counted_by_two_processes_lock_once(worker):
    settings = LockSettings(incidents=2)
    (one, _), (two, _) = worker(settings), worker(settings)
    assert [incident(one, "t1"), incident(two, "t2")] == [False, True]


def test_no_incident_locks_where_the_tenant_does_not_want_it(worker):
    locker, told = worker(LockSettings(incidents=0))
    assert not any(incident(locker, f"t{n}") for n in range(5))
    assert told == []


def test_while_the_store_is_away_what_is_known_stays(worker, lock_store, monkeypatch):
    locker, _ = worker()
    assert lock(locker)

    async def away(_number):
        raise StoreAwayError("away")

    monkeypatch.setattr(lock_store.locks, "since", away)
    with pytest.raises(StoreAwayError):
        asyncio.run(locker.locks.refresh())
    assert locker.locks.locked("acme", "hana")


def test_before_a_refresh_nothing_is_known(worker, lock_store):
    lock(worker()[0])
    assert Locks(lock_store.locks).locked("acme", "hana") is None
