"""Against the real store."""

import asyncio
from datetime import timedelta

import pytest
from support.linked import AT, linked

from sekisho.config.settings import LinkSettings
from sekisho.config.shipped import shipped
from sekisho.inspect.link_lists.new_sites import NewSites
from sekisho.inspect.links.lists import load_lists
from sekisho.mail.finding import Severity
from sekisho.mail.kept import StoreAwayError
from sekisho.store.sqlite import SqliteStore

WORDS = load_lists(shipped("lists"))
DAY = timedelta(days=1)


@pytest.fixture(name="store")
def _store(tmp_path):
    store = SqliteStore.open(tmp_path, tmp_path / "hold.key")
    yield store
    store.close()


class Counting:
    """The store, and how often it was asked."""

    def __init__(self, store):
        self._store = store
        self.asked = []

    async def see_sites(self, tenant, sites, now):
        await self._store.see_sites(tenant, sites, now)

    async def first_seen(self, tenant, sites):
        self.asked.append(tuple(sites))
        return await self._store.first_seen(tenant, sites)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def found(store, *messages, **more):
    """What the look-up says of each message in turn: sites' excerpts and explanations."""

    async def main():
        lookup = NewSites(store, more.pop("settings", LinkSettings()), WORDS, **more)
        return [[(f.excerpt, f.explanation) for f in await lookup.look_up(message)] for message in messages]

    return asyncio.run(main())


def days(*numbers):
    return [AT + DAY * number for number in numbers]


def test_nothing_is_said_before_the_memory_is_old_enough(store):
    at = days(0, 20, 29.9, 30)
    messages = [linked(f"https://s{number}.com/", at=when) for number, when in enumerate(at)]
    assert found(store, *messages) == [
        [],
        [],
        [],
        [("https://s3.com/", "no message of this company has linked to s3.com before")],
    ]


def test_new_for_a_week(store):
    start, *later = days(0, 40, 40.5, 41.2, 46.9, 47, 60)
    messages = [linked("https://old.com/", at=start)]
    messages += [linked("https://www.new.com/a?b", "https://old.com/", at=when) for when in later]
    words = [[why for _, why in said] for said in found(store, *messages)]
    assert words == [
        [],
        ["no message of this company has linked to new.com before"],
        ["first linked to new.com less than a day ago"],
        ["first linked to new.com a day ago"],
        ["first linked to new.com 6 days ago"],
        [],
        [],
    ]


def test_finding(store):
    found(store, linked("https://old.com/"))

    async def main():
        return await NewSites(store, LinkSettings(), WORDS).look_up(linked("https://a.new.com/x?y", at=AT + 40 * DAY))

    (finding,) = asyncio.run(main())
    assert (finding.rule, finding.severity, finding.confidence) == ("link/new-domain", Severity.LOW, 0.5)
    assert (finding.where, finding.excerpt) == ("link", "https://a.new.com/x?…")


def test_another_process_remembers_too(store):
    found(store, linked("https://old.com/", "https://b.com/"))
    said = found(store, linked("https://b.com/", "https://c.com/", at=AT + 40 * DAY))
    assert [where for where, _ in said[0]] == ["https://c.com/"]


def test_each_tenant_has_its_own(store):
    later = AT + 40 * DAY
    found(store, linked("https://old.com/", tenant="a"), linked("https://other.com/", tenant="b"))
    said = found(
        store, linked("https://old.com/", at=later, tenant="b"), linked("https://old.com/", at=later, tenant="a")
    )
    assert [len(one) for one in said] == [1, 0]


def test_own_sites_addresses_and_allowed_ones_are_not_remembered(store):
    found(store, linked("https://old.com/"))
    urls = ["https://www.our-firm.co.jp/", "http://8.8.8.8/", "http://a.lan/", "https://ok.com/"]
    allowed = lambda address: address.host.ascii == "ok.com"  # noqa: E731
    assert found(store, linked(*urls, at=AT + 40 * DAY), allowed=allowed) == [[]]
    assert asyncio.run(store.first_seen("default", ["our-firm.co.jp", "ok.com", "8.8.8.8"]))[1] == {}


def test_usual_mail_asks_the_store_nothing(store):
    counting, clock = Counting(store), Clock()

    async def main():
        lookup = NewSites(counting, LinkSettings(), WORDS, clock=clock)
        usual = linked("https://a.com/", "https://www.a.com/", "https://b.com/")
        for _ in range(3):
            await lookup.look_up(usual)
        await lookup.look_up(linked("https://a.com/", "https://c.com/"))
        clock.now += 7 * 3600
        await lookup.look_up(usual)

    asyncio.run(main())
    assert counting.asked == [("a.com", "b.com"), ("c.com",), ("a.com", "b.com")]


def test_a_new_site_is_said_each_time_but_asked_once(store):
    found(store, linked("https://old.com/"))
    counting = Counting(store)
    message = linked("https://new.com/", at=AT + 40 * DAY)
    assert [len(said) for said in found(counting, message, message, message)] == [1, 1, 1]
    assert len(counting.asked) == 1


def test_a_store_that_is_away_stops_nothing(caplog):
    class Away:
        async def see_sites(self, *_):
            raise StoreAwayError("no disk")

        async def first_seen(self, *_):
            raise StoreAwayError("no disk")

    assert found(Away(), linked("https://new.com/")) == [[]]
    assert "no disk" in caplog.text


def test_switched_off(store):
    settings = LinkSettings(new_site_days=0)
    counting = Counting(store)
    assert found(counting, linked("https://old.com/"), settings=settings) == [[]]
    assert counting.asked == []


def test_learning_can_be_left_out(store):
    settings = LinkSettings(learning_days=0)
    assert [len(said) for said in found(store, linked("https://new.com/"), settings=settings)] == [1]
