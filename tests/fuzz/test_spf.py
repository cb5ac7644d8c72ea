"""SPF records and replies of name servers, damaged: read, or not, in bounded time, and nothing is raised."""

import random
import time
from ipaddress import ip_address

import dns.message
import dns.rrset
import pytest
from support.zone import ZoneResolver, driven

from sekisho.mail.dns import Records
from sekisho.mailauth.records import _parsed, read_reply
from sekisho.mailauth.spf.check import SpfQuery, check_sender
from sekisho.mailauth.spf.result import SpfResult

RECORD = (
    b"v=spf1 ip4:192.0.2.0/24 -a:%{d2r-}.example.com/24//64 mx ?include:example.net exists:%{ir}.%{v} "
    b"redirect=%{o} ~all"
)
KINDS = {
    "TXT": '"v=spf1" " -all"',
    "MX": "10 mx.example.com.",
    "A": "192.0.2.1",
    "PTR": "a.example.",
    "SOA": "a. b. 1 2 3 4 5",
    "TLSA": "3 1 1 " + "0f" * 32,
    "CNAME": "example.com.",
}
PIECES = [b" ", b"%", b"%{", b"}", b"/", b"//", b":", b"=", b".", b"\xff", b"0"]


def damaged(octets, chance):
    octets = bytearray(octets)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(octets))
        match chance.randrange(4):
            case 0:
                octets[place] = chance.randrange(256)
            case 1:
                del octets[place : place + chance.randint(1, 9)]
            case 2:
                octets[place:place] = octets[chance.randrange(len(octets)) :][:20] * chance.randint(1, 3)
            case _:
                octets[place:place] = chance.choice(PIECES)
        octets = octets or bytearray(b"v")
    return bytes(octets)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_records(seed):
    chance = random.Random(seed)
    started = time.process_time()
    for _ in range(1_000):
        zone = {"example.com": {"TXT": [damaged(RECORD, chance)], "A": ["198.51.100.1"]}}
        result = driven(check_sender(SpfQuery(ip_address("203.0.113.1"), "a-b@example.com"), ZoneResolver(zone)))
        assert isinstance(result, SpfResult)
    assert time.process_time() - started < 20


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_damaged_replies(kind):
    chance = random.Random(kind)
    query = dns.message.make_query("example.com", kind)
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text("example.com.", 60, "IN", kind, KINDS[kind]))
    wire = reply.to_wire()
    read = 0
    for _ in range(1_000):
        message = _parsed(damaged(wire, chance), query)
        if message is None:
            continue
        read += 1
        assert isinstance(read_reply(message, kind), Records)
    assert read > 10
