"""Virus scanners of our own on a loopback port, well-behaved or not: what the real ones do only when they are ill."""

import asyncio
import contextlib


class Engine:
    """A server inside the test's event loop. It counts `connections` and keeps what it was given in `scanned`."""

    def __init__(self):
        self.connections = self.open = self.most_open = 0
        self.scanned = []
        self.port = 0
        self._server = None
        self._tasks = set()

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def start(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader, writer):
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self.serve(reader, writer)
        except asyncio.CancelledError:  # the server stops, as in a crash
            writer.transport.abort()
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()


class FakeClamd(Engine):
    """Speaks clamd's sessions. `answer(content)` gives the reply, None to say nothing, b"" to close.

    `pieces` sends replies octet by octet.
    """

    def __init__(self, answer=lambda content: b"stream: OK", *, version=b"ClamAV 9/1", pieces=False):
        super().__init__()
        self.answer, self.version, self._pieces = answer, version, pieces
        self.versions = 0

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    async def serve(self, reader, writer):
        assert await reader.readuntil(b"\0") == b"zIDSESSION\0"
        number = 0
        while command := await reader.readuntil(b"\0"):
            number += 1
            if command == b"zVERSION\0":
                self.versions += 1
                reply = self.version
            else:
                assert command == b"zINSTREAM\0"
                reply = self.answer(await self._stream(reader))
                reply = await reply if asyncio.iscoroutine(reply) else reply
            if reply == b"":
                return
            if reply is not None:
                await self._say(writer, b"%d: %s\0" % (number, reply))

    async def _stream(self, reader):
        content = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(size)
        self.scanned.append(content)
        return content

    async def _say(self, writer, octets):
        for start in range(0, len(octets), 1 if self._pieces else len(octets)):
            writer.write(octets[start : start + (1 if self._pieces else len(octets))])
            await writer.drain()
            await asyncio.sleep(0)


class IcapServer(Engine):
    """Speaks ICAP as RFC 3507 has it. `answer(content)` gives the response's octets, None to say nothing.

    `options` are more fields of the answer to OPTIONS; `wants_rest(preview)` whether a preview needs 100 Continue.
    """

    def __init__(self, answer, *, options="", wants_rest=lambda preview: True, istag="one"):
        super().__init__()
        self.answer, self.options, self.wants_rest, self.istag = answer, options, wants_rest, istag
        self.requests = []

    @property
    def address(self):
        return f"icap://127.0.0.1:{self.port}/avscan"

    async def serve(self, reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode().strip().split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            assert first.endswith(f" icap://127.0.0.1:{self.port}/avscan ICAP/1.0")
            assert fields["host"] == f"127.0.0.1:{self.port}"
            self.requests.append(first.split()[0])
            if first.startswith("OPTIONS "):
                response = (
                    f'ICAP/1.0 200 OK\r\nService: Test\r\nISTag: "{self.istag}"\r\n{self.options}'
                    "Encapsulated: null-body=0\r\n\r\n"
                ).encode()
            else:
                response = self.answer(await self._content(fields, reader, writer))
            if response is None:
                continue
            writer.write(response)
            await writer.drain()
            if b"Connection: close" in response:
                return

    async def _content(self, fields, reader, writer):
        """Offsets say where the HTTP header ends; a preview ends in `0; ieof`, or in `0` where more follows."""
        assert fields["allow"] == "204"
        kind, _, length = fields["encapsulated"].rpartition(" ")[2].partition("=")
        assert kind in ("res-body", "req-body")
        wrapped = await reader.readexactly(int(length))
        assert wrapped.endswith(b"\r\n\r\n")
        content, ieof = await self._chunks(reader)
        if "preview" in fields:
            assert len(content) == int(fields["preview"])
            if not ieof and self.wants_rest(content):
                writer.write(b"ICAP/1.0 100 Continue\r\n\r\n")
                more, _ = await self._chunks(reader)
                content += more
        self.scanned.append(content)
        return content

    @staticmethod
    async def _chunks(reader):
        content = b""
        while (line := (await reader.readuntil(b"\r\n")).strip()) not in (b"0", b"0; ieof"):
            content += await reader.readexactly(int(line, 16))
            assert await reader.readexactly(2) == b"\r\n"
        assert await reader.readexactly(2) == b"\r\n"
        return content, b"ieof" in line


def modified(content, *, status="403 Forbidden", fields=""):
    """An ICAP response that carries another HTTP response, or the same one."""
    http = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n\r\n"
    head = f'ICAP/1.0 200 OK\r\nISTag: "one"\r\n{fields}Encapsulated: res-hdr=0, res-body={len(http)}\r\n\r\n'
    chunks = b"%x\r\n%s\r\n" % (len(content), content) if content else b""
    return head.encode() + http.encode() + chunks + b"0\r\n\r\n"


NO_CONTENT = b'ICAP/1.0 204 No Content\r\nISTag: "one"\r\n\r\n'
