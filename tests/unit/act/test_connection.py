"""One connection; the dialogs are in test_relay.py and, without I/O, in wire/test_smtp_client.py."""

import asyncio

import pytest

from sekisho.act import connection as module
from sekisho.act.connection import Connection
from sekisho.config.settings import NextHopSettings
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.wire.client_events import ClientOptions, Failed, Finished, Ready, State

ENVELOPE = Envelope("a@example.com", (Recipient("b@example.net"), Recipient("c@example.net")))
SETTINGS = NextHopSettings(command_seconds=5, data_seconds=300)


async def connect(hop, settings=SETTINGS):
    """An opened connection and a future that is done once it is closed."""
    closed = asyncio.get_running_loop().create_future()
    made = Connection(ClientOptions("gw", tls="off"), settings, closed.set_result)
    await asyncio.get_running_loop().create_connection(lambda: made, hop.address, hop.port)
    assert await made.opened(None, "") == Ready()
    return made, closed


@pytest.mark.parametrize("start", [asyncio.run, None])
def test_on_both_event_loops(run, peer, start):
    async def main():
        async with peer(("PIPELINING",)) as hop:
            made, closed = await connect(hop)
            event = await made.transact(ENVELOPE, b"x\r\n")
            made.quit()
            assert await closed is made
            return event, made.transactions

    event, transactions = (start or run)(main())
    assert isinstance(event, Finished)
    assert event.taken
    assert transactions == 1


def test_a_server_without_a_goodbye_does_not_keep_us(run, peer, monkeypatch):
    monkeypatch.setattr(module, "GOODBYE_SECONDS", 0.05)

    async def main():
        async with peer(QUIT=peer.HANG) as hop:
            made, closed = await connect(hop)
            made.quit()
            assert not made.usable
            await closed
            return made.closed

    assert run(main())


def test_a_connection_that_is_gone_says_so_for_each_recipient(run, peer):
    async def main():
        async with peer() as hop:
            made, closed = await connect(hop)
            hop.drop_all()
            await closed
            return await made.transact(ENVELOPE, b"x\r\n")

    event = run(main())
    assert isinstance(event, Failed)
    assert not event.body_sent
    assert [reply.code for reply in event.replies] == [451, 451]


def test_a_cancelled_caller_takes_the_connection_with_him(run, peer):
    async def main():
        async with peer(MAIL=peer.HANG) as hop:
            made, closed = await connect(hop)
            task = asyncio.create_task(made.transact(ENVELOPE, b"x\r\n"))
            await hop.heard("MAIL")
            task.cancel()
            await closed
            return made.usable

    assert not run(main())


def test_a_large_message_has_more_time(run, peer):
    async def main():
        async with peer() as hop:
            made, closed = await connect(hop)
            await made.transact(ENVELOPE, b"x" * 163_838 + b"\r\n")
            patience = made._patience(State.END_OF_DATA)
            made.abort()
            await closed
            return patience

    assert run(main()) == 300 + 10
