"""Any bytes are a message: parsing and every decoding on demand return, in bounded time."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sekisho.parse import parse

SEEDS = [
    b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
    b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKeAo=\n",
    (
        b"Content-Type: text/html; charset=iso-2022-jp\nSubject: =?utf-8?B?5pel?= =?utf-8?Q?=E6?=\n\n"
        b"<a href=x>\x1b$B!!<p>"
    ),
    (
        b"Content-Type: text/plain; charset=euc-jp; format=flowed\n"
        b"Content-Transfer-Encoding: quoted-printable\n\n=A4=A2 \n"
    ),
    (
        b"Content-Disposition: attachment; filename*0*=shift_jis''%82%a0; filename*1*=%82\n\n"
        b"begin 644 x\n#86)C\n`\nend\n"
    ),
]


def look_at_everything(raw):
    message = parse(raw)
    assert message.raw is raw
    for text in message.texts:
        text.text.encode("utf-8")
    for part in message.parts:
        assert isinstance(part.content, bytes)
        (part.content_type + part.encoding + part.disposition + str(part.parameters.get("charset"))).encode("utf-8")
        (part.text + part.visible_text + (part.filename or "")).encode("utf-8")
        for link in part.links:
            (link.url + link.text).encode("utf-8")
        for header in part.headers:
            header.text.encode("utf-8")
            assert header.mailboxes is header.mailboxes
    for finding in message.findings:
        finding.explanation.encode("utf-8")
    (message.subject + message.message_id).encode("utf-8")
    return message


@given(st.binary(max_size=500))
@settings(max_examples=300, deadline=None)
def test_any_bytes(raw):
    look_at_everything(raw)


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=4)), max_size=8))
@settings(max_examples=500, deadline=None)
@example(SEEDS[0], [(0, b"\0")])
def test_mutilated_messages(seed, cuts):
    raw = bytearray(seed)
    for at, octets in cuts:
        raw[at : at + len(octets)] = octets
    look_at_everything(bytes(raw))


_MIXED = b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (_MIXED, b"--b\n\nx\n"),
        (_MIXED, b"--b\n"),
        (_MIXED, b"--\n"),
        (_MIXED, b"--bx\n"),
        (_MIXED, b"--b x\n"),
        (_MIXED + b"--b\n", b"--x\n"),
        (_MIXED, b"--b\n" + _MIXED),
        (_MIXED, b"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoK\n"),
        (b"", b"Content-Type: multipart/mixed\n\n--a\n"),
        (b"", b"Content-Type: message/rfc822\n\n"),
        (b"", b"Content-Type: text/plain\n"),
        (b"", b"x\nSubject: x\n"),
        (b"Subject: x\n", b" x\n"),
        (b"From: a,", b'"'),
        (b"From: a", b",a@b"),
        (b"Subject: ", b"=?utf-8?q?a?= =?utf-8?b?YQ?= "),
        (b"Content-Type: text/plain", b";a*1*=%41"),
        (b"Content-Type: text/html\n\n", b"<div>"),
        (b"Content-Type: text/html\n\n", b"<p><b a=1>"),
        (b"Content-Type: text/html\n\n", b"<a href=http://a.example>"),
        (b"Content-Type: text/plain; charset=iso-2022-jp\n\n", b"\x1b$B!!\x1b(B"),
        (b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n", b"A="),
        (b"Subject: x\n\n", b"begin 644 x\n#86)C\n`\nend\n"),
    ],
)
@pytest.mark.timeout(60)
def test_a_great_many_of_the_same_are_read_in_the_time_of_their_bytes(head, piece):
    """Takes less than a second each; in quadratic time it would not end before the limit."""
    look_at_everything(head + piece * (500_000 // len(piece)))
