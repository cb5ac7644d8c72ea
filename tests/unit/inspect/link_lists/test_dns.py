"""Against a real name server on a loopback port."""

import asyncio
import time
from contextlib import asynccontextmanager

from support.dns import NameServer
from support.linked import linked

from sekisho.config.settings import DnsListSettings, LinkSettings
from sekisho.config.shipped import shipped
from sekisho.inspect.link_lists.dns import DnsLists
from sekisho.inspect.links.lists import load_lists
from sekisho.mail.finding import Finding, Severity
from sekisho.mailauth.resolver import DnsResolver

WORDS = load_lists(shipped("lists"))
DOMAINS = DnsListSettings("multi", "multi.test", bits={"8": "phishing", "64": "abused"})
HOSTS = DnsListSettings("dbl", "dbl.test", ask="host", codes={"127.0.1.4": "phishing"})
IPS = DnsListSettings("zen", "zen.test", ask="ip", codes={"127.0.0.2": "spam"})


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@asynccontextmanager
async def asking(zone, *lists, clock=None, ttl=300, seconds=5.0, most_links=50, **more):
    """The look-up with its name server."""
    async with NameServer(zone, ttl=ttl) as server:
        resolver = DnsResolver([server.address], seconds)
        settings = LinkSettings(dns_timeout_seconds=seconds, most_links=most_links)
        lookup = DnsLists(lists or [DOMAINS], settings, resolver, WORDS, clock=clock or Clock(), **more)
        try:
            yield lookup, server
        finally:
            server.paused.set()
            await lookup.close()


def run(main):
    return asyncio.run(main())


def test_finding():
    async def main():
        zone = {"example.com.multi.test.": ["127.0.0.72"], "a.example.net.dbl.test.": ["127.0.1.4"]}
        async with asking(zone, DOMAINS, HOSTS) as (lookup, server):
            urls = ["https://www.example.com/secret?token=1", "https://www.example.com/", "http://a.example.net/",
                    "http://ok.example.org/"]  # fmt: skip
            return await lookup.look_up(linked(*urls)), server.names()

    found, names = run(main)
    assert found == (
        Finding(
            "link/dns-listed",
            Severity.HIGH,
            0.9,
            2,
            where="link",
            excerpt="https://www.example.com/secret?…",
            explanation="www.example.com is listed by multi (phishing, abused)",
        ),
        Finding(
            "link/dns-listed",
            Severity.HIGH,
            0.9,
            where="link",
            excerpt="http://a.example.net/",
            explanation="a.example.net is listed by dbl (phishing)",
        ),
    )
    assert sorted(names) == sorted([
        "invalid.multi.test", "example.com.multi.test", "example.net.multi.test", "example.org.multi.test",
        "invalid.dbl.test", "www.example.com.dbl.test", "a.example.net.dbl.test", "ok.example.org.dbl.test",
    ])  # fmt: skip


def test_ip_addresses_backwards():
    async def main():
        async with asking({"7.7.8.8.zen.test.": ["127.0.0.2"]}, DOMAINS, IPS) as (lookup, server):
            found = await lookup.look_up(linked("http://8.8.7.7/x", "http://10.0.0.1/", "http://[2606:4700::1]/"))
            return [f.explanation for f in found], server.names()

    found, names = run(main)
    assert found == ["8.8.7.7 is listed by zen (spam)"]
    assert len([name for name in names if name.endswith("zen.test")]) == 3
    assert [name for name in names if name.endswith("multi.test")] == ["invalid.multi.test"]


def test_own_and_allowed_domains_are_never_asked():
    async def main():
        everything = {"our-firm.co.jp.multi.test.": ["127.0.0.8"], "partner.co.jp.multi.test.": ["127.0.0.8"]}
        allowed = lambda address: address.host.site == "partner.co.jp"  # noqa: E731
        async with asking(everything, allowed=allowed) as (lookup, server):
            urls = ["https://www.our-firm.co.jp/", "https://partner.co.jp/", "http://intranet/", "http://a.lan/"]
            return await lookup.look_up(linked(*urls)), server.names()

    assert run(main) == ((), [])


def test_each_name_once_and_again_after_its_time_to_live():
    async def main():
        clock = Clock()
        async with asking({"bad.com.multi.test.": ["127.0.0.8"]}, clock=clock, ttl=200) as (lookup, server):
            message = linked("http://a.bad.com/", "http://b.bad.com/", "http://good.com/")
            first = await asyncio.gather(*(lookup.look_up(message) for _ in range(5)))
            asked = sorted(server.names())
            clock.now += 199  # what is absent lasts a minute here; c-ares itself answers then
            again = await lookup.look_up(message)
            known = len([name for name in server.names() if name.startswith("bad")])
            return [len(found) for found in (*first, again)], asked, known

    counts, asked, known = run(main)
    assert counts == [2] * 6
    assert asked == ["bad.com.multi.test", "good.com.multi.test", "invalid.multi.test"]
    assert known == 1


