"""DMARC of messages: the examples of RFC 7489 appendix B.1, and the rules of RFC 9989."""

import asyncio

import pytest
from support.zone import ZoneResolver

from sekisho.mailauth.dkim_result import DkimResult
from sekisho.mailauth.dmarc import Identifier, check_dmarc
from sekisho.mailauth.dmarc_discovery import MOST_QUERIES

NORMAL = "v=DMARC1; p=reject"
STRICT = "v=DMARC1; p=reject; adkim=s; aspf=s"


def checked(author, record=NORMAL, spf=None, dkim=(), method="tree-walk", **more):
    zone = {
        f"_dmarc.{more.get('at', 'example.com')}": record if record in ("away", "bad") else {"TXT": [record]},
        **more.get("zone", {}),
    }
    resolver = ZoneResolver(zone, secure=more.get("secure", False))
    authors = [author] if isinstance(author, str) else author
    signatures = [Identifier(one, "pass") if isinstance(one, str) else one for one in dkim]
    sender = Identifier(spf, "pass") if isinstance(spf, str) else spf
    return asyncio.run(check_dmarc(authors, sender, signatures, resolver, method))


@pytest.mark.parametrize("method", ["tree-walk", "listed"])
@pytest.mark.parametrize(
    ("author", "spf", "relaxed", "strict"),
    [  # RFC 7489 B.1.1
        ("example.com", "example.com", "pass", "pass"),
        ("example.com", "child.example.com", "pass", "fail"),
        ("child.example.com", "example.net", "fail", "fail"),
    ],
)
def test_spf_alignment(author, spf, relaxed, strict, method):
    assert checked(author, NORMAL, spf=spf, method=method).result == relaxed
    assert checked(author, STRICT, spf=spf, method=method).result == strict


@pytest.mark.parametrize("method", ["tree-walk", "listed"])
@pytest.mark.parametrize(
    ("author", "signer", "relaxed", "strict"),
    [  # RFC 7489 B.1.2
        ("example.com", "example.com", "pass", "pass"),
        ("child.example.com", "example.com", "pass", "fail"),
        ("child.example.com", "sample.net", "fail", "fail"),
    ],
)
def test_dkim_alignment(author, signer, relaxed, strict, method):
    assert checked(author, NORMAL, dkim=[signer], method=method).result == relaxed
    assert checked(author, STRICT, dkim=[signer], method=method).result == strict


def test_what_a_pass_tells():
    result = checked("a.example.com", spf="b.example.com", dkim=["example.com", "other.example", "example.com"])
    assert (result.result, result.reason, result.disposition) == ("pass", "aligned", "none")
    assert (result.spf, result.dkim) == ("b.example.com", ("example.com",))
    assert (result.record_domain, result.organizational, result.author) == (
        "example.com", "example.com", "a.example.com"
    )  # fmt: skip


def test_a_signature_as_dkim_gives_it():
    signature = DkimResult("example.com", "s1", "rsa-sha256", "pass")
    assert checked("example.com", dkim=[signature]).result == "pass"
    failed = DkimResult("example.com", "s1", "rsa-sha256", "fail")
    assert checked("example.com", dkim=[failed]).result == "fail"


@pytest.mark.parametrize("result", ["fail", "softfail", "neutral", "none", "permerror"])
def test_only_a_pass_counts(result):
    assert checked("example.com", spf=Identifier("example.com", result)).result == "fail"


def test_an_organization_within_another():
    zone = {"_dmarc.dept.example.com": {"TXT": ["v=DMARC1; p=none; psd=n"]}}
    assert checked("a.example.com", dkim=["b.dept.example.com"], zone=zone).result == "fail"
    assert checked("a.dept.example.com", dkim=["b.dept.example.com"], zone=zone).result == "pass"
    assert checked("a.dept.example.com", dkim=["example.com"], zone=zone).result == "fail"


@pytest.mark.parametrize(
    ("record", "author", "policy", "tag", "disposition"),
    [
        ("v=DMARC1; p=reject; sp=quarantine", "example.com", "reject", "p", "reject"),
        ("v=DMARC1; p=reject; sp=quarantine", "there.example.com", "quarantine", "sp", "quarantine"),
        ("v=DMARC1; p=none; np=reject", "gone.example.com", "reject", "np", "reject"),
        ("v=DMARC1; p=none; np=reject", "there.example.com", "none", "p", "none"),
        ("v=DMARC1; p=quarantine; sp=none; np=reject", "away.example.com", "none", "sp", "none"),
        ("v=DMARC1; p=reject; t=y", "example.com", "reject", "p", "quarantine"),  # RFC 9989 4.7: one less
        ("v=DMARC1; p=quarantine; t=y", "example.com", "quarantine", "p", "none"),
        ("v=DMARC1; p=reject; pct=0", "example.com", "reject", "p", "reject"),  # pct= is no more
    ],
)
def test_policy_that_applies(record, author, policy, tag, disposition):
    zone = {"there.example.com": {"A": ["192.0.2.1"]}, "away.example.com": "away"}
    result = checked(author, record, zone=zone)
    assert (result.result, result.reason) == ("fail", "not-aligned")
    assert (result.policy, result.tag, result.disposition) == (policy, tag, disposition)


