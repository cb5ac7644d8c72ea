"""Discovery by tree walk: the examples of RFC 9989 4.10, and as RFC 7489 has it."""

import asyncio

import pytest
from support.zone import ZoneResolver

from sekisho.mail.dns import Records
from sekisho.mailauth.dmarc_discovery import MOST_QUERIES, Discovery, walked_names


def discovered(domain, records, method="tree-walk", **zone):
    zone |= {f"_dmarc.{name}": value if isinstance(value, str) and "=" not in value else {"TXT": _texts(value)}
             for name, value in records.items()}  # fmt: skip
    resolver = ZoneResolver(zone)
    found = asyncio.run(Discovery(resolver, method).discover(domain))
    return found, [name for name, _ in resolver.asked]


def _texts(value):
    return [value] if isinstance(value, str) else value


def test_eight_queries_at_most():  # the example of RFC 9989 4.10
    assert walked_names("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    )


def test_a_zone_cut_that_is_never_found():  # RFC 9989 5.1.8
    names = walked_names("mail.a.b.c.d.e.f.g.example.com")
    assert names[1:3] == ("c.d.e.f.g.example.com", "d.e.f.g.example.com")
    assert "b.c.d.e.f.g.example.com" not in names


def test_seven_and_eight_labels():
    assert len(walked_names("a.b.c.d.e.example.com")) == 7
    assert walked_names("a.b.c.d.e.f.example.com")[1] == "b.c.d.e.f.example.com"
    assert walked_names("com") == ("com",)


@pytest.mark.parametrize(
    ("records", "organizational", "at"),
    [
        # RFC 9989 4.10.2, its three examples.
        ({"mail.example.com": "v=DMARC1; p=none", "example.com": "v=DMARC1; p=none"}, "example.com", "example.com"),
        ({"mail.example.com": "v=DMARC1; p=none; psd=n"}, "mail.example.com", "mail.example.com"),
        ({"com": "v=DMARC1; p=none; psd=y"}, "example.com", "com"),
        # And what follows from its rules.
        ({}, "a.mail.example.com", None),
        ({"example.com": "v=DMARC1; p=none", "com": "v=DMARC1; p=none; psd=y"}, "example.com", "example.com"),
        ({"mail.example.com": "v=DMARC1; p=none", "com": "v=DMARC1; p=none; psd=y"}, "example.com", "com"),
        ({"a.mail.example.com": "v=DMARC1; p=none", "example.com": "v=DMARC1; p=reject"}, "example.com",
         "a.mail.example.com"),
        ({"a.mail.example.com": "v=DMARC1; p=none; psd=y"}, "a.mail.example.com", "a.mail.example.com"),
        ({"mail.example.com": ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "example.com": "v=DMARC1; p=none"},
         "example.com", "example.com"),
        ({"mail.example.com": ["v=DMARC1; p=none", "v=spf1 -all"]}, "mail.example.com", "mail.example.com"),
    ],
)  # fmt: skip
def test_walk(records, organizational, at):
    found, _ = discovered("a.mail.example.com", records)
    assert found.organizational == organizational
    assert (found.published.domain if found.published else None) == at
    assert found.trouble == ""


def test_the_walk_ends_at_psd():
    _, asked = discovered("a.mail.example.com", {"mail.example.com": "v=DMARC1; p=none; psd=n"})
    assert asked == ["_dmarc.a.mail.example.com", "_dmarc.mail.example.com"]


@pytest.mark.parametrize(
    ("said", "trouble"),
    [("away", "temperror"), ("refused", "temperror"), ("bogus", "temperror"), ("bad", "permerror")],
)
def test_trouble_ends_the_walk(said, trouble):
    found, asked = discovered("a.example.com", {"example.com": said, "com": "v=DMARC1; p=none"})
    assert (found.trouble, found.published) == (trouble, None)
    assert asked == ["_dmarc.a.example.com", "_dmarc.example.com"]
    assert found.notes[0].code == f"dns-{said}"


def test_by_the_list():
    found, asked = discovered("a.b.example.co.jp", {"example.co.jp": "v=DMARC1; p=none"}, "listed")
    assert (found.organizational, found.published.domain) == ("example.co.jp", "example.co.jp")
    assert asked == ["_dmarc.a.b.example.co.jp", "_dmarc.example.co.jp"]


def test_by_the_list_several_records_end_it():  # RFC 7489 6.6.3
    records = {"a.example.com": ["v=DMARC1; p=none", "v=DMARC1; p=none"], "example.com": "v=DMARC1; p=reject"}
    found, asked = discovered("a.example.com", records, "listed")
    assert found.published is None
    assert len(asked) == 1


def test_a_suffix_by_the_list_is_its_own_organization():
    assert discovered("co.jp", {}, "listed")[0].organizational == "co.jp"


def test_a_record_of_60_kilobytes():
    found, _ = discovered("example.com", {"example.com": "v=DMARC1; p=none; x=" + "a" * 60_000})
    assert (found.trouble, found.notes[0].code) == ("permerror", "too-long")


def test_many_records_of_other_things():
    found, _ = discovered("example.com", {"example.com": ["v=spf1 -all"] * 1000})
    assert (found.published, found.notes[0].code) == (None, "other-text")


def test_the_longest_name():
    long = ".".join(["a" * 60] * 4) + ".example"
    assert len(long) == 251
    _, asked = discovered(long, {})
    assert f"_dmarc.{long}" not in asked  # longer than a name may be


def test_not_a_name():
    for name in ("", "a..b", "é" * 300, "a b"):
        found, asked = discovered(name, {})
        assert (found.trouble, asked) == ("permerror", [])


def test_a_budget_for_a_message():
    resolver = ZoneResolver({})
    discovery = Discovery(resolver)

    async def many():
        return [await discovery.discover(f"n{number}.a.b.c.d.e.example.com") for number in range(500)]

    found = asyncio.run(many())
    assert len(resolver.asked) == MOST_QUERIES
    assert found[-1].trouble == "permerror"


def test_dns_that_lies():
    zone = {"_dmarc.example.com": lambda kind: Records("found", ("text", 5, b"v=DMARC1; p=reject"))}
    found = asyncio.run(Discovery(ZoneResolver(zone)).discover("example.com"))
    assert found.published.record.p == "reject"
    assert asyncio.run(Discovery(ZoneResolver({"_dmarc.example.com": lambda kind: Records("found")}))
                       .discover("example.com")).published is None  # fmt: skip
