"""What the gateway and the spawner say to each other, and how a job's answer is framed."""

from __future__ import annotations

import struct
from typing import TypeAlias

import msgspec
from msgspec import Struct

from sekisho.sandbox.limits import Reason, SandboxLimits

MOST_OCTETS = 65_536  # of one message on the control socket
MOST_DESCRIPTORS = 2

ANSWER = b"A"
FAILURE = b"F"
HEADER = struct.Struct("<cQ")  # ANSWER or FAILURE, the octets that follow
MOST_FAILURE = 4_000


class Setup(Struct, frozen=True, tag=True):
    """The first message; with it the configuration in a descriptor. `path` is where modules are looked for."""

    job: str
    path: tuple[str, ...]
    limits: SandboxLimits
    gateway_pid: int


class Job(Struct, frozen=True, tag=True):
    """Run the job once; with it two descriptors, the request and the write end for the answer."""

    number: int


class Kill(Struct, frozen=True, tag=True):
    """End this job, if it still runs."""

    number: int


class Ready(Struct, frozen=True, tag=True):
    """The spawner is warm. `confinement` are the walls that a trial process found around itself."""

    confinement: tuple[str, ...]


class Failed(Struct, frozen=True, tag=True):
    """The spawner cannot work, and ends."""

    why: str


class Ended(Struct, frozen=True, tag=True):
    """A job's process is gone, or `error` says why there was none.

    `status` is as from wait(2), `peak_bytes` the most memory it had beyond that of the warm process.
    """

    number: int
    status: int
    cpu_seconds: float
    peak_bytes: int
    error: str = ""


class Failure(Struct, frozen=True):
    """What a job's process says of itself in place of an answer."""

    reason: Reason
    detail: str


ToSpawner: TypeAlias = Setup | Job | Kill
ToGateway: TypeAlias = Ready | Failed | Ended

encode = msgspec.msgpack.Encoder().encode
decode_to_spawner = msgspec.msgpack.Decoder(ToSpawner).decode
decode_to_gateway = msgspec.msgpack.Decoder(ToGateway).decode
decode_failure = msgspec.msgpack.Decoder(Failure).decode


def failure_frame(reason: Reason, detail: str) -> bytes:
    """A failure as it goes through the answer's pipe; `detail` is cut to 500 characters."""
    body = encode(Failure(reason, detail[:500]))
    return HEADER.pack(FAILURE, len(body)) + body
