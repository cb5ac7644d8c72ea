"""A next hop in a thread: takes mail, remembers it, and fails in the ways a test asks for.

It remembers a message before it answers, as a real server does: what it has said 250 to, it has.
"""

import asyncio
import contextlib
import re
import socket
import threading
from collections import Counter

from support.gateway import free_port

IDENTITY = re.compile(rb"^X-Test-Id: (\S+)\r$", re.MULTILINE)


class Sink:
    """`received`: bytes of every message; `seen` counts (test id, recipient). `behave` is asked before each reply."""

    def __init__(self, port=None, extensions=("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 104857600")):
        self.port = port or free_port()
        self.extensions = extensions
        self.received = []
        self.seen = Counter()
        self.paths = []  # every MAIL and RCPT command, as it came
        self.behave = lambda verb, argument: None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listening = None
        self._writers = set()
        self._making = set()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def start(self):
        self._run(self._start())

    async def _start(self):
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=200)
        self._listening.setblocking(False)  # noqa: FBT003 - its only form
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self):
        """Take a connection at once. asyncio's own ways lose one that comes while they are being stopped."""
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=2**26), self._serve)
        making = self._loop.create_task(self._loop.connect_accepted_socket(lambda: protocol, connection))
        self._making.add(making)
        making.add_done_callback(self._making.discard)

    def stop(self):
        """Stop listening and cut every connection, as a crash would."""
        self._run(self._stop())

    async def _stop(self):
        if self._listening:
            self._loop.remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        quiet = 0
        while quiet < 2:  # between a connection made and its `_serve` there are a few turns of the loop
            if self._making:
                await asyncio.wait(self._making)
            for writer in list(self._writers):
                writer.transport.abort()
            await asyncio.sleep(0.01)
            quiet = 0 if self._making or self._writers else quiet + 1

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        try:
            await self._dialog(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._writers.discard(writer)

    async def _dialog(self, reader, writer):
        async def say(verb, argument, default):
            reply = self.behave(verb, argument) or default
            if reply == "drop":
                writer.transport.abort()
                raise OSError
            writer.write(reply.encode() + b"\r\n")
            await writer.drain()
            return reply

        await say("connect", "", "220 sink.example ESMTP")
        recipients = []
        while line := await reader.readline():
            verb = line.split(b" ", 1)[0].strip().upper().decode("ascii", "replace")
            argument = line.decode("utf-8", "replace").strip()
            if verb in ("MAIL", "RCPT"):
                self.paths.append(argument)
            if verb == "EHLO":
                lines = ["sink.example", *self.extensions]
                await say(verb, argument, "\r\n".join(f"250{' ' if x is lines[-1] else '-'}{x}" for x in lines))
            elif verb == "RCPT":
                address = argument[argument.index("<") + 1 : argument.index(">")]
                if (await say(verb, address, "250 2.1.5 ok")).startswith("2"):
                    recipients.append(address)
            elif verb == "DATA":
                if not recipients:
                    await say(verb, argument, "503 5.5.1 no recipients")
                elif (await say(verb, argument, "354 go on")).startswith("354"):
                    await self._take(reader, say, recipients)
                recipients = []
            elif verb == "QUIT":
                await say(verb, argument, "221 2.0.0 bye")
                return
            else:
                recipients = [] if verb in ("MAIL", "RSET", "HELO") else recipients
                await say(verb, argument, "250 2.0.0 ok")

    async def _take(self, reader, say, recipients):
        data = await reader.readuntil(b"\r\n.\r\n")
        identity = IDENTITY.search(data)
        name = identity[1].decode() if identity else ""
        reply = self.behave("received", name)
        if reply is None or reply == "drop":
            self.received.append((tuple(recipients), data[:-3].replace(b"\r\n..", b"\r\n.")))
            self.seen.update((name, recipient) for recipient in recipients)
        await say("answer", name, reply or "250 2.0.0 taken")
