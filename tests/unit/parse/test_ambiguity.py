import pytest

from sekisho.parse import parse


def kinds(raw):
    return {finding.rule.removeprefix("message/") for finding in parse(raw).findings}


HONEST = b"From: a@b.example\nTo: c@d.example\nSubject: x\n\nhello\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_an_honest_message_has_no_findings(end):
    assert kinds(HONEST.replace(b"\n", end)) == set()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"Subject: x\n\n", "no-from"),
        (b"From: a@b.example\nfrom: c@d.example\n\n", "two-from"),
        (b"From: a@b.example, c@d.example\n\n", "two-from"),
        (b"From: a@b.example\nSubject: x\nSUBJECT: y\n\n", "duplicate-header"),
        (b"From: a@b.example\n\nx\0y", "nul"),
        (b"From: a@b.example\r\n\r\nx\ny", "bare-newline"),
        (b"From: a@b.example\r\n\r\nx\ry", "bare-newline"),
        (b"From: a@b.example\nSubject: \xff\xfe\n\n", "8bit-header"),
        (b"From: a@b.example\nSubject: =?UTF-7?Q?x?=\n\n", "utf-7"),
        (b"From: a@b.example\nSubject: x\n \n y\n\n", "malformed-header"),
    ],
)
def test_findings(raw, kind):
    assert kind in kinds(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.example, c@d.example\nSender: a@b.example\n\n",
        b'From: "A, B" <a@b.example>\n\n',
        b"From: a@b.example\nReceived: x\nReceived: y\n\n",
        "From: a@b.example\nSubject: 日本\n\n".encode(),  # RFC 6532 3.2
    ],
)
def test_what_is_allowed(raw):
    assert kinds(raw) == set()


def test_repeated_fields_are_named_and_counted():
    finding = parse(b"From: a@b.example\nTo: a\nTo: b\nTo: c\nCc: a\nCc: b\n\n").findings[0]
    assert (finding.explanation, finding.count, finding.where) == ("cc, to", 3, "header")
