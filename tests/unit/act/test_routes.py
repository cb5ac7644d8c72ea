"""Which next hop takes which recipient."""

import asyncio

import pytest

from sekisho.act.routes import NoRoute, Routes
from sekisho.config.settings import NextHopSettings
from sekisho.mail.envelope import Envelope, Recipient


class Named:
    def __init__(self, name):
        self.name = name

    async def send(self, envelope, data):
        raise NotImplementedError


def routes(*domains):
    return Routes([(NextHopSettings(domains=tuple(d)), Named(" ".join(d) or "*")) for d in domains])


ALL = routes(["example.net", "EXAMPLE.org."], [".example.net"], [".a.example.net"], [])


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("x@example.net", "example.net EXAMPLE.org."),
        ("x@Example.ORG", "example.net EXAMPLE.org."),
        ("x@b.example.net", ".example.net"),
        ("x@c.b.example.net", ".example.net"),
        ("x@c.a.example.net", ".a.example.net"),
        ("x@a.example.net", ".example.net"),
        ("x@myexample.net", "*"),
        ("x@net", "*"),
        ("postmaster", "*"),
        ('"x@example.net"@example.com', "*"),
        ("x@" + "a." * 5000 + "example.net", ".a.example.net"),
    ],
)
def test_the_closest_name_wins(address, name):
    assert ALL.relay_for(address).name == name


def test_the_first_of_equals_wins():
    both = routes(["example.net"], ["example.net"], [], [])
    first = Routes([(NextHopSettings(), Named("first")), (NextHopSettings(), Named("second"))])
    assert both.relay_for("x@example.net").name == "example.net"
    assert first.relay_for("x@example.net").name == "first"


def test_recipients_are_grouped_in_order():
    names = ("1@example.com", "2@example.net", "3@b.example.net", "4@example.com", "5@example.org")
    envelope = Envelope("a@x", tuple(Recipient(n) for n in names), ret="HDRS")
    groups = ALL.group(envelope)
    assert [(relay.name, part.rcpt_to) for relay, part in groups] == [
        ("*", ("1@example.com", "4@example.com")),
        ("example.net EXAMPLE.org.", ("2@example.net", "5@example.org")),
        (".example.net", ("3@b.example.net",)),
    ]
    assert {part.ret for _, part in groups} == {"HDRS"}


def test_one_next_hop_gets_the_envelope_itself():
    envelope = Envelope("a@x", (Recipient("1@example.com"),))
    assert ALL.group(envelope)[0][1] is envelope
    assert routes([]).group(envelope)[0][1] is envelope


def test_without_a_route_the_answer_is_temporary():
    envelope = Envelope("a@x", (Recipient("1@example.com"), Recipient("2@example.net")))
    (no_route, lost), (known, _) = routes(["example.net"]).group(envelope)
    assert isinstance(no_route, NoRoute)
    assert known.name == "example.net"
    result = asyncio.run(no_route.send(lost, b""))
    assert [str(reply)[:9] for reply in result.replies] == ["451 4.4.4"]
    assert isinstance(Routes([]).group(envelope)[0][0], NoRoute)
