"""New keys: what dnspython, dkimpy and our own verifier make of their records."""

import asyncio
import re
from datetime import UTC, datetime

import dkim
import dns.zone
import pytest
from msgspec.structs import replace
from support.zone import ZoneResolver

from sekisho.mailauth.canonical import split_message
from sekisho.mailauth.dkim import signature_fields
from sekisho.mailauth.dkim_key import key_record
from sekisho.mailauth.dkim_verify import verify
from sekisho.mailauth.key_making import (
    alias_line,
    dns_name,
    new_key,
    record_line,
    record_strings,
    record_text,
    selectors,
    signing_key,
    successor,
)

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
MAIL = b"From: a@example.jp\r\nTo: b@example.net\r\nSubject: x\r\n\r\nhello\r\n"


@pytest.fixture(name="pair", scope="module")
def _pair():
    return [new_key("t", "example.jp", f"s-{kind}", kind, NOW) for kind in ("rsa", "ed25519")]


def test_a_second_implementation_verifies_with_the_record_as_it_is_printed(pair):
    lines = "\n".join(map(record_line, pair))
    zone = dns.zone.from_text(f"$TTL 60\n@ IN SOA ns. h. 1 2 3 4 5\n@ IN NS ns.\n{lines}\n", "example.jp.")
    records = {}
    for key in pair:
        (rdata,) = zone.find_rdataset(f"{key.selector}._domainkey", "TXT")
        assert all(len(part) <= 255 for part in rdata.strings)
        records[f"{key.asked_name}."] = b"".join(rdata.strings)
    signed = signature_fields(split_message(MAIL), [signing_key(key) for key in pair], 1) + MAIL
    assert dkim.DKIM(signed).verify(0, dnsfunc=lambda name, timeout=5: records[name.decode()])
    # without PyNaCl dkimpy knows no Ed25519
    zone = ZoneResolver({name.rstrip("."): {"TXT": [text]} for name, text in records.items()})
    results = asyncio.run(verify(signed, zone, 1))
    assert [(found.algorithm, found.result) for found in results] == [
        ("rsa-sha256", "pass"),
        ("ed25519-sha256", "pass"),
    ]


def test_the_record_says_the_key(pair):
    rsa, ed25519 = pair
    for key in pair:
        assert (key_record(record_text(key).encode()).key, "".join(record_strings(key))) == (
            key.public, record_text(key),
        )  # fmt: skip
    assert signing_key(rsa).key.key_size == 2048
    assert (len(record_strings(rsa)), len(record_strings(ed25519)), len(ed25519.public)) == (2, 1, 32)
    assert "private" not in repr(rsa)
    assert rsa.private not in repr(rsa).encode()


def test_delegated(pair):
    key = replace(pair[1], base="dkim.provider.example")
    assert alias_line(key) == "s-ed25519._domainkey.example.jp. IN CNAME s-ed25519.example.jp.dkim.provider.example."
    assert record_line(key).startswith("s-ed25519.example.jp.dkim.provider.example. IN TXT ")
    assert not alias_line(pair[1])


def test_selectors():
    assert selectors(("rsa", "ed25519"), (), NOW) == ["s20261125-rsa", "s20261125-ed25519"]
    assert selectors(("rsa", "ed25519"), {"s20261125-ed25519"}, NOW) == ["s20261125b-rsa", "s20261125b-ed25519"]
    assert selectors(("rsa",), (), NOW, "Mail.2026") == ["mail.2026"]
    assert selectors(("rsa", "ed25519"), (), NOW, "m") == ["m-rsa", "m-ed25519"]
    for wrong in ("a b", "-a", "a..b", "a" * 64, "ä"):
        with pytest.raises(ValueError, match="not a selector"):
            selectors(("rsa",), (), NOW, wrong)
    with pytest.raises(ValueError, match="used already"):
        selectors(("rsa",), {"m"}, NOW, "m")
    taken = {f"s20261125{letter}-rsa" for letter in ("", *"bcdefghijklmnopqrstuvwxyz")}
    with pytest.raises(ValueError, match="no selector"):
        selectors(("rsa",), taken, NOW)


def test_names():
    assert dns_name("例え.テスト") == "xn--r8jz45g.xn--zckzah"  # RFC 5890: A-labels
    assert dns_name("Example.JP.") == "example.jp"
    for wrong in ("", "a b.jp", "a..jp", "x" * 64 + ".jp", ".".join(["a" * 60] * 5), '";.jp'):
        with pytest.raises(ValueError, match="not a DNS name"):
            dns_name(wrong)
    with pytest.raises(ValueError, match="too long"):
        new_key("t", ".".join(["a" * 60] * 4), "selector", "ed25519", NOW)


def test_a_successor_has_a_name_of_its_own_or_one_that_a_cname_points_to_already(pair):
    key = replace(pair[1], state="active")
    made, old = successor(key, [key], NOW)
    assert (made.selector, made.state, old) == ("s20261125-ed25519", "pending", None)
    assert made.public != key.public
    delegated = replace(key, base="p.example")
    before = replace(delegated, selector="s0", state="retired", gone=True, private=b"")
    made, old = successor(delegated, [delegated, before], NOW)
    assert (made.selector, made.base, old) == ("s0", "p.example", before)
    made, old = successor(delegated, [delegated, replace(before, gone=False)], NOW)
    assert (made.selector, old) == ("s20261125-ed25519", None)


def test_what_is_no_key():
    key = new_key("t", "example.jp", "s", "ed25519", NOW)
    with pytest.raises(ValueError, match=re.compile("key", re.IGNORECASE)):
        signing_key(replace(key, private=b"no key"))
