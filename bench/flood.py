"""Honest clients while others attack: latency, memory, nothing lost, recovery. `make bench-flood`.

A real gateway with two workers; a mail server on a connection or two sends ten small messages a second, and each
attack of flood_attacks.py runs in turn. The attacker and the next hop share the machine's cores with the gateway:
the attacker is niced, and what it takes nevertheless is in the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from process import free_port, memory_of, wait_port

HERE = Path(__file__).parent
KINDS = ("silent", "slow", "full rate", "giant headers", "recipients", "bounces", "other tenant")
EACH = 0.1  # seconds from one honest message to the next
PER_CONNECTION = 20
CONFIG = """
[gateway]
hostname = "gate.corp.example"
workers = 2
http_address = "127.0.0.1:{http}"
[[listener]]
name = "relay"
address = "127.0.0.1:{port}"
[record]
log_level = "warning"
[tenant.default]
domains = ["corp.example"]
[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{sink}"]
[[tenant.default.limit]]
name = "company-recipients-hour"
[tenant.other]
domains = ["other.example"]
client_networks = ["127.99.0.0/16"]
[[tenant.other.next_hop]]
hosts = ["127.0.0.1:{sink}"]
[[tenant.other.limit]]
name = "company-recipients-hour"
"""
# A sender's own limits would end the flood before fairness has to: here it is to go on.
OFF = ("recipients-hour", "recipients-day", "new-recipients-day", "messages-hour", "internal-day", "bytes-day")


class Sink:
    """The next hop: takes all, and counts honest messages by their number."""

    def __init__(self) -> None:
        self.seen: Counter[bytes] = Counter()
        self.taken = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ConnectionError):
            writer.write(b"220 sink\r\n")
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"EHLO":
                    writer.write(b"250-sink\r\n250 PIPELINING\r\n")
                elif verb == b"DATA":
                    writer.write(b"354 go\r\n")
                    self._count(await reader.readuntil(b"\r\n.\r\n"))
                    writer.write(b"250 ok\r\n")
                else:
                    writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
        writer.close()

    def _count(self, data: bytes) -> None:
        self.taken += 1
        start = data.find(b"X-Honest: ")
        if start >= 0:
            self.seen[data[start + 10 : data.index(b"\r\n", start)]] += 1


class Honest:
    """A mail server that sends a message every tenth of a second; `times` are (start, seconds), of those taken."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.times: list[tuple[float, float]] = []
        self.promised: set[bytes] = set()
        self.problems: Counter[str] = Counter()
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, int]] = []
        self._number = 0

    async def run(self, seconds: float) -> list[float]:
        """Send for so long; the latencies of these."""
        first, tasks, end = len(self.times), [], time.monotonic() + seconds
        due = time.monotonic()
        while (now := time.monotonic()) < end:
            self._number += 1
            tasks.append(asyncio.ensure_future(self._send(b"%d" % self._number)))
            due = max(due + EACH, now - 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await asyncio.wait(tasks, timeout=60)
        return [took for _, took in self.times[first:]]

    async def _send(self, number: bytes) -> None:
        """A message until it is taken, as a mail server does; its latency is that from the first attempt."""
        started = time.monotonic()
        while time.monotonic() - started < 50:
            try:
                async with asyncio.timeout(30):
                    answer = await self._once(number)
            except (OSError, EOFError, asyncio.IncompleteReadError, TimeoutError) as error:
                answer = type(error).__name__
            if answer[:3] == "250":
                self.promised.add(number)
                self.times.append((started, time.monotonic() - started))
                return
            self.problems[answer.strip()[:60]] += 1
            await asyncio.sleep(0.2)

    async def _once(self, number: bytes) -> str:
        reader, writer, sent = await self._connection()
        sender, recipient = b"a%d@corp.example" % (int(number) % 50), b"b%d@partner.example" % (int(number) % 50)
        try:
            for line in (b"MAIL FROM:<%s>" % sender, b"RCPT TO:<%s>" % recipient, b"DATA"):
                writer.write(line + b"\r\n")
                if (answer := await _reply(reader))[0] not in "23":
                    writer.close()
                    return answer
            writer.write(_message(number, sender, recipient))
            answer = await _reply(reader)
        except BaseException:
            writer.close()
            raise
        if sent + 1 >= PER_CONNECTION:
            writer.close()
        else:
            self._idle.append((reader, writer, sent + 1))
        return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int]:
        while self._idle:
            reader, writer, sent = self._idle.pop()
            if not reader.at_eof():
                return reader, writer, sent
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        if not (greeting := await _reply(reader)).startswith("220"):
            writer.close()
            raise ConnectionError(greeting)
        writer.write(b"EHLO mail.corp.example\r\n")
        await _reply(reader)
        return reader, writer, 0


