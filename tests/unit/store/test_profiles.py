"""Profiles: sealed, and never written over what somebody else has written meanwhile."""

import asyncio
from contextlib import closing

import pytest

from sekisho.mail.kept import StoreAwayError
from sekisho.store.connection import DATABASE, connect
from sekisho.store.sqlite import SqliteStore

HANA = ("acme", "hana@example.jp")


def run(coroutine):
    return asyncio.run(coroutine)


def test_a_row_is_written_over_the_version_that_was_read(store):
    assert run(store.profiles.profile(*HANA)) == (0, b"")
    assert run(store.profiles.put_profile(*HANA, 0, b"one", 1.0))
    assert run(store.profiles.profile(*HANA)) == (1, b"one")
    assert run(store.profiles.put_profile(*HANA, 1, b"two", 2.0))
    assert run(store.profiles.profile(*HANA)) == (2, b"two")
    assert run(store.profiles.profile("beta", HANA[1])) == (0, b"")


@pytest.mark.parametrize("version", [0, 1, 3])
def test_and_over_no_other(store, version):
    for number in range(2):
        assert run(store.profiles.put_profile(*HANA, number, b"there", 1.0))
    assert not run(store.profiles.put_profile(*HANA, version, b"late", 2.0))
    assert run(store.profiles.profile(*HANA)) == (2, b"there")


def test_of_many_writers_one_wins(tmp_path):
    with SqliteStore.open(tmp_path / "s") as one, SqliteStore.open(tmp_path / "s") as two:

        async def race():
            return await asyncio.gather(*(s.profiles.put_profile(*HANA, 0, b"x", 1.0) for s in (one, two) * 5))

        assert sum(run(race())) == 1


def test_nothing_is_in_the_file_in_clear(tmp_path):
    with SqliteStore.open(tmp_path / "s") as store:
        run(store.profiles.put_profile(*HANA, 0, b"habits of hers", 1.0))
        with closing(connect(tmp_path / "s" / DATABASE)) as connection:
            (document,) = connection.execute("SELECT document FROM account_profile").fetchone()
    assert b"habits" not in document


def test_a_row_of_another_account_cannot_be_put_in_its_place(tmp_path):
    with SqliteStore.open(tmp_path / "s") as store:
        run(store.profiles.put_profile(*HANA, 0, b"hers", 1.0))
        with closing(connect(tmp_path / "s" / DATABASE)) as connection, connection:
            connection.execute("UPDATE account_profile SET login = 'jiro'")
        with pytest.raises(StoreAwayError):
            run(store.profiles.profile("acme", "jiro"))


def test_profiles_are_forgotten(store):
    run(store.profiles.put_profile(*HANA, 0, b"x", 1.0))
    run(store.profiles.put_profile("acme", "jiro", 0, b"x", 100.0))
    assert run(store.profiles.forget_profiles(50.0)) == 1
    assert run(store.profiles.profile(*HANA)) == (0, b"")
    run(store.profiles.forget_profile("acme", "jiro"))
    assert run(store.profiles.profile("acme", "jiro")) == (0, b"")
