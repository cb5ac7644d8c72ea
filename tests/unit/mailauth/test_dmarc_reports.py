"""Destinations of reports: the example of RFC 7489 7.1."""

import asyncio

from support.zone import ZoneResolver

from sekisho.mailauth.dmarc_discovery import Discovery
from sekisho.mailauth.dmarc_record import parse_dmarc
from sekisho.mailauth.dmarc_reports import destinations


def statuses(rua, zone):
    record = parse_dmarc(f"v=DMARC1; p=none; rua={rua}".encode())
    resolver = ZoneResolver({"_dmarc.example.com": {"TXT": ["v=DMARC1; p=none"]}, **zone})
    found = asyncio.run(destinations("example.com", record.rua, Discovery(resolver), resolver))
    return found, resolver


def test_an_external_one_that_agrees():
    zone = {"example.com._report._dmarc.thirdparty.example.net": {"TXT": ["v=DMARC1;"]}}
    (found,), _ = statuses("mailto:reports@thirdparty.example.net", zone)
    assert (found.status, found.record) == ("wanted", "example.com._report._dmarc.thirdparty.example.net")


def test_one_that_does_not():
    (found,), _ = statuses("mailto:reports@thirdparty.example.net", {})
    assert found.status == "not-wanted"


def test_other_text_is_no_agreement():
    zone = {"example.com._report._dmarc.example.net": {"TXT": ["v=spf1 -all"]}}
    assert statuses("mailto:r@example.net", zone)[0][0].status == "not-wanted"


def test_ones_own_are_not_asked():
    (one, two), resolver = statuses("mailto:a@example.com,mailto:a@reports.example.com", {})
    assert (one.status, two.status) == ("own", "own")
    assert not [name for name, _ in resolver.asked if "_report" in name]


def test_another_address_of_the_same_host_only():
    zone = {"example.com._report._dmarc.example.net": {
        "TXT": ["v=DMARC1; rua=mailto:new@example.net,mailto:new@example.org"]}}  # fmt: skip
    (found,), _ = statuses("mailto:r@example.net", zone)
    assert [uri.mailbox for uri in found.instead] == ["new@example.net"]


def test_away_and_unsupported():
    found, _ = statuses(
        "mailto:r@example.net,https://example.net/r", {"example.com._report._dmarc.example.net": "away"}
    )
    assert [one.status for one in found] == ["away", "unsupported"]


def test_bounded():
    rua = ",".join(f"mailto:r@h{number}.example{number}.net" for number in range(20))
    found, resolver = statuses(rua, {})
    assert [one.status for one in found].count("unchecked") == 10
    assert len(resolver.asked) < 80
