"""What links carry is looked through with its name as context."""

from datetime import UTC, datetime

from sekisho.inspect.queries import query_texts
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse


def texts(body):
    raw = f"From: a@corp.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}".encode()
    return query_texts(Transaction("t", Session("s", "127.0.0.1"), Envelope(None, ()), parse(raw), datetime.now(UTC)))


def test_names_and_values():
    (text,) = texts('<a href="https://form.example/?card=4012888888881881&amp;n=%E5%B1%B1%E7%94%B0">x</a>')
    assert (text.where, text.text) == ("link", "card 4012888888881881\nn 山田")


def test_links_without_a_query_and_broken_ones():
    assert texts('<a href="https://form.example/a">x</a> <a href="http://[?a=b">y</a>') == ()


def test_bounded():
    body = "".join(
        f'<a href="https://x.example/{n}?{"&".join(f"k{i}=v" for i in range(300))}">x</a>' for n in range(200)
    )
    assert sum(len(text.text) for text in texts(body)) <= 110_000
