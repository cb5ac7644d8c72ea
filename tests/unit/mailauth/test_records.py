"""Against a real name server on a loopback port."""

import asyncio
import time

import pytest
import uvloop
from support.zone import ZoneResolver, free_port, served

from sekisho.mail.dns import Mx, Records, Tlsa
from sekisho.mailauth.records import DnsRecords

ZONE = {
    "example.com": {
        "A": ["192.0.2.1", "192.0.2.2"],
        "AAAA": ["2001:db8::1"],
        "TXT": ["v=spf1 -all", b"\xff" * 300],
        "MX": [(20, "b.example.com"), (10, "MX.Example.com")],
        "NS": ["ns.example.com"],
        "SOA": ["ns.example.com"],
    },
    "null.example.com": {"MX": [(0, "")]},
    "www.example.com": {"CNAME": ["example.com"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["Host.example.com"]},
    "_25._tcp.mx.example.com": {"TLSA": [(3, 1, 1, b"\x01" * 32)]},
    "odd *name.example.com": {"A": ["192.0.2.9"]},
    "refused.example.com": "refused",
    "bogus.example.com": "bogus",
    "away.example.com": "away",
}


def asked(zone, *questions, loop_factory=asyncio.new_event_loop, timeout_seconds=2.0, **more):
    """The answers to questions, one after the other, and the server after them."""
    with served(zone, **more) as server, asyncio.Runner(loop_factory=loop_factory) as runner:

        async def ask():
            resolver = DnsRecords([server.address], timeout_seconds)
            answers = [await resolver.records(name, kind) for name, kind in questions]
            await resolver.close()
            return answers

        return runner.run(ask()), server


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_all_types_as_the_zone_has_them(loop_factory):
    questions = [
        *(("example.com", kind) for kind in ("A", "AAAA", "TXT", "MX", "NS", "SOA")),
        ("1.2.0.192.in-addr.arpa", "PTR"),
        ("_25._tcp.mx.example.com", "TLSA"),
        ("www.example.com", "CNAME"),
        ("null.example.com", "MX"),
        ("odd *name.example.com", "A"),
    ]
    answers, _ = asked(ZONE, *questions, loop_factory=loop_factory, ttl=77)
    known = ZoneResolver(ZONE)
    expected = [asyncio.run(known.records(name, kind)) for name, kind in questions]
    assert [(a.status, a.values, a.ttl) for a in answers] == [(e.status, e.values, 77.0) for e in expected]
    assert answers[3].values == (Mx(20, "b.example.com"), Mx(10, "mx.example.com"))
    assert answers[7].values == (Tlsa(3, 1, 1, b"\x01" * 32),)


def test_aliases_are_followed_and_told():
    (answer,), _ = asked(ZONE, ("www.example.com", "A"))
    assert (answer.values, answer.aliases) == (("192.0.2.1", "192.0.2.2"), ("example.com",))


def test_absence_is_kept_as_long_as_the_soa_record_says():
    answers, server = asked(ZONE, ("no.example.com", "A"), ("null.example.com", "A"), ("no.example.com", "A"),
                            soa_minimum=42)  # fmt: skip
    assert [(a.status, a.ttl) for a in answers[:2]] == [("no-name", 42.0), ("no-data", 42.0)]
    assert answers[2].ttl < 42.0
    assert len(server.asked) == 2


def test_absence_is_kept_three_hours_at_most():
    (answer,), _ = asked(ZONE, ("no.example.com", "A"), soa_minimum=10_000_000)
    assert answer.ttl <= 10_800  # RFC 2308 5


@pytest.mark.parametrize(("name", "status"), [("refused", "refused"), ("bogus", "bogus"), ("away", "away")])
def test_what_goes_wrong(name, status):
    (answer,), _ = asked(ZONE, (f"{name}.example.com", "TXT"), timeout_seconds=0.3)
    assert (answer.status, answer.values) == (status, ())


def test_the_ad_bit_is_asked_for_with_edns_and_told():
    (signed,), server = asked(ZONE, ("example.com", "A"), secure=True)
    assert signed.secure
    assert server.flags == [(True, True)]
    (unsigned,), _ = asked(ZONE, ("example.com", "A"))
    assert not unsigned.secure


def test_what_does_not_fit_comes_over_tcp():
    zone = {"big.example.com": {"TXT": [b"x" * 60_000]}}
    (answer,), server = asked(zone, ("big.example.com", "TXT"), cut=["big.example.com"])
    assert answer.values == (b"x" * 60_000,)
    assert [protocol for _, _, protocol in server.asked] == ["udp", "tcp"]


def test_names_that_are_none_are_not_asked():
    names = ["", ".", "a..example", "ü.example", f"{'a' * 64}.example", ".".join(["a" * 60] * 5)]
    answers, server = asked(ZONE, *((name, "A") for name in names))
    assert {a.status for a in answers} == {"bad"}
    assert server.asked == []


def test_another_server_is_asked_where_one_is_away():
    with served(ZONE) as server:

        async def ask():
            resolver = DnsRecords([f"127.0.0.1:{free_port()}", server.address], 2.0)
            try:
                return await resolver.records("example.com", "A")
            finally:
                await resolver.close()

        assert asyncio.run(ask()).status == "found"


def test_another_server_is_asked_where_one_refuses():
    with served({"example.com": "bad"}) as refusing, served(ZONE) as server:

        async def ask():
            return await DnsRecords([refusing.address, server.address], 2.0).records("example.com", "A")

        assert asyncio.run(ask()).status == "found"


def test_no_server_at_all():
    assert asyncio.run(DnsRecords(["nonsense"]).records("example.com", "A")).status == "away"


def test_a_question_ends_in_time_however_many_servers_are_silent():
    with served({"example.com": "away"}) as server:
        started = time.monotonic()
        answer = asyncio.run(DnsRecords([server.address] * 5, 0.5).records("example.com", "A"))
        assert answer.status == "away"
        assert time.monotonic() - started < 5.0
        assert len(server.asked) > 5, "every server is asked more than once"


def test_equal_questions_at_one_time_are_asked_once_and_later_ones_not_at_all():
    with served(ZONE) as server:

        async def ask():
            resolver = DnsRecords([server.address])
            answers = await asyncio.gather(*(resolver.records("Example.com.", "A") for _ in range(50)))
            answers.append(await resolver.records("example.com", "A"))
            return answers

        answers = asyncio.run(ask())
    assert {a.values for a in answers} == {("192.0.2.1", "192.0.2.2")}
    assert len(server.asked) == 1


def test_one_who_gives_up_does_not_take_the_answer_from_the_others():
    with served(ZONE) as server:

        async def ask():
            resolver = DnsRecords([server.address])
            first = asyncio.create_task(resolver.records("example.com", "A"))
            await asyncio.sleep(0)
            second = asyncio.create_task(resolver.records("example.com", "A"))
            await asyncio.sleep(0)
            first.cancel()
            return await second

        assert asyncio.run(ask()).status == "found"


@pytest.mark.parametrize("begun", [False, True])
def test_closing_ends_what_is_under_way(begun):
    with served({"example.com": "away"}) as server:

        async def ask():
            resolver = DnsRecords([server.address], 60.0)
            waiting = asyncio.create_task(resolver.records("example.com", "A"))
            await asyncio.sleep(0)
            while begun and not server.asked:
                await asyncio.sleep(0)
            await resolver.close()
            return await waiting

        assert asyncio.run(ask()) == Records("away")


@pytest.mark.parametrize("noise", [b"", b"\0" * 5, b"\xff" * 600])
def test_noise_instead_of_a_reply_is_no_answer(noise):
    async def ask():
        loop = asyncio.get_running_loop()

        class Noise(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, data, addr):
                self.transport.sendto(data[:2] + noise, addr)

        transport, _ = await loop.create_datagram_endpoint(Noise, local_addr=("127.0.0.1", 0))
        try:
            port = transport.get_extra_info("sockname")[1]
            return await DnsRecords([f"127.0.0.1:{port}"], 0.3).records("example.com", "A")
        finally:
            transport.close()

    assert asyncio.run(ask()).status in ("away", "bad")


def test_a_failure_is_kept_for_seconds():
    answers, server = asked(ZONE, *[("refused.example.com", "TXT")] * 3)
    assert {a.status for a in answers} == {"refused"}
    assert len(server.asked) == 2, "once a round"


def test_case_and_the_dot_at_the_end_do_not_count():
    answers, server = asked(ZONE, ("EXAMPLE.com.", "NS"), ("example.com", "NS"))
    assert {a.values for a in answers} == {("ns.example.com",)}
    assert len(server.asked) == 1


def test_a_loop_of_aliases_ends():
    zone = {"a.example.com": {"CNAME": ["b.example.com"]}, "b.example.com": {"CNAME": ["a.example.com"]}}
    (answer,), _ = asked(zone, ("a.example.com", "A"))
    assert answer.status in ("bad", "no-data", "refused")


def test_a_malformed_record_does_not_hide_the_others():
    # RFC 6698 4.1: records that cannot be used are passed over.
    good, short = (3, 1, 1, b"\x01" * 32), (3, 1, 1, b"\x01" * 5)
    zone = {"_25._tcp.a.example": {"TLSA": [short, good]}, "_25._tcp.b.example": {"TLSA": [short]}}
    answers, _ = asked(zone, ("_25._tcp.a.example", "TLSA"), ("_25._tcp.b.example", "TLSA"))
    assert [(a.status, a.values) for a in answers] == [("found", (Tlsa(*good),)), ("bad", ())]
