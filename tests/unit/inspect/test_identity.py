"""Login, reverse-path, From and Sender held against each other.

What may stand in them: RFC 5322 3.6.2 (From, Sender), RFC 6854 (groups in From), RFC 5321 4.5.5 (null reverse-path),
RFC 6409 8.1 (submission may refuse addresses).
"""

from datetime import UTC, datetime

import pytest

from sekisho.inspect.identity import Identity, TenantOwn
from sekisho.mail.account import Account
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

ME = "taro@example.jp"
OWN = TenantOwn.of(("example.jp", ".example.jp", "xn--wgv71a.jp"), "enforce", "+", ())
OTHER = TenantOwn.of(("other.example",), "enforce", "+", ())
ACCOUNT = Account("acme", ME, (ME, "t.yamada@example.jp", "@shop.example.jp"), ("boss@example.jp", "@ext.example"))


class People:
    def __init__(self, account=ACCOUNT):
        self.found = account

    def account(self, _tenant, _login):
        return self.found


def look(*headers, path=ME, account=ME, source="", own=OWN, people=ACCOUNT, client="192.0.2.1", tenant="acme"):
    lines = "".join(f"{line}\r\n" for line in headers).encode()
    session = Session("s", client, account=account, tenant=tenant, account_source=source)
    message = parse(lines + b"\r\nhello\r\n")
    transaction = Transaction("t", session, Envelope(path, (Recipient("x@example.net"),)), message, datetime.now(UTC))
    return Identity(People(people), {"acme": own, "other": OTHER}).inspect(transaction)


def said(*headers, **more):
    """The rules, each with the part that it names."""
    return [(f.rule.removeprefix("auth/"), f.excerpt.partition(":")[0]) for f in look(*headers, **more)]


@pytest.mark.parametrize(
    "headers",
    [
        (f"From: {ME}",),
        ('From: "Yamada, Taro" <Taro@Example.JP>',),
        ('From: "boss@example.jp" <taro@example.jp>',),  # a display name is for others to look at
        ("From: =?utf-8?q?boss=40example=2Ejp?= <taro@example.jp>",),
        ('From: "taro"@example.jp',),
        ("From: taro+news@example.jp",),
        ("From: anybody@shop.example.jp",),
        ("From: t.yamada@example.jp (boss@example.jp)",),
        (f"From: boss@example.jp\r\nSender: {ME}",),
        (f"From: boss@example.jp, {ME}\r\nSender: taro+x@example.jp",),
        (f"From: Team: {ME}, t.yamada@example.jp;\r\nSender: {ME}",),
        ("Subject: no From at all",),
    ],
)
def test_ones_own_addresses(headers):
    assert said(*headers) == []


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        (("From: hanako@example.jp",), "From"),
        (("From: boss@example.jp",), "From"),  # on behalf, but no Sender says so
        (("From: boss@example.jp", "Sender: hanako@example.jp"), "Sender"),
        (("From: taro@example.jp", "Sender: hanako@example.jp"), "Sender"),
        (("From: taro@example.jp, hanako@example.jp",), "From"),
        (("From: taro@example.jp", "From: hanako@example.jp"), "From"),
        (('From: "taro@example.jp" <hanako@example.jp>',), "From"),
        (("From: taro@example.jp <hanako@example.jp>",), "From"),
        (("From: Team: hanako@example.jp;",), "From"),
        (("From: undisclosed:;",), "From"),
        (("From: taroo@example.jp",), "From"),
        (("From: taro-news@example.jp",), "From"),
        (("From: +taro@example.jp",), "From"),
        (("From: @shop.example.jp",), "From"),
        (("From: x@notshop.example.jp",), "From"),
        (("From: ta\u200bro@example.jp",), "From"),
    ],
)
def test_addresses_of_others(headers, part):
    found = [f for f in look(*headers) if f.rule == "auth/identity-mismatch"]
    assert part in [f.excerpt.partition(":")[0] for f in found]
    assert all((f.severity.word, f.where) == ("high", "header") for f in found)
    assert max(f.confidence for f in found) >= 0.75


def test_the_reverse_path():
    assert said(f"From: {ME}", path="hanako@example.jp") == [("identity-mismatch", "reverse-path")]
    assert said(f"From: {ME}", path="Taro+bounces@example.jp") == []
    assert said("From: boss@example.jp", f"Sender: {ME}", path="boss@example.jp") == []
    (found,) = look(f"From: {ME}", path="hanako@example.jp")
    assert (found.where, found.confidence) == ("envelope", 1.0)
    assert found.excerpt == "reverse-path: ha***@example.jp (account ta***@example.jp)"


