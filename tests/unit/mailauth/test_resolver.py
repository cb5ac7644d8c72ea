"""Against a real name server on a loopback port."""

import asyncio
import socket
import time

import pytest
import uvloop
from support.dns import NameServer

from sekisho.mailauth.resolver import NEGATIVE_SECONDS, DnsResolver


def asked(zone, *names, loop_factory=asyncio.new_event_loop, timeout_seconds=2.0, **more):
    """The answers to several questions, and the server after them."""

    async def ask():
        async with NameServer(zone, **more) as server:
            resolver = DnsResolver([server.address], timeout_seconds)
            try:
                return [await resolver.addresses(name) for name in names], server
            finally:
                await resolver.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(ask())


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_found_with_its_time_to_live(loop_factory):
    zone = {"bad.list.example.": ["127.0.0.4", "127.0.0.2"]}
    (answer,), _ = asked(zone, "bad.list.example", loop_factory=loop_factory, ttl=123)
    assert (answer.status, answer.values, answer.ttl) == ("found", ("127.0.0.2", "127.0.0.4"), 123.0)


def test_absent_whether_the_name_or_only_its_address():
    answers, _ = asked({"empty.example.": []}, "none.example", "empty.example")
    assert [(answer.status, answer.ttl) for answer in answers] == [("absent", NEGATIVE_SECONDS)] * 2


@pytest.mark.parametrize("rcode", ["REFUSED", "SERVFAIL", "NOTIMP"])
def test_a_server_that_will_not_say(rcode):
    (answer,), _ = asked({"a.example.": rcode}, "a.example")
    assert answer.status == "refused"


def test_a_server_that_says_nothing_is_given_up():
    started = time.monotonic()
    (answer,), server = asked({"a.example.": None}, "a.example", timeout_seconds=0.6)
    assert answer.status == "away"
    assert len(server.asked) > 1, "asked once more"
    assert time.monotonic() - started < 10


def test_nobody_listens():
    async def ask():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        resolver = DnsResolver([f"127.0.0.1:{port}"], 0.6)
        try:
            return await resolver.addresses("a.example")
        finally:
            await resolver.close()

    assert asyncio.run(ask()).status == "away"


def test_what_does_not_fit_into_a_datagram_comes_over_tcp():
    zone = {"a.example.": [f"127.0.0.{n}" for n in range(2, 30)]}
    (answer,), server = asked(zone, "a.example", big=["a.example."])
    assert len(answer.values) == 28
    assert server.over_tcp == 1


def test_names_that_are_none_are_not_asked():
    long = ".".join(["a" * 60] * 5)
    bad = [
        "",
        ".",
        "a b.example",
        "a..example",
        "ü.example",
        f"{'a' * 64}.example",
        long,
        "a.example.",
        "a\0.example",
    ]
    answers, server = asked({}, *bad)
    assert {answer.status for answer in answers} == {"bad"}
    assert server.asked == []


def test_closing_ends_what_is_under_way():
    async def ask():
        async with NameServer({"a.example.": None}) as server:
            resolver = DnsResolver([server.address], 60.0)
            task = asyncio.create_task(resolver.addresses("a.example"))
            while not server.asked:
                await asyncio.sleep(0)
            await resolver.close()
            return await task

    assert asyncio.run(ask()).status == "away"


def test_can_be_used_again_after_it_was_closed():
    async def ask():
        async with NameServer({"a.example.": ["127.0.0.2"]}) as server:
            resolver = DnsResolver([server.address])
            first = await resolver.addresses("a.example")
            await resolver.close()
            second = await resolver.addresses("a.example")
            await resolver.close()
            return first, second

    first, second = asyncio.run(ask())
    assert first.values == second.values == ("127.0.0.2",)


def test_many_at_once():
    async def ask():
        zone = {f"n{n}.example.": [f"127.0.1.{n}"] for n in range(200)}
        async with NameServer(zone) as server:
            resolver = DnsResolver([server.address], 5.0)
            answers = await asyncio.gather(*(resolver.addresses(f"n{n}.example") for n in range(200)))
            await resolver.close()
            return answers

    assert [answer.values for answer in asyncio.run(ask())] == [(f"127.0.1.{n}",) for n in range(200)]
