"""Mail loops by Received fields. RFC 5321 6.3."""

import pytest
from msgspec.structs import replace
from support.sent import sent

from sekisho.inspect.loops import Loops
from sekisho.mail.hops import MAX_HOPS
from sekisho.parse import parse

OWN = b"Received: from a.example ([192.0.2.1])\r\n by Gate.example.com. with ESMTP id x;\r\n Mon, 2 Mar 2026\r\n"
OTHER = b"Received: from gate.example.com ([192.0.2.1]) by b.example with ESMTP\r\n"


def found(header):
    transaction = replace(
        sent(["a@client.example"]), message=parse(header + b"Subject: x\r\n\r\nReceived: by gate\r\n")
    )
    return [finding.rule for finding in Loops("gate.example.com").inspect(transaction)]


@pytest.mark.parametrize(
    ("header", "loops"),
    [
        (b"", False),
        (OWN * 10, False),
        (OWN * 11, True),
        (OTHER * MAX_HOPS, False),
        (OTHER * (MAX_HOPS + 1), True),
        (OTHER * 30 + OWN * 11, True),
    ],
)
def test_loops(header, loops):
    assert found(header) == (["flood/loop"] if loops else [])
