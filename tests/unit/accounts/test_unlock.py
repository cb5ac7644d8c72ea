"""Who may let a locked account send again."""

import asyncio

import pytest

from sekisho.accounts.unlock import Proofs, UnlockError, owner_unlock, unlock
from sekisho.config.account_settings import LockSettings
from sekisho.mail.lock import LockReason

SETTINGS = LockSettings(repeat_locks=2, repeat_days=30)


def lock(locker):
    assert asyncio.run(locker.lock("acme", "hana", (LockReason("x", "x"),), by="behaviour"))


def owner(locker, clock, changed, *, factor=True, settings=SETTINGS):
    proofs = Proofs(changed, second_factor=factor)
    return asyncio.run(owner_unlock(locker.locks, settings, "acme", "Hana", proofs, now=clock))


def steps(locker):
    return [(event.step, event.by) for event in asyncio.run(locker.locks.memory.history("acme", "hana"))]


def code(error):
    return error.value.code


def test_the_owner_needs_a_password_of_after_the_lock_and_the_second_factor(worker, clock):
    locker, _ = worker()
    lock(locker)
    locked_at = clock.at
    clock.later(minutes=5)
    for changed, factor, why in (
        (None, True, "password-not-changed"),
        (locked_at, True, "password-not-changed"),
        (clock.at, False, "second-factor"),
    ):
        with pytest.raises(UnlockError) as error:
            owner(locker, clock, changed, factor=factor)
        assert code(error) == why
    with pytest.raises(UnlockError) as error:
        owner(locker, clock, clock.at, settings=LockSettings(owner_unlock=False))
    assert code(error) == "not-allowed"
    assert locker.locks.locked("acme", "hana")
    assert owner(locker, clock, clock.at).state == "open"
    assert steps(locker) == [("locked", "behaviour"), ("unlocked", "owner")]
    with pytest.raises(UnlockError) as error:
        owner(locker, clock, clock.at)
    assert code(error) == "not-locked"


def test_who_is_locked_again_and_again_needs_the_administrator(worker, clock):
    locker, _ = worker()
    lock(locker)
    clock.later(days=1)
    owner(locker, clock, clock.at)
    clock.later(days=1)
    lock(locker)
    clock.later(minutes=1)
    for _ in range(2):  # asking twice asks once
        with pytest.raises(UnlockError) as error:
            owner(locker, clock, clock.at)
        assert code(error) == "administrator"
    assert steps(locker)[-2:] == [("locked", "behaviour"), ("unlock-requested", "owner")]
    assert locker.locks.locked("acme", "hana").state == "unlock-requested"
    done = asyncio.run(unlock(locker.locks, "acme", "hana", by="ann", reason="looked at it", now=clock))
    assert (done.state, steps(locker)[-1]) == ("open", ("unlocked", "ann"))


def test_long_ago_does_not_count(worker, clock):
    locker, _ = worker()
    for _ in range(3):
        lock(locker)
        clock.later(minutes=1)
        owner(locker, clock, clock.at)
        clock.later(days=31)


def test_the_administrator_says_why(worker, clock):
    locker, _ = worker()
    lock(locker)
    with pytest.raises(UnlockError) as error:
        asyncio.run(unlock(locker.locks, "acme", "hana", by="ann", reason=" ", now=clock))
    assert code(error) == "no-reason"
    asyncio.run(unlock(locker.locks, "acme", "hana", by="ann", reason="fine", now=clock))
    with pytest.raises(UnlockError) as error:
        asyncio.run(unlock(locker.locks, "acme", "hana", by="ann", reason="fine", now=clock))
    assert code(error) == "not-locked"
