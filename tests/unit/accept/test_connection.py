"""One connection: PROXY header and TLS in one segment, upgrades, and clients that do not fetch our last words."""

import asyncio
import contextlib
import select
import socket
import ssl

import pytest
import uvloop

from sekisho.accept import connection
from sekisho.accept.smtp import SmtpListener
from sekisho.config.settings import LimitSettings, ListenerSettings
from sekisho.mail.reply import Reply


async def take(_session, _envelope, _data):
    return Reply(250, "0.0", "Ok")


def serve(client, limits=None, **settings):
    """Run a listener on uvloop and the blocking function `client(address)` in a thread beside it."""

    async def run():
        listener = SmtpListener(
            ListenerSettings(name="test", address="127.0.0.1:0", **settings),
            limits or LimitSettings(),
            "mx.example",
            take,
        )
        server = await asyncio.get_running_loop().create_server(listener.protocol_factory, "127.0.0.1", 0)
        try:
            return await asyncio.to_thread(client, server.sockets[0].getsockname())
        finally:
            server.close()
            await asyncio.wait_for(listener.drain(), 10)
            assert (listener.usage.connections, listener.usage.memory, dict(listener.usage._clients)) == (0, 0, {})

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def client_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def lines(channel, count):
    """So many reply lines."""
    data = b""
    while data.count(b"\r\n") < count:
        more = channel.recv(65536)
        assert more, data
        data += more
    return data.decode().splitlines()


def test_proxy_header_and_client_hello_in_one_segment(certificate):
    def client(address):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_tls().wrap_bio(incoming, outgoing)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        with socket.create_connection(address, timeout=10) as plain:
            plain.sendall(b"PROXY TCP4 127.0.0.9 127.0.0.1 1 2\r\n" + outgoing.read())
            greeting = b""
            while not greeting:
                incoming.write(plain.recv(65536))
                try:
                    greeting = tls.read()
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
            return greeting

    settings = {"tls": "implicit", "certificate": str(certificate), "proxy_protocol_from": ("127.0.0.1",)}
    assert serve(client, **settings) == b"220 mx.example ESMTP Sekisho\r\n"


def test_a_hundred_upgrades(certificate):
    """The handshake may start before our 220 is read, and the first command may come with its last octets."""

    def client(address):
        for _ in range(100):
            with socket.create_connection(address, timeout=10) as plain:
                plain.sendall(b"EHLO client.example\r\n")
                lines(plain, 11)
                plain.sendall(b"STARTTLS\r\n")
                assert lines(plain, 1) == ["220 2.0.0 Ready to start TLS"]
                with client_tls().wrap_socket(plain) as channel:
                    channel.sendall(b"EHLO client.example\r\nQUIT\r\n")
                    assert lines(channel, 10)[-1] == "221 2.0.0 Goodbye"

    serve(client, tls="starttls", certificate=str(certificate))


def test_clear_text_injected_between_starttls_and_handshake_is_never_a_command(certificate):
    """RFC 3207 6. It comes after our 220, so TLS is given it and fails."""

    def client(address):
        with socket.create_connection(address, timeout=10) as plain:
            plain.sendall(b"EHLO client.example\r\n")
            lines(plain, 11)
            plain.sendall(b"STARTTLS\r\n")
            lines(plain, 1)
            plain.sendall(b"MAIL FROM:<injected@b.example>\r\n")
            heard = b""
            while data := plain.recv(65536):
                heard += data
            return heard

    heard = serve(client, tls="starttls", certificate=str(certificate))
    assert heard[:1] in (b"", b"\x15")  # nothing, or a TLS alert


def test_a_slow_handshake_is_cut_off(certificate):
    def client(address):
        with socket.create_connection(address, timeout=10) as plain:
            plain.sendall(b"\x16\x03\x01")
            return plain.recv(100)

    limits = LimitSettings(tls_handshake_seconds=0.05)
    assert serve(client, limits, tls="implicit", certificate=str(certificate)) == b""


def test_a_client_that_does_not_fetch_our_last_words_is_cut_off(monkeypatch):
    monkeypatch.setattr(connection, "_LINGER_SECONDS", 0.05)

    def client(address):
        with socket.create_connection(address, timeout=0.2) as plain:
            with contextlib.suppress(TimeoutError):
                while True:
                    plain.sendall(b"HELP\r\n" * 10_000)
            poll = select.poll()
            poll.register(plain, 0)  # only that the other side is gone; nothing is read
            return poll.poll(10_000)

    limits = LimitSettings(greeting_seconds=1, commands_per_connection=10**9)
    [(_, event)] = serve(client, limits)
    assert event & select.POLLHUP


def test_xclient_moves_the_count_to_the_named_client():
    def client(address):
        first = socket.create_connection(address, timeout=10)
        second = socket.create_connection(address, timeout=10)
        third = socket.create_connection(address, timeout=10)
        with first, second, third:
            assert [lines(channel, 1)[0][:3] for channel in (first, second, third)] == ["220", "220", "421"]
            for channel in (first, second):
                channel.sendall(b"XCLIENT ADDR=127.0.0.7\r\n")
                assert lines(channel, 1)[0][:3] == "220"
            with socket.create_connection(address, timeout=10) as fourth:
                assert lines(fourth, 1)[0][:3] == "220"
                fourth.sendall(b"XCLIENT ADDR=127.0.0.7\r\n")
                assert lines(fourth, 1)[0][:9] == "421 4.7.0"
                return fourth.recv(100)

    assert serve(client, LimitSettings(connections_per_ip=2), xclient_from=("127.0.0.1",)) == b""
