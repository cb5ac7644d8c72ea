"""How long plain messages take while bombs arrive: one worker, one connection of plain mail, four of bombs.

    python bench/bombs.py [--seconds 10] [--kinds nested,gzip,...]

The gateway, its next hop, the client and the bombs are those of the integration tests. Bombs are sent by a process of
their own and taken by another, so that plain mail does not wait for these, and every one has a name of its own, so
that no result is remembered. Prints milliseconds from MAIL FROM to the last reply of a plain message.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.archived import docx, gzip_bomb, nested_bomb, with_attachments, zipped  # noqa: E402
from support.client import Client, message  # noqa: E402
from support.gateway import RunningGateway  # noqa: E402
from support.sink import Sink  # noqa: E402
from support.zips import central, end, overlapping, quine  # noqa: E402

SENDERS = 4
NAME = b"name-of-this-bomb"


def entities() -> bytes:
    """A docx with entities that would expand a billion times."""
    steps = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return docx("x", {"word/styles.xml": f'<!DOCTYPE a [<!ENTITY e0 "lol">{steps}]><a>&e9;</a>'.encode()})


def objects() -> bytes:
    """A PDF with a million objects, in a ZIP: the octets of a large message would tell of themselves."""
    pdf = b"%PDF-1.7\n" + b"".join(b"%d 0 obj<</A 1>>endobj\n" % n for n in range(1, 1_000_001)) + b"%%EOF"
    return zipped({"a.pdf": pdf})


def mails() -> bytes:
    """Messages in each other, three hundred deep."""
    content = b"Subject: x\r\n\r\nx\r\n"
    for level in range(300):
        edge = b"b%d" % level
        content = (
            b"Content-Type: multipart/mixed; boundary=" + edge + b"\r\n\r\n--" + edge
            + b"\r\nContent-Type: message/rfc822\r\n\r\n" + content + b"\r\n--" + edge + b"--\r\n"
        )  # fmt: skip
    return content


def huge_seven_zip() -> bytes:
    """A 7z whose list of files claims 4 GiB."""
    start = (0).to_bytes(8, "little") + (1 << 32).to_bytes(8, "little") + bytes(4)
    return b"7z\xbc\xaf\x27\x1c\0\4" + zlib.crc32(start).to_bytes(4, "little") + start + bytes(1000)


def directory() -> bytes:
    """A ZIP whose directory lists a hundred thousand members and claims fewer, in a ZIP."""
    entries = b"".join(central(b"%d" % n, 0, packed=0, size=0) for n in range(100_000))
    return zipped({"a.zip": b"PK\3\4" + bytes(26) + entries + end(1_000, len(entries), 30)})


def large() -> bytes:
    """No bomb: 20 MB that nobody can open, to compare with."""
    return os.urandom(20_000_000)


KINDS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nested": ("zip", nested_bomb),
    "gzip": ("gz", gzip_bomb),
    "overlapping": ("zip", lambda: overlapping(300, 300_000)),
    "quine": ("zip", quine),
    "directory": ("zip", directory),
    "7z": ("7z", huge_seven_zip),
    "entities": ("docx", entities),
    "objects": ("pdf", objects),
    "mails": ("eml", mails),
    "large": ("bin", large),
}


async def plain(port: int, seconds: float) -> list[float]:
    """Milliseconds of plain messages, one after the other for so long."""
    client, took, stop = Client(port), [], time.monotonic() + seconds
    await client.open()
    for number in itertools.count(1):
        data = message(f"plain-{time.time_ns()}")
        started = time.perf_counter()
        reply = await client.send(data)
        took.append((time.perf_counter() - started) * 1000)
        if not reply.startswith("250"):
            raise RuntimeError(reply)
        if time.monotonic() > stop:
            break
        if number % 500 == 0:  # the gateway takes 1,000 messages on a connection
            await client.close()
            await client.open()
    await client.close()
    return took


async def bombs(port: int, data: bytes, sender: int, stop: float) -> list[str]:
    """Send bombs until it is time to stop; each sender is one of his own, so that they take turns."""
    replies = []
    while time.time() < stop:
        client, name = Client(port, 300.0), f"{time.time_ns()}-{sender}"
        reply = await client.send(data.replace(NAME, name.encode()), sender=f"sender-{sender}@example.com")
        replies.append(reply[:3])
        await client.close()
    return replies


def send_bombs(port: int, kind: str, seconds: float, answer: Connection) -> None:
    """A process: say that the bomb is made, send it from all senders, and say what the replies were."""
    ending, make = KINDS[kind]
    data = with_attachments(NAME.decode(), (f"{NAME.decode()}.{ending}", make()))
    answer.send("made")

    async def story() -> list[list[str]]:
        stop = time.time() + seconds
        return await asyncio.gather(*(bombs(port, data, sender, stop) for sender in range(SENDERS)))

    answer.send(Counter(itertools.chain(*asyncio.run(story()))))


def next_hop(answer: Connection) -> None:
    """A process: take everything, remember nothing, until told to stop."""
    with Sink() as sink:
        sink.behave = lambda verb, _: "250 2.0.0 taken" if verb == "received" else None
        answer.send(sink.port)
        answer.recv()


def beside(port: int, kind: str, seconds: float) -> tuple[list[float], Counter[str]]:
    """Plain messages while bombs of a kind arrive, and what the bombs were answered."""
    ours, theirs = multiprocessing.Pipe()
    sender = multiprocessing.get_context("spawn").Process(target=send_bombs, args=(port, kind, seconds, theirs))
    sender.start()
    ours.recv()
    took, replies = asyncio.run(plain(port, seconds)), ours.recv()
    sender.join()
    return took, replies


def line(name: str, took: list[float], rest: str = "") -> str:
    """One row of the table."""
    cuts = statistics.quantiles(took, n=1000)
    middle, p99 = statistics.median(took), cuts[989]
    return f"{name:12} {len(took):7} {middle:8.2f} {p99:8.2f} {cuts[998]:8.2f} {max(took):8.2f}  {rest}"


def measure(kinds: Iterable[str], seconds: float) -> None:
    """Print a row for each kind of bomb, after one for none."""
    ours, theirs = multiprocessing.Pipe()
    sink = multiprocessing.get_context("spawn").Process(target=next_hop, args=(theirs,))
    sink.start()
    with tempfile.TemporaryDirectory() as folder:
        hop = f'[[tenant.default.next_hop]]\nhosts = ["127.0.0.1:{ours.recv()}"]'
        hop = f"[tenant.default]\nbuiltin_limits = false\n{hop}"
        with RunningGateway(Path(folder), sections=hop, workers=1) as gateway:
            heads = ("bombs", "plain", "median", "p99", "p99.9", "slowest")
            print("{:12} {:>7} {:>8} {:>8} {:>8} {:>8}  replies to bombs".format(*heads))
            asyncio.run(plain(gateway.port, 2))
            print(line("none", asyncio.run(plain(gateway.port, seconds))), flush=True)
            for kind in kinds:
                took, replies = beside(gateway.port, kind, seconds)
                print(line(kind, took, json.dumps(dict(replies))), flush=True)
    ours.send("stop")
    sink.join()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="for each kind of bomb (10)")
    parser.add_argument("--kinds", default=",".join(KINDS), help=f"any of {', '.join(KINDS)}")
    given = parser.parse_args()
    measure(given.kinds.split(","), given.seconds)


if __name__ == "__main__":
    main()
