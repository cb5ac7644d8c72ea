"""Messages that have links in them."""

from datetime import UTC, datetime

from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
_HEAD = (
    "From: a@our-firm.co.jp\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\nContent-Type: {}; charset=utf-8\n\n"
)


def linked(*urls, at=AT, tenant="default", own=("our-firm.co.jp",), kind="text/plain"):
    """A transaction with these links, one a line, in its text."""
    body = "\n".join(urls)
    return Transaction(
        "1",
        Session("s", "192.0.2.1", tenant=tenant),
        Envelope("a@our-firm.co.jp", (Recipient("b@example.com"),)),
        parse((_HEAD.format(kind) + body + "\n").encode()),
        at,
        internal_domains=frozenset(own),
    )
