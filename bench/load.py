"""The load generator: a stored message set over N connections, each latency measured. Its own process, one core.

    python load.py SET.bin PORT --connections 20 --per-connection 20 [--count N] --output FILE

Writes one JSON object: start and end (CLOCK_MONOTONIC seconds), and [octets, seconds, reply code] for each message,
from the first octet of MAIL FROM to the last of the final reply. PIPELINING is used where the server offers it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import mmap
import resource
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import cast

import uvloop

Entry = tuple[int, int, str, list[str]]
Work = Callable[[], Coroutine[None, None, None]]


class Results:
    """What all connections note: octets, seconds and reply code of each message, and what went wrong."""

    def __init__(self) -> None:
        self.results: list[tuple[int, float, int]] = []
        self.errors: list[str] = []


class Run(Results):
    """What all connections share: the messages still to be sent and the results."""

    def __init__(self, entries: list[Entry], data: memoryview, port: int, per_connection: int) -> None:
        super().__init__()
        self.todo: Iterator[Entry] = iter(entries)
        self.data = data
        self.port = port
        self.per_connection = per_connection


class Connection(asyncio.Protocol):
    """One SMTP connection as a client: sends until the set is used up or its share is done, then QUIT."""

    def __init__(self, run: Run, done: asyncio.Future[None]) -> None:
        self.run = run
        self.done = done
        self.buffer = b""
        self.commands: list[bytes] = []
        self.awaited = 1  # replies still to come before the next step
        self.step = self.greeted
        self.pipelining = False
        self.sent = 0
        self.entry: Entry | None = None
        self.started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server speaks first."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Cut replies out of the stream; a multi-line reply counts once, at its last line (RFC 5321 4.2.1)."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n")) >= 0:
            line, self.buffer = self.buffer[:end], self.buffer[end + 2 :]
            if line[3:4] == b"-":
                self.pipelining |= line[4:].upper() == b"PIPELINING"
                continue
            self.pipelining |= line[4:].upper() == b"PIPELINING"
            self.awaited -= 1
            if line[:1] not in b"23":
                self.run.errors.append(line.decode("ascii", "replace"))
            if self.awaited == 0:
                self.step(line)

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that ends with a message under way is an error; otherwise it was ours to end."""
        if self.entry is not None or self.step == self.greeted:
            self.run.errors.append(f"connection lost: {exc}")
        if not self.done.done():
            self.done.set_result(None)

    def greeted(self, _line: bytes) -> None:
        """220 came: say EHLO."""
        self.step, self.awaited = self.next_message, 1
        self.transport.write(b"EHLO load.corp.example\r\n")

    def next_message(self, _line: bytes) -> None:
        """Take the next message of the set and open its transaction."""
        entry = next(self.run.todo, None) if self.sent < self.run.per_connection else None
        if entry is None:
            self.step, self.awaited = self.closed, 1
            self.transport.write(b"QUIT\r\n")
            return
        self.entry = entry
        self.started = time.monotonic()
        recipients = [b"RCPT TO:<%s>\r\n" % rcpt.encode() for rcpt in entry[3]]
        commands = [b"MAIL FROM:<%s>\r\n" % entry[2].encode(), *recipients, b"DATA\r\n"]
        self.commands = [b"".join(commands)] if self.pipelining else commands[::-1]
        self.awaited_each = len(commands) if self.pipelining else 1
        self.envelope(b"")

    def envelope(self, _line: bytes) -> None:
        """Send the next command, or all in one where the server takes that; then the data."""
        self.step, self.awaited = self.envelope, self.awaited_each
        self.transport.write(self.commands.pop())
        if not self.commands:
            self.step = self.content

    def content(self, line: bytes) -> None:
        """354 came for DATA: send the message. Anything else ends this transaction as an error."""
        self.step, self.awaited = self.finished, 1
        offset, size, _, _ = cast("Entry", self.entry)
        if line[:3] == b"354":
            self.transport.write(self.run.data[offset : offset + size])
        else:
            self.transport.write(b"RSET\r\n")

    def finished(self, line: bytes) -> None:
        """The final reply: note the latency, go on."""
        entry = cast("Entry", self.entry)
        self.run.results.append((entry[1], time.monotonic() - self.started, int(line[:3])))
        self.entry = None
        self.sent += 1
        self.next_message(line)

    def closed(self, _line: bytes) -> None:
        """221 came."""
        self.transport.close()


async def worker(run: Run) -> None:
    """Connections one after the other until the set is used up."""
    loop = asyncio.get_running_loop()
    while True:
        done: asyncio.Future[None] = loop.create_future()
        _, connection = await loop.create_connection(lambda d=done: Connection(run, d), "127.0.0.1", run.port)
        await done
        if connection.sent < run.per_connection:
            return


def measured(run: Results, work: Work, connections: int, output: Path) -> None:
    """Do the work over this many connections at once; write start, end, processor seconds and results as JSON."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    start, end = uvloop.run(_together(work, connections))
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    result = {"start": start, "end": end, "cpu": cpu, "results": run.results, "errors": run.errors[:20]}
    output.write_text(json.dumps(result | {"error_count": len(run.errors)}))


async def _together(work: Work, connections: int) -> tuple[float, float]:
    """When the first began and the last ended."""
    start = time.monotonic()
    await asyncio.gather(*(work() for _ in range(connections)))
    return start, time.monotonic()


def main() -> None:
    """Read the arguments, send, write the JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("set", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--per-connection", type=int, default=20)
    parser.add_argument("--count", type=int, default=10**9)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    index = json.loads(args.set.with_suffix(".json").read_text())[: args.count]
    with args.set.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        run = Run(index, memoryview(mapped[:]), args.port, args.per_connection)
    measured(run, lambda: worker(run), args.connections, args.output)


if __name__ == "__main__":
    main()
