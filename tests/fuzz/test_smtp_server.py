"""The SMTP server's core on anything: it never raises, says little, and does not care how the bytes are cut.

The contract: every byte string is read; each reply is well formed; the output is bounded by the input; no message
comes out that holds anything but lines that end with CRLF.
"""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.config.settings import LimitSettings
from sekisho.mail.account import Account, Login, ScramKeys
from sekisho.mail.envelope import Tls
from sekisho.mail.reply import Reply
from sekisho.wire.sasl.offered import MECHANISMS
from sekisho.wire.sasl.steps import GiveKeys
from sekisho.wire.smtp_auth import Allowed, LoginAsked
from sekisho.wire.smtp_events import Ended, MailReceived, ServerOptions, TlsRequested, XclientApplied
from sekisho.wire.smtp_server import SmtpServer

LIMITS = LimitSettings(
    command_line_bytes=200,
    recipients_per_message=3,
    message_bytes=120,
    header_bytes=60,
    text_line_bytes=50,
    errors_per_connection=8,
    commands_per_connection=40,
    messages_per_connection=5,
)
OPTIONS = ServerOptions("mx.example", LIMITS, starttls=True, xclient=True)
SUBMISSION = ServerOptions(
    "mx.example", LIMITS, mechanisms=Allowed(MECHANISMS, ("SCRAM-SHA-256",)), require_auth=True
)
NONCE = re.compile(rb"334 cj1[^\r]*")  # each exchange of SCRAM has its own
KEYS = ScramKeys(b"salt", 4096, b"s" * 32, b"k" * 32)
LOGIN = Login(Account("default", "tim"), "PLAIN")
# RFC 5321 4.2: reply lines, in printable ASCII, for nothing beyond it that a client sent is said back
REPLY = re.compile(rb"(?:[2-5][0-9]{2}[ -][ -~]*\r\n)*")

COMMANDS = [
    b"EHLO client.example",
    b"HELO x",
    b"MAIL FROM:<a@b.example>",
    b"MAIL FROM:<> SIZE=100 BODY=8BITMIME",
    b"MAIL FROM:<\xc3\xa9@b.example> SMTPUTF8",
    b"RCPT TO:<c@d.example>",
    b'RCPT TO:<"c d"@[192.0.2.1]> NOTIFY=NEVER ORCPT=rfc822;x',
    b"DATA",
    b"BDAT 5",
    b"BDAT 7 LAST",
    b"BDAT 200",
    b"BDAT 0 LAST",
    b"RSET",
    b"NOOP",
    b"VRFY x",
    b"HELP",
    b"XCLIENT ADDR=192.0.2.9 LOGIN=taro",
    b"AUTH",
    b"AUTH PLAIN",
    b"AUTH PLAIN AHRpbQBzZWNyZXQ=",
    b"AUTH LOGIN dGlt",
    b"AUTH SCRAM-SHA-256 bixhPXRpbSxuPXRpbSxyPWFiYw==",
    b"AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgeAEB",
    b"*",
    b"c2VjcmV0",
    b"Subject: hello",
    b"",
    b".",
    b"..",
    b"x" * 210,
]
PIECES = st.one_of(
    st.sampled_from(COMMANDS).map(lambda command: command + b"\r\n"),
    st.sampled_from(
        [b"\r\n", b"\n", b"\r", b"\0", b".", b"\r\n.\r\n", b"\n.\r\n", b"\r.\r\n", b"12345", b"QUIT\r\n"]
    ),
    st.binary(max_size=12),
)
START = b"EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
DIALOGS = st.tuples(st.sampled_from([b"", START, START + b"DATA\r\n"]), st.lists(PIECES, max_size=25)).map(
    lambda parts: parts[0] + b"".join(parts[1])
)


def talk(data, sizes, options=OPTIONS):
    """Everything that comes out for `data` in pieces of these sizes: (bytes said, messages, how it ended)."""
    server, said, mails, turn = SmtpServer(options), b"", [], 0
    if options is SUBMISSION:
        server.start_tls(Tls("TLSv1.3", "test"), {"tls-exporter": b"x" * 32})
    server.greet()
    while data:
        size = sizes[turn % len(sizes)]
        turn += 1
        server.receive_data(data[:size])
        data = data[size:]
        while (event := server.next_event()) is not None or server.output_full:
            said += server.data_to_send()
            if isinstance(event, MailReceived):
                mails.append((event.envelope, event.data))
                server.answer(Reply(250, "0.0", "Ok"))
            elif isinstance(event, XclientApplied):
                server.greet()
            elif isinstance(event, LoginAsked):
                server.answer_login(KEYS if isinstance(event.question, GiveKeys) else LOGIN)
            elif isinstance(event, (Ended, TlsRequested)):
                return said + server.data_to_send(), mails, type(event)
    return said + server.data_to_send(), mails, (server.receiving, server.stored)


@given(DIALOGS, st.lists(st.integers(1, 40), min_size=1, max_size=5))
@settings(max_examples=400, deadline=None)
def test_mutated_dialogs(data, sizes):
    said, mails, end = talk(data, [len(data) or 1])
    assert (said, mails, end) == talk(data, sizes)
    assert REPLY.fullmatch(said)
    assert len(said) <= 500 * (data.count(b"\n") + data.upper().count(b"BDAT") + 2)
    for envelope, body in mails:
        assert envelope.recipients
        assert b"\0" not in body
        assert not set(b"\r\n") & set(body.replace(b"\r\n", b""))
        assert len(body) <= LIMITS.message_bytes


@given(DIALOGS, st.lists(st.integers(1, 40), min_size=1, max_size=5))
@settings(max_examples=400, deadline=None)
def test_mutated_dialogs_with_auth(data, sizes):
    """RFC 4954 6: no message without a 235 before it."""
    data = b"EHLO client.example\r\n" + data
    said, mails, end = talk(data, [len(data)], SUBMISSION)
    again, *rest = talk(data, sizes, SUBMISSION)
    assert (NONCE.sub(b"", said), mails, end) == (NONCE.sub(b"", again), *rest)
    assert REPLY.fullmatch(said)
    assert not mails or b"\r\n235 " in said


@given(st.binary(max_size=400), st.lists(st.integers(1, 40), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data, sizes):
    said, mails, end = talk(data, [len(data) or 1])
    assert (said, mails, end) == talk(data, sizes)
    assert REPLY.fullmatch(said)
    assert mails == []  # it would take a whole transaction by chance


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"\0", b"a"]), max_size=40).map(b"".join))
@settings(max_examples=500, deadline=None)
def test_nothing_but_the_true_end_ends_data(body):
    """RFC 5321 4.1.1.4: nothing is said after the 354 before the true end, and a message comes only after it."""
    wire = START + b"DATA\r\n" + body
    true_end = (b"\r\n" + body).find(b"\r\n.\r\n")
    said, mails, _ = talk(wire, [7])
    answers = said.partition(b"354 ")[2].split(b"\r\n")[1:-1]
    if true_end < 0:
        assert (answers, mails) == ([], [])
    else:
        assert answers
        left = body[:true_end].replace(b"\r\n", b"")
        assert bool(mails) == (not set(b"\r\n\0") & set(left)) or len(body) > LIMITS.text_line_bytes
