"""MTA-STS: the examples of RFC 8461 3.1, 3.2 and appendix A, and what is wrong."""

import asyncio
import datetime as dt

import pytest
from support.zone import ZoneResolver

from sekisho.mail.fetched import Fetched
from sekisho.mailauth.mta_sts import (
    MOST_POLICY_BYTES,
    StsError,
    StsPolicy,
    StsRecord,
    find_sts,
    parse_sts_policy,
    parse_sts_record,
)

POLICY = (
    b"version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\n"
    b"max_age: 604800\n"
)
TESTING = (
    b"version: STSv1\r\nmode: testing\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\n"
    b"mx: mx.backup-example.com\r\nmax_age: 1296000\r\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"v=STSv1; id=20160831085700Z;", StsRecord("20160831085700Z")),  # RFC 8461 3.1, A
        (b"v=STSv1;id=1", StsRecord("1")),
        (b"v=STSv1; id=1; more=x;", StsRecord("1")),
        (b"v=STSv1 ; id=1 ;", StsRecord("1")),
        (b"v=STSv1;", StsError("no-id")),
        (b"v=STSv1; id=;", StsError("bad-field", "id")),
        (b"v=STSv1; id=2016-08-31;", StsError("bad-id")),
        (b"v=STSv1; id=" + b"a" * 33, StsError("bad-id")),
        (b"v=STSv1; hello", StsError("bad-field", "hello")),
        (b"v=STSv1; id=1; ; a=b", StsError("bad-field")),
        (b"v=STSv2; id=1;", StsError("not-sts")),
        (b"v=STSv11; id=1;", StsError("not-sts")),
        (b"id=1; v=STSv1", StsError("not-sts")),
        (b"", StsError("not-sts")),
        (b"v=STSv1; id=1; x=" + b"a" * 60_000, StsError("too-long")),
    ],
)
def test_records(text, expected):
    assert parse_sts_record(text) == expected


def test_policies_of_the_standard():
    hosts = ("mail.example.com", "*.example.net", "backupmx.example.com")
    assert parse_sts_policy(POLICY) == StsPolicy("enforce", hosts, 604_800)
    hosts = ("mx1.example.com", "mx2.example.com", "mx.backup-example.com")
    assert parse_sts_policy(TESTING) == StsPolicy("testing", hosts, 1_296_000)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"version: STSv1", b"version: STSv2", "bad-version"),
        (b"version: STSv1\n", b"", "bad-version"),
        (b"mode: enforce", b"mode: Enforce", "bad-mode"),
        (b"mode: enforce", b"mode: strict", "bad-mode"),
        (b"604800", b"31557601", "bad-max-age"),
        (b"604800", b"-1", "bad-max-age"),
        (b"604800", b"a week", "bad-max-age"),
        (b"max_age: 604800\n", b"", "bad-max-age"),
        (b"mail.example.com", b"mail", "bad-mx"),
        (b"mail.example.com", b"*", "bad-mx"),
        (b"mail.example.com", b"a.*.example.com", "bad-mx"),
        (b"mail.example.com", b"192.0.2.1:25", "bad-mx"),
        (b"mail.example.com", b"mail@example.com", "bad-mx"),
        (b"mail.example.com", b"\xff", "not-text"),
        (b"mode: enforce", b"<html>", "bad-field"),
        (b"version: STSv1", b"v" * 40 + b": x", "bad-field"),
    ],
)
def test_policies_that_are_not_valid(old, new, code):
    assert parse_sts_policy(POLICY.replace(old, new)).code == code


def test_policies_that_are():
    assert parse_sts_policy(b"version: STSv1\nmode: none\nmax_age: 86400\n") == StsPolicy("none", (), 86_400)
    assert parse_sts_policy(POLICY + b"mode: none\n").mode == "enforce"  # the first of two
    assert parse_sts_policy(POLICY + b"something: else\n\n").mode == "enforce"
    assert parse_sts_policy(POLICY.replace(b": ", b":")).max_age == 604_800
    assert (
        parse_sts_policy(POLICY.replace(b"mail.example.com", "*.日本語.jp".encode())).mx[0] == "*.xn--wgv71a119e.jp"
    )
    assert parse_sts_policy(b"version: STSv1\nmode: enforce\nmax_age: 1\n") == StsError("no-mx")


@pytest.mark.parametrize(
    ("host", "allowed"),
    [  # RFC 8461 4.1
        ("mail.example.com", True),
        ("MAIL.example.com.", True),
        ("mx.example.net", True),
        ("a.mx.example.net", False),
        ("example.net", False),
        ("mail.example.org", False),
        ("", False),
        (".example.net", False),
    ],
)
def test_hosts(host, allowed):
    assert parse_sts_policy(POLICY).allows(host) is allowed


def test_long_policies():
    assert parse_sts_policy(POLICY + b"x" * MOST_POLICY_BYTES) == StsError("too-long")
    assert parse_sts_policy(b"version: STSv1\nmode: enforce\nmax_age: 1\n" + b"mx: a.example\n" * 500) == StsError(
        "too-long"
    )
    spaces = b"version: STSv1\nmode:" + b" " * 60_000 + b"x"
    assert parse_sts_policy(spaces) == StsError("bad-mode")


class Web:
    """A fetcher that answers every time the same."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    async def fetch(self, url, most_bytes):
        self.asked.append((url, most_bytes))
        return self.answer


UNTIL = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
GOOD = Fetched("ok", POLICY, "text/plain", 200, UNTIL)


def sts(texts, answer=GOOD, known_id="", domain="example.com"):
    node = texts if isinstance(texts, str) else {"TXT": texts}
    web = Web(answer)
    return asyncio.run(find_sts(domain, ZoneResolver({"_mta-sts.example.com": node}), web, known_id)), web.asked


def test_found():
    found, asked = sts(["v=STSv1; id=1;", "something else"])
    assert (found.status, found.id, found.policy.mode, found.certificate_until) == ("found", "1", "enforce", UNTIL)
    assert asked == [("https://mta-sts.example.com/.well-known/mta-sts.txt", 65_536)]


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        ([], "absent"),
        (["v=spf1 -all"], "absent"),
        (["v=STSv1; id=1;", "v=STSv1; id=2;"], "several-records"),
        (["v=STSv1; id=!;"], "bad-record"),
        ("away", "away"),
        ("bogus", "away"),
        ("no-name", "absent"),
    ],
)
def test_without_a_record_nothing_is_fetched(texts, status):
    found, asked = sts(texts)
    assert (found.status, asked) == (status, [])


def test_unchanged():
    found, asked = sts(["v=STSv1; id=1;"], known_id="1")
    assert (found.status, asked) == ("unchanged", [])


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Fetched("certificate"), "webpki-invalid"),
        (Fetched("tls"), "webpki-invalid"),
        (Fetched("redirect", code=301), "fetch-error"),
        (Fetched("http", code=404), "fetch-error"),
        (Fetched("away"), "fetch-error"),
        (Fetched("too-long"), "policy-invalid"),
        (Fetched("ok", POLICY, "text/html", 200), "policy-invalid"),
        (Fetched("ok", b"hello", "text/plain", 200), "policy-invalid"),
    ],
)
def test_policies_that_cannot_be_had(answer, status):
    found, _ = sts(["v=STSv1; id=1;"], answer)
    assert (found.status, found.policy) == (status, None)


def test_not_a_domain():
    assert sts([], domain="a..b")[0].status == "absent"
