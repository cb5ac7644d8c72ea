"""Long octets taken a piece at a time, so that nobody is held up.

One call into C holds the interpreter's lock until it returns, in whatever thread it is made, and to copy 40 MB takes
some 15 ms, to decode them 80: all other messages of the process would wait.

Between pieces a thread sleeps for a moment, since one that only lets go of the lock has it back before the event loop
wakes. The main thread never does: the event loop is there, or a process that works for nobody else.
"""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Octets: TypeAlias = "bytes | bytearray | memoryview"

PIECE = 1 << 17  # octets: half a millisecond of the slowest that is done with them
_STEP = 4096
_PAUSE_AFTER = PIECE // 2  # octets: a piece of base64 decodes to three quarters of one
_PAUSE = 0.0002  # seconds


def pieces(data: Octets) -> Iterator[bytes]:
    """`data` in pieces of PIECE octets and a last one."""
    with memoryview(data) as whole:
        for at in range(0, len(whole), PIECE):
            yield bytes(whole[at : at + PIECE])


def line_pieces(data: Octets) -> Iterator[bytes]:
    """`data` in pieces of PIECE octets and what is left of their last line: all but the last end with a line feed.

    No line is cut, however long.
    """
    with memoryview(data) as whole:
        at = 0
        while at < len(whole):
            end = _line_end(whole, at + PIECE - 1)
            yield bytes(whole[at:end])
            at = end


def _line_end(whole: memoryview, start: int) -> int:
    """Behind the first line feed from `start` on, or the end."""
    for at in range(start, len(whole), _STEP):
        found = bytes(whole[at : at + _STEP]).find(b"\n")
        if found >= 0:
            return at + found + 1
    return len(whole)


def joined(parts: Iterable[Octets]) -> bytes:
    """All parts, one behind the other. Short ones are better joined by `bytes.join`."""
    # Unlike those of a bytearray, the octets of a BytesIO become bytes without being copied once more.
    stream = io.BytesIO()
    pauses = threading.current_thread() is not threading.main_thread()
    written = 0  # since the last pause: of many short parts not each has one
    for part in parts:
        with memoryview(part) as whole:
            for at in range(0, len(whole), PIECE):
                written += stream.write(whole[at : at + PIECE])
                if pauses and written >= _PAUSE_AFTER:
                    time.sleep(_PAUSE)
                    written = 0
    return stream.getvalue()


def together(*parts: Octets) -> bytes:
    """The same, in one go where that is quick."""
    return b"".join(parts) if sum(map(len, parts)) <= PIECE else joined(parts)


def cut(data: bytes | bytearray, start: int, end: int) -> bytes:
    """`bytes(data[start:end])`."""
    if end - start <= PIECE:
        return bytes(data[start:end])
    with memoryview(data) as whole, whole[start:end] as wanted:
        return joined((wanted,))


def replaced(data: bytes | bytearray, old: bytes, new: bytes) -> bytes:
    """`data.replace(old, new)` for an `old`, shorter than a piece, that has its first octet nowhere else."""
    if len(data) <= PIECE:
        return bytes(data.replace(old, new))
    return joined(_replaced(data, old, new))


def _replaced(data: bytes | bytearray, old: bytes, new: bytes) -> Iterator[bytes]:
    """A piece ends before the first octet of what may go on behind it."""
    with memoryview(data) as whole:
        at = 0
        while at < len(whole):
            piece = bytes(whole[at : at + PIECE])
            if at + PIECE < len(whole) and (begun := piece.rfind(old[:1], -len(old) + 1)) > 0:
                piece = piece[:begun]
            yield piece.replace(old, new)
            at += len(piece)
