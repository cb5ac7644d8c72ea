"""The listener on a real socket: answers, failures, reload, drain, and clients that go away."""

import asyncio
import contextlib
import logging

import pytest
import uvloop

from sekisho.accept.smtp import SmtpListener
from sekisho.accept.usage import Usage
from sekisho.config.settings import LimitSettings, ListenerSettings
from sekisho.mail.reply import STORE_AWAY, Reply, ReplyError

OK = Reply(250, "0.0", "Ok")
HELO = b"HELO client.example\r\n"
MAIL = b"MAIL FROM:<a@b.example>\r\n"
RCPT = b"RCPT TO:<c@d.example>\r\n"
MESSAGE = MAIL + RCPT + b"DATA\r\nx: y\r\n.\r\n"


def run(test):
    """Run a coroutine function on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(test())


class Client:
    """A client that reads reply lines."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, data):
        self.writer.write(data)

    async def line(self):
        return (await asyncio.wait_for(self.reader.readline(), 10)).decode().rstrip("\r\n")

    async def lines(self, count):
        return [await self.line() for _ in range(count)]

    async def closed(self):
        return await asyncio.wait_for(self.reader.read(), 10) == b""

    def abort(self):
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def listening(listener):
    """The listener on a loopback port; yields a coroutine function that connects to it."""
    server = await asyncio.get_running_loop().create_server(listener.protocol_factory, "127.0.0.1", 0)
    clients = []

    async def connect():
        client = Client(*await asyncio.open_connection(*server.sockets[0].getsockname()))
        clients.append(client)
        return client

    try:
        yield connect
    finally:
        server.close()
        for client in clients:
            client.abort()
        await asyncio.wait_for(listener.drain(), 10)
        assert (listener.connections, listener.usage.memory) == (0, 0)


async def take(_session, _envelope, _data):
    return OK


def make(receive=take, limits=None, **more):
    settings = ListenerSettings(name="test", address="127.0.0.1:0", **more.pop("listener", {}))
    return SmtpListener(settings, limits or LimitSettings(), "mx.example", receive, **more)


async def greeted(connect):
    client = await connect()
    client.send(HELO)
    assert await client.lines(2) == ["220 mx.example ESMTP Sekisho", "250 mx.example"]
    return client


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (ReplyError(STORE_AWAY, "disk full at /secret"), str(STORE_AWAY)),
        (RuntimeError("password is hunter2"), "451 4.3.0 Temporary failure, please try again later"),
        (ReplyError(Reply(550, "7.1", "No")), "550 5.7.1 No"),
    ],
)
def test_failures_become_replies_and_say_nothing_more(failure, answer, caplog):
    async def receive(_session, _envelope, _data):
        raise failure

    async def test():
        async with listening(make(receive)) as connect:
            client = await greeted(connect)
            client.send(MESSAGE)
            assert (await client.lines(4))[3] == answer
            client.send(b"NOOP\r\n")
            assert await client.line() == "250 2.0.0 Ok"

    caplog.set_level(logging.INFO, "sekisho")
    run(test)
    traced = [record for record in caplog.records if record.exc_info]
    assert bool(traced) == isinstance(failure, RuntimeError)


def test_a_failing_tenant_function_is_451_too(caplog):
    def tenant(_ip, _settings):
        raise KeyError("tenant")

    async def test():
        async with listening(make(session_tenant=tenant)) as connect:
            client = await greeted(connect)
            client.send(MESSAGE)
            assert (await client.lines(4))[3].startswith("451 4.3.0 ")

    run(test)
    assert "KeyError" in caplog.text


def test_the_session_and_its_tenant():
    seen = []

    async def receive(session, _envelope, data):
        seen.append((session, data))
        return OK

    async def test():
        listener = make(receive, session_tenant=lambda ip, settings: f"{settings.name} of {ip}")
        async with listening(listener) as connect:
            client = await greeted(connect)
            client.send(MESSAGE * 2)
            await client.lines(8)

    run(test)
    (first, data), (second, _) = seen
    assert first == second
    assert (first.client_ip, first.helo, first.tenant, data) == (
        "127.0.0.1",
        "client.example",
        "test of 127.0.0.1",
        b"x: y\r\n",
    )