def test_as_rfc_7489_has_it():
    result = checked("gone.example.com", "v=DMARC1; p=reject; np=none; pct=0", method="listed")
    assert (result.policy, result.tag, result.disposition) == ("reject", "p", "quarantine")


def test_the_policy_of_a_public_suffix():
    result = checked("gone.example.bank", "v=DMARC1; p=reject; np=reject; sp=quarantine; psd=y", at="bank",
                     zone={"example.bank": {"A": ["192.0.2.1"]}})  # fmt: skip
    assert (result.record_domain, result.organizational) == ("bank", "example.bank")
    assert (result.policy, result.tag) == ("reject", "np")


@pytest.mark.parametrize(
    ("authors", "result", "reason"),
    [
        ([], "none", "no-author"),
        ([""], "none", "no-author"),
        (["example.com", "example.net"], "none", "several-authors"),
        (["example.com", ""], "none", "several-authors"),
        (["localhost"], "permerror", "bad-author"),
        (["a..example"], "permerror", "bad-author"),
        (["x" * 70 + ".example"], "permerror", "bad-author"),
    ],
)
def test_authors(authors, result, reason):
    got = checked(authors, spf="example.com")
    assert (got.result, got.reason, got.disposition, got.queries) == (result, reason, "none", 0)


def test_two_mailboxes_of_one_domain():
    assert checked(["example.com", "example.com"], spf="example.com").result == "pass"


def test_an_author_in_japanese():
    result = checked("日本語.jp", spf="xn--wgv71a119e.jp", at="xn--wgv71a119e.jp")
    assert (result.result, result.author) == ("pass", "xn--wgv71a119e.jp")


@pytest.mark.parametrize(
    ("record", "result", "reason"),
    [
        ("v=spf1 -all", "none", "no-record"),
        ("v=DMARC1; p=wrong", "permerror", "bad-record"),
        ("v=DMARC1; p=wrong; rua=mailto:a@example.com", "pass", "aligned"),
        ("away", "temperror", "dns"),
        ("bad", "permerror", "dns"),
        ("v=DMARC1; p=none; x=" + "a" * 60_000, "permerror", "dns"),
    ],
)
def test_records_that_are_not_as_they_should_be(record, result, reason):
    got = checked("example.com", record, spf="example.com")
    assert (got.result, got.reason) == (result, reason)


def test_trouble_above_does_not_matter_for_ones_own_record():
    got = checked("example.com", spf="example.com", zone={"_dmarc.com": "away"})
    assert got.result == "pass"


def test_spf_or_dkim_that_cannot_be_told():
    away = Identifier("example.com", "temperror")
    got = checked("example.com", spf=away)
    assert (got.result, got.reason, got.disposition) == ("temperror", "authentication-away", "none")
    assert checked("example.com", spf=away, dkim=["example.com"]).result == "pass"
    assert checked("example.com", spf=Identifier("example.net", "temperror")).result == "fail"


def test_an_alignment_that_cannot_be_told():
    above = {"_dmarc.com": "away"}
    got = checked("example.com", spf="a.example.com", zone=above)
    assert (got.result, got.reason, got.disposition) == ("temperror", "authentication-away", "none")
    assert checked("example.com", spf="example.net", zone=above).result == "fail"
    assert checked("example.com", STRICT, spf="a.example.com", zone=above).result == "fail"
    below = {"_dmarc.a.example.com": "refused"}
    assert checked("example.com", spf="a.example.com", zone=below).result == "temperror"
    assert checked("example.com", spf="a.example.com", zone={"_dmarc.a.example.com": "bad"}).result == "fail"


def test_secure_when_the_record_came_so():
    assert checked("example.com", spf="example.com", secure=True).secure


def test_many_signatures_ask_for_little():
    names = [f"n{number}.a.b.c.d.example.com" for number in range(200)]
    zone = {f"_dmarc.{name}": {"TXT": ["v=DMARC1; p=none; psd=n"]} for name in names}
    got = checked("example.com", dkim=names, zone=zone)
    assert got.result == "fail"
    assert got.queries <= MOST_QUERIES
    strangers = [f"n{number}.example.net" for number in range(200)]
    assert checked("example.com", dkim=strangers).queries == 2  # _dmarc.example.com, _dmarc.com


def test_names_no_domain_may_have_are_not_aligned():
    odd = ["", "..", "a" * 70, "é" * 300, "example.com\0"]
    assert checked("example.com", dkim=odd, spf="").result == "fail"
