"""The attacks of bench/flood.py: one of them, from many loopback addresses, until told to stop. Its own process.

python flood_attacks.py KIND PORT SECONDS
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import uvloop

CONNECTIONS = 10_000
FILES = 15_000


class Attacker:
    """Connections to `port` of 127.0.0.1 until `until`. `done` counts what was answered."""

    def __init__(self, port: int, until: float) -> None:
        self.port, self.until = port, until
        self.done: Counter[str] = Counter()

    @property
    def going(self) -> bool:
        """Whether it goes on."""
        return time.monotonic() < self.until

    async def again(self, number: int, once: Callable[[int], Awaitable[None]]) -> None:
        """Do it again and again, with a pause after what fails."""
        while self.going:
            try:
                await once(number)
            except (OSError, EOFError, asyncio.IncompleteReadError):
                self.done["cut off"] += 1
                await asyncio.sleep(0.5)

    async def open(self, number: int, block: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from 127.(block).x.y, another network every 64 numbers."""
        address = f"127.{block}.{number // 64 % 256}.{number % 64 + 1}"
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))

    async def silent(self, number: int) -> None:
        """Connect, and say nothing."""
        reader, writer = await self.open(number, 10)
        self.done["opened"] += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self.until - time.monotonic())):
                while await reader.read(1000):
                    pass
                self.done["closed by the gateway"] += 1
        writer.close()
        await asyncio.sleep(1.0)

    async def slow(self, number: int) -> None:
        """A message at 200 octets a second."""
        reader, writer = await self.open(number, 11)
        try:
            await self.envelope(reader, writer, b"slow@corp.example", [b"a@partner.example"])
            writer.write(b"Subject: slow\r\n\r\n")
            while self.going and not reader.at_eof():
                writer.write(b"x" * 398 + b"\r\n")
                await asyncio.sleep(2)
        finally:
            writer.close()

    async def mail(self, number: int, block: int, sender: bytes, count: int, data: bytes) -> None:
        """Messages as fast as they are answered, 50 a connection."""
        reader, writer = await self.open(number, block)
        data = data.replace(b"a@corp.example", sender or b"mailer-daemon@corp.example", 1)
        try:
            for turn in range(50):
                if not self.going:
                    break
                recipients = [b"r%d.%d@partner.example" % (turn, n) for n in range(count)]
                if await self.envelope(reader, writer, sender, recipients, greet=turn == 0):
                    writer.write(data + b"\r\n.\r\n")
                    self.done[(await reply(reader))[:3]] += 1
        finally:
            writer.close()

    async def envelope(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        sender: bytes,
        recipients: list[bytes],
        *,
        greet: bool = True,
    ) -> bool:
        """From EHLO to DATA, pipelined after EHLO. False: refused."""
        if greet:
            if (await reply(reader))[:3] != "220":
                raise OSError("sent away")
            writer.write(b"EHLO attacker.example\r\n")
            await reply(reader)
        commands = [b"MAIL FROM:<%s>\r\n" % sender, *(b"RCPT TO:<%s>\r\n" % one for one in recipients), b"DATA\r\n"]
        writer.write(b"".join(commands))
        answers = [await reply(reader) for _ in commands]
        if answers[-1][:3] != "354":
            self.done[answers[0][:3] if answers[0][:1] != "2" else answers[-1][:3]] += 1
            writer.write(b"RSET\r\n")
            await reply(reader)
            await asyncio.sleep(0.05)
            return False
        return True


async def reply(reader: asyncio.StreamReader) -> str:
    """The last line of a reply."""
    while True:
        line = await reader.readuntil(b"\n")
        if line[3:4] != b"-":
            return line.decode("ascii", "replace")


def _message(body: bytes = b"Please see the figures of last month.\r\n" * 20, header: bytes = b"") -> bytes:
    top = b"From: <a@corp.example>\r\nTo: <b@partner.example>\r\nSubject: report\r\nMessage-ID: <1@corp.example>\r\n"
    return top + b"Date: Tue, 24 Nov 2026 10:00:00 +0900\r\n" + header + b"\r\n" + body


def _plan(kind: str, attacker: Attacker) -> tuple[int, Callable[[int], Awaitable[None]]]:
    small = _message()
    giant = _message(header=b"".join(b"X-Pad-%d: %s\r\n" % (n, b"y" * 60) for n in range(3_300)))
    bounce = _message(b"Your message could not be delivered.\r\n")
    of = attacker.mail
    plans: dict[str, tuple[int, Callable[[int], Awaitable[None]]]] = {
        "silent": (CONNECTIONS, attacker.silent),
        "slow": (3_000, attacker.slow),
        "full rate": (60, lambda n: of(n, 12, b"sender%d@corp.example" % n, 1, small)),
        "giant headers": (20, lambda n: of(n, 13, b"a@corp.example", 1, giant)),
        "recipients": (20, lambda n: of(n, 14, b"a@corp.example", 1000, small)),
        "bounces": (40, lambda n: of(n, 15, b"", 1, bounce)),
        "other tenant": (60, lambda n: of(n, 99, b"sender%d@other.example" % n, 1, small)),
    }
    return plans[kind]


async def attack(kind: str, port: int, seconds: float) -> Counter[str]:
    """All connections at once."""
    attacker = Attacker(port, time.monotonic() + seconds)
    count, once = _plan(kind, attacker)
    tasks = [asyncio.ensure_future(attacker.again(number, once)) for number in range(count)]
    _, late = await asyncio.wait(tasks, timeout=seconds + 1)
    for task in late:
        task.cancel()
    return attacker.done


def main() -> None:
    """Attack, and print what was answered."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    kind, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    done = uvloop.run(attack(kind, port, seconds))
    print(", ".join(f"{what} {count}" for what, count in done.most_common()), flush=True)


if __name__ == "__main__":
    main()
