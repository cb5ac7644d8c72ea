import contextlib
import io
import random
import tarfile
import time
from base64 import b64encode
from pathlib import Path

import pytest
from support.attached import mail
from support.opened_file import NAMED_ERRORS, found, opened, opening_of, urls

from sekisho.mail.opened import Attachment, OpenLimits, OpenRequest
from sekisho.parse.unpack.mail.eml import open_eml, open_mbox
from sekisho.parse.unpack.opening import OverLimitError
from sekisho.parse.unpack.run import unpack

CORPUS = Path(__file__).parents[6] / "shared" / "data" / "mime" / "mime.tar.xz"


def places(opening):
    return [(text.place, text.text) for text in opening.texts]


def test_header_body_links_and_attachments():
    raw = mail(
        ("見積書.xlsx", b"PK\x03\x04"),
        body="Look: http://www.example.com/a",
        html='<a href="http://b.example/">ここ</a>',
    )
    opening = opened(open_eml, raw, "forwarded.eml")
    assert places(opening) == [
        ("header", "From: hanako@example.com\nTo: taro@example.net\nSubject: report"),
        ("body", "Look: http://www.example.com/a\n"),
        ("body", "ここ"),
    ]
    assert urls(opening) == ["http://www.example.com/a", "http://b.example/"]
    assert [(c.name, c.content, c.declared) for c in opening.children] == [
        ("見積書.xlsx", b"PK\x03\x04", "application/octet-stream")
    ]


def test_japanese_headers_are_decoded():
    raw = "Subject: =?iso-2022-jp?B?GyRCQEE1YT1xGyhC?=\nFrom: =?utf-8?Q?=E8=8A=B1=E5=AD=90?= <h@example.com>\n\n本文"
    assert places(opened(open_eml, raw.encode())) == [
        ("header", "Subject: 請求書\nFrom: 花子 <h@example.com>"),
        ("body", "本文"),
    ]


def test_messages_inside_are_read_in_place():
    inner = b"From: a@example.com\nSubject: inner\nContent-Type: application/x-thing; name=a.bin\n\ncontent"
    raw = b"From: b@example.com\nSubject: outer\nContent-Type: message/rfc822\n\n" + inner
    opening = opened(open_eml, raw)
    assert ("header", "From: a@example.com\nSubject: inner") in places(opening)
    assert [(c.name, c.content) for c in opening.children] == [("a.bin", b"content")]


def test_nesting_ends_at_the_depth_limit():
    raw = mail(("x.exe", b"MZ"))
    for _ in range(12):
        raw = (
            b"From: a@example.com\nTo: b@example.com\nSubject: s\nMIME-Version: 1.0\n"
            b"Content-Type: application/octet-stream\n"
            b"Content-Disposition: attachment; filename=m.eml\nContent-Transfer-Encoding: base64\n\n" + b64encode(raw)
        )
    seen = unpack(OpenRequest((Attachment("1", "m.eml", "message/rfc822", raw),), limits=OpenLimits(depth=5)))
    assert max(file.path.count("/") for file in seen.files) == 6
    assert ("attachment/over-limit", 3) in [(f.rule, f.severity) for f in seen.findings]


ARCHIVE = (
    b"From: <Saved by Blink>\nSnapshot-Content-Location: https://www.example.com/\nSubject: page\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/related; boundary="b"\n\n--b\n'
    b"Content-Type: text/html\nContent-Location: https://x.example/\n\n"
    b"<script>alert(1)</script><p>hello\n--b\nContent-Type: image/gif\nContent-Location: cid:1\n\nGIF89a\n--b--\n"
)


@pytest.mark.parametrize("name", ["page.mht", "page.mhtml", "page", "page.doc"])
def test_the_html_of_a_web_archive_is_a_file(name):
    opening = opened(open_eml, ARCHIVE, name)
    assert [(c.name, c.declared) for c in opening.children] == [("part 1.html", "text/html"), ("part 2", "image/gif")]
    assert [place for place, _ in places(opening)] == ["header"]


def test_a_mailbox():
    letter = b"From: a@example.com\nSubject: %d\n\nFrom here on\n\n"
    content = b"".join(b"From a@example.com Tue Nov 24 10:00:0%d 2026\n" % n + letter % n for n in range(3))
    opening = opened(open_mbox, content, "Inbox")
    assert [(c.name, c.content.count(b"Subject")) for c in opening.children] == [
        (f"message {n}.eml", 1) for n in (1, 2, 3)
    ]
    assert b"".join(c.content for c in opening.children) == content


def test_a_mailbox_with_too_many_messages_stops():
    opening = opening_of(b"From a Tue Nov 24 10:00:00 2026\n\n\n" * 300_000)
    with pytest.raises(OverLimitError):
        open_mbox(opening)


def test_too_many_parts_are_a_finding():
    raw = b'Content-Type: multipart/mixed; boundary="b"\n' + b"\n--b\n\nx" * 10_000
    assert found(opened(open_eml, raw, files=20_000)) == {"over-limit": "high"}


def test_mutations_end_in_time():
    raw = mail(("a.bin", bytes(300)), html="<p>x</p>")
    chance = random.Random(2)
    for _ in range(200):
        data = bytearray(raw)
        for _ in range(20):
            data[chance.randrange(len(data))] = chance.randrange(256)
        started = time.monotonic()
        with contextlib.suppress(NAMED_ERRORS):
            opened(open_eml, bytes(data))
        assert time.monotonic() - started < 5


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.exists(), reason="../shared/data/mime is not there")
def test_the_corpus_has_no_message_that_cannot_be_opened():
    counted = 0
    with tarfile.open(fileobj=io.BytesIO(CORPUS.read_bytes())) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith((".eml", ".msg")):
                opening = opened(open_eml, archive.extractfile(member).read(), member.name)
                counted += bool(opening.texts or opening.children)
    assert counted > 150
