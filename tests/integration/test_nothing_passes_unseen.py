"""Ways past the opening of attachments: disguised as mail or text, hidden behind a cached result, or by too many."""

import asyncio
import base64
import io
import os
import time
import zipfile
from datetime import UTC, datetime

import pytest
from support.archived import EICAR, with_attachments, zipped
from support.zips import aes

from sekisho.inspect.attachments import Attachments, Results
from sekisho.inspect.password_words import named_words
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.message import Text
from sekisho.mail.opened import Attachment, OpenLimits, OpenRequest
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse
from sekisho.parse.unpack.job import prepare
from sekisho.parse.unpack.run import unpack
from sekisho.sandbox import SandboxError

UUENCODED = b"begin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n"
HTA = (
    b'<html><hta:application id=x><script language=vbscript>CreateObject("WScript.Shell").Run "calc"</script></html>'
)
SMUGGLING = (
    b'<html><script>var d=atob("%s");var b=new Blob([d]);var l=document.createElement("a");'
    b'l.href=URL.createObjectURL(b);l.download="invoice.iso";l.click();</script></html>\r\n'
) % base64.b64encode(b"MZ" + b"\0" * 3000)
CARD = b"Visa 4111 1111 1111 1111\n"


class InProcess:
    """The real job without its walls. `fails` are octets in a request at which it dies of too much work."""

    def __init__(self, fails=None, before=None):
        self.job = prepare(b"")
        self.fails = fails
        self.before = before

    async def run(self, request):
        if self.fails and self.fails in request:
            if self.before:
                await self.before()
            raise SandboxError("cpu")
        return self.job(request)

    async def close(self):
        """Nothing to end."""


def transaction(raw):
    envelope = Envelope("a@corp.example", (Recipient("b@other.example"),))
    return Transaction("t", Session("s", "127.0.0.1"), envelope, parse(raw), datetime.now(UTC))


def opener(confined=None):
    return Attachments(confined or InProcess(), OpenLimits(), {}, None, Results(50_000_000))


def rules(opened, path):
    return {f.rule for f in opened.opened.findings if f.path == path}


def one_after_the_other(*messages, confined=None):
    """The transactions, opened by one opener."""

    async def story():
        attachments = opener(confined)
        return [await attachments.open(transaction(raw)) for raw in messages]

    return asyncio.run(story())


def zip_of(count):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.pdf.exe", b"MZ" + b"\0" * 100)
    return stream.getvalue()


def test_a_result_is_not_kept_without_its_findings():
    """The first message has so many findings that those of its second attachment are left out."""
    first = with_attachments("one", ("junk.zip", zip_of(320)), ("evil.hta", HTA))
    _, second = one_after_the_other(first, with_attachments("two", ("evil.hta", HTA)))
    assert "attachment/script" in rules(second, "evil.hta")


def test_a_result_is_not_kept_without_its_text():
    """The first message has used up the characters that are looked through."""
    first = with_attachments("one", ("junk.txt", b"abcdefg \n" * 900_000), ("secret.txt", CARD))
    _, second = one_after_the_other(first, with_attachments("two", ("secret.txt", CARD)))
    assert any("4111" in text.text for text in second.texts)


def test_what_a_bomb_did_is_not_remembered_against_what_came_with_it():
    first = with_attachments("one", ("bomb.bin", b"BOMB"), ("logo.txt", b"logo"))
    _, second = one_after_the_other(
        first, with_attachments("two", ("logo.txt", b"logo")), confined=InProcess(fails=b"BOMB")
    )
    assert rules(second, "logo.txt") == set()


def test_who_joined_a_job_that_died_of_another_attachment_is_opened():
    async def story():
        gate = asyncio.Event()
        attachments = opener(InProcess(fails=b"BOMB", before=gate.wait))
        first = with_attachments("one", ("bomb.bin", b"BOMB"), ("logo.txt", b"logo"))
        bombed = asyncio.create_task(attachments.open(transaction(first)))
        for _ in range(3):
            await asyncio.sleep(0)
        honest = asyncio.create_task(attachments.open(transaction(with_attachments("two", ("logo.txt", b"logo")))))
        for _ in range(3):
            await asyncio.sleep(0)
        gate.set()
        await bombed
        return await honest

    assert rules(asyncio.run(story()), "logo.txt") == set()


