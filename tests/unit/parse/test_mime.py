import base64
import binascii

import pytest

from sekisho.parse import parse
from sekisho.parse.frames import MOST_PARTS
from sekisho.parse.mime import DEEPEST

FROM = b"From: a@b.example\n"
MIXED = FROM + b"Content-Type: multipart/mixed; boundary=b\n\n"


def tree(raw):
    return [(part.path, part.content_type, part.content) for part in parse(raw).parts if not part.is_multipart]


def kinds(raw):
    return {finding.rule.removeprefix("message/") for finding in parse(raw).findings}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_offsets(end):
    raw = (MIXED + b"--b\nContent-Type: text/html\n\none\n--b\n\ntwo\n\n--b--\n").replace(b"\n", end)
    message = parse(raw)
    one, two = message.root.children
    assert raw[one.start : one.body_start] == b"Content-Type: text/html" + end + end
    assert raw[one.body_start : one.end] == b"one"  # RFC 2046 5.1.1: the line end before a delimiter belongs to it
    assert raw[two.body_start : two.end] == b"two" + end
    assert (message.root.start, message.root.end) == (0, len(raw))
    assert message.findings == ()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (MIXED + b"--b \t\n\nx\n--b--  \n", [("1", "text/plain", b"x")]),
        (MIXED + b"--b\n\nx", [("1", "text/plain", b"x")]),
        (MIXED + b"--b\n--b\n\nx\n--b--", [("1", "text/plain", b""), ("2", "text/plain", b"x")]),
        (MIXED + b"--b\nA: b\n--b\n\nx", [("1", "text/plain", b""), ("2", "text/plain", b"x")]),
        (MIXED + b"--b\n\nx\n--bb\ny\n--b--\n", [("1", "text/plain", b"x\n--bb\ny")]),
        (MIXED + b"--b--\n", []),
        (b"--b\n\nx", [("", "text/plain", b"--b\n\nx")]),
        (b"", [("", "text/plain", b"")]),
    ],
)
def test_delimiters(raw, expected):
    assert tree(raw) == expected


def test_numbering():
    inner = b"Content-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--c\n\ny\n--c--\n"
    raw = MIXED + b"--b\n" + inner + b"--b\nContent-Type: message/rfc822\n\n" + inner
    raw += b"--b\nContent-Type: message/rfc822\n\nSubject: z\n\nz\n--b--\n"
    assert [part.path for part in parse(raw).parts] == [
        "", "1", "1.1", "1.2", "2", "2.0", "2.1", "2.2", "3", "3.1",
    ]  # fmt: skip


def test_digest():
    raw = MIXED.replace(b"mixed", b"digest") + b"--b\n\nSubject: x\n\nhi\n--b--"
    assert [part.content_type for part in parse(raw).parts] == ["multipart/digest", "message/rfc822", "text/plain"]


def test_boundary_of_another_as_prefix():
    raw = MIXED + b"--b\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n\nx\n--b1--\n--b\n\ny\n--b--\n"
    assert [(p, c) for p, _, c in tree(raw)] == [("1.1", b"x"), ("2", b"y")]
    assert kinds(raw) == set()


def test_one_boundary_for_two_levels():
    raw = MIXED + b"--b\n" + MIXED + b"--b\n\nx\n--b--\n--b\n\ny\n--b--\n"
    assert [(p, c) for p, _, c in tree(raw)] == [("1.1", b"x"), ("2", b"y")]
    assert "ambiguous-boundary" in kinds(raw)


def test_two_boundary_parameters_are_both_gone_by():
    raw = FROM + b"Content-Type: multipart/mixed; boundary=b; boundary=c\n\n--b\n\nx\n--c\n\ny\n--c--\n"
    assert [c for _, _, c in tree(raw)] == [b"x", b"y"]
    assert "ambiguous-boundary" in kinds(raw)


def test_text_after_the_boundary():
    raw = MIXED + b"--b hidden\n\nx\n--b-- more\n"
    assert [c for _, _, c in tree(raw)] == [b"x"]
    assert "ambiguous-boundary" in kinds(raw)


