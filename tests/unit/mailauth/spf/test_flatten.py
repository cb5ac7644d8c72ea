"""A flattened record gives what the record gave: checked with the evaluator, which the public suite checks."""

import asyncio
from ipaddress import ip_address

import pytest
from support.zone import ZoneResolver

from sekisho.mailauth.spf.check import SpfQuery, check_sender
from sekisho.mailauth.spf.flat_text import quoted
from sekisho.mailauth.spf.flatten import Input, changed, flatten

ZONE = {
    "example.com": {"TXT": ["v=spf1 include:a.example.com mx ~a:x.example.com -all exp=e.example.com", "other"],
                    "MX": [(1, "x.example.com")]},
    "a.example.com": {"TXT": ["v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 include:b.example.com ~all"]},
    "b.example.com": {"TXT": ["v=spf1 a:x.example.com/24 redirect=c.example.com"]},
    "c.example.com": {"TXT": ["v=spf1 ip6:2001:db8:1::/48"]},
    "x.example.com": {"A": ["198.51.100.7"], "AAAA": ["2001:db8::7"]},
}  # fmt: skip


def flattened(zone, domain="example.com"):
    return asyncio.run(flatten(domain, ZoneResolver(zone)))


def published(zone, found):
    return {**zone, **{one.name: {"TXT": [one.text]} for one in found.records}}


def result(zone, ip):
    return asyncio.run(check_sender(SpfQuery(ip_address(ip), "a@example.com"), ZoneResolver(zone))).result


def test_networks_only_and_collapsed():
    found = flattened(ZONE)
    (record,) = found.records
    assert record.text == (
        "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ip6:2001:db8::7 ip6:2001:db8:1::/48 ~ip4:198.51.100.7 "
        "~ip6:2001:db8::7 -all exp=e.example.com"
    )
    assert (found.networks, found.lookups, found.kept, found.problem) == (6, 0, (), "")


def test_the_inputs_are_all_that_was_asked():
    assert flattened(ZONE).inputs == (
        Input("a.example.com", "TXT", ("v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 include:b.example.com ~all",)),
        Input("b.example.com", "TXT", ("v=spf1 a:x.example.com/24 redirect=c.example.com",)),
        Input("c.example.com", "TXT", ("v=spf1 ip6:2001:db8:1::/48",)),
        Input("example.com", "MX", ("1 x.example.com",)),
        Input("example.com", "TXT", ("v=spf1 include:a.example.com mx ~a:x.example.com -all exp=e.example.com",)),
        Input("x.example.com", "A", ("198.51.100.7",)),
        Input("x.example.com", "AAAA", ("2001:db8::7",)),
    )


def test_a_change_of_an_input_is_seen():
    other = {**ZONE, "x.example.com": {"A": ["198.51.100.8"]}}
    before, after = flattened(ZONE).inputs, flattened(other).inputs
    assert changed(before, after) == (("x.example.com", "A"), ("x.example.com", "AAAA"))
    assert changed(before, before) == ()


def test_a_long_one_is_cut_into_records_that_are_included():
    many = " ".join(f"ip4:10.{n}.0.1" for n in range(100))
    zone = {"example.com": {"TXT": [f"v=spf1 include:a.example.com ?exists:%{{i}}.example.com {many} ~all"]},
            "a.example.com": {"TXT": [f"v=spf1 {many.replace('ip4:10', 'ip4:11')} -all"]}}  # fmt: skip
    found = flattened(zone)
    assert all(len(one.text) <= 450 for one in found.records)
    assert found.kept == ("?exists:%{i}.example.com",)
    assert found.lookups == len(found.records)
    after = published(zone, found)
    for ip in ("10.5.0.1", "11.99.0.1", "10.5.0.2", "2001:db8::1"):
        assert result(after, ip) == result(zone, ip)


@pytest.mark.parametrize("ip", ["192.0.2.200", "198.51.100.7", "2001:db8::7", "2001:db8:1::9", "203.0.113.1"])
def test_the_results_stay_the_same(ip):
    assert result(published(ZONE, flattened(ZONE)), ip) == result(ZONE, ip)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("v=spf1 include:n.example.com -all", ("include:n.example.com",)),
        ("v=spf1 include:p.example.com -all", ("include:p.example.com",)),
        ("v=spf1 ptr include:%{d2}.example.com -all", ("ptr", "include:%{d2}.example.com")),
    ],
)
def test_what_means_more_than_networks_is_kept(text, kept):
    zone = {"example.com": {"TXT": [text]}, "n.example.com": {"TXT": ["v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24"]},
            "p.example.com": {"TXT": ["v=spf1 +all"]}}  # fmt: skip
    found = flattened(zone)
    assert found.kept == kept
    assert found.records[0].text == text


def test_a_redirect_is_followed_where_it_can_be():
    zone = {"example.com": {"TXT": ["v=spf1 a redirect=r.example.com"], "A": ["192.0.2.1"]},
            "r.example.com": {"TXT": ["v=spf1 ip4:192.0.2.2 ~all"]}}  # fmt: skip
    assert flattened(zone).records[0].text == "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ~all"
    zone["r.example.com"] = {"TXT": ["v=spf1 exists:%{d}.small -all"]}
    assert flattened(zone).records[0].text == "v=spf1 ip4:192.0.2.1 redirect=r.example.com"


@pytest.mark.parametrize(
    ("zone", "problem"),
    [
        ({}, "no-record"),
        ({"example.com": {"TXT": ["v=spf1", "v=spf1 -all"]}}, "several-records"),
        ({"example.com": {"TXT": ["v=spf1 ip4:1 -all"]}}, "syntax"),
        ({"example.com": {"TXT": ["v=spf1 include:no.example.com -all"]}}, "no-record"),
        ({"example.com": {"TXT": ["v=spf1 include:example.com -all"]}}, "syntax"),
        ({"example.com": {"TXT": ["v=spf1 a -all"], "A": ["192.0.2.1"], "AAAA": "away"}}, "dns"),
        ({"example.com": {"TXT": ["v=spf1 " + " ".join(f"ip4:10.{n}.{m}.1" for n in range(20) for m in range(30))]}},
         "too-long"),
        ({"example.com": {"TXT": ["v=spf1 " + "ip4:10.0.0.1 " * 5_001]}}, "too-much"),
    ],
)  # fmt: skip
def test_problems_give_no_record(zone, problem):
    found = flattened(zone)
    assert (found.problem, found.records) == (problem, ())


def test_strings_of_a_zone_file():
    assert quoted("x" * 300) == f'"{"x" * 255}" "{"x" * 45}"'
    assert quoted('v=spf1 "\\') == '"v=spf1 \\"\\\\"'
    assert quoted("") == '""'
