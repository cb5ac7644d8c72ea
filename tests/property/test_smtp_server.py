"""Properties of the SMTP server's core, each with the clause it checks."""

from hypothesis import given
from hypothesis import strategies as st

from sekisho.mail.reply import Reply
from sekisho.wire.smtp_events import MailReceived, ServerOptions
from sekisho.wire.smtp_server import SmtpServer

LINE = st.binary(max_size=30).map(lambda line: line.translate(None, b"\r\n\0"))
BODY = st.lists(LINE, max_size=20).map(lambda lines: b"".join(line + b"\r\n" for line in lines))
START = b"EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"


def received(wire):
    server = SmtpServer(ServerOptions("mx.example"))
    server.greet()
    server.receive_data(wire)
    event = server.next_event()
    assert isinstance(event, MailReceived)
    server.answer(Reply(250, "0.0", "Ok"))
    assert server.next_event() is None
    assert server.data_to_send().endswith(b"250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n")
    return event.data


@given(BODY)
def test_transparency(body):
    """RFC 5321 4.5.2: all characters of the text are delivered as they are, whatever their pattern."""
    lines = body.split(b"\r\n")[:-1]
    stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
    assert received(START + b"DATA\r\n" + stuffed + b".\r\nNOOP\r\n") == body


@given(BODY, st.data())
def test_data_and_bdat_give_the_same(body, data):
    """RFC 3030 2: the chunks, one after the other, are the message; no transparency applies."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=4)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    chunks = b"".join(b"BDAT %d\r\n%b" % (len(piece), piece) for piece in pieces)
    assert received(START + chunks + b"BDAT 0 LAST\r\nNOOP\r\n") == body