async def _reply(reader: asyncio.StreamReader) -> str:
    while True:
        line = await reader.readuntil(b"\n")
        if line[3:4] != b"-":
            return line.decode("ascii", "replace")


def _message(number: bytes, sender: bytes, recipient: bytes) -> bytes:
    head = b"From: <%s>\r\nTo: <%s>\r\nSubject: order %s\r\nX-Honest: %s\r\n" % (sender, recipient, number, number)
    rest = b"Date: Tue, 24 Nov 2026 10:00:00 +0900\r\nMessage-ID: <%s@corp.example>\r\n\r\n" % number
    return head + rest + b"Dear all, the order has been sent today.\r\n" * 20 + b".\r\n"


class Memory:
    """The largest memory of the gateway's processes together, in MB, while it is watched."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.peak = 0.0

    async def watch(self) -> None:
        """Look twice a second, until cancelled."""
        while True:
            self.peak = max(self.peak, memory_of([self._pid, *children(self._pid)])["pss_mb"])
            await asyncio.sleep(0.5)


def share(times: list[float], part: float) -> float:
    """A quantile in milliseconds."""
    ordered = sorted(times) or [float("nan")]
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000


def started(folder: Path) -> subprocess.Popen[bytes]:
    """The gateway, of the configuration in the folder."""
    command = [sys.executable, "-m", "sekisho.cli", "serve", "--config", str(folder / "sekisho.toml")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)


def children(pid: int) -> list[int]:
    """The processes that it has started."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def measured(kinds: list[str], seconds: float, folder: Path) -> int:
    """Run everything and print the table. Returns how many honest messages were lost."""
    ports = {"port": free_port(), "http": free_port(), "sink": free_port()}
    extra = "".join(f'[[tenant.{t}.limit]]\nname = "{n}"\n' for t in ("default", "other") for n in OFF)
    (folder / "sekisho.toml").write_text(CONFIG.format(**ports) + extra)
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", ports["sink"], limit=1 << 26, backlog=500)
    gateway = started(folder)
    try:
        await asyncio.to_thread(wait_port, ports["port"], 60.0, gateway)
        honest = Honest(ports["port"])
        await honest.run(5)
        return await _table(honest, sink, kinds, seconds, gateway.pid)
    finally:
        gateway.send_signal(signal.SIGTERM)
        await asyncio.to_thread(gateway.wait, 60)
        server.close()


async def _table(honest: Honest, sink: Sink, kinds: list[str], seconds: float, pid: int) -> int:
    quiet = await honest.run(seconds)
    p50, p99 = share(quiet, 0.5), share(quiet, 0.99)
    print(f"{'':14}{'messages':>9}{'p50 ms':>9}{'p99 ms':>9}{'to quiet':>9}{'MB':>7}{'back after':>12}  attacker")
    print(f"{'quiet':14}{len(quiet):9}{p50:9.1f}{p99:9.1f}{1:9.1f}", flush=True)
    for kind in kinds:
        memory, before = Memory(pid), Counter(honest.problems)
        watching = asyncio.ensure_future(memory.watch())
        command = [sys.executable, str(HERE / "flood_attacks.py"), kind, str(honest.port), str(seconds + 2)]
        attacker = await asyncio.create_subprocess_exec(
            "nice", "-n", "19", *command, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": "1"}
        )
        await honest.run(2)
        times = await honest.run(seconds)
        said = (await attacker.communicate())[0].decode().strip()
        ended = time.monotonic()
        await honest.run(6)
        after = [start - ended for start, took in honest.times if start > ended and took * 1000 > 3 * p99]
        watching.cancel()
        here = share(times, 0.99)
        row = f"{kind:14}{len(times):9}{share(times, 0.5):9.1f}{here:9.1f}{here / p99:9.1f}{memory.peak:7.0f}"
        print(f"{row}{max(after, default=0.0):10.1f} s  {said}", flush=True)
        for problem, count in (honest.problems - before).items():
            print(f"{'':14}  honest, tried again: {count} times {problem}", flush=True)
    lost = honest.promised - set(sink.seen)
    print(f"honest messages promised {len(honest.promised)}, lost {len(lost)}; the next hop took {sink.taken} in all")
    return len(lost)


def main() -> int:
    """Read the arguments, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each attack")
    parser.add_argument("--attacks", nargs="*", default=list(KINDS), choices=KINDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lost = asyncio.run(measured(given.attacks, given.seconds, Path(folder)))
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
