"""Replies from bytes, by RFC 5321 4.2 and RFC 2034."""

import pytest

from sekisho.mail.reply import Reply
from sekisho.wire.smtp_reply import LINE_BYTES, ReplyReader, ReplySyntaxError, temporary


def read(data):
    reader = ReplyReader()
    reader.feed(data)
    return reader.read()


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"250 OK\r\n", Reply(250, None, "OK")),
        (b"250\r\n", Reply(250, None, "")),  # RFC 5321 4.2: the text may be missing, and the space with it
        (b"250 \r\n", Reply(250, None, "")),
        (b"250 OK\n", Reply(250, None, "OK")),
        (b"250 2.1.5 Fine\r\n", Reply(250, "1.5", "Fine")),
        (b"550 5.1.1\r\n", Reply(550, "1.1", "")),
        (b"550 5.1.1 \r\n", Reply(550, "1.1", "")),
        # RFC 2034 3: the classes of both codes agree, or it is text
        (b"550 4.1.1 No\r\n", Reply(550, None, "4.1.1 No")),
        (b"354 2.0.0 go\r\n", Reply(354, None, "2.0.0 go")),
        (b"550 5.1 No\r\n", Reply(550, None, "5.1 No")),
        (b"550 5.7.1000 No\r\n", Reply(550, None, "5.7.1000 No")),
        (b"550-5.7.1 One\r\n550 5.7.1 Two\r\n", Reply(550, "7.1", "One\nTwo")),
        (b"550-5.7.1 One\r\n550 Two\r\n", Reply(550, "7.1", "One\nTwo")),
        (b"250-mx\r\n250-\r\n250 HELP\r\n", Reply(250, None, "mx\n\nHELP")),
        ("550 5.1.1 宛先不明\r\n".encode(), Reply(550, "1.1", "宛先不明")),
        (b"550 5.1.1 a\0b\rc\x1b[0m\xff\r\n", Reply(550, "1.1", "a?b?c?[0m\ufffd")),
        ("550 one\u2028two\x85\r\n".encode(), Reply(550, None, "one?two?")),
    ],
)
def test_one_reply(data, reply):
    assert read(data) == reply


def test_byte_by_byte():
    reader, replies = ReplyReader(), []
    for octet in b"250-a\r\n250 b\r\n354 c\r\n":
        reader.feed(bytes([octet]))
        replies += filter(None, [reader.read()])
    assert [reply.text for reply in replies] == ["a\nb", "c"]
    assert not reader.holds_bytes


@pytest.mark.parametrize("data", [b"2", b"250 OK", b"250-a\r\n", b"250-a\r\n250"])
def test_half_a_reply(data):
    reader = ReplyReader()
    reader.feed(data)
    assert reader.read() is None
    assert reader.holds_bytes


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"OK\r\n",
        b"25 OK\r\n",
        b"2500 OK\r\n",
        b"250OK\r\n",
        b"150 OK\r\n",
        b"650 OK\r\n",
        b" 250 OK\r\n",
        "２５０ OK\r\n".encode(),
        b"250-a\r\n251 b\r\n",
        b"250-a\r\n" * 129,
        b"250 " + b"x" * LINE_BYTES + b"\r\n",
        b"x" * (LINE_BYTES + 1),
        b"HTTP/1.1 400 Bad Request\r\n",
    ],
)
def test_not_a_reply(data):
    with pytest.raises(ReplySyntaxError):
        read(data)


def test_long_text_is_cut_to_what_a_reply_line_holds():
    reply = read(b"550 5.7.1 " + b"x" * 2000 + b"\r\n")
    assert len(reply.encode()) <= 512  # RFC 5321 4.5.3.1.5


def test_421_becomes_451():
    assert temporary(Reply(421, "3.2", "Bye")) == Reply(451, "3.2", "Bye")
