import asyncio

from support.zone import ZoneResolver

from sekisho.mailauth.spf.survey import survey

ZONE = {
    "example.com": {
        "TXT": ["v=spf1 +ip4:192.0.2.1 include:a.example.com mx exists:%{i}.example.com ~all"],
        "MX": [(1, "x.example.com")],
    },
    "a.example.com": {"TXT": ["v=spf1 a:x.example.com a:gone.example.com redirect=b.example.com"]},
    "b.example.com": {"TXT": ["v=spf1 ptr -all"]},
    "x.example.com": {"AAAA": ["2001:db8::1"]},
}


def surveyed(zone, domain="example.com"):
    return asyncio.run(survey(domain, ZoneResolver(zone)))


def test_the_whole_tree_counts():
    found = surveyed(ZONE)
    assert (found.lookups, found.void_lookups, found.complete) == (7, 1, True)
    include, mx, exists = found.tree.steps
    assert (include.lookups, mx.lookups, exists.lookups) == (5, 1, 1)
    assert [(s.text, s.lookups, s.void_lookups) for s in include.below.steps] == [
        ("a:x.example.com", 1, 0),
        ("a:gone.example.com", 1, 1),
        ("redirect=b.example.com", 2, 0),
    ]


def test_a_loop_ends():
    found = surveyed({"example.com": {"TXT": ["v=spf1 include:a.example.com"]},
                      "a.example.com": {"TXT": ["v=spf1 include:example.com"]}})  # fmt: skip
    assert found.tree.steps[0].below.steps[0].outcome == "error"


def test_a_tree_that_never_ends_is_given_up():
    zone = {f"n{n}.example.com": {"TXT": ["v=spf1" + f" include:n{n + 1}.example.com" * 9]} for n in range(50)}
    resolver = ZoneResolver(zone)
    found = asyncio.run(survey("n0.example.com", resolver))
    assert not found.complete
    assert len(resolver.asked) <= 150


def test_failures_of_the_dns_are_told():
    found = surveyed({"example.com": {"TXT": ["v=spf1 include:a.example.com"]}, "a.example.com": "away"})
    assert (found.complete, found.tree.steps[0].below.result) == (False, "temperror")
    assert not surveyed({"example.com": "refused"}).complete


def test_no_record():
    found = surveyed({})
    assert (found.tree.result, found.lookups, found.complete) == ("none", 0, True)
