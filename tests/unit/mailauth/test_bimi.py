"""BIMI records, where they are looked for, and what DMARC must say for them."""

import asyncio

import pytest
from support.zone import ZoneResolver

from sekisho.mailauth.bimi import BimiError, BimiRecord, FoundBimi, dmarc_obstacles, find_bimi, parse_bimi
from sekisho.mailauth.dmarc_discovery import Discovery

LOGO = "https://example.com/logo.svg"
RECORD = f"v=BIMI1; l={LOGO}; a=https://example.com/vmc.pem"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RECORD, BimiRecord(LOGO, "https://example.com/vmc.pem")),
        (f"v=BIMI1; l={LOGO}", BimiRecord(LOGO)),
        (f"v=BIMI1;l={LOGO};a=;avp=personal", BimiRecord(LOGO, "", "personal")),
        (f"v=BIMI1; l={LOGO}; lps=news, shop; new=x", BimiRecord(LOGO, "", "brand", ("news", "shop"), ("new",))),
        ("v=BIMI1; l=; a=;", BimiRecord("")),
        ("v=BIMI1;", BimiError("no-location", "l")),
        ("v=BIMI1; a=https://example.com/vmc.pem", BimiError("no-location", "l")),
        ("v=BIMI1; l=http://example.com/logo.svg", BimiError("not-https", "l")),
        (f"v=BIMI1; l={LOGO}; a=example.com/vmc.pem", BimiError("not-https", "a")),
        ("v=BIMI1; l=https:///x", BimiError("not-https", "l")),
        ("v=BIMI1; l=https://[x/", BimiError("not-https", "l")),
        (f"v=BIMI1; l={LOGO}; l={LOGO}", BimiError("bad-tag", "l")),
        (f"v=BIMI1; l={LOGO}; hello", BimiError("bad-tag", "hello")),
        (f"v=BIMI1; l={LOGO}; avp=other", BimiError("bad-preference", "avp")),
        ("v=BIMI2; l=", BimiError("not-bimi")),
        ("l=; v=BIMI1", BimiError("not-bimi")),
        ("v=BIMI1; l=" + "a" * 60_000, BimiError("too-long")),
    ],
)
def test_records(text, expected):
    assert parse_bimi(text.encode()) == expected


def test_declined():
    assert parse_bimi(b"v=BIMI1; l=; a=;").declined
    assert not parse_bimi(RECORD.encode()).declined


def found(domain, zone, **more):
    resolver = ZoneResolver(
        {name: value if isinstance(value, str) else {"TXT": value} for name, value in zone.items()}
    )
    return asyncio.run(find_bimi(domain, resolver, **more)), [name for name, _ in resolver.asked]


def test_ones_own_record_and_then_that_of_the_organization():
    got, asked = found("news.example.com", {"default._bimi.example.com": [RECORD]}, organizational="example.com")
    assert got == FoundBimi("example.com", "default", parse_bimi(RECORD.encode()))
    assert asked == ["default._bimi.news.example.com", "default._bimi.example.com"]
    own = {"default._bimi.news.example.com": ["v=BIMI1; l=; a=;"], "default._bimi.example.com": [RECORD]}
    assert found("news.example.com", own, organizational="example.com")[0].record.declined


def test_a_selector():
    got, asked = found("example.com", {"brand._bimi.example.com": [RECORD, "other"]}, selector="brand")
    assert (got.selector, asked) == ("brand", ["brand._bimi.example.com"])
    assert found("example.com", {}, selector="a b")[0] == BimiError("bad-selector")


@pytest.mark.parametrize(
    ("said", "code"),
    [([], "absent"), ("away", "away"), ([RECORD, RECORD], "several-records"), (["v=BIMI1; x=y"], "no-location")],
)
def test_no_record(said, code):
    assert found("example.com", {"default._bimi.example.com": said})[0].code == code


@pytest.mark.parametrize(
    ("record", "domain", "expected"),
    [
        ("v=DMARC1; p=reject", "example.com", ()),
        ("v=DMARC1; p=quarantine", "example.com", ()),
        ("v=DMARC1; p=quarantine; pct=100", "example.com", ()),
        ("v=DMARC1; p=none", "example.com", ("policy-none",)),
        ("v=DMARC1; p=quarantine; pct=50", "example.com", ("part-only",)),
        ("v=DMARC1; p=reject; pct=50", "example.com", ()),
        ("v=DMARC1; p=reject; sp=none", "example.com", ("subdomains-none",)),
        ("v=DMARC1; p=reject; sp=none", "a.example.com", ("policy-none",)),
        ("v=DMARC1; p=reject; t=y", "example.com", ("testing",)),
        ("v=DMARC1", "example.com", ("no-dmarc",)),
        ("v=spf1", "example.com", ("no-dmarc",)),
    ],
)
def test_what_dmarc_must_say(record, domain, expected):
    discovery = Discovery(ZoneResolver({"_dmarc.example.com": {"TXT": [record]}}))
    assert dmarc_obstacles(asyncio.run(discovery.discover(domain))) == expected
