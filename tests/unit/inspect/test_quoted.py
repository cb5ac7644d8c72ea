"""Quotations of the recipient's own words stand apart, at their old offsets, and only for that recipient."""

import time
from datetime import UTC, datetime

import pytest

from sekisho.inspect.quoted import PLACE, split_quotes
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

MARKED = """Thank you, I checked it.

On Wed, 1 Apr 2026 at 10:00, Taro <taro@other.example> wrote:
> my card is 4012 8888 8888 1881
> please charge it

Own words after it.
"""
OUTLOOK = """了解しました。

-----Original Message-----
差出人: 山田太郎 <taro@other.example>
送信日時: 2026年4月1日
件名: 申込

私の個人番号は 1234 5678 9018 です。
"""
JAPANESE = """確認しました。

2026年4月1日(水) 10:00 山田太郎 <taro@other.example>:
＞ 電話は 03-1234-5678 です
"""


def transaction(body, *to, own=("corp.example",)):
    raw = f"From: a@corp.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}".encode()
    envelope = Envelope("a@corp.example", tuple(Recipient(address) for address in to))
    return Transaction(
        "t", Session("s", "127.0.0.1"), envelope, parse(raw), datetime.now(UTC), internal_domains=frozenset(own)
    )


def bodies(body, *to, **more):
    texts = [text for text in split_quotes(transaction(body, *to, **more)) if text.where == "body"]
    return {text.place: text.text for text in texts}


@pytest.mark.parametrize(
    ("body", "quoted", "own"),
    [
        (MARKED, "4012 8888 8888 1881", "Own words after it."),
        (OUTLOOK, "1234 5678 9018", "了解しました。"),
        (JAPANESE, "03-1234-5678", "確認しました。"),
    ],
)
def test_what_the_recipient_wrote_stands_apart(body, quoted, own):
    texts = bodies(body, "taro@other.example")
    assert quoted in texts[PLACE]
    assert quoted not in texts[""]
    assert own in texts[""]
    assert own not in texts[PLACE]
    assert texts[PLACE].index(quoted) == body.index(quoted)
    assert texts[""].index(own) == body.index(own)


def test_colleagues_may_read_it_too():
    assert PLACE in bodies(
        MARKED, "taro@other.example", "boss@corp.example", "x@sub.corp.example", own=("corp.example", ".corp.example")
    )


@pytest.mark.parametrize(
    "to",
    [("hanako@third.example",), ("taro@other.example", "hanako@third.example"), ("boss@corp.example",), ()],
)
def test_for_anybody_else_it_is_text_like_any_other(to):
    assert list(bodies(MARKED, *to)) == [""]


def test_an_address_in_ones_own_text_is_no_quotation():
    body = "Please write to taro@other.example\nCard 4012 8888 8888 1881\n"
    assert list(bodies(body, "taro@other.example")) == [""]


@pytest.mark.parametrize(
    "body", ["On x <taro@other.example> wrote:\n" * 20_000, "> " * 300_000, "<" * 300_000, "From: " * 80_000]
)
def test_bounded(body):
    started = time.process_time()
    split_quotes(transaction(body + "taro@other.example", "taro@other.example"))
    assert time.process_time() - started < 2
