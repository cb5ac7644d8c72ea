"""A mail server as client: sends over one connection, and sends again what got no 250."""

import asyncio
import contextlib


def message(identity, body="hello\r\n", *, sender="hanako@example.com", to="taro@example.net", headers=""):
    return (
        f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {identity}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0900\r\n"
        f"Message-ID: <{identity}@example.com>\r\nX-Test-Id: {identity}\r\n{headers}"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    ).encode()


class Client:
    """`port` of the gateway. OSError, IncompleteReadError or TimeoutError: the other side is gone."""

    def __init__(self, port, seconds=60.0):
        self._port = port
        self._seconds = seconds
        self._reader = self._writer = None

    async def reply(self):
        lines = []
        while True:
            line = await asyncio.wait_for(self._reader.readuntil(b"\n"), self._seconds)
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if line[3:4] != b"-":
                return lines

    async def say(self, line):
        self._writer.write(line.encode() + b"\r\n")
        return await self.reply()

    async def open(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        greeting = await self.reply()
        await self.say("EHLO client.example.com")
        return greeting

    async def send(self, data, sender="hanako@example.com", recipients=("taro@example.net",)):
        """One message; returns the reply that decided."""
        if self._writer is None or self._writer.is_closing():
            await self.open()
        for line in (f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{r}>" for r in recipients), "DATA"):
            answer = (await self.say(line))[-1]
            if answer[0] not in "23":
                await self.say("RSET")
                return answer
        self._writer.write(data.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return (await self.reply())[-1]

    async def close(self):
        if self._writer:
            with contextlib.suppress(Exception):
                self._writer.close()
                await self._writer.wait_closed()
        self._reader = self._writer = None

    async def send_until_taken(self, data, deadline, **envelope):
        """Send until 250, as a mail server does. Returns the number of attempts; raises on 5xx or too late."""
        attempts = 0
        while asyncio.get_running_loop().time() < deadline:
            attempts += 1
            try:
                answer = await self.send(data, **envelope)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                await self.close()
                await asyncio.sleep(0.1)
                continue
            if answer.startswith("2"):
                return attempts
            assert not answer.startswith("5"), answer
            await asyncio.sleep(0.2)
        raise AssertionError("the gateway took no message in time")


def send(port, data, **envelope):
    """One message over a connection of its own; returns the reply."""

    async def once():
        client = Client(port)
        try:
            return await client.send(data, **envelope)
        finally:
            await client.close()

    return asyncio.run(once())