REPORT = 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nx\r\n--b--'


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((f"From: {ME}", "Auto-Submitted: auto-replied"), []),
        ((f"From: {ME}", "Auto-Submitted: auto-generated (rfc); x=y"), []),
        ((f"From: {ME}", REPORT), []),
        ((f"From: {ME}",), [("identity-mismatch", "reverse-path")]),
        ((f"From: {ME}", "Auto-Submitted: no"), [("identity-mismatch", "reverse-path")]),
        (("From: hanako@example.jp", REPORT), [("identity-mismatch", "From")]),
    ],
)
def test_the_null_reverse_path_is_for_reports_and_automatic_mail(headers, expected):
    assert said(*headers, path=None) == expected


@pytest.mark.parametrize(("source", "confidence"), [("", 1.0), ("header", 1.0), ("client", 0.9), ("sender", 0.5)])
def test_how_sure_it_is_depends_on_how_the_account_is_known(source, confidence):
    (found,) = look("From: hanako@example.jp", source=source)
    assert found.confidence == confidence


def test_a_login_whose_addresses_are_not_known():
    bare = Account("acme", "taro")
    assert said("From: Taro+x@example.jp", account="taro", people=bare) == []
    (found,) = look("From: hanako@example.jp", account="taro", people=bare)
    assert found.confidence == 0.6
    assert said("From: hanako@example.jp", path="x@example.jp", account="erp", source="client", people=bare) == []


def test_subaddresses_as_the_tenant_has_them():
    none = TenantOwn.of(("example.jp",), "enforce", "", ())
    minus = TenantOwn.of(("example.jp",), "enforce", "-", ())
    assert said("From: taro+x@example.jp", own=none) == [("identity-mismatch", "From")]
    assert said("From: taro-x@example.jp", own=minus) == []
    assert said("From: taro+x@example.jp", own=minus) == [("identity-mismatch", "From")]


def test_nothing_is_said_where_the_tenant_does_not_look_or_nobody_is_known():
    off = TenantOwn.of(("example.jp",), "off", "+", ())
    assert said("From: hanako@example.net", own=off) == []
    assert said("From: hanako@example.jp", account=None) == []
    assert said("From: hanako@example.net", own=TenantOwn(frozenset()), account=None) == []


def test_where_readers_of_from_disagree_the_address_of_others_counts():
    assert said('From: taro@example.jp, "<hanako@example.jp>"') == [("identity-mismatch", "From")]


def test_a_domain_of_others_in_from():
    assert said("From: x@example.net", account=None) == [("foreign-from", "From")]
    assert said("From: x@mail.example.jp", account=None) == []
    assert said("From: x@\u65e5\u672c.jp", account=None) == []
    (found,) = look("From: x@example.net, y@example.org, z@example.jp", account=None)
    assert (found.count, found.severity.word, found.confidence) == (2, "medium", 0.95)
    (bounce,) = look("From: MAILER-DAEMON@mx.example.net", REPORT, path=None, account=None)
    assert bounce.confidence == 0.3


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        (("From: x@other.example",), ME),
        (("From: x@Other.Example.",), ME),
        (("From: taro@example.jp", "Sender: x@other.example"), ME),
        (("From: taro@example.jp",), "x@other.example"),
    ],
)
def test_the_domain_of_another_tenant(headers, path):
    found = [f for f in look(*headers, path=path, account=None) if f.rule == "auth/forged-own-domain"]
    assert [(f.severity.word, f.confidence) for f in found] == [("high", 1.0)]


def test_the_tenants_own_domain_from_elsewhere_is_only_probable():
    at_home = TenantOwn.of(("example.jp",), "enforce", "+", ("192.0.2.0/24",))
    assert said("From: taro@example.jp", own=at_home, account=None) == []
    assert said("From: taro@example.jp", own=at_home, client="198.51.100.1") == []  # logged in
    (found,) = look("From: taro@example.jp", own=at_home, client="198.51.100.1", source="sender")
    assert (found.rule, found.confidence) == ("auth/forged-own-domain", 0.7)


def test_a_header_that_is_not_believed():
    message = parse(b"X-User: y\r\n\r\n")
    transaction = Transaction("t", Session("s", "192.0.2.1"), Envelope(ME, ()), message, datetime.now(UTC))
    (found,) = Identity(People(), {}, lambda _session, _message: "why").inspect(transaction)
    assert (found.rule, found.explanation) == ("auth/untrusted-account-header", "why")


@pytest.mark.parametrize(
    "value",
    ["@", "<", '"', "(" * 5000, "<" * 5000, ",".join(["a@example.net"] * 5000), "a@" + "b." * 5000, "\udcff@\udc80"],
)
def test_what_is_broken_raises_nothing(value):
    lines = f"From: {value}\r\nSender: {value}\r\n\r\n".encode("utf-8", "surrogateescape")
    session = Session("s", "not an address", account=value, tenant="acme")
    transaction = Transaction("t", session, Envelope(value, ()), parse(lines), datetime.now(UTC))
    for finding in Identity(People(), {"acme": OWN}).inspect(transaction):
        assert len(finding.excerpt) < 400
        finding.excerpt.encode("utf-8", "replace")
