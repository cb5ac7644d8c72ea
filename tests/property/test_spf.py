"""RFC 7208 2.6, 4.6.4: whatever a zone holds, one of seven results in bounded lookups and questions."""

import time
from ipaddress import ip_address
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from support.zone import ZoneResolver, driven, look

from sekisho.mail.dns import Mx, Records, RecordStatus, Tlsa
from sekisho.mailauth.spf.check import SpfQuery, check_helo, check_sender
from sekisho.mailauth.spf.flatten import flatten
from sekisho.mailauth.spf.record import MOST_FLAWS, parse_record
from sekisho.mailauth.spf.result import SpfCode
from sekisho.mailauth.spf.survey import survey

RESULTS = set(get_args(SpfCode))
NAMES = ["a.example", "b.example", "c.example", "d.example"]
ADDRESSES = ["192.0.2.1", "192.0.2.130", "198.51.100.1", "2001:db8::1", "2001:db8:1::1"]
domains = st.sampled_from(
    [*NAMES, "no.example", "%{d}", "%{l}.example", "%{ir}.%{v}.a.example", "%{p}", "%{s}.b.example"]
)
plain = st.sampled_from(NAMES)
hosts, prefixes = st.sampled_from(["a", "mx"]), st.sampled_from(["", "/24", "/24//64"])
signs = st.sampled_from(["", "", "", "+", "-", "~", "?"])


def terms(names):
    return st.one_of(
        st.builds("{}include:{}".format, signs, names),
        st.builds(
            "{}{}:{}{}".format, signs, st.sampled_from(["a", "mx"]), names, st.sampled_from(["", "/24", "/24//64"])
        ),
        st.builds("{}{}".format, signs, st.sampled_from(["a", "mx", "ptr", "ip4:192.0.2.0/25", "ip6:2001:db8::/48"])),
        st.builds("{}exists:{}".format, signs, names),
        st.builds("{}={}".format, st.sampled_from(["redirect", "exp", "x"]), names),
    )


def records(names):
    ends = st.sampled_from(["", " -all", " ~all", " ?all"])
    return st.builds("v=spf1 {}{}".format, st.lists(terms(names), max_size=6).map(" ".join), ends)


def nodes(names, *, failing):
    node = st.fixed_dictionaries(
        {"TXT": st.lists(records(names), min_size=1, max_size=1)},
        optional={
            "A": st.lists(st.sampled_from(ADDRESSES[:3]), min_size=1, max_size=3),
            "AAAA": st.lists(st.sampled_from(ADDRESSES[3:]), min_size=1, max_size=2),
            "MX": st.lists(st.tuples(st.integers(0, 9), st.sampled_from(NAMES)), min_size=1, max_size=3),
        },
    )
    return st.one_of(node, st.sampled_from(get_args(RecordStatus)[1:])) if failing else node


zones = st.fixed_dictionaries({name: nodes(domains, failing=True) for name in NAMES})
steady = st.fixed_dictionaries({name: nodes(plain, failing=False) for name in NAMES})


def checked(resolver, ip, sender="taro@a.example", check=check_sender):
    return driven(check(SpfQuery(ip_address(ip), sender, "b.example"), resolver))


def cost(branch):
    return sum(step.lookups for step in branch.steps)


@given(st.binary(max_size=2_000))
def test_any_octets_are_read(octets):
    record = parse_record(b"v=spf1 " + octets)
    assert len(record.flaws) <= MOST_FLAWS
    for flaw in record.flaws:
        assert 7 <= flaw.offset < len(record.octets) + 1
        assert flaw.length > 0


@given(zones, st.sampled_from(ADDRESSES))
@settings(max_examples=300, deadline=None)
def test_any_zone_gives_a_result_in_bounded_lookups(zone, ip):
    resolver = ZoneResolver(zone)
    result = checked(resolver, ip)
    assert result.result in RESULTS
    assert result.lookups <= 10
    assert result.void_lookups <= 3
    assert len(resolver.asked) <= 1 + 10 * 11 + 12
    assert result.trace is None or cost(result.trace) == result.lookups


@given(zones, st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_sender_gives_a_result(zone, sender, helo):
    for check in (check_sender, check_helo):
        query = SpfQuery(ip_address("192.0.2.1"), sender, helo)
        assert driven(check(query, ZoneResolver(zone))).result in RESULTS


values = st.one_of(
    st.text(max_size=20),
    st.binary(max_size=50),
    st.builds(Mx, st.integers(0, 9), st.text(max_size=9)),
    st.builds(Tlsa, st.just(3), st.just(1), st.just(1), st.binary(max_size=9)),
    records(domains).map(str.encode),
)
lies = st.builds(Records, st.sampled_from(get_args(RecordStatus)), st.lists(values, max_size=12).map(tuple))


class Liar:
    """Answers a question with whatever the test draws, whatever its type."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = 0

    async def records(self, _name, _kind):
        self.asked += 1
        return self.answers[self.asked % len(self.answers)]


@given(st.lists(lies, min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_dns_that_lies_gives_a_result(answers):
    liar = Liar(answers)
    started = time.process_time()
    assert checked(liar, "192.0.2.1").result in RESULTS
    assert liar.asked <= 130
    driven(survey("a.example", Liar(answers)))
    driven(flatten("a.example", Liar(answers)))
    assert time.process_time() - started < 5


@given(zones)
@settings(max_examples=200, deadline=None)
def test_survey_and_flattening_end(zone):
    resolver = ZoneResolver(zone)
    driven(survey("a.example", resolver))
    driven(flatten("a.example", resolver))
    assert len(resolver.asked) <= 350


@given(steady, st.sampled_from(ADDRESSES))
@settings(max_examples=400, deadline=None)
def test_a_flattened_record_gives_the_same_results(zone, ip):
    """Where the record works at all: flattening takes limits away, and ends loops that no address reaches."""
    before = checked(ZoneResolver(zone), ip)
    flat = driven(flatten("a.example", ZoneResolver(zone)))
    if before.result in ("permerror", "temperror") or not flat.records:
        return
    after = {**zone, **{one.name: {**zone.get(one.name, {}), "TXT": [one.text]} for one in flat.records}}
    found = checked(ZoneResolver(after), ip)
    assert found.result == before.result, flat.records
    assert look(after, "a.example", "TXT").values == (flat.records[0].text.encode(),)
