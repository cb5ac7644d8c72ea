"""Lists of rows made of CSV text, and messages to look for them in."""

import csv
import io
import random
from datetime import UTC, datetime

from sekisho.inspect.exact.build import Plan, build
from sekisho.inspect.exact.inspector import ExactMatches
from sekisho.inspect.exact.lists import ExactLists
from sekisho.inspect.exact.source import Source
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

KEY = bytes(range(32))
SENDER, RECIPIENT = "sender@ours.example", "partner@theirs.example"


def listed(folder, text, name="customers", *, key=KEY, tenant="default", **plan):
    """Make `folder/lists/TENANT/NAME.idx` of a CSV text; what became of it."""
    file = folder / f"{name}.csv"
    file.write_text(text)
    target = folder / "lists" / tenant / f"{name}.idx"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        return build(Source(file), Plan(name, tenant, "2026-11-24T00:00:00Z", **plan), key, stream)


def inspector(folder, key=KEY):
    """What looks for the lists of `listed`."""
    lists, problems = ExactLists.open(folder / "lists", key)
    assert problems == []
    return ExactMatches(lists)


def sent(text, to=RECIPIENT, sender=SENDER, head="", tenant="default"):
    """A message with this body."""
    raw = f"From: {sender}\r\nTo: {to}\r\n{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"
    envelope = Envelope(sender, (Recipient(to),))
    session = Session("s", "192.0.2.1", tenant=tenant)
    return Transaction("t", session, envelope, parse(raw.encode()), datetime.now(UTC))


_SURNAMES = (
    "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田", "佐々木", "山口",
    "松本", "井上", "木村", "斎藤", "清水", "長谷川",
)  # fmt: skip
_FIRST = "一太健直美優翔大真由智和正明裕恵洋千久良義幸雅彩"
_SECOND = "郎子樹人美香介也之太代江斗輔平彦司奈里希男菜穂音"
_GIVEN = (
    "James", "Mary", "Robert", "Linda", "Michael", "Susan", "David", "Karen", "Richard", "Lisa", "Joseph", "Nancy",
)  # fmt: skip
_FAMILY = [
    first + last
    for first in ("Smi", "Wil", "Brow", "Jon", "Mill", "Dav", "Rod", "Mar", "Her", "Lop", "And", "Tay", "Moo", "Jack")
    for last in ("th", "son", "es", "ing")
]


def people(count, seed=7):
    """Rows of a made-up list, half of them Japanese, the headings first: name, telephone, e-mail address."""
    chance = random.Random(seed)
    yield ["氏名", "電話番号", "メール"]
    for _ in range(count):
        japanese = chance.random() < 0.5
        if japanese:
            name = f"{chance.choice(_SURNAMES)} {chance.choice(_FIRST)}{chance.choice(_SECOND)}"
            phone = f"0{chance.randrange(7, 10)}0-{chance.randrange(10000):04}-{chance.randrange(10000):04}"
        else:
            name = f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}"
            phone = f"({chance.randrange(201, 990)}) {chance.randrange(200, 1000)}-{chance.randrange(10000):04}"
        yield [name, phone, f"user{chance.randrange(10**7)}@example.{chance.choice(('com', 'jp'))}"]


def as_csv(rows):
    """The text of a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
