"""Texts and links of a transaction: the message's and those of its opened attachments, each once."""

from datetime import UTC, datetime

from msgspec.structs import replace

from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.message import Link, Text
from sekisho.mail.opened import File, Opened
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

RAW = (
    b"From: a@corp.example\r\nSubject: Report\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\n\r\nsee https://body.example/\r\n"
    b"--b\r\nContent-Type: text/plain; name=list.csv\r\n\r\nraw,https://csv.example/\r\n--b--\r\n"
)


def transaction():
    return Transaction("t", Session("s", "127.0.0.1"), Envelope(None, ()), parse(RAW), datetime.now(UTC))


def opened():
    text = Text("read by the opener", "attachment", "2", "list.csv")
    link = Link("https://opened.example/", "", "2", "text", "list.csv")
    return Opened((File("2", "list.csv", "csv", 3, "0", texts=(text,), links=(link,)),))


def test_before_anything_is_opened():
    before = transaction()
    assert [text.text for text in before.texts if text.where == "attachment"] == ["raw,https://csv.example/"]
    assert [link.url for link in before.links] == ["https://body.example/", "https://csv.example/"]


def test_an_opened_attachment_is_read_instead_of_its_part():
    after = replace(transaction(), opened=opened(), memo={})
    assert [text.text for text in after.texts if text.where == "attachment"] == ["read by the opener"]
    assert [link.url for link in after.links] == ["https://body.example/", "https://opened.example/"]
    assert {text.where for text in after.texts} == {"header", "subject", "body", "filename", "attachment"}


def test_an_attachment_that_gave_no_text_is_still_read_as_text():
    nothing = Opened((File("2", "list.csv", "unknown", 3, "0"),))
    after = replace(transaction(), opened=nothing, memo={})
    assert [text.text for text in after.texts if text.where == "attachment"] == ["raw,https://csv.example/"]
