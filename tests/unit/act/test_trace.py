from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.act.trace import MAX_HOPS, loop_reply, received_header
from sekisho.mail.envelope import Envelope, Recipient, Session, Tls
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

AT = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
MESSAGE = parse(b"Subject: x\r\n\r\nx\r\n")


def field(session=None, *, to=("b@example.net",), smtputf8=False, hostname="gw.example.jp", transaction_id="0t1d"):
    session = session or Session(id="s", client_ip="192.0.2.7", helo="pc.example.jp")
    envelope = Envelope("a@example.jp", tuple(map(Recipient, to)), smtputf8=smtputf8)
    return received_header(Transaction(transaction_id, session, envelope, MESSAGE, AT), envelope, hostname)


def test_the_whole_field():
    # RFC 5321 4.4: from, by, with, id, for; date-time
    assert field() == (
        b"Received: from pc.example.jp ([192.0.2.7])\r\n"
        b" by gw.example.jp with ESMTP\r\n"
        b" id 0t1d\r\n"
        b" for <b@example.net>;\r\n"
        b" Mon, 02 Mar 2026 04:05:06 +0000\r\n"
    )


@pytest.mark.parametrize(
    ("esmtp", "tls", "account", "smtputf8", "word"),
    [
        # RFC 3848 and RFC 6531 4.3
        (False, None, None, False, "SMTP"),
        (True, None, None, False, "ESMTP"),
        (True, None, "u", False, "ESMTPA"),
        (True, Tls("TLSv1.3", "X"), None, False, "ESMTPS"),
        (True, Tls("TLSv1.3", "X"), "u", False, "ESMTPSA"),
        (True, None, None, True, "UTF8SMTP"),
        (True, None, "u", True, "UTF8SMTPA"),
        (True, Tls("TLSv1.3", "X"), None, True, "UTF8SMTPS"),
        (True, Tls("TLSv1.3", "X"), "u", True, "UTF8SMTPSA"),
    ],
)
def test_with(esmtp, tls, account, smtputf8, word):
    session = Session("s", "192.0.2.7", "h", esmtp=esmtp, tls=tls, account=account)
    tls_comment = " (TLSv1.3 X)" if tls else ""
    assert f" with {word}{tls_comment}\r\n" in field(session, smtputf8=smtputf8).decode()


def test_several_recipients_are_not_named():
    for to in ((), ("b@example.net", "secret@example.net")):
        assert b"for" not in field(to=to)
        assert b"@" not in field(to=to)


def test_the_account_is_never_named():
    assert b"u5er" not in field(Session("s", "192.0.2.7", "h", account="u5er"))


def test_addresses_of_the_client():
    assert b"([IPv6:2001:db8::1])" in field(Session("s", "2001:db8::1", "h"))
    assert b"from [192.0.2.7] ([192.0.2.7])" in field(Session("s", "192.0.2.7", ""))


def test_a_recipient_outside_ascii_only_with_smtputf8():
    assert "for <山@例え.jp>".encode() in field(to=("山@例え.jp",), smtputf8=True)
    assert b"for" not in field(to=("山@例え.jp",))


HOSTILE = st.text(st.sampled_from('a.<>()";: \t\r\n\x00\\@\x85\u2028é\ud800'), max_size=40)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.booleans())
def test_nothing_breaks_out(helo, ip, version, to, smtputf8):
    session = Session("s", ip, helo, tls=Tls(version, helo))
    raw = field(session, to=(to,), smtputf8=smtputf8, transaction_id=to)
    read = message_from_bytes(raw + b"Subject: x\r\n\r\nbody\r\n", policy=policy.SMTP)
    assert read.keys() == ["Received", "Subject"]
    assert read.get_payload() == "body\r\n"
    assert all(line.startswith(b" ") and line.strip() for line in raw.split(b"\r\n")[1:-1])
    value = str(read["Received"])
    assert value.count(";") == 1
    assert parsedate_to_datetime(value.partition(";")[2]) == AT


@pytest.mark.parametrize(("hops", "loops"), [(0, False), (MAX_HOPS, False), (MAX_HOPS + 1, True)])
def test_loops(hops, loops):
    reply = loop_reply(parse(b"RECEIVED: from a by b\r\n" * hops + b"\r\n" + b"Received: in the body\r\n" * 99))
    # RFC 3463 3.5: X.4.6 is a routing loop
    assert (str(reply)[:9] if reply else None) == ("554 5.4.6" if loops else None)