def test_at_most_so_many_new_names_of_a_message():
    async def main():
        async with asking({"s9.com.multi.test.": ["127.0.0.8"]}, most_links=4) as (lookup, server):
            message = linked(*(f"http://s{number}.com/" for number in range(10)))
            counts, found = [], []
            for _ in range(3):
                found = await lookup.look_up(message)
                counts.append(len(server.names()) - 1)
            return counts, [f.excerpt for f in found]

    assert run(main) == ([4, 8, 10], ["http://s9.com/"])


def test_a_list_that_has_everything_is_down():
    async def main():
        zone = {"invalid.multi.test.": ["127.0.0.8"], "ok.com.multi.test.": ["127.0.0.8"]}
        async with asking(zone) as (lookup, _):
            found = await lookup.look_up(linked("http://ok.com/"))
            return found, lookup.health[0]

    found, health = run(main)
    assert found == ()
    assert not health.up
    assert health.error == "it lists everything"


def test_a_refusal_is_no_hit_and_the_list_is_down(caplog):
    async def main():
        async with asking({"ok.com.multi.test.": ["127.255.255.254"]}) as (lookup, server):
            found = await lookup.look_up(linked("http://ok.com/"))
            asked = len(server.names())
            again = await lookup.look_up(linked("http://ok.com/", "http://other.com/"))
            return found, again, lookup.health[0], len(server.names()) - asked

    found, again, health, more = run(main)
    assert (found, again, more) == ((), (), 0)
    assert not health.up
    assert "127.255.255.254" in health.error
    assert [r.message for r in caplog.records if "is not used until" in r.message]


def test_a_name_server_that_refuses_and_comes_back():
    async def main():
        clock = Clock()
        message = linked("http://a.com/", "http://b.com/", "http://bad.com/")
        zone = {f"{name}.multi.test.": "REFUSED" for name in ("invalid", "a.com", "b.com", "bad.com")}
        async with asking(zone, clock=clock) as (lookup, server):
            found = [await lookup.look_up(message)]
            down = lookup.health[0]
            server.zone = {"bad.com.multi.test.": ["127.0.0.8"]}
            found.append(await lookup.look_up(message))
            clock.now += 31
            found.append(await lookup.look_up(message))  # asks how the list is, waits for nothing
            await lookup.check()
            found.append(await lookup.look_up(message))
            return [len(f) for f in found], down, lookup.health[0]

    counts, down, up = run(main)
    assert counts == [0, 0, 0, 1]
    assert (down.up, down.error) == (False, "its name servers refuse to answer")
    assert up.up


def test_a_name_server_that_says_nothing_costs_its_time_and_no_finding():
    async def main():
        async with asking({}, seconds=0.5) as (lookup, server):
            server.paused.clear()
            message = linked("http://a.com/", "http://b.com/", "http://c.com/")
            started = time.monotonic()
            found = await lookup.look_up(message)
            took = time.monotonic() - started
            assert lookup.deadline_seconds == 1.5
            await asyncio.gather(*(entry.idle() for entry in lookup._lists))
            started = time.monotonic()
            again = await lookup.look_up(message)
            return found, again, took, time.monotonic() - started, lookup.health[0]

    found, again, took, later, health = run(main)
    assert (found, again) == ((), ())
    assert took < 1.5
    assert later < 0.4, "a list that is down is not waited for"
    assert (health.up, health.error) == (False, "it does not answer")


def test_one_list_that_is_away_does_not_hide_another():
    async def main():
        zone = {"bad.com.multi.test.": ["127.0.0.8"], "bad.com.dbl.test.": None, "invalid.dbl.test.": None}
        async with asking(zone, DOMAINS, HOSTS, seconds=0.5) as (lookup, _):
            return await lookup.look_up(linked("http://bad.com/"))

    assert [f.explanation for f in run(main)] == ["bad.com is listed by multi (phishing)"]


def test_a_check_of_its_own_finds_out():
    async def main():
        clock = Clock()
        async with asking({"invalid.multi.test.": ["198.51.100.1"]}, clock=clock, ttl=0) as (lookup, server):
            await lookup.check()
            first = lookup.health[0]
            server.zone = {}
            await lookup.check()
            still = lookup.health[0]
            clock.now += 30
            await lookup.check()
            return first, still, lookup.health[0]

    first, still, later = run(main)
    assert not first.up
    assert "198.51.100.1" in first.error
    assert still is first, "not asked all the time"
    assert later.up


def test_nothing_to_ask():
    async def main():
        async with asking({}) as (lookup, server):
            assert await lookup.look_up(linked("hello")) == ()
            assert await DnsLists([], LinkSettings(), DnsResolver(), WORDS).look_up(linked("http://a.com/")) == ()
            return server.names()

    assert run(main) == []
