"""Locks in a store of their own, with a clock."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import Struct

from sekisho.accounts.locks import Locker, Locks
from sekisho.config.account_settings import LockSettings
from sekisho.store.sqlite import SqliteStore


class Clock(Struct):
    """A time that moves when it is told to."""

    at: datetime = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)

    def __call__(self):
        return self.at

    def later(self, **by):
        self.at += timedelta(**by)


@pytest.fixture(name="clock")
def _clock():
    return Clock()


@pytest.fixture(name="lock_store")
def _lock_store(tmp_path):
    with SqliteStore.open(tmp_path / "state") as store:
        yield store


@pytest.fixture(name="worker")
def _worker(lock_store, clock):
    """worker() -> the locker of one process, and what it was told of."""

    def make(settings=None):
        changes = []
        locks = Locks(lock_store.locks, lambda lock: changes.append((lock.login, lock.state)))
        return Locker(locks, {"acme": settings or LockSettings()}, now=clock), changes

    return make
