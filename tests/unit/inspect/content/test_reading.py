"""From a mail to what the content models read: body, facts, reading."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.content.body import read_body
from sekisho.inspect.content.concepts import Concepts
from sekisho.inspect.content.facts import facts, is_reply, is_threaded
from sekisho.inspect.content.reading import Reader
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import load_lists
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse


def written(text="", html="", subject="A subject", **headers):
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "Anna <anna@ours.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    if text:
        message.set_content(text)
    if html and text:
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")
    return parse(bytes(message))


@pytest.fixture(scope="module")
def reader():
    return Reader(Links(load_lists(shipped("lists"))), Concepts.load(shipped("lists/concepts.toml")))


def read(reader, message):
    session = Session("s", "192.0.2.1")
    return reader.read(Transaction("t", session, Envelope(None, ()), message, datetime.now(UTC)))


def test_of_alternatives_the_html_is_shown():
    body = read_body(written("plain form of it", "<p>rich form of it</p>"))
    assert body.whole == "rich form of it"


def test_an_empty_html_alternative_is_not_what_is_read():
    assert read_body(written("plain form of it", "<p></p>")).whole.strip() == "plain form of it"


def test_quoted_lines_are_not_the_writers_own():
    own = "This is what I have to say about all of it, and no more.\n"
    body = read_body(written(own + "> pay at once\n> click here\n"))
    assert body.own.strip() == own.strip()
    assert "click here" in body.whole


def test_a_mail_that_says_little_is_read_with_what_it_quotes():
    assert "pay at once" in read_body(written("See below.\n> pay at once\n")).own


def test_hidden_text_is_told_apart():
    body = read_body(written(html='<p>Seen</p><p style="display:none">unseen words</p>'))
    assert (body.own, body.hidden) == ("Seen", "unseen words")


def test_attached_text_is_not_the_body():
    message = EmailMessage()
    message.set_content("The body.")
    message.add_attachment("attached words", filename="notes.txt")
    assert "attached" not in read_body(parse(bytes(message))).whole


@pytest.mark.parametrize(
    ("message", "fact"),
    [
        (written(html='<img src="https://a.example/x.png">'), "form:pictures-only"),
        (written(html=f'<p>Hello there</p><p style="display:none">{"lorem " * 50}</p>'), "form:hidden-text"),
        (written("pass\u200bword log\u200bin acc\u200bount che\u200bck"), "text:unseen-characters"),
        (written("your p\u0430ypal account"), "text:look-alikes"),
    ],
)
def test_facts_of_the_form(message, fact):
    assert list(facts(message, read_body(message), ())) == [fact]


def test_an_ordinary_mail_has_none():
    message = written("Good morning, the minutes are attached.", "<p>Good morning, the minutes are attached.</p>")
    assert list(facts(message, read_body(message), ())) == []


def test_a_reply_is_claimed_by_the_subject_and_shown_by_headers():
    assert is_reply(written("x", subject="Re: order"))
    assert not is_reply(written("x", subject="Result: order"))
    assert is_threaded(written("x", In_Reply_To="<a@b.example>"))
    assert not is_threaded(written("x", subject="Re: order"))


def test_a_reading_has_text_signs_and_concepts(reader):
    reading = read(reader, written("Urgent: log in at http://203.0.113.9/a to keep your password."))
    assert "log in at \ue000" in reading.text
    assert "sign:link/ip-address" in reading.facts
    assert {"about:urgency", "about:credentials", "about:credentials+urgency"} <= set(reading.facts)


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"Subject: =?x?\r\n\r\n\xff\xfe", b"Content-Type: multipart/alternative\r\n\r\n"]
)
def test_odd_mail_does_not_raise(reader, raw):
    read(reader, parse(raw)).features()
