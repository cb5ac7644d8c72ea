"""Words and sites are remembered by tenant and sender, sealed, and for a while only."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sekisho.store.connection import DATABASE
from sekisho.store.memory import SITES_DAYS, WORDS_DAYS
from sekisho.store.sqlite import SqliteStore

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with SqliteStore.open(tmp_path / "var") as opened:
        yield opened


def test_words_come_back_newest_first_for_their_sender_only(store):
    async def story():
        await store.remember_words("acme", "Taro@corp.example", ["Himitsu-1"], NOW - timedelta(hours=2))
        await store.remember_words("acme", "taro@corp.example", ["abc123", "xyz"], NOW - timedelta(hours=1))
        await store.remember_words("acme", "hanako@corp.example", ["other"], NOW)
        await store.remember_words("beta", "taro@corp.example", ["foreign"], NOW)
        return await store.recent_words("acme", "taro@CORP.example", NOW)

    assert asyncio.run(story()) == ["abc123", "xyz", "Himitsu-1"]


def test_old_words_are_not_handed_out_and_are_deleted(store):
    async def story():
        await store.remember_words("acme", "taro@corp.example", ["old"], NOW - timedelta(days=WORDS_DAYS, seconds=1))
        before = await store.recent_words("acme", "taro@corp.example", NOW)
        await store.purge(NOW, 0)
        return before, await store.recent_words("acme", "taro@corp.example", NOW - timedelta(days=1))

    assert asyncio.run(story()) == ([], [])


def test_nothing_is_readable_in_the_files(store, tmp_path):
    asyncio.run(store.remember_words("acme", "taro@corp.example", ["Himitsu-1"], NOW))
    store.close()
    written = b"".join(file.read_bytes() for file in (tmp_path / "var").glob(f"{DATABASE}*"))
    assert b"recent_word" in written
    assert b"Himitsu" not in written
    assert b"taro" not in written


def test_a_site_keeps_the_day_it_was_first_seen(store):
    async def story():
        await store.see_sites("acme", ["old.example", "a.example"], NOW - timedelta(days=30))
        await store.see_sites("acme", ["a.example", "b.example"], NOW)
        return await store.first_seen("acme", ["a.example", "b.example", "c.example"])

    begins, seen = asyncio.run(story())
    assert begins == NOW - timedelta(days=30)
    assert seen == {"a.example": NOW - timedelta(days=30), "b.example": NOW}


def test_sites_of_another_tenant_are_unknown(store):
    async def story():
        await store.see_sites("acme", ["a.example"], NOW)
        return await store.first_seen("beta", ["a.example"])

    assert asyncio.run(story()) == (None, {})


def test_a_site_that_nobody_links_to_any_more_is_forgotten(store):
    async def story():
        await store.see_sites("acme", ["a.example", "b.example"], NOW - timedelta(days=SITES_DAYS + 1))
        await store.see_sites("acme", ["b.example"], NOW)
        await store.purge(NOW, 0)
        return await store.first_seen("acme", ["a.example", "b.example"])

    assert list(asyncio.run(story())[1]) == ["b.example"]
