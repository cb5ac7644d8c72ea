"""Floods, the short form of bench/flood.py: honest mail comes through, and nothing that got 250 is lost."""

import asyncio
import contextlib
import json
import subprocess

import pytest
from support.client import Client, message
from support.gateway import SEKISHO, RunningGateway
from support.sink import Sink

CONNECTIONS = 40
HELD = """
[[rule]]
name = "to-be-held"
from = { address = "held@example.com" }
then = { disposition = "hold", hold = "approval" }
"""


@pytest.fixture(name="floods", scope="module")
def _floods(tmp_path_factory):
    """The gateway and its next hop."""
    folder = tmp_path_factory.mktemp("floods")
    (folder / "policy.toml").write_text(HELD)
    with Sink() as sink:
        sections = f"""
[limits]
connections = {CONNECTIONS}
connections_per_ip = {CONNECTIONS}
header_bytes = 20_000

[flood]
messages_in_work = 4
evict_idle_seconds = 0.2

[tenant.default]
domains = ["example.com"]
policy = ["policy.toml"]

[tenant.default.flood]
held_bytes = 60_000
bounces_per_recipient = 5

[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{sink.port}"]
"""
        with RunningGateway(folder, sections=sections) as gateway:
            yield gateway, sink


def sent(sink, *identities):
    return all(sink.seen[identity, "taro@example.net"] == 1 for identity in identities)


async def silent(gateway, number):
    with contextlib.suppress(OSError):
        address = f"127.20.{number // 64}.{number % 64 + 1}"
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, local_addr=(address, 0))
        with contextlib.suppress(asyncio.CancelledError):
            await reader.read()
            while await reader.read(100):
                pass
        writer.close()


def test_silent_connections_make_room(floods):
    gateway, sink = floods

    async def test():
        attack = [asyncio.ensure_future(silent(gateway, number)) for number in range(10 * CONNECTIONS)]
        client, taken = Client(gateway.port), []
        for number in range(5):
            taken.append(f"silent-{number}")
            await client.send_until_taken(message(taken[-1]), asyncio.get_running_loop().time() + 20)
            await client.close()
        for task in attack:
            task.cancel()
        await asyncio.gather(*attack, return_exceptions=True)
        return taken

    assert sent(sink, *asyncio.run(test()))


def test_a_full_rate_sender(floods):
    gateway, sink = floods

    async def one(name, count, sender):
        client, taken = Client(gateway.port), []
        for number in range(count):
            identity = f"{name}-{number}"
            if (await client.send(message(identity, sender=sender), sender=sender)).startswith("250"):
                taken.append(identity)
        await client.close()
        return taken

    async def test():
        flood = [asyncio.ensure_future(one(f"flood{n}", 15, f"f{n}@example.com")) for n in range(12)]
        honest = await one("honest", 10, "hanako@example.com")
        return honest, [identity for taken in await asyncio.gather(*flood) for identity in taken]

    honest, flood = asyncio.run(test())
    assert len(honest) == 10
    assert sent(sink, *honest, *flood)


async def _sent(gateway, data, **envelope):
    client = Client(gateway.port)
    try:
        return await client.send(data, **envelope)
    finally:
        await client.close()


def test_giant_headers_and_recipient_floods(floods):
    gateway, sink = floods
    giant = message("giant", headers="".join(f"X-{n}: {'y' * 60}\r\n" for n in range(400)))
    assert asyncio.run(_sent(gateway, giant)).startswith("552 5.3.4")
    many = [f"p{n}@example.net" for n in range(1001)]
    assert asyncio.run(_sent(gateway, message("many"), recipients=many)).startswith("452 4.5.3")
    assert asyncio.run(_sent(gateway, message("after"))).startswith("250")
    assert sent(sink, "after")


def test_a_bounce_storm(floods):
    gateway, sink = floods
    replies = [
        asyncio.run(_sent(gateway, message(f"bounce{n}"), sender="", recipients=["victim@example.net"]))
        for n in range(7)
    ]
    assert [reply[:3] for reply in replies] == ["250"] * 5 + ["450"] * 2
    assert asyncio.run(_sent(gateway, message("letter"), recipients=["victim@example.net"])).startswith("250")
    assert sink.seen["bounce5", "victim@example.net"] == 0


def test_a_loop(floods):
    gateway, _ = floods
    own = "Received: from a.example ([192.0.2.1]) by gate.example.com with ESMTP id x; Tue, 24 Nov 2026\r\n"
    assert asyncio.run(_sent(gateway, message("loop", headers=own * 11))).startswith("554 5.4.6")


def test_what_a_tenant_holds_is_bounded(floods):
    gateway, sink = floods
    body = "hello there\r\n" * 2_000
    held = [asyncio.run(_sent(gateway, message(f"h{n}", body), sender="held@example.com")) for n in range(8)]
    assert held[0].startswith("250")
    assert held[-1].startswith("452 4.3.1")
    assert asyncio.run(_sent(gateway, message("goes", body))).startswith("250")
    assert sent(sink, "goes")


def test_status_tells(floods):
    gateway, _ = floods
    command = [*SEKISHO, "status", "--json", "--config", str(gateway.config)]
    state = json.loads(subprocess.run(command, capture_output=True, check=False, text=True).stdout)
    worker = next(one for one in state["processes"] if one["name"] == "worker-1")
    assert worker["floods"]["free_disk_bytes"] > 0
    assert worker["floods"]["waiting"] == 0
