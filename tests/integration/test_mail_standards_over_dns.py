"""DMARC, DANE, MTA-STS, TLS-RPT and BIMI with the real resolver and a real name server on loopback."""

import asyncio

import pytest
from support.zone import served

from sekisho.mail.dns import Tlsa
from sekisho.mailauth.bimi import find_bimi
from sekisho.mailauth.dane import find_tlsa
from sekisho.mailauth.dmarc import Identifier, check_dmarc
from sekisho.mailauth.records import DnsRecords
from sekisho.mailauth.tls_rpt import find_tls_rpt

ZONE = {
    "_dmarc.example.com": {"TXT": [("v=DMARC1; p=reject; ", "np=quarantine; rua=mailto:a@example.com")]},
    "there.example.com": {"A": ["192.0.2.1"]},
    "_dmarc.long.example": {"TXT": ["v=DMARC1; p=none; x=" + "a" * 30_000]},
    "_dmarc.silent.example": "away",
    "_dmarc.broken.example": "refused",
    "_dmarc.alias.example": {"CNAME": ["_dmarc.example.com"]},
    "_dmarc.round.example": {"CNAME": ["_dmarc.about.example"]},
    "_dmarc.about.example": {"CNAME": ["_dmarc.round.example"]},
    "mx.example.com": {"A": ["192.0.2.1"]},
    "_25._tcp.mx.example.com": {"TLSA": [(3, 1, 1, b"x" * 32), (2, 0, 2, b"y" * 64)]},
    "_smtp._tls.example.com": {"TXT": ["v=TLSRPTv1; rua=mailto:tls@example.com"]},
    "default._bimi.example.com": {"TXT": ["v=BIMI1; l=https://example.com/logo.svg"]},
}


def asked(question, **more):
    """What comes of a question that is put with a resolver of its own."""

    async def run(address):
        resolver = DnsRecords([address], timeout_seconds=1.0)
        return await question(resolver)

    with served(ZONE, **more) as zone:
        return asyncio.run(run(zone.address))


@pytest.mark.parametrize(
    ("author", "result", "policy"),
    [
        ("example.com", "fail", "reject"),
        ("there.example.com", "fail", "reject"),
        ("gone.example.com", "fail", "quarantine"),
        ("long.example", "permerror", "none"),
        ("silent.example", "temperror", "none"),
        ("broken.example", "temperror", "none"),
        ("alias.example", "fail", "reject"),
        ("none.example", "none", "none"),
    ],
)
def test_dmarc(author, result, policy):
    got = asked(lambda resolver: check_dmarc([author], Identifier("example.net", "pass"), [], resolver))
    assert (got.result, got.policy) == (result, policy)


def test_aliases_without_an_end():
    got = asked(lambda resolver: check_dmarc(["round.example"], None, [], resolver))
    assert got.result in ("temperror", "permerror")


def test_dane():
    found = asked(lambda resolver: find_tlsa("mx.example.com", resolver, mx_secure=True), secure=True)
    assert (found.status, found.tlsa) == ("usable", (Tlsa(3, 1, 1, b"x" * 32), Tlsa(2, 0, 2, b"y" * 64)))
    assert asked(lambda resolver: find_tlsa("mx.example.com", resolver, mx_secure=True)).status == "none"


def test_tls_rpt_and_bimi():
    assert asked(lambda resolver: find_tls_rpt("example.com", resolver)).rua[0].mailbox == "tls@example.com"
    assert (
        asked(lambda resolver: find_bimi("example.com", resolver)).record.location == "https://example.com/logo.svg"
    )