def test_refuse_is_asked_at_mail():
    away = []

    async def test():
        async with listening(make(refuse=lambda: away[0] if away else None)) as connect:
            client = await greeted(connect)
            away.append(STORE_AWAY)
            client.send(MAIL)
            assert await client.line() == str(STORE_AWAY)
            away.clear()
            client.send(MAIL)
            assert await client.line() == "250 2.1.0 Sender ok"

    run(test)


def test_a_client_that_goes_away_does_not_stop_its_message():
    async def test():
        begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def receive(_session, _envelope, _data):
            begun.set()
            await go_on.wait()
            done.set()
            return OK

        listener = make(receive)
        async with listening(listener) as connect:
            client = await greeted(connect)
            client.send(MESSAGE)
            await begun.wait()
            assert listener.usage.memory == len(b"x: y\r\n")
            client.abort()
            drained = listener.drain()
            assert not drained.done()
            go_on.set()
            await asyncio.wait_for(drained, 10)
            assert done.is_set()

    run(test)


def test_a_client_that_shuts_its_side_still_gets_the_answer():
    async def test():
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def receive(_session, _envelope, _data):
            begun.set()
            await go_on.wait()
            return OK

        async with listening(make(receive)) as connect:
            client = await greeted(connect)
            client.send(MESSAGE)
            client.writer.write_eof()
            await begun.wait()
            go_on.set()
            assert (await client.lines(4))[3] == "250 2.0.0 Ok"
            assert await client.closed()

    run(test)


def test_reading_stops_while_an_answer_is_due():
    async def test():
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def receive(_session, _envelope, _data):
            begun.set()
            await go_on.wait()
            return OK

        listener = make(receive, LimitSettings(commands_per_connection=10**9))
        async with listening(listener) as connect:
            client = await greeted(connect)
            client.send(MESSAGE)
            await begun.wait()
            client.send(b"NOOP\r\n" * 1_000_000)
            connection = next(iter(listener._connections))
            while not connection._channel._paused:
                await asyncio.sleep(0)
            assert len(connection._server._buffer) < 1_000_000
            go_on.set()
            assert (await client.lines(4))[3] == "250 2.0.0 Ok"
            assert set(await client.lines(1000)) == {"250 2.0.0 Ok"}

    run(test)


def test_replies_that_nobody_fetches_stop_reading():
    async def test():
        listener = make(limits=LimitSettings(commands_per_connection=10**9))
        async with listening(listener) as connect:
            client = await greeted(connect)
            client.writer.transport.pause_reading()
            client.send(b"HELP\r\n" * 200_000)
            connection = next(iter(listener._connections))
            while not connection._writing_paused:
                await asyncio.sleep(0)
            assert connection._channel.transport.get_write_buffer_size() < 1_000_000
            client.writer.transport.resume_reading()
            lines = await client.lines(400_000)
            assert len([line for line in lines if line.startswith("214 ")]) == 200_000

    run(test)


def test_drain_says_421_to_the_idle_and_lets_messages_end():
    async def test():
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def receive(_session, _envelope, _data):
            begun.set()
            await go_on.wait()
            return OK

        listener = make(receive)
        async with listening(listener) as connect:
            idle, busy, talking = [await greeted(connect) for _ in range(3)]
            busy.send(MESSAGE)
            await begun.wait()
            talking.send(MAIL)
            await talking.line()
            drained = listener.drain()
            assert await idle.line() == "421 4.3.2 Shutting down, please try again later"
            assert await idle.closed()
            go_on.set()
            assert (await busy.lines(5))[3:] == ["250 2.0.0 Ok", "421 4.3.2 Shutting down, please try again later"]
            talking.send(RCPT + b"DATA\r\n.\r\n" + MAIL)
            assert [line[:3] for line in await talking.lines(4)] == ["250", "354", "250", "421"]
            late = await connect()
            assert await late.line() == "421 4.3.2 Shutting down, please try again later"
            await asyncio.wait_for(drained, 10)

    run(test)


