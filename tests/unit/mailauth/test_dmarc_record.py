"""DMARC records: RFC 9989 4.7 and the examples of RFC 7489 appendix B.2."""

import pytest

from sekisho.mailauth.dmarc_record import DmarcError, parse_dmarc, report_uri


def codes(text):
    return [(note.code, note.about) for note in parse_dmarc(text).notes]


def test_monitoring():  # RFC 7489 B.2.1
    record = parse_dmarc(b"v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com")
    assert (record.p, record.sp, record.np, record.psd, record.testing) == ("none", None, None, "u", False)
    assert [uri.mailbox for uri in record.rua] == ["dmarc-feedback@example.com"]
    assert (record.adkim, record.aspf, record.fo, record.pct, record.ri, record.rf) == (
        "r", "r", ("0",), 100, 86_400, ("afrf",)
    )  # fmt: skip
    assert record.notes == ()


def test_per_message_reports():  # RFC 7489 B.2.2
    record = parse_dmarc(
        b"v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com;  ruf=mailto:auth-reports@example.com"
    )
    assert record.ruf[0].mailbox == "auth-reports@example.com"


def test_third_party_and_old_tags():  # RFC 7489 B.2.4
    record = parse_dmarc(
        b"v=DMARC1; p=quarantine; rua=mailto:dmarc-feedback@example.com,"
        b"mailto:tld-test@thirdparty.example.net!10m; pct=25"
    )
    assert (record.p, record.pct) == ("quarantine", 25)
    assert [(uri.host, uri.most_octets) for uri in record.rua] == [
        ("example.com", None),
        ("thirdparty.example.net", 10 * 1024 * 1024),
    ]
    assert [note.code for note in record.notes] == ["uri-size", "removed-tag"]


def test_everything():
    record = parse_dmarc(
        b"v=DMARC1;p=reject;sp=quarantine;np=reject;psd=n;t=y;adkim=s;aspf=s;fo=d:s;ruf=mailto:a@example.com;ri=3600;rf=afrf"
    )
    assert (record.p, record.sp, record.np, record.psd, record.testing) == (
        "reject",
        "quarantine",
        "reject",
        "n",
        True,
    )
    assert (record.adkim, record.aspf, record.fo, record.ri) == ("s", "s", ("d", "s"), 3600)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"v=DMARC1x; p=none", b"v=dmarc1; p=none", b" v=DMARC1; p=none", b"p=none; v=DMARC1",
        b"v=DMARC2; p=none", b"v=spf1 -all", b"v=DMARC1 p=none", b"\xff\xfe",
    ],
)  # fmt: skip
def test_no_record(text):
    assert parse_dmarc(text) == DmarcError("other")


@pytest.mark.parametrize("text", [b"v=DMARC1", b"v=DMARC1;", b"v = DMARC1 ; p = none ;", b"v=DMARC1\t;p=none"])
def test_forms_of_the_version(text):
    assert parse_dmarc(text).notes in ((), parse_dmarc(b"v=DMARC1").notes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"v=DMARC1; p=none; p=reject", [("duplicate-tag", "p")]),
        (b"v=DMARC1; p=none; v=DMARC1", [("duplicate-tag", "v")]),
        (b"v=DMARC1; p=none; x=1", [("unknown-tag", "x")]),
        (b"v=DMARC1; p=none; hello", [("bad-tag", "hello")]),
        (b"v=DMARC1; p=none;; adkim=s", [("bad-tag", "")]),
        (b"v=DMARC1; p=none; adkim=x", [("bad-value", "adkim")]),
        (b"v=DMARC1; p=none; pct=101", [("removed-tag", "pct"), ("bad-value", "pct")]),
        (b"v=DMARC1; p=none; rua=dmarc@example.com", [("bad-uri", "rua")]),
        (b"v=DMARC1; p=none; fo=1", [("fo-without-ruf", "fo")]),
        (b"v=DMARC1; rua=mailto:a@example.com", [("no-policy", "p")]),
        (b"v=DMARC1; p=none\xe3\x81\x82", [("bad-value", "p")]),
    ],
)
def test_notes(text, expected):
    assert codes(text) == expected


def test_the_first_of_two_counts():
    assert parse_dmarc(b"v=DMARC1; p=reject; p=none").p == "reject"


@pytest.mark.parametrize(
    ("text", "applies", "own", "below"),
    [
        (b"v=DMARC1; p=reject", True, "reject", "reject"),
        (b"v=DMARC1; p=reject; sp=none", True, "reject", "none"),
        (b"v=DMARC1; p=Reject", True, "reject", "reject"),
        (b"v=DMARC1; p=bad", False, "none", "none"),
        (b"v=DMARC1; p=bad; rua=mailto:a@example.com", True, "none", "none"),
        (b"v=DMARC1; p=reject; sp=bad", False, "none", "none"),
        (b"v=DMARC1; p=reject; np=bad; rua=mailto:a@example.com", True, "none", "none"),
        (b"v=DMARC1", False, "none", "none"),
    ],
)
def test_policy(text, applies, own, below):  # RFC 9989 4.10.1
    record = parse_dmarc(text)
    assert (record.applies, record.policy(subdomain=False), record.policy(subdomain=True)) == (applies, own, below)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"p=none; sp=quarantine; np=reject", "reject"),
        (b"p=none; sp=quarantine", "quarantine"),
        (b"p=reject", "reject"),
    ],
)
def test_policy_of_what_does_not_exist(text, expected):
    assert parse_dmarc(b"v=DMARC1; " + text).policy(subdomain=True, exists=False) == expected


@pytest.mark.parametrize(
    "uri", ["a@example.com", "mailto:", "mailto:a", "mailto:@example.com", "mailto:a@com", "mailto:a@b c.example", ""]
)
def test_no_uri(uri):
    assert report_uri(uri) is None


def test_uris():
    assert report_uri("mailto:a%2Cb@EXAMPLE.com?subject=x") is None  # a comma in a mailbox
    assert report_uri("mailto:a%21b@Example.com").mailbox == "a!b@example.com"
    assert report_uri("https://example.com/r").mailbox == ""


def test_long_records():
    assert parse_dmarc(b"v=DMARC1; p=none; x=" + b"a" * 60_000) == DmarcError("too-long")
    many = parse_dmarc(b"v=DMARC1; p=none; rua=" + b",".join([b"mailto:a@example.com"] * 100))
    assert len(many.rua) == 20
    assert ("too-many", "rua") in [(note.code, note.about) for note in many.notes]
    assert len(parse_dmarc(b"v=DMARC1" + b";=" * 8000).notes) < 100
