"""A next hop that answers as it is told, for the tests of the relay."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HANG, CLOSE, DRIP = object(), object(), object()


class Peer:
    """One SMTP server on a loopback port. `answers` maps a verb (or "GREETING", "BODY") to a reply in bytes, HANG,
    CLOSE, DRIP (a byte now and then), or a list of those: one for each time, the last one from then on. A pair is a
    reply and what to do then.
    """

    def __init__(self, extensions=(), context=None, implicit=None, address="127.0.0.1", **answers):
        self.extensions = extensions
        self.context = context
        self.implicit = implicit
        self.answers = {verb: answer if isinstance(answer, list) else [answer] for verb, answer in answers.items()}
        self.address = address
        self.connections = 0
        self.commands = []
        self.messages = []
        self.port = 0
        self._news = asyncio.Event()
        self._writers = set()
        self._tasks = set()

    async def heard(self, verb):
        """Wait until a client has said it."""
        while verb not in self.verbs():
            self._news.clear()
            await self._news.wait()

    @property
    def host(self):
        return f"{self.address}:{self.port}"

    def verbs(self):
        return [line.split(maxsplit=1)[0].upper().decode() for line in self.commands]

    async def __aenter__(self):
        self._server = await asyncio.start_server(
            self._serve, self.address, self.port, ssl=self.implicit, limit=2**24
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.drop_all()

    def drop_all(self):
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, EOFError):
                await self._dialog(reader, writer)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    def _answer(self, verb):
        usual = {
            "GREETING": b"220 peer.test ESMTP\r\n",
            "EHLO": "".join(f"250-{word}\r\n" for word in ("peer.test", *self.extensions)).encode() + b"250 OK\r\n",
            "DATA": b"354 Go on\r\n",
            "BODY": b"250 2.0.0 Taken\r\n",
            "QUIT": (b"221 2.0.0 Bye\r\n", CLOSE),
            "STARTTLS": b"220 2.0.0 Go on\r\n",
        }
        told = self.answers.get(verb)
        if not told:
            return usual.get(verb, b"250 2.0.0 OK\r\n")
        return told.pop(0) if len(told) > 1 else told[0]

    async def _say(self, writer, verb):
        answer = self._answer(verb)
        answer, then = answer if isinstance(answer, tuple) else (answer, None)
        for step in (answer, then):
            if step is HANG:
                await asyncio.get_running_loop().create_future()
            while step is DRIP and not writer.transport.is_closing():
                writer.write(b"x")
                await asyncio.sleep(0.01)  # a slow server is slow
            if step is CLOSE:
                raise EOFError
            if isinstance(step, bytes):
                writer.write(step)
        return answer

    async def _dialog(self, reader, writer):
        await self._say(writer, "GREETING")
        mail, rcpts = b"", []
        while line := await reader.readline():
            self.commands.append(line.rstrip(b"\r\n"))
            self._news.set()
            verb = line.split(maxsplit=1)[0].upper().decode()
            if verb == "BDAT":
                body = await reader.readexactly(int(line.split()[1]))
                reply = await self._say(writer, "BODY")
            else:
                reply = await self._say(writer, verb)
            if verb == "MAIL":
                mail, rcpts = line, []
            if verb == "RCPT" and reply[:1] == b"2":
                rcpts.append(line[line.index(b"<") + 1 : line.index(b">")].decode())
            if verb == "STARTTLS" and reply[:3] == b"220":
                await writer.start_tls(self.context)
            if verb == "DATA" and reply[:3] == b"354":
                body = await self._body(reader)
                reply = await self._say(writer, "BODY")
            if verb in ("BDAT", "DATA") and reply[:1] == b"2":
                self.messages.append((mail.decode().strip(), rcpts, body))

    async def _body(self, reader):
        lines = []
        while (line := await reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)


@pytest.fixture
def peer():
    """The class `Peer`, with HANG, CLOSE and DRIP as attributes."""
    Peer.HANG, Peer.CLOSE, Peer.DRIP = HANG, CLOSE, DRIP
    return Peer


@pytest.fixture
def run():
    """Run a coroutine on uvloop, as the daemon does, with a deadline."""

    async def bounded(main):
        async with asyncio.timeout(30):
            return await main

    return lambda main: uvloop.run(bounded(main))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for localhost and 127.0.0.1 (PEM file), and a server context that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    alternatives = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem, key_pem = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    return pem, context
