"""Beside a message of 20 MB the event loop has its turns: what takes long is done elsewhere, and in pieces.

Counted in CPU time of the loop's own thread, so that a busy machine changes nothing.
"""

import asyncio
import gc
import random
import socket
import threading
import time
from base64 import encodebytes
from concurrent.futures import ThreadPoolExecutor

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.sink import Sink

from sekisho.accept.smtp import SmtpListener
from sekisho.act.relay import SmtpRelay
from sekisho.act.sending import prepare
from sekisho.act.sign import Signer
from sekisho.config.settings import LimitSettings, ListenerSettings, NextHopSettings
from sekisho.gateway import Checks, Tenant
from sekisho.inspect.attachments import Attachments, Results
from sekisho.mail.opened import OpenLimits
from sekisho.mailauth.dkim import DkimKey
from sekisho.sandbox import Sandbox, SandboxLimits

OCTETS = 20_000_000
LONGEST_SECONDS = 0.02  # to check 27 MB takes three times that, to decode them four times
KEY = DkimKey("example.com", "s", generate_private_key(65537, 2048))
PREFIX = b"From: <a@example.com>\r\nTo: <b@example.net>\r\nMIME-Version: 1.0\r\n"


def attached(octets):
    """A message with a line that begins with a dot, so that it is stuffed, and an attachment."""
    return b"".join((
        PREFIX, b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n.\r\n..dots\r\n--b\r\n",
        b"Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        encodebytes(octets).replace(b"\n", b"\r\n"), b"--b--\r\n",
    ))  # fmt: skip


class Passing:
    """What a message passes through: the parser, attachments, the signature, the next hop."""

    def __init__(self, port):
        self.sandbox = Sandbox("sekisho.parse.unpack.job:prepare", b"", SandboxLimits(), 1)
        opener = Attachments(self.sandbox, OpenLimits(), {}, None, Results(1_000_000))
        self.checks = Checks({"default": Tenant(None, frozenset())}, opener, (), (), 1.0, 262_144)
        self.relay = SmtpRelay(NextHopSettings(hosts=(f"127.0.0.1:{port}",)), "gate.example.com")

    async def receive(self, session, envelope, data):
        transaction = await self.checks.take(session, envelope, data)
        await self.checks.inspect(transaction)
        signed = await prepare(transaction, envelope, (), Signer([KEY]), "gate.example.com")
        return (await self.relay.send(envelope, signed)).replies[0]

    async def close(self):
        await self.relay.close()
        await self.checks.opener.close()


def said(address, data):
    """A client, in a thread: sends a message and returns the reply to it."""
    with socket.create_connection(address) as client, client.makefile("rb") as replies:
        replies.readline()
        for line in (b"HELO a", b"MAIL FROM:<a@example.com>", b"RCPT TO:<b@example.net>", b"DATA"):
            client.sendall(line + b"\r\n")
            replies.readline()
        client.sendall(data.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return replies.readline()


async def passed(port, data):
    """The reply to a message that passes through, and the longest turn of the loop meanwhile."""
    passing = Passing(port)
    listener = SmtpListener(
        ListenerSettings(name="test", address="127.0.0.1:0"), LimitSettings(), "mx.example", passing.receive
    )
    loop = asyncio.get_running_loop()
    server = await loop.create_server(listener.protocol_factory, "127.0.0.1", 0)
    with ThreadPoolExecutor(1) as client, pytest.MonkeyPatch.context() as patch:
        await passing.sandbox.start()
        await loop.run_in_executor(client, said, server.sockets[0].getsockname(), attached(b"first"))
        gc.collect()
        gc.disable()  # what it takes depends on what other tests have left
        turns = watched(patch)
        try:
            reply = await loop.run_in_executor(client, said, server.sockets[0].getsockname(), data)
        finally:
            gc.enable()
    server.close()
    await listener.drain()
    await passing.close()
    return reply, turns


def watched(patch):
    """CPU seconds of each turn of this thread's loop, and whose it was, from now on."""
    run, ours, turns = asyncio.Handle._run, threading.get_ident(), []

    def timed(handle):
        started = time.thread_time()
        run(handle)
        if threading.get_ident() == ours:
            turns.append((time.thread_time() - started, repr(handle)))

    patch.setattr(asyncio.Handle, "_run", timed)
    return turns


def test_the_event_loop_is_not_held_by_a_large_message():
    data = attached(random.Random(6).randbytes(OCTETS))
    with Sink() as sink:
        reply, turns = asyncio.run(passed(sink.port, data))
        _, received = sink.received[-1]
    assert reply.startswith(b"250")
    assert received.endswith(data)
    public = KEY.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])
    assert dkim.verify(received, dnsfunc=lambda *_, **__: record)
    assert max(turns)[0] < LONGEST_SECONDS, sorted(turns)[-5:]