def test_close_ends_what_is_left():
    async def test():
        listener = make()
        async with listening(listener) as connect:
            client = await greeted(connect)
            client.send(MAIL)
            await client.line()
            listener.close()
            assert (await client.line())[:9] == "421 4.3.2"
            assert await client.closed()

    run(test)


def test_new_settings_hold_from_the_next_transaction():
    async def test():
        listener = make()
        async with listening(listener) as connect:
            client = await greeted(connect)
            client.send(MAIL)
            await client.line()
            listener.update(listener.settings, LimitSettings(recipients_per_message=1))
            client.send(RCPT * 2 + b"RSET\r\n")
            assert [line[:3] for line in await client.lines(3)] == ["250", "250", "250"]
            client.send(MAIL + RCPT * 2)
            assert [line[:3] for line in await client.lines(3)] == ["250", "250", "452"]

    run(test)


def test_settings_that_cannot_be_used_change_nothing():
    listener = run(lambda: asyncio.sleep(0, make()))
    before = listener.settings
    for wrong in ({"networks": ("nonsense",)}, {"tls": "starttls", "certificate": "/nowhere.pem"}):
        with pytest.raises((OSError, ValueError)):
            listener.update(ListenerSettings(name="test", address="127.0.0.1:0", **wrong), LimitSettings())
        assert listener.settings is before


def test_connections_per_ip_over_all_listeners_of_a_process():
    async def test():
        usage = Usage()
        limits = LimitSettings(connections_per_ip=1)
        async with listening(make(limits=limits, usage=usage)) as one:
            first = await greeted(one)
            async with listening(make(limits=limits, usage=usage)) as other:
                second = await other()
                assert (await second.line())[:9] == "421 4.7.0"
                assert await second.closed()
            first.send(b"QUIT\r\n")
            await first.line()
            assert await first.closed()
            await greeted(one)

    run(test)


def test_metrics_are_told():
    told = []

    class Recorder:
        def __getattr__(self, name):
            return lambda *values: told.append((name, *values))

    async def test():
        async with listening(make(metrics=Recorder())) as connect:
            client = await greeted(connect)
            client.send(MESSAGE + b"QUIT\r\n")
            await client.lines(5)
            assert await client.closed()

    run(test)
    assert [call[0] for call in told] == ["connection_opened", "message_answered", "connection_closed"]
    assert told[1][1:4] == ("test", 6, OK)


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [(b"a\nb\r\n", "550 5.6.11"), (b"\0\r\n", "550 5.6.11"), (b"x" * 5_000 + b"\r\n", "552 5.3.4")],
)
def test_a_large_message_is_checked_in_a_thread_and_answered_alike(wrong, answer):
    """Nothing of a refused one is handed on, and the connection takes the next."""
    received = []

    async def receive(_session, envelope, data):
        received.append((envelope.rcpt_to, data))
        return OK

    async def test():
        async with listening(make(receive, LimitSettings(text_line_bytes=4_000))) as connect:
            small, large = await greeted(connect), await greeted(connect)
            text = b"x: y\r\n\r\n" + b"..line\r\n" * 50_000
            replies = []
            for client, body in ((small, wrong), (large, text + wrong), (large, text)):
                client.send(MAIL + RCPT + b"DATA\r\n")
                await client.lines(3)
                client.send(body + b".\r\n")
                replies.append(await client.line())
            return replies

    first, second, last = run(test)
    assert first == second
    assert first.startswith(answer)
    assert last == str(OK)
    assert received == [(("c@d.example",), b"x: y\r\n\r\n" + b".line\r\n" * 50_000)]


def test_a_large_message_of_a_client_that_has_gone_is_handed_on():
    async def test():
        taken = asyncio.get_running_loop().create_future()

        async def receive(_session, _envelope, data):
            taken.set_result(len(data))
            return OK

        async with listening(make(receive)) as connect:
            client = await greeted(connect)
            client.send(MAIL + RCPT + b"DATA\r\n")
            await client.lines(3)
            client.send(b"x: y\r\n\r\n" + b"1234567\r\n" * 111_111 + b"1\r\n.\r\nQUIT\r\n")
            await client.writer.drain()
            client.writer.close()
            assert await asyncio.wait_for(taken, 10) == 1_000_010

    run(test)
