"""DATA and BDAT readers: what ends a message, what is refused, and what is kept in memory meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.small_pieces import pieces_of

from sekisho.config.settings import LimitSettings
from sekisho.mail.reply import Reply, ReplyError
from sekisho.wire.smtp_body import ChunkReader, DataReader

LINES = st.lists(st.sampled_from([b"", b".", b"..", b".a", b"a", b"a.", b"\xff\x00"]), max_size=12)


def stuff(body):
    """RFC 5321 4.5.2, the sender's side, line by line."""
    return b"".join((b"." if line.startswith(b".") else b"") + line for line in body.splitlines(keepends=True))


@given(LINES, st.integers(1, 7))
def test_what_a_sender_stuffs_comes_out_again(lines, size):
    body = b"".join(line.replace(b"\x00", b"") + b"\r\n" for line in lines)
    sent = stuff(body) + b".\r\n"
    reader, rest = DataReader(LimitSettings()), b""
    for start in range(0, len(sent), size):
        assert not reader.complete
        rest += reader.feed(sent[start : start + size])
    assert (reader.complete, rest, reader.finish()) == (True, b"", body)


def test_what_is_behind_the_end_is_handed_back():
    reader = DataReader(LimitSettings())
    assert reader.feed(b"a\r\n.\r\nQUIT\r\n") == b"QUIT\r\n"
    assert reader.finish() == b"a\r\n"


def test_a_message_over_the_limit_is_not_stored():
    reader = DataReader(LimitSettings(message_bytes=1000))
    for _ in range(100):
        reader.feed(b"x" * 500 + b"\r\n")
        assert reader.stored < 2000
    assert reader.feed(b".\r\nNOOP\r\n") == b"NOOP\r\n"
    with pytest.raises(ReplyError) as error:
        reader.finish()
    assert error.value.reply.code == 552
    assert "message_bytes" in error.value.reply.text


def test_stuffed_dots_do_not_count():
    """RFC 1870 5: the size is that of the message without the dots added for transparency."""
    reader = DataReader(LimitSettings(message_bytes=3000))
    for _ in range(1000):
        reader.feed(b"..\r\n")
    reader.feed(b".\r\n")
    assert reader.finish() == b".\r\n" * 1000


def test_the_first_refusal_stays():
    reader = DataReader(LimitSettings())
    reader.feed(b"abc\r\n")
    reader.refuse(Reply(452, "3.1", "one"))
    reader.refuse(Reply(552, "3.4", "two"))
    assert reader.stored <= 5
    reader.feed(b".\r")
    assert reader.feed(b"\n") == b""
    assert reader.complete
    with pytest.raises(ReplyError, match="one"):
        reader.finish()


def test_chunks_of_a_refused_message_are_counted_off_and_dropped():
    reader = ChunkReader(LimitSettings(message_bytes=10))
    reader.expect(100_000, last=True)
    for _ in range(99):
        assert reader.feed(b"x" * 1000) == b""
        assert reader.stored == 0
    assert reader.feed(b"x" * 1000 + b"NOOP\r\n") == b"NOOP\r\n"
    assert reader.complete
    assert reader.refusal == Reply(552, "3.4", "Message over 10 octets (message_bytes)")


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a", b"."]), max_size=20).map(b"".join))
def test_a_bare_cr_or_lf_anywhere_is_refused(body):
    """RFC 5321 2.3.8; the second way to see it takes every CRLF away and looks for what is left."""
    reader = ChunkReader(LimitSettings())
    reader.expect(len(body), last=True)
    reader.feed(body)
    left = b"".join(body.split(b"\r\n"))
    if b"\r" in left or b"\n" in left:
        with pytest.raises(ReplyError, match=r"5\.6\.11"):
            reader.finish()
    else:
        assert reader.finish() == body


@given(LINES, st.integers(1, 7), st.integers(3, 9))
def test_a_message_unstuffed_in_pieces(lines, size, piece):
    body = b"".join(line.replace(b"\x00", b"") + b"\r\n" for line in lines)
    sent = stuff(body) + b".\r\n"
    reader, chunks = DataReader(LimitSettings()), ChunkReader(LimitSettings())
    chunks.expect(len(body), last=True)
    for start in range(0, len(sent), size):
        reader.feed(sent[start : start + size])
        chunks.feed(body[start : start + size])
    with pieces_of(piece):
        assert reader.finish() == chunks.finish() == body
    assert reader.stored == chunks.stored == 0


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"a"]), max_size=30).map(b"".join), st.integers(1, 7))
def test_only_crlf_dot_crlf_ends_data(data, size):
    """RFC 5321 4.1.1.4, wherever what comes in is cut."""
    line = b"\r\n" + data  # that of the command counts
    end = line.find(b"\r\n.\r\n")
    reader, rest = DataReader(LimitSettings()), b""
    for start in range(0, len(data), size):
        rest = data[start : start + size]
        rest = reader.feed(rest)
        if reader.complete:
            rest += data[start + size :]
            break
    assert reader.complete == (end >= 0)
    if reader.complete:
        assert rest == line[end + 5 :]


@pytest.mark.parametrize("body", [b"a\nb\r\n", b"a\rb\r\n", b"a\0\r\n"])
def test_what_is_refused_in_pieces(body):
    reader = DataReader(LimitSettings())
    reader.feed(b"..a\r\n" + body + b".\r\n")
    with pieces_of(3), pytest.raises(ReplyError) as error:
        reader.finish()
    assert error.value.reply.code == 550
