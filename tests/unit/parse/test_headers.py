import pytest

from sekisho.mail.message import Mailbox
from sekisho.parse import parse
from sekisho.parse.headers import mailboxes


def fields(raw):
    return [(header.name, header.value) for header in parse(raw).headers]


def kinds(raw):
    return {finding.rule.removeprefix("message/") for finding in parse(raw).findings}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_offsets_cover_the_header_section(end):
    raw = b"From: a@b.example\nSubject: one\n two\n\tthree\nTo:\n\nbody\n".replace(b"\n", end)
    message = parse(raw)
    assert [(h.name, h.value) for h in message.headers] == [
        ("From", "a@b.example"),
        ("Subject", "one two\tthree"),  # RFC 5322 2.2.3: only the line end goes
        ("To", ""),
    ]
    assert b"".join(raw[h.start : h.end] for h in message.headers) + end == raw[: message.root.body_start]
    subject = message.headers[1]
    assert raw[subject.value_start : subject.end] == b" one\n two\n\tthree\n".replace(b"\n", end)


def test_blanks_before_the_colon():
    raw = b"From : a@b.example\n\n"
    assert fields(raw) == [("From", "a@b.example")]
    assert "malformed-header" in kinds(raw)


def test_a_line_without_colon_followed_by_known_fields_is_skipped():
    raw = b"From: a@b.example\nrubbish\nSubject: x\n\nbody"
    assert fields(raw) == [("From", "a@b.example"), ("", "rubbish"), ("Subject", "x")]
    assert "malformed-header" in kinds(raw)


def test_a_line_without_colon_followed_by_text_begins_the_body():
    raw = b"From: a@b.example\nhello\nnote: call me\n\nbye\n"
    assert fields(raw) == [("From", "a@b.example")]
    assert parse(raw).root.content == b"hello\nnote: call me\n\nbye\n"
    assert "missing-blank-line" in kinds(raw)


def test_mbox_line_is_no_field():
    message = parse(b"From a@b.example Mon Jan  1 00:00:00 2024\nFrom: a@b.example\n\nx")
    assert [h.name for h in message.headers] == ["From"]
    assert message.root.start == 42
    assert message.findings == ()


def test_octets_over_127_are_surrogates_in_the_value_and_text_in_the_text():
    header = parse("Subject: 日本\n\n".encode()).headers[0]
    assert header.value.encode("ascii", "surrogateescape") == "日本".encode()
    assert header.text == "日本"


def test_limits():
    assert "too-many-headers" in kinds(b"A: b\n" * 10_001)
    assert len(parse(b"A: b\n" * 10_001).headers) == 10_000
    assert "huge-header" in kinds(b"From: a\nX: " + b"x" * 100_001 + b"\n\n")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 5322 A.1.2, A.1.3, A.6.1
        (
            '"Joe Q. Public" <john.q.public@example.com>',
            [("Joe Q. Public", "john.q.public@example.com")],
        ),
        (
            "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
            [("Mary Smith", "mary@x.test"), ("", "jdoe@example.org"), ("Who?", "one@y.test")],
        ),
        (
            '<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
            [("", "boss@nil.test"), ('Giant; "Big" Box', "sysservices@example.net")],
        ),
        (
            "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            [("Ed Jones", "c@a.test"), ("", "joe@where.test"), ("John", "jdoe@one.test")],
        ),
        ("Undisclosed recipients:;", []),
        ("pete(his account)@silly.test", [("his account", "pete@silly.test")]),
        ("a@b.example (Name)", [("Name", "a@b.example")]),
        ("=?utf-8?B?5pel5pys?= <a@b.example>", [("日本", "a@b.example")]),
        ('"a@evil.example" <b@c.example>', [("a@evil.example", "b@c.example")]),
        ('"x, y" <b@c.example>', [("x, y", "b@c.example")]),
        ("", []),
        ("nonsense", [("nonsense", "")]),
    ],
)
def test_mailboxes(value, expected):
    assert mailboxes(value) == tuple(Mailbox(*box) for box in expected)


@pytest.mark.parametrize("piece", ['"', "(", "<", ",", "\\", "<a@b>", ":;", '"a" '])
def test_mailboxes_of_nonsense(piece):
    mailboxes(piece * 100_000)
