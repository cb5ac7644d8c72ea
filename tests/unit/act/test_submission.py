"""What is added to a message that a mail program left incomplete. RFC 6409 8.2, 8.3."""

import asyncio
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import parsedate_to_datetime

from sekisho.act.sending import prepare
from sekisho.act.sign import Signer
from sekisho.act.submission import completing
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import AddHeader
from sekisho.parse import parse

AT = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
ENVELOPE = Envelope("a@example.jp", (Recipient("b@example.net"),))
LOGGED_IN = Session("s", "192.0.2.7", account="a@example.jp", mechanism="PLAIN")
RELAYED = Session("s", "192.0.2.7", account="a@example.jp")


def transaction(raw, session=LOGGED_IN):
    return Transaction("0t1d", session, ENVELOPE, parse(raw), AT)


def leaving(raw, session=LOGGED_IN, changes=()):
    made = asyncio.run(prepare(transaction(raw, session), ENVELOPE, changes, Signer([]), "gw.example.jp"))
    return message_from_bytes(made)


def test_date_and_message_id_are_added():
    message = leaving(b"Subject: x\r\n\r\nx\r\n")
    assert parsedate_to_datetime(message["Date"]) == AT
    assert message.get_all("Message-ID") == ["<0t1d@gw.example.jp>"]
    assert message["Subject"] == "x"
    assert message.get_payload() == "x\r\n"


def test_what_is_there_stays():
    raw = b"date: Tue, 24 Nov 2026 10:00:00 +0900\r\nMESSAGE-ID: <a@b.example>\r\n\r\nx\r\n"
    assert completing(transaction(raw), (), "gw.example.jp") == ()
    message = leaving(raw)
    assert (message.get_all("Message-ID"), len(message.get_all("Date"))) == (["<a@b.example>"], 1)


def test_what_a_relay_takes_is_left_alone():
    assert completing(transaction(b"Subject: x\r\n\r\n", RELAYED), (), "gw.example.jp") == ()


def test_what_policy_adds_is_not_there_twice():
    message = leaving(b"Subject: x\r\n\r\nx\r\n", changes=(AddHeader("Message-Id", "<policy@example.jp>"),))
    assert message.get_all("Message-ID") == ["<policy@example.jp>"]