@pytest.mark.parametrize("parameter", [b"", b'; boundary=""', b"; boundary=other"])
def test_missing_boundary_is_guessed(parameter):
    raw = FROM + b"Content-Type: multipart/mixed" + parameter + b"\n\n--x1\nContent-Type: text/html\n\nx\n--x1--\n"
    assert [(t, c) for _, t, c in tree(raw)] == [("text/html", b"x")]
    assert "missing-boundary" in kinds(raw)


def test_a_multipart_without_any_delimiter_is_read_as_text():
    message = parse(MIXED + b"just text\n")
    assert message.root.text == "just text\n"
    assert [text.text for text in message.texts] == ["a@b.example", "just text\n"]


def test_parts_after_the_end():
    raw = MIXED + b"--b\n\nx\n--b--\n--b\n\nhidden\n"
    assert [c for _, _, c in tree(raw)] == [b"x", b"hidden\n"]
    assert "parts-after-end" in kinds(raw)


def test_preamble_and_epilogue():
    usual = MIXED + b"This is a multi-part message in MIME format.\n--b\n\nx\n--b--\n\n"
    assert kinds(usual) == set()
    assert parse(usual).root.text == ""
    assert kinds(MIXED + b"card 4111\n--b\n\nx\n--b--\ny\n") == {"hidden-preamble", "hidden-epilogue"}


@pytest.mark.parametrize("encode", [base64.encodebytes, lambda data: binascii.b2a_qp(data, istext=True)])
def test_encoded_message(encode):
    inner = b"Subject: inner\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx=y\n--c--\n"
    name = b"base64" if encode is base64.encodebytes else b"quoted-printable"
    raw = FROM + b"Content-Type: message/rfc822\nContent-Transfer-Encoding: " + name + b"\n\n" + encode(inner)
    message = parse(raw)
    root = message.root.children[0]
    assert root.raw == inner  # the offsets count in the decoded octets
    assert root.header("subject").text == "inner"
    assert root.children[0].content == b"x=y"
    assert [part.path for part in message.parts] == ["", "0", "1"]
    assert "encoded-container" in kinds(raw)


def test_encoded_multipart():
    inner = base64.encodebytes(b"--b\n\nx\n--b--\n")
    raw = MIXED.replace(b"\n\n", b"\nContent-Transfer-Encoding: base64\n\n") + inner
    assert tree(raw) == [("1", "text/plain", b"x")]
    assert kinds(raw) == {"encoded-container"}


def test_multipart_that_only_claims_to_be_encoded():
    raw = MIXED.replace(b"\n\n", b"\nContent-Transfer-Encoding: quoted-printable\n\n") + b"--b\n\nx\n--b--\n"
    assert tree(raw) == [("1", "text/plain", b"x")]
    assert kinds(raw) == {"mislabelled-container"}


def test_uuencoded_file_in_a_text():
    raw = FROM + b"\nhi\nbegin 644 a.exe\n" + binascii.b2a_uu(b"MZ evil") + b"`\nend\n"
    text, file = parse(raw).parts
    assert (text.is_text, file.path, file.filename, file.content) == (True, "1", "a.exe", b"MZ evil")
    assert "inline-uuencode" in kinds(raw)


def test_most_parts():
    message = parse(MIXED + b"--b\n\nx\n" * 20_000)
    assert len(message.parts) == MOST_PARTS + 1
    last = message.parts[-1]
    assert last.content_type == "application/octet-stream"
    assert last.end == len(message.raw)
    assert "message/too-many-parts" in {finding.rule for finding in message.findings}


@pytest.mark.parametrize(
    "raw",
    [
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(1_000)),
        b"Content-Type: message/rfc822\n\n" * 1_000,
    ],
)
def test_deepest(raw):
    message = parse(raw)
    assert len(message.parts) == DEEPEST
    assert "message/too-deep" in {finding.rule for finding in message.findings}


def test_encoded_messages_in_each_other():
    raw = b"Subject: x\n\nhi\n"
    for _ in range(10):
        raw = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(raw)
    assert "too-deep" in kinds(raw)


def test_last_line_without_end():
    assert parse(b"Subject: x").subject == "x"
    assert parse(b"Subject: x").root.content == b""


@pytest.mark.parametrize("raw", [b"\n", b"\r\n", b"\n\nx", b"From x\n", b"\0", b"\xff" * 10, b":", b"--", b"\r"])
def test_scraps(raw):
    message = parse(raw)
    assert message.root.end == len(raw)
