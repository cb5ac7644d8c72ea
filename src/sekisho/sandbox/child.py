"""The life of a forked process: confine itself, read a request, run the job on it, write the answer, end."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn

from msgspec import Struct

from sekisho.sandbox.confine import Walls
from sekisho.sandbox.messages import ANSWER, HEADER, failure_frame

# Made before memory is short.
_NO_MEMORY = failure_frame("memory", "an allocation failed")
_READ_AT_ONCE = 1 << 30  # Linux gives at most 2 GiB to one read(2)


class Work(Struct, frozen=True, eq=False):
    """What every process does: run `job` behind `walls`, of which `expected` must be up; at most `most` octets."""

    job: Callable[[bytes], bytes]
    walls: Walls
    expected: tuple[str, ...]
    most: int


def live(work: Work, request: int, answer: int) -> NoReturn:
    """Work from one descriptor to the other. Never returns."""
    status = 1
    try:
        try:
            frame, octets = _outcome(work, request)
        except MemoryError:  # also where an exception could not be described: it held what had filled the memory
            frame, octets = _NO_MEMORY, b""
        _write(answer, frame)
        _write(answer, octets)
        status = 0
    finally:
        os._exit(status)


def _outcome(work: Work, request: int) -> tuple[bytes, bytes]:
    """A frame's head and what follows it."""
    try:
        if work.walls.enter() != work.expected:
            return failure_frame("died", "not confined as it should be"), b""
        octets = work.job(whole(request))
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a library raises: panics of Rust, SystemExit
        return failure_frame("died", _described(error)), b""
    if not isinstance(octets, bytes):
        return failure_frame("died", f"the job returned {type(octets).__name__}, not bytes"), b""
    if len(octets) > work.most:
        return failure_frame("answer-size", f"{len(octets)} octets"), b""
    return HEADER.pack(ANSWER, len(octets)), octets


def _described(error: BaseException) -> str:
    """The type and the last places of an exception; not its text, which may quote somebody's mail."""
    places: list[str] = []
    traceback: TracebackType | None = error.__traceback__
    while traceback:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_name} ({code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno})")
        traceback = traceback.tb_next
    return f"{type(error).__name__} in {' > '.join(places[-3:])}"


def whole(descriptor: int) -> bytes:
    """All octets of a file, wherever its position stands."""
    size = os.fstat(descriptor).st_size
    if size <= _READ_AT_ONCE:
        return os.pread(descriptor, size, 0)
    starts = range(0, size, _READ_AT_ONCE)
    return b"".join(os.pread(descriptor, _READ_AT_ONCE, start) for start in starts)


def _write(descriptor: int, octets: bytes) -> None:
    left = memoryview(octets)
    while left:
        left = left[os.write(descriptor, left) :]
