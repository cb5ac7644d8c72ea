"""A client of clamd: stored files by INSTREAM, each on a connection of its own as clamdscan does it. One core.

    python scan.py FILES.bin SOCKET --connections 4 --count 30 --output FILE

Writes one JSON object, like load.py: [octets, seconds, code] for each file, 250 for clean, 554 for a threat.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from load import Results, measured

CHUNK = 65_536
CODES = {b"stream: OK\0": 250}


def framed(content: bytes) -> bytes:
    """The command and the content in chunks, each after its length; a length of 0 ends it (clamd(8))."""
    chunks = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]
    return b"zINSTREAM\0" + b"".join(struct.pack(">I", len(chunk)) + chunk for chunk in [*chunks, b""])


class Run(Results):
    """What all connections share."""

    def __init__(self, index: list[list[int]], data: bytes, path: str) -> None:
        super().__init__()
        self.todo: Iterator[list[int]] = iter(index)
        self.data = data
        self.path = path

    async def work(self) -> None:
        """One file after the other until the set is used up."""
        for offset, size in self.todo:
            started = time.monotonic()
            reply = await self._scanned(self.data[offset : offset + size])
            code = CODES.get(reply, 554 if reply.endswith(b" FOUND\0") else 451)
            self.results.append((size, time.monotonic() - started, code))
            if code == 451:
                self.errors.append(reply.decode("ascii", "replace"))

    async def _scanned(self, content: bytes) -> bytes:
        try:
            reader, writer = await asyncio.open_unix_connection(self.path)
            writer.write(framed(content))
            await writer.drain()
            reply = await reader.read()
            writer.close()
        except OSError as error:
            return str(error).encode()
        return reply


def main() -> None:
    """Read the arguments, send, write the JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", type=Path)
    parser.add_argument("socket")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--count", type=int, default=10**9)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    index = json.loads(args.files.with_suffix(".json").read_text())[: args.count]
    run = Run(index, args.files.read_bytes(), args.socket)
    measured(run, run.work, args.connections, args.output)


if __name__ == "__main__":
    main()
