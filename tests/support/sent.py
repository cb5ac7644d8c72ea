"""Messages as accounts send them, for limits."""

from datetime import UTC, datetime

from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DOMAINS = frozenset(("acme.example", ".acme.example"))


def sent(to, *, at=NOON, account="hana@acme.example", mail_from="hana@acme.example", body=b"hello", session_id="t1"):
    """A message to these addresses."""
    raw = b"From: <hana@acme.example>\r\nSubject: hi\r\n\r\n" + body + b"\r\n"
    session = Session("s", "192.0.2.1", account=account, listener="submission", tenant="acme")
    recipients = tuple(Recipient(address) for address in to)
    return Transaction(session_id, session, Envelope(mail_from, recipients), parse(raw), at, DOMAINS)


def strangers(number, first=0):
    """That many addresses outside."""
    return [f"p{n}@client{n % 7}.example" for n in range(first, first + number)]
