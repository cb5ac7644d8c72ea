"""What a mail program shows as the message is text; everything else is opened."""

import pytest

from sekisho.inspect.openable import to_open
from sekisho.parse import parse


def opened(raw):
    return [(part.path, known) for part, known in to_open(parse(raw.replace("\n", "\r\n").encode()))]


def multipart(kind, *parts):
    return f"From: a@b.example\nContent-Type: multipart/{kind}; boundary=x\n\n" + "".join(
        f"--x\n{part}\n" for part in parts
    ) + "--x--\n"  # fmt: skip


TEXT = "Content-Type: text/plain\n\nHello"
HTML = "Content-Type: text/html\n\n<p>Hello</p>"
SCRIPT = "Content-Type: text/html\n\n<p>Hello<script>x()</script></p>"
PDF = "Content-Type: application/pdf; name=a.pdf\n\n%PDF-1.4"
FOOTER = "Content-Type: text/plain\n\n-- \nfooter of a list"


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        ("From: a@b.example\n\nHello\n", []),
        (multipart("alternative", TEXT, HTML), []),
        (multipart("mixed", TEXT, FOOTER), []),
        (multipart("mixed", TEXT, PDF), [("2", False)]),
        (multipart("mixed", TEXT, HTML), [("2", True)]),
        (multipart("alternative", TEXT, SCRIPT), [("2", True)]),
        ("From: a@b.example\nContent-Type: application/pdf\n\n%PDF-1.4\n", [("", False)]),
        (multipart("mixed", TEXT, "Content-Type: message/rfc822\n\nFrom: c@d.example\n\ninner"), []),
        (
            multipart("mixed", TEXT, "Content-Type: message/rfc822; name=a.exe\n\nFrom: c@d.example\n\nMZ"),
            [("2", False)],
        ),
        (multipart("mixed", TEXT, "Content-Type: text/plain; name=list.csv\n\na,b"), [("2", False)]),
    ],
)
def test_parts(raw, parts):
    assert opened(raw) == parts
