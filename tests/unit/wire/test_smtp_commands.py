"""Command lines: verb and argument."""

import pytest

from sekisho.mail.reply import Reply, ReplyError
from sekisho.wire.lines import CommandBuffer
from sekisho.wire.smtp_commands import check_argument, chunk_argument, read_words

TOO_LONG = Reply(500, "5.2", "too long")


def test_words():
    assert read_words(b"mail FROM:<a@b> \r\n", TOO_LONG) == ("MAIL", "FROM:<a@b>")
    assert read_words(b"\r\n", TOO_LONG) == ("", "")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (CommandBuffer.LINE_TOO_LONG, "too long"),
        (b"NOOP\n", "Bare"),
        (b"NO\rOP\r\n", "Bare"),
        (b"NO\0OP\r\n", "NUL"),
        (b"\xff\r\n", "UTF-8"),
    ],
)
def test_no_line(line, text):
    with pytest.raises(ReplyError, match=text) as caught:
        read_words(line, TOO_LONG)
    assert (caught.value.reply.code, caught.value.reply.detail) == (500, "5.2")


def test_commands_without_argument():
    check_argument("DATA", "")
    check_argument("NOOP", "x")
    with pytest.raises(ReplyError):
        check_argument("DATA", "x")


def test_chunks():
    """RFC 3030 2."""
    assert chunk_argument("86 LAST") == (86, True)
    assert chunk_argument("0") == (0, False)
    assert [chunk_argument(text) for text in ("", "-1", "5 FIRST", "5LAST", "1" * 21)] == [None] * 5
