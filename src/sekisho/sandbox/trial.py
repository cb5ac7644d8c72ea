"""A process that confines itself and tries the walls: what `status` says is what was seen, not what was meant."""

from __future__ import annotations

import os
from typing import NoReturn

import msgspec

from sekisho.sandbox.confine import Walls

_MOST_OCTETS = 65_536


class Tried(msgspec.Struct, frozen=True):
    """Walls that were put up, and what was found not to work behind them; `error` where that failed."""

    up: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    error: str = ""


def tried(walls: Walls) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The walls that a process can put up around itself here, and what it then cannot do. Raises OSError."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _try(walls, write)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        octets = pipe.read(_MOST_OCTETS)
    os.waitpid(pid, 0)
    result = msgspec.msgpack.decode(octets, type=Tried) if octets else Tried(error="a process behind the walls died")
    if result.error:
        raise OSError(result.error)
    return result.up, result.found


def _try(walls: Walls, write: int) -> NoReturn:
    try:
        try:
            result = Tried(walls.enter(), _found())
        except Exception as error:  # noqa: BLE001 - told to the other side
            result = Tried(error=f"a process could not confine itself: {error!r}")
        os.write(write, msgspec.msgpack.encode(result))
    finally:
        os._exit(0)


def _found() -> tuple[str, ...]:
    found: list[str] = []
    try:
        os.close(os.dup(0))
    except OSError:
        found.append("no new descriptors")
    try:
        if os.fork() == 0:
            os._exit(0)
    except OSError:
        found.append("no new processes")
    return tuple(found)
