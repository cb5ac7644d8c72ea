"""The SMTP client core against servers that say anything: it never raises, and every recipient has one reply."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.mail.envelope import Envelope, Recipient
from sekisho.wire.client_events import ClientOptions, Failed, Finished, Login, Ready, StartTls
from sekisho.wire.smtp_client import LOST, SmtpClient
from sekisho.wire.smtp_reply import LINE_BYTES, REPLY_LINES, ReplyReader, ReplySyntaxError

ENVELOPE = Envelope("a@example.com", tuple(Recipient(f"{i}@example.net") for i in range(3)))
DATA = b"Subject: x\r\n\r\n.\r\n"

_code = st.sampled_from(
    [b"220", b"221", b"235", b"250", b"334", b"354", b"421", b"450", b"452", b"550", b"999", b"25"]
)
_text = st.sampled_from(
    [
        b"",
        b"2.0.0 ok",
        b"5.1.1 no",
        b"PIPELINING",
        b"CHUNKING",
        b"STARTTLS",
        b"AUTH PLAIN LOGIN",
        b"SIZE 9" * 9,
        b"\0\xff",
    ]
)
_end = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""])
_line = st.builds(lambda c, s, t, e: c + s + t + e, _code, st.sampled_from([b" ", b"-", b""]), _text, _end)
# Mostly what a server could say, so that the dialog gets somewhere; sometimes anything.
_server = st.lists(
    st.one_of(_line, _line, _line, st.sampled_from([b"250 ok\r\n", b"354 go\r\n"]), st.binary(max_size=30))
)


class Shell:
    """Does what the I/O shell does, and keeps what the core told."""

    def __init__(self, options):
        self.core = SmtpClient(options)
        self.ends = []
        self.begun = False
        self.written = 0

    def take(self, events):
        for event in events:
            if isinstance(event, Ready) and self.core.usable:  # a bad reply may have come right after the good one
                self.begun = True
                self.take(self.core.send(ENVELOPE, DATA))
            elif isinstance(event, StartTls):
                self.take(self.core.tls_started())
            elif isinstance(event, Failed | Finished):
                self.ends.append(event)
        self.written += sum(map(len, self.core.take_output()))


@settings(max_examples=300)
@given(_server, st.sampled_from(["off", "opportunistic", "verified"]), st.booleans())
def test_any_server(pieces, tls, login):
    shell = Shell(ClientOptions("gw", tls=tls, loopback=True, login=Login("u", "p") if login else None))
    shell.take([])
    for piece in pieces:
        shell.take(shell.core.receive(piece))
    shell.take(shell.core.lost(LOST, "over"))
    assert shell.core.closed
    assert shell.core.receive(b"250 ok\r\n") == []
    assert shell.written < 10_000
    in_transaction = [end for end in shell.ends if end.replies]
    assert len(in_transaction) == int(shell.begun)
    for end in in_transaction:
        assert len(end.replies) == 3
        assert all(200 <= reply.code < 300 or reply.code >= 400 for reply in end.replies)


def replies(pieces):
    """What a reader makes of these pieces: the replies, and how it ended."""
    reader, found = ReplyReader(), []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (reply := reader.read()) is not None:
                found.append(reply)
        except ReplySyntaxError as error:
            return found, str(error)
    return found, reader.holds_bytes


@given(st.lists(st.one_of(_line, _line, st.binary(max_size=20))).map(b"".join), st.integers(1, 7))
def test_where_the_network_cuts_does_not_matter(data, size):
    assert replies([data]) == replies([data[i : i + size] for i in range(0, len(data), size)])


def test_an_endless_line_ends():
    core = SmtpClient(ClientOptions("gw"))
    fed = 0
    while not core.closed:
        core.receive(b"2")
        fed += 1
    assert fed <= LINE_BYTES + 1


def test_an_endless_reply_ends():
    core = SmtpClient(ClientOptions("gw"))
    fed = 0
    while not core.closed:
        core.receive(b"220-\r\n")
        fed += 1
    assert fed == REPLY_LINES + 1


def test_a_flood_after_the_end_costs_nothing():
    core = SmtpClient(ClientOptions("gw"))
    core.receive(b"garbage\r\n")
    for _ in range(100_000):
        core.receive(b"x")
    assert core.closed
