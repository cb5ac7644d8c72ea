"""Dynamic updates: taken by a real name server, and what servers that refuse, lie or say nothing come to."""

import asyncio
import contextlib
from datetime import UTC, datetime

import dns.message
import dns.query
import dns.tsig
import pytest
from msgspec.structs import replace
from support.knot import KEY_NAME, SECRET, knot_server

from sekisho.config.signing_settings import DnsUpdateSettings
from sekisho.daemon.dns_publisher import DnsPublisher, PublishError
from sekisho.mailauth.key_lifecycle import look
from sekisho.mailauth.key_making import new_key, record_text
from sekisho.mailauth.records import DnsRecords

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
KEY = new_key("t", "mail.example.jp", "s1", "rsa", NOW)


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "tsig"
    file.write_text(f"{SECRET}\n")
    return file


def publisher(secret, server, **more):
    update = DnsUpdateSettings(server, "example.jp", KEY_NAME, str(secret), **more)
    return DnsPublisher([update], lambda text: secret.parent / text)


async def seen(key, server):
    resolver = DnsRecords([server])
    try:
        return (await look(key, resolver)).seen
    finally:
        await resolver.close()


def test_a_name_server_takes_it_in_and_out(tmp_path, secret):
    with knot_server(tmp_path, "example.jp") as server:
        zone = publisher(secret, server)

        async def life():
            assert await seen(KEY, server) == "absent"
            assert await zone.publish(KEY) == "done"
            assert await seen(KEY, server) == "ours"
            assert await zone.publish(KEY) == "there"  # RFC 2136 2.4.3: what stands there stays
            other = replace(KEY, public=b"other")
            await zone.withdraw(other)
            assert await seen(KEY, server) == "ours"
            await zone.withdraw(KEY)
            assert await seen(KEY, server) == "absent"
            taken = replace(KEY, domain="example.jp", selector="taken")
            assert await zone.publish(taken) == "there"
            assert await seen(taken, server) == "other"
            secret.write_text("eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\n")
            with pytest.raises(PublishError):
                await zone.publish(KEY)
            assert await seen(KEY, server) == "absent"

        asyncio.run(life())


def test_a_record_that_the_domain_delegates(tmp_path, secret):
    with knot_server(tmp_path, "example.jp") as server:
        delegated = replace(KEY, domain="customer.example", base="dkim.example.jp")
        assert asyncio.run(publisher(secret, server).publish(delegated)) == "done"
        answer = dns.query.udp(
            dns.message.make_query("s1.customer.example.dkim.example.jp", "TXT"), "127.0.0.1", 5, int(server[10:])
        )
        ((found,),) = answer.answer
        assert b"".join(found.strings) == record_text(delegated).encode()


def test_which_zone_it_is():
    zones = [DnsUpdateSettings("192.0.2.1", zone, "k", "f") for zone in ("example.jp", "mail.example.jp")]
    zone = DnsPublisher(zones, lambda text: text)
    assert zone.serves(KEY)
    assert zone._zone(KEY).zone == "mail.example.jp"  # the nearest
    assert not zone.serves(replace(KEY, domain="anexample.jp"))
    assert not DnsPublisher([], lambda text: text).serves(KEY)


@contextlib.asynccontextmanager
async def answering(answer):
    """A server that gives each update the answer that `answer(request)` makes of it; None: says nothing."""

    handled = asyncio.Event()

    async def handle(reader, writer):
        try:
            size = int.from_bytes(await reader.readexactly(2), "big")
            said = answer(await reader.readexactly(size))
            if said is not None:
                writer.write(len(said).to_bytes(2, "big") + said)
            else:
                await reader.read()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        finally:
            handled.set()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        try:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            await handled.wait()


def unsigned(request):
    key = dns.tsig.Key(KEY_NAME, SECRET, "hmac-sha256")
    asked = dns.message.from_wire(request, keyring=key)
    made = dns.message.make_response(asked)
    made.tsig = made.keyring = None
    return made.to_wire()


@pytest.mark.parametrize(
    "answer", [unsigned, lambda _: b"", lambda _: b"\0" * 11, lambda _: b"\xff" * 60, lambda _: None]
)
def test_no_good_answer(secret, answer):
    async def publish():
        async with answering(answer) as server:
            await publisher(secret, server, timeout_seconds=0.3).publish(KEY)

    with pytest.raises(PublishError):
        asyncio.run(publish())


def test_nobody_there_and_no_secret(secret):
    with pytest.raises(PublishError, match=r"127\.0\.0\.1:1"):
        asyncio.run(publisher(secret, "127.0.0.1:1").withdraw(KEY))
    secret.unlink()
    with pytest.raises(PublishError, match="secret"):
        asyncio.run(publisher(secret, "127.0.0.1:1").publish(KEY))