def test_too_little_time_is_not_remembered():
    """That the time was over may have been the machine's fault."""

    async def story():
        attachments = Attachments(InProcess(), OpenLimits(seconds=0.0), {}, None, Results(50_000_000))
        raw = with_attachments("one", ("a.zip", zipped({"a.txt": b"text"})))
        late = await attachments.open(transaction(raw))
        attachments._jobs.limits = OpenLimits()  # the machine has time again
        return late, await attachments.open(transaction(raw))

    late, again = asyncio.run(story())
    assert "attachment/over-limit" in rules(late, "a.zip")
    assert rules(again, "a.zip") == set()


def part(fields, content):
    return (
        b"From: a@corp.example\r\nTo: b@other.example\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\n"
        + fields.encode()
        + b"\r\n\r\n"
        + content
        + b"\r\n--b--\r\n"
    )


def attached(name, kind):
    return f'Content-Type: {kind}\r\nContent-Disposition: attachment; filename="{name}"'


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            part(attached("e.hta", "text/plain"), HTA + b"\r\n" + UUENCODED), id="text with a uuencoded file"
        ),
        pytest.param(part(attached("e.zip", "message/rfc822"), zipped({"e.hta": HTA})), id="zip declared as mail"),
        pytest.param(part(attached("e.hta", "message/rfc822"), HTA), id="program declared as mail"),
        pytest.param(part(attached("e.hta", "multipart/mixed; boundary=x"), HTA), id="program declared as multipart"),
        pytest.param(
            part("Content-Type: text/html\r\nContent-Disposition: inline", SMUGGLING), id="second HTML text"
        ),
    ],
)
def test_a_disguised_part_is_opened(raw):
    (opened,) = one_after_the_other(raw)
    assert any(finding.severity.word in ("high", "critical") for finding in opened.opened.findings)


def test_a_script_in_the_message_takes_none_of_its_links_away():
    """It has the text opened that is shown as the message, and that text's links are the message's own."""
    page = b'<a href="http://192.0.2.7/login">https://bank.example</a><script>1</script>'
    plain, scripted = (b"Content-Type: text/html\r\n\r\n" + body for body in (page.partition(b"<script")[0], page))
    before, after = one_after_the_other(plain, scripted)
    assert after.opened.files
    assert [(link.url, link.text) for link in after.links] == [(link.url, link.text) for link in before.links] != []


def test_links_beyond_the_bound_are_told():
    links = b"".join(b'<a href="https://www.example.com/%d">a</a>' % number for number in range(1_100))
    opened = unpack(OpenRequest((Attachment("2", "a.html", "text/html", links),)))
    assert len(opened.files[0].links) >= 1_100 or opened.findings


def test_what_the_virus_scanner_does_not_get_is_told():
    """Nobody but us could look into it, and it was too large to be handed on."""
    content = aes({"a.bin": os.urandom(33_000_000)}, b"pw12")
    opened = unpack(OpenRequest((Attachment("2", "a.zip", "", content),), ("pw12",)))
    inner = next(file for file in opened.files if file.path == "a.zip/a.bin")
    assert inner.content or any(f.rule in ("attachment/over-limit", "inspection.failed/antivirus")
                                for f in opened.findings)  # fmt: skip


def test_an_archive_with_rubbish_behind_it_is_opened():
    """Other programs look for its end further up than the 64 KiB of a comment."""
    opened = unpack(OpenRequest((Attachment("2", "a.zip", "", zipped({"e.com": EICAR}) + b"x" * 70_000),)))
    assert "a.zip/e.com" in [file.path for file in opened.files]


def test_looking_for_passwords_is_bounded_over_all_texts():
    """Characters are limited for each text; there may be hundreds of texts."""
    texts = [Text("pass " * 40_000, "body", str(number)) for number in range(100)]
    started = time.perf_counter()
    named_words(texts)
    assert time.perf_counter() - started < 0.5
