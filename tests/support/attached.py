"""Transactions with attachments, as a gateway would hand them to a look-up."""

from datetime import UTC, datetime
from email.message import EmailMessage

from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.opened import Opened
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse


def mail(*attachments, body="See attachment.", html=None):
    """The octets of a message; an attachment is (name, content)."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "hanako@example.com", "taro@example.net", "report"
    made.set_content(body)
    if html:
        made.add_alternative(html, subtype="html")
    for name, content in attachments:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def transaction(*attachments, raw=None, opened=(), **more):
    """A transaction of such a message, or of `raw`; `opened` are the files found inside."""
    return Transaction(
        id="1",
        session=Session("1", "192.0.2.1", "client.example.com", listener="relay", tenant="default"),
        envelope=Envelope("hanako@example.com", (Recipient("taro@example.net"),)),
        message=parse(raw if raw is not None else mail(*attachments, **more)),
        received_at=datetime(2026, 11, 24, tzinfo=UTC),
        opened=Opened(tuple(opened)),
    )
