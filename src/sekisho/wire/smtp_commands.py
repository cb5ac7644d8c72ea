"""A command line: its verb and its argument. RFC 5321 2.4, 4.1.1."""

from __future__ import annotations

import re

from sekisho.mail.reply import Reply, ReplyError
from sekisho.wire import smtp_replies as say
from sekisho.wire.lines import CommandBuffer

_CHUNK = re.compile(r"([0-9]{1,20})(?: +(LAST))?", re.IGNORECASE)  # RFC 3030 2
_WITHOUT_ARGUMENT = frozenset({"DATA", "RSET", "STARTTLS", "QUIT"})


def read_words(line: bytes, too_long: Reply) -> tuple[str, str]:
    """A line's verb in upper case and its argument.

    Raises ReplyError 500 5.5.2 for a line that is none, and with `too_long` for one that was.
    """
    if line is CommandBuffer.LINE_TOO_LONG:
        raise ReplyError(too_long)
    if not line.endswith(b"\r\n") or line.find(b"\r") != len(line) - 2:
        raise ReplyError(say.BARE_LINE_END)  # RFC 5321 2.3.8
    if b"\0" in line:
        raise ReplyError(say.NUL_IN_COMMAND)
    try:
        verb, _, argument = line[:-2].decode().partition(" ")
    except UnicodeDecodeError:
        raise ReplyError(say.NOT_UTF8) from None
    return verb.rstrip("\t").upper(), argument.strip(" \t")


def check_argument(verb: str, argument: str) -> None:
    """Raise ReplyError 501 5.5.4 where a command has an argument that takes none."""
    if argument and verb in _WITHOUT_ARGUMENT:
        raise ReplyError(say.NO_ARGUMENT)


def chunk_argument(argument: str) -> tuple[int, bool] | None:
    """BDAT's argument: octets, and whether these are the last; None where it cannot be read."""
    matched = _CHUNK.fullmatch(argument)
    return None if matched is None else (int(matched[1]), matched[2] is not None)
