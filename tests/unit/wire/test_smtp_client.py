"""The client core by dialog: what the server says, what the client says, what it tells. After RFC 5321."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.reply import Reply
from sekisho.wire.client_events import ClientOptions, Failed, Finished, Login, Ready, StartTls, State
from sekisho.wire.smtp_client import LOST, SmtpClient

DATA = b"Subject: x\r\n\r\n.dot\r\n"
TO_TWO = Envelope("a@example.com", (Recipient("b@example.net"), Recipient("c@example.net")))


def said(client):
    return b"".join(client.take_output())


def greeted(*extensions, **options):
    client = SmtpClient(ClientOptions("gw.example.com", **options))
    client.receive(b"220 mx.example.net ESMTP\r\n")
    assert said(client) == b"EHLO gw.example.com\r\n"
    lines = [f"250-{line}\r\n" for line in ("mx.example.net greets you", *extensions)]
    return client, client.receive("".join(lines).encode() + b"250 HELP\r\n")


def ready(*extensions, **options):
    client, events = greeted(*extensions, **{"tls": "off", **options})
    assert events == [Ready()]
    return client


def failure(events):
    assert len(events) == 1
    assert isinstance(events[0], Failed)
    return events[0]


def test_greeting_and_capabilities():
    client = ready("PIPELINING", "SIZE 1000", "8BITMIME", "LIMITS RCPTMAX=7 MAILMAX=2", "AUTH PLAIN LOGIN")
    assert client.peer.name == "mx.example.net"
    assert client.peer.pipelining
    assert (client.peer.size, client.peer.rcpt_max, client.peer.mail_max) == (1000, 7, 2)
    assert client.peer.auth == {"PLAIN", "LOGIN"}
    assert client.state is State.READY


def test_helo_after_a_refused_ehlo():
    client = SmtpClient(ClientOptions("gw.example.com"))
    client.receive(b"220-several\r\n220 lines\r\n")
    said(client)
    assert client.receive(b"502 5.5.1 What?\r\n") == []
    assert said(client) == b"HELO gw.example.com\r\n"
    assert client.receive(b"250 mx\r\n") == [Ready()]
    assert not client.peer.pipelining


@pytest.mark.parametrize("greeting", [b"554 No SMTP here\r\n", b"421 Not now\r\n", b"450 Later\r\n"])
def test_a_server_that_refuses_us_is_a_temporary_failure(greeting):
    client = SmtpClient(ClientOptions("gw.example.com"))
    failed = failure(client.receive(greeting))
    assert failed.reply.transient
    assert failed.reply.code == 451
    assert client.closed


def test_without_pipelining_one_command_at_a_time():
    client = ready()
    client.send(TO_TWO, DATA)
    assert said(client) == b"MAIL FROM:<a@example.com>\r\n"
    client.receive(b"250 ok\r\n")
    assert said(client) == b"RCPT TO:<b@example.net>\r\n"
    client.receive(b"250 ok\r\n")
    assert said(client) == b"RCPT TO:<c@example.net>\r\n"
    client.receive(b"550 5.1.1 Nobody\r\n")
    assert said(client) == b"DATA\r\n"
    client.receive(b"354 go\r\n")
    assert said(client) == b"Subject: x\r\n\r\n..dot\r\n.\r\n"
    events = client.receive(b"250 2.0.0 Queued as 1\r\n")
    assert events == [Finished((Reply(250, "0.0", "Queued as 1"), Reply(550, "1.1", "Nobody")), taken=True)]
    assert client.state is State.READY


def test_with_pipelining_everything_before_the_message_in_one_write():
    client = ready("PIPELINING", "SIZE")
    client.send(TO_TWO, DATA)
    output = client.take_output()
    assert output == [
        b"MAIL FROM:<a@example.com> SIZE=20\r\nRCPT TO:<b@example.net>\r\nRCPT TO:<c@example.net>\r\nDATA\r\n"
    ]
    assert client.receive(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n") == []
    assert said(client) == b"Subject: x\r\n\r\n..dot\r\n.\r\n"
    (event,) = client.receive(b"250 ok\r\n")
    assert event.replies == (Reply(250, None, "ok"),) * 2


def test_bdat_once_a_recipient_is_known():
    client = ready("PIPELINING", "CHUNKING")
    client.send(TO_TWO, DATA)
    assert b"DATA" not in said(client)
    client.receive(b"250 ok\r\n250 ok\r\n")
    assert client.take_output() == []
    client.receive(b"550 no\r\n")
    assert said(client) == b"BDAT 20 LAST\r\n" + DATA
    (event,) = client.receive(b"250 ok\r\n")
    assert [reply.code for reply in event.replies] == [250, 550]


def test_after_a_refused_bdat_the_server_is_reset():
    client = ready("CHUNKING", "PIPELINING")
    client.send(TO_TWO, DATA)
    said(client)
    client.receive(b"250 ok\r\n250 ok\r\n250 ok\r\n")
    said(client)
    assert client.receive(b"452 4.3.1 Full\r\n") == []
    assert said(client) == b"RSET\r\n"
    assert client.receive(b"250 ok\r\n") == [Finished((Reply(452, "3.1", "Full"),) * 2, taken=False)]


@pytest.mark.parametrize("last", [b"250 ok\r\n", b"554 5.5.1 No valid recipients\r\n"])
def test_a_lone_dot_where_nobody_is_left(last):
    client = ready("PIPELINING")
    client.send(TO_TWO, DATA)
    said(client)
    client.receive(b"250 ok\r\n550 5.1.1 b\r\n550 5.1.1 c\r\n354 go\r\n")
    assert said(client) == b".\r\n"
    client.receive(last)
    assert said(client) == b"RSET\r\n"
    (event,) = client.receive(b"250 ok\r\n")
    assert event == Finished((Reply(550, "1.1", "b"), Reply(550, "1.1", "c")), taken=False)


def test_nobody_left_and_no_354():
    client = ready("PIPELINING")
    client.send(TO_TWO, DATA)
    said(client)
    client.receive(b"250 ok\r\n550 5.1.1 b\r\n450 4.2.0 c\r\n554 5.5.1 No valid recipients\r\n")
    assert said(client) == b"RSET\r\n"
    (event,) = client.receive(b"250 ok\r\n")
    assert [reply.code for reply in event.replies] == [550, 450]


def test_a_refused_sender_is_the_reply_for_everybody():
    client = ready("PIPELINING")
    client.send(TO_TWO, DATA)
    said(client)
    client.receive(b"550 5.7.1 Not you\r\n503 5.5.1 MAIL first\r\n503 5.5.1 MAIL first\r\n503 5.5.1 MAIL first\r\n")
    assert said(client) == b"RSET\r\n"
    assert client.receive(b"250 ok\r\n") == [Finished((Reply(550, "7.1", "Not you"),) * 2, taken=False)]


def test_a_refused_message_needs_no_reset():
    client = ready("PIPELINING")
    client.send(TO_TWO, DATA)
    said(client)
    client.receive(b"250 a\r\n250 b\r\n550 5.1.1 c\r\n354 go\r\n")
    said(client)
    (event,) = client.receive(b"554 5.7.1 Spam\r\n")
    assert [str(reply) for reply in event.replies] == ["554 5.7.1 Spam", "550 5.1.1 c"]
    assert not event.taken
    assert client.state is State.READY
    assert said(client) == b""


def test_421_in_the_middle():
    client = ready("PIPELINING")
    client.send(TO_TWO, DATA)
    said(client)
    failed = failure(client.receive(b"250 ok\r\n550 5.1.1 Nobody\r\n421 4.3.2 Bye\r\n"))
    assert failed.replies == (Reply(550, "1.1", "Nobody"), Reply(451, "3.2", "Bye"))
    assert not failed.body_sent
    assert client.closed


def test_421_in_rest():
    client = ready()
    failed = failure(client.receive(b"421 4.4.2 Idle\r\n"))
    assert failed.cause == "421 4.4.2 Idle"
    assert failed.replies == ()


@pytest.mark.parametrize(
    ("replies", "body_sent"),
    [(b"", False), (b"250 a\r\n250 b\r\n", False), (b"250 a\r\n250 b\r\n250 c\r\n354 d\r\n", True)],
)
def test_a_broken_connection_tells_whether_the_message_was_sent(replies, body_sent):
    client = ready("PIPELINING")
    client.send(TO_TWO, DATA)
    said(client)
    client.receive(replies)
    failed = failure(client.lost(LOST, "reset"))
    assert (failed.reply, failed.body_sent) == (LOST, body_sent)
    assert client.lost(LOST, "again") == []


def test_a_connection_that_breaks_in_the_reset_changes_nothing():
    client = ready()
    client.send(TO_TWO, DATA)
    client.receive(b"")
    said(client)
    client.receive(b"550 5.7.1 No\r\n")
    assert client.lost(LOST, "reset") == [Finished((Reply(550, "7.1", "No"),) * 2, taken=False)]
    assert client.closed


@pytest.mark.parametrize(
    "early",
    [b"250 ok\r\n250 ok\r\n", b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"],
)
def test_a_reply_before_its_command_is_no_reply(early):
    client = ready()
    client.send(TO_TWO, DATA)
    said(client)
    failed = failure(client.receive(early))
    assert str(failed.reply).startswith("451 4.5.0")


def test_a_reply_before_the_message_is_no_reply():
    client = ready("PIPELINING")
    client.send(TO_TWO, DATA)
    said(client)
    failed = failure(client.receive(b"250 a\r\n250 b\r\n250 c\r\n354 go\r\n250 taken\r\n"))
    assert all(reply.transient for reply in failed.replies)


def test_quit():
    client = ready()
    client.quit()
    assert said(client) == b"QUIT\r\n"
    assert client.receive(b"221 bye\r\n") == []
    assert client.closed


def test_mailmax_and_a_half_reply_wear_a_connection_out():
    client = ready("LIMITS MAILMAX=1")
    assert client.usable
    client.send(Envelope(None, (Recipient("b@example.net"),)), b"")
    for reply in (b"250 a\r\n", b"250 b\r\n", b"354 c\r\n"):
        said(client)
        client.receive(reply)
    assert said(client) == b".\r\n"
    client.receive(b"250 d\r\n")
    assert not client.usable
    other = ready()
    other.receive(b"25")
    assert not other.usable


def test_a_transaction_in_the_wrong_state_is_the_callers_mistake():
    with pytest.raises(RuntimeError, match="GREETING"):
        SmtpClient(ClientOptions("gw")).send(TO_TWO, DATA)


# STARTTLS, RFC 3207


def test_starttls():
    client, events = greeted("STARTTLS", "SIZE 10")
    assert (events, said(client)) == ([], b"STARTTLS\r\n")
    assert client.receive(b"220 go\r\n") == [StartTls()]
    assert client.tls_started() == []
    assert (said(client), client.peer.size) == (b"EHLO gw.example.com\r\n", None)
    # RFC 3207 4.2: what was offered before TLS is forgotten, and STARTTLS not said twice
    assert client.receive(b"250-mx\r\n250 STARTTLS\r\n") == [Ready()]
    assert client.encrypted
    assert said(client) == b""


@pytest.mark.parametrize("refusal", [b"454 4.7.0 Not now\r\n", b"501 no\r\n"])
def test_starttls_refused(refusal):
    client, _ = greeted("STARTTLS")
    said(client)
    assert client.receive(refusal) == [Ready()]
    strict, _ = greeted("STARTTLS", tls="verified")
    said(strict)
    assert str(failure(strict.receive(refusal)).reply).startswith("451 4.7.4")


def test_verified_tls_needs_the_offer():
    _, events = greeted(tls="verified")
    assert str(failure(events).reply).startswith("451 4.7.4")


@pytest.mark.parametrize("pieces", [(b"220 go\r\n250 x\r\n",), (b"220 go\r\n2",), (b"220 go\r\n", b"\x15")])
def test_bytes_in_clear_after_starttls_are_refused(pieces):
    client, _ = greeted("STARTTLS")
    said(client)
    events = [event for piece in pieces for event in client.receive(piece)]
    assert isinstance(events[-1], Failed)
    assert client.closed
    assert said(client) == b""


# AUTH, RFC 4954

LOGIN = Login("user", "pass")


def test_auth_plain():
    client, _ = greeted("AUTH LOGIN PLAIN", encrypted=True, login=LOGIN)
    assert said(client) == b"AUTH PLAIN AHVzZXIAcGFzcw==\r\n"
    assert client.receive(b"235 2.7.0 ok\r\n") == [Ready()]


def test_auth_login():
    client, _ = greeted("AUTH LOGIN", tls="off", loopback=True, login=LOGIN)
    assert said(client) == b"AUTH LOGIN\r\n"
    client.receive(b"334 VXNlcm5hbWU6\r\n")
    assert said(client) == b"dXNlcg==\r\n"
    client.receive(b"334 UGFzc3dvcmQ6\r\n")
    assert said(client) == b"cGFzcw==\r\n"
    assert client.receive(b"235 ok\r\n") == [Ready()]


@pytest.mark.parametrize("extension", ["AUTH PLAIN", "AUTH CRAM-MD5", "HELP"])
def test_no_password_in_clear_and_none_for_unknown_mechanisms(extension):
    client, events = greeted(extension, login=LOGIN, loopback=extension != "AUTH PLAIN")
    assert str(failure(events).reply).startswith("451 4.7.0")
    assert said(client) == b""


@pytest.mark.parametrize("refusal", [b"535 5.7.8 Wrong\r\n", b"454 4.7.0 Later\r\n", b"334 \r\n"])
def test_a_refused_login_is_temporary(refusal):
    client, _ = greeted("AUTH PLAIN", encrypted=True, login=LOGIN)
    said(client)
    failed = failure(client.receive(refusal))
    assert str(failed.reply).startswith("451 4.7.0")
    assert said(client) == b""


def test_a_password_stays_out_of_representations():
    assert "pass" not in repr(ClientOptions("gw", login=LOGIN))


# Whatever the server says


@given(st.lists(st.sampled_from([b"2", b"3", b"4", b"5"]).map(lambda d: d + b"50 x\r\n"), max_size=30), st.booleans())
def test_any_order_of_replies_ends_with_one_reply_for_each_recipient(replies, pipelining):
    """RFC 5321 4.3.2 lists the replies to each command; a client survives all others too."""
    client = ready(*(["PIPELINING"] if pipelining else []))
    client.send(TO_TWO, DATA)
    ended = []
    for reply in replies:
        if ended or not (client.take_output() or pipelining):
            break
        ended += client.receive(reply)
    ended = ended or client.lost(LOST, "over")
    assert len(ended) == 1
    assert len(ended[0].replies) == 2
    assert isinstance(ended[0], Finished | Failed)


def unstuffed(wire):
    """What RFC 5321 4.5.2 makes of DATA, by lines."""
    lines = wire.split(b"\r\n")
    end = lines.index(b".")
    assert lines[end + 1 :] == [b""]
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:end])


@given(st.lists(st.text(alphabet="..a\0é ", max_size=6).map(str.encode), max_size=12), st.booleans())
def test_every_message_arrives_byte_for_byte(lines, chunking):
    """RFC 5321 4.5.2: the text passes unchanged, whatever dots begin its lines; RFC 3030: BDAT carries octets."""
    data = b"".join(line + b"\r\n" for line in lines)
    client = ready("8BITMIME", "PIPELINING", *(["CHUNKING"] if chunking else []))
    client.send(TO_TWO, data)
    said(client)
    client.receive(b"250 a\r\n250 b\r\n250 c\r\n" + (b"" if chunking else b"354 d\r\n"))
    wire = said(client)
    if chunking:
        command, _, body = wire.partition(b"\r\n")
        assert command == b"BDAT %d LAST" % len(data)
        assert body == data
    else:
        assert unstuffed(wire) == data
