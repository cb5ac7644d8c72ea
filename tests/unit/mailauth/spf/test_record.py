"""Expected values from the grammar of RFC 7208 12 and its text."""

import time

import pytest

from sekisho.mailauth.spf.macros import Macro
from sekisho.mailauth.spf.record import MOST_FLAWS, Flaw, is_spf, parse_record


@pytest.mark.parametrize("octets", [b"v=spf1", b"V=SPF1 -all", b"v=spf1 "])
def test_is_spf(octets):
    assert is_spf(octets)


@pytest.mark.parametrize(
    "octets", [b"", b"v=spf10", b"v=spf1\t-all", b" v=spf1", b"v=spf2.0/pra", b"v=spf1\n", b"spf1"]
)
def test_is_not_spf(octets):
    assert not is_spf(octets)


def test_directives_with_what_is_the_default():
    record = parse_record(b"v=spf1 a ~mx:example.com/24//64 ?ip4:192.0.2.9/29 ip6:2001:db8::/32 -ALL")
    a, mx, ip4, ip6, end = record.directives
    assert (a.name, a.qualifier, a.domain, a.prefix4, a.prefix6) == ("a", "+", None, 32, 128)
    assert (mx.qualifier, mx.domain, mx.prefix4, mx.prefix6) == ("~", ("example.com",), 24, 64)
    assert (ip4.network, ip4.prefix4) == (0xC0000208, 29)
    assert (ip6.network, ip6.prefix6) == (0x20010DB8 << 96, 32)
    assert (end.name, end.qualifier, end.text, end.offset) == ("all", "-", "-ALL", 68)
    assert record.flaws == ()


def test_modifiers():
    record = parse_record(b"v=spf1 Redirect=_spf.%{d2} exp=e.example.com moo.x-1_=%{i} all=x")
    assert record.redirect.value == ("_spf.", Macro("d", 2))
    assert record.explanation.value == ("e.example.com",)
    assert [one.name for one in record.unknown] == ["moo.x-1_", "all"]
    assert record.flaws == ()


@pytest.mark.parametrize(
    ("term", "code", "part"),
    [
        ("inclde:x.example.com", "unknown-mechanism", "inclde:x.example.com"),
        ("a$b", "unknown-mechanism", "a$b"),
        ("--all", "unknown-mechanism", "--all"),
        ("1moo=x", "modifier-syntax", "1moo=x"),
        ("all:x", "domain-unwanted", ":x"),
        ("include", "domain-missing", "e"),
        ("include:", "domain-missing", ":"),
        ("a:", "domain-missing", ":"),
        ("exp=", "domain-missing", "="),
        ("a:example.com:8080", "domain-syntax", "com:8080"),
        ("mx:localhost", "domain-syntax", "localhost"),
        ("a:192.0.2.1", "domain-syntax", "1"),
        ("a:%{d0}", "macro-syntax", "%{d0}"),
        ("a:x.%{d", "macro-syntax", "%{d"),
        ("a:x%.example.com", "macro-syntax", "%.example.com"),
        ("exists:%{c}.example.com", "macro-letter", "%{c}.example.com"),
        ("a:\x07.example.com", "character", "\x07.example.com"),
        ("ip4:192.0.2", "address", "192.0.2"),
        ("ip4", "address", "4"),
        ("ip4:2001:db8::1", "address", "2001:db8::1"),
        ("ip6:fe80::1%eth0", "address", "fe80::1%eth0"),
        ("ip4:192.0.2.0/33", "prefix-length", "/33"),
        ("ip4:192.0.2.0/024", "prefix-length", "/024"),
        ("ip4:192.0.2.0/", "prefix-length", "/"),
        ("a/33", "prefix-length", "/33"),
        ("a//129", "prefix-length", "//129"),
        ("ptr/24", "prefix-length", "/24"),
    ],
)
def test_a_flaw_and_its_place(term, code, part):
    record = parse_record(f"v=spf1 mx {term} -all".encode())
    (flaw,) = record.flaws
    assert flaw.code == code
    end = 10 + len(term)
    assert f"v=spf1 mx {term} -all"[flaw.offset : end] == part or (flaw.offset == end and part == term[-1])


def test_not_ascii():
    assert parse_record("v=spf1 a:日本.example -all".encode()).flaws[0] == Flaw("not-ascii", 9, 14)


def test_twice():
    flaws = parse_record(b"v=spf1 redirect=a.example redirect=b.example exp=a.example exp=b.example").flaws
    assert [(flaw.code, flaw.offset) for flaw in flaws] == [("modifier-twice", 26), ("modifier-twice", 59)]


def test_all_flaws_are_found_up_to_a_bound():
    assert len(parse_record(b"v=spf1 b c d e").flaws) == 4
    assert len(parse_record(b"v=spf1" + b" b" * 30_000).flaws) == MOST_FLAWS


@pytest.mark.parametrize(
    "term", [b"a/1", b"a//", b"%{", b"%{d.........", b"a:" + b"x." * 1000, b"////1", b"ip4:1.2.3.4/", b"x=%"]
)
def test_sixty_kilobytes_take_no_long_time(term):
    for octets in (b"v=spf1 " + term * (60_000 // len(term)), b"v=spf1 " + (term + b" ") * (60_000 // len(term))):
        started = time.process_time()
        parse_record(octets)
        assert time.process_time() - started < 2
