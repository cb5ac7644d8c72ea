"""What the public suite does not show: traces, errors' reasons, time, bad input. Results by RFC 7208."""

import asyncio
import itertools
from ipaddress import ip_address

import pytest
from support.zone import ZoneResolver

from sekisho.mail.address import client_address
from sekisho.mail.dns import Records
from sekisho.mailauth.spf.budget import Limits
from sekisho.mailauth.spf.check import SpfQuery, check_helo, check_sender


def checked(zone, ip="192.0.2.1", mail_from="taro@example.com", helo="mx.example.com", check=check_sender, **more):
    return asyncio.run(check(SpfQuery(client_address(ip), mail_from, helo), ZoneResolver(zone), **more))


def txt(**records):
    return {f"{name}.example.com".removeprefix("top."): {"TXT": [text]} for name, text in records.items()}


def test_the_trace_tells_which_include_costs_which_lookups():
    zone = txt(top="v=spf1 include:a.example.com mx -all", a="v=spf1 include:b.example.com a:gone.example.com -all",
               b="v=spf1 a:x.example.com ?all")  # fmt: skip
    zone["x.example.com"] = {"A": ["192.0.2.9"]}
    zone["example.com"]["MX"] = [(10, "x.example.com")]
    result = checked(zone)
    assert (result.result, result.mechanism, result.lookups, result.void_lookups) == ("fail", "-all", 5, 1)
    top = result.trace
    assert [(s.text, s.outcome, s.lookups, s.void_lookups) for s in top.steps] == [
        ("include:a.example.com", "no-match", 4, 1),
        ("mx", "no-match", 1, 0),
        ("-all", "match", 0, 0),
    ]
    assert [(s.text, s.lookups) for s in top.steps[0].below.steps] == [
        ("include:b.example.com", 2),
        ("a:gone.example.com", 1),
        ("-all", 0),
    ]
    assert top.steps[0].below.result == "fail"


@pytest.mark.parametrize(
    ("zone", "result", "reason", "mechanism"),
    [
        ({}, "none", "no-record", ""),
        ({"example.com": {"TXT": ["v=spf1 -all", "v=spf1 +all"]}}, "permerror", "several-records", ""),
        (txt(top="v=spf1 ip4:1.2.3 -all"), "permerror", "syntax", "ip4:1.2.3"),
        (txt(top="v=spf1 include:no.example.com -all"), "permerror", "include-none", "include:no.example.com"),
        (txt(top="v=spf1 redirect=no.example.com"), "permerror", "redirect-none", "redirect=no.example.com"),
        (txt(top="v=spf1 include:example.com -all"), "permerror", "loop", "include:example.com"),
        (txt(top="v=spf1 include:a.example.com", a="v=spf1 redirect=example.com"), "permerror", "loop",
         "include:a.example.com"),
        (txt(top="v=spf1 a:1.example.com a:2.example.com a:3.example.com -all"), "permerror", "void-lookups",
         "a:3.example.com"),
        ({"example.com": "away"}, "temperror", "dns", ""),
        ({"example.com": "refused"}, "temperror", "dns", ""),
        ({"example.com": "bogus"}, "temperror", "dns", ""),
        ({**txt(top="v=spf1 a:x.example.com -all"), "x.example.com": "away"}, "temperror", "dns", "a:x.example.com"),
        ({"example.com": {"TXT": ["v=spf1 mx -all"], "MX": [(n, f"{n}.example.com") for n in range(11)]}},
         "permerror", "mx-hosts", "mx"),
        (txt(top="v=spf1 ?ip4:198.51.100.1"), "neutral", "", "default"),
    ],
)  # fmt: skip
def test_reasons(zone, result, reason, mechanism):
    found = checked(zone)
    assert (found.result, found.reason, found.mechanism) == (result, reason, mechanism)


def test_ten_lookups_are_allowed_and_eleven_are_not():
    zone = {f"{n}.example.com": {"A": ["198.51.100.1"]} for n in range(11)}
    for count, wanted in ((10, "fail"), (11, "permerror")):
        terms = " ".join(f"a:{n}.example.com" for n in range(count))
        zone["example.com"] = {"TXT": [f"v=spf1 {terms} -all"]}
        found = checked(zone)
        assert (found.result, found.lookups) == (wanted, 10)


def test_a_mapped_address_is_the_ipv4_one():
    zone = txt(top="v=spf1 ip4:192.0.2.1 -all")
    assert checked(zone, "::ffff:192.0.2.1").result == "pass"
    assert checked(zone, "::192.0.2.1").result == "fail"


def test_a_null_reverse_path_is_checked_by_helo():
    found = checked({"mx.example.com": {"TXT": ["v=spf1 a -all"], "A": ["192.0.2.1"]}}, mail_from="")
    assert (found.result, found.identity, found.domain) == ("pass", "helo", "mx.example.com")


def test_helo_beside_the_sender():
    zone = {
        "mx.example.com": {"TXT": ["v=spf1 exists:%{l}.%{o} -all"]},
        "postmaster.mx.example.com": {"A": ["127.0.0.2"]},
    }
    assert checked(zone, check=check_helo).result == "pass"


def test_the_explanation_is_that_of_the_redirected_domain():
    zone = txt(top="v=spf1 redirect=a.example.com exp=no.example.com", a="v=spf1 -all exp=why.a.example.com")
    zone["why.a.example.com"] = {"TXT": [("%{i} may not send", " as %{s}")]}
    found = checked(zone)
    assert (found.domain, found.explanation) == ("a.example.com", "192.0.2.1 may not send as taro@example.com")


def test_the_explanation_of_an_include_does_not_count():
    zone = txt(top="v=spf1 -include:a.example.com -all", a="v=spf1 +all exp=why.example.com", why="no")
    assert checked(zone).explanation == ""


@pytest.mark.parametrize("texts", [["one", "two"], ["%{"], ["日本"], []])
def test_a_broken_explanation_is_none(texts):
    zone = {**txt(top="v=spf1 -all exp=why.example.com"), "why.example.com": {"TXT": texts}}
    assert (checked(zone).result, checked(zone).explanation) == ("fail", "")


def test_a_long_explanation_is_cut():
    zone = {**txt(top="v=spf1 -all exp=why.example.com"), "why.example.com": {"TXT": ["%{s}" * 10_000]}}
    assert 0 < len(checked(zone, mail_from=f"{'x' * 900}@example.com").explanation) <= 2_000


def test_u_labels():
    name = "xn--wgv71a119e.jp"
    zone = {name: {"TXT": ["v=spf1 exists:%{o}.x.example -all"]}, f"{name}.x.example": {"A": ["127.0.0.1"]}}
    assert checked(zone, mail_from="taro@日本語.jp").result == "pass"


def test_a_local_part_that_is_no_label_matches_nothing():
    # RFC 8616 4
    zone = txt(top="v=spf1 exists:%{l}.example.com a:%{d} -all")
    found = checked(zone, mail_from="太郎@example.com")
    assert (found.result, found.trace.steps[0].asked) == ("fail", "")


def test_names_of_the_client_lead_back_or_do_not_count():
    zone = {
        "example.com": {"TXT": ["v=spf1 ptr -all"]},
        "1.2.0.192.in-addr.arpa": {"PTR": ["lies.example.com", "mail.example.com"]},
        "lies.example.com": {"A": ["198.51.100.1"]},
        "mail.example.com": {"A": ["192.0.2.1"]},
        "2.2.0.192.in-addr.arpa": {"PTR": ["lies.example.com"]},
    }
    assert checked(zone).result == "pass"
    assert checked(zone, "192.0.2.2").result == "fail"
    assert checked(zone, "192.0.2.3").result == "fail"


def test_only_the_first_ten_names_of_a_client_are_looked_at():
    zone = {"example.com": {"TXT": ["v=spf1 ptr -all"]},
            "1.2.0.192.in-addr.arpa": {"PTR": [*(f"{n}.example.net" for n in range(10)), "mail.example.com"]},
            "mail.example.com": {"A": ["192.0.2.1"]}}  # fmt: skip
    resolver = ZoneResolver(zone)
    assert asyncio.run(check_sender(SpfQuery(ip_address("192.0.2.1"), "a@example.com"), resolver)).result == "fail"
    assert len(resolver.asked) == 12


def test_too_long_is_a_temporary_error():
    ticks = itertools.count(0.0, 8.0)
    zone = {"example.com": {"TXT": ["v=spf1 a a a -all"], "A": ["192.0.2.9"]}}
    found = checked(zone, clock=lambda: next(ticks))
    assert (found.result, found.reason) == ("temperror", "time")


SIXTY_KILOBYTES = [
    b"v=spf1 " + b"ip4:198.51.100.1 " * 3500 + b"ip4:192.0.2.1",
    b"v=spf1 " + b"a " * 30_000 + b"-all",
    b"v=spf1 " + b"\xff" * 60_000,
]


@pytest.mark.parametrize("octets", SIXTY_KILOBYTES)
def test_sixty_kilobytes(octets):
    wanted = "pass" if b"ip4" in octets else "permerror"
    assert checked({"example.com": {"TXT": [octets], "A": ["198.51.100.1"]}}).result == wanted


def test_more_than_ten_when_more_are_allowed():
    zone = {f"{n}.example.com": {"A": ["198.51.100.1"]} for n in range(20)}
    zone["example.com"] = {"TXT": ["v=spf1 " + " ".join(f"a:{n}.example.com" for n in range(20)) + " -all"]}
    assert checked(zone, limits=Limits(lookups=20)).result == "fail"


@pytest.mark.parametrize(("terms", "wanted"), [(b"a mx ptr", "fail"), (b"a mx ptr exists:example.com", "pass")])
def test_values_of_another_type_are_no_match(terms, wanted):
    """Except with exists, to which any A record will do."""
    record = b"v=spf1 " + terms + b" -all"
    liar = {"example.com": lambda kind: Records("found", (record if kind == "TXT" else "nonsense",))}
    assert checked(liar).result == wanted


NO_DOMAINS = [
    *("", "@", "a@", "a", "a@b", "a@[192.0.2.1]", "a@b..c", "x" * 100_000, "a@" + "日" * 10_000),
    *("x" * 5_000 + "@example.com", "a@\ud800.example"),
]


@pytest.mark.parametrize("sender", NO_DOMAINS)
def test_what_is_no_domain_is_none(sender):
    assert checked(txt(top="v=spf1 -all"), mail_from=sender, helo="").result == "none"
