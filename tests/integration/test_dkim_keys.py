"""Keys of the store in a running gateway: they sign once the DNS shows them, in every process, without a restart."""

import re

import dkim
import pytest
from support.client import message, send
from support.gateway import RunningGateway, wait_for
from support.sink import Sink
from support.zone import served

DOMAIN = "example.com"


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


@pytest.fixture
def zone():
    """What the name server serves."""
    return {}


@pytest.fixture
def gateway(tmp_path, sink, zone):
    with served(zone, ttl=0) as server:
        sections = f"""
[links]
name_servers = ["{server.address}"]
[tenant.default]
domains = ["{DOMAIN}"]
[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{sink.port}"]
"""
        with RunningGateway(tmp_path, sections=sections) as running:
            yield running


@pytest.fixture
def selectors(gateway, sink, zone):
    """Send a message over a connection of its own; the selectors of its signatures, verified by dkimpy."""
    count = iter(range(10_000))

    def sent():
        assert send(gateway.port, message(f"m{next(count)}")).startswith("250 ")
        arrived = sink.received[-1][1]
        found = re.findall(rb"s=([a-z0-9-]+-rsa);", arrived.partition(b"\r\n\r\n")[0])
        if found:
            assert dkim.verify(arrived, dnsfunc=lambda name, timeout=5: record(zone, name))
        return {name.decode() for name in found}

    return sent


def record(zone, name):
    return "".join(zone[name.decode().rstrip(".")]["TXT"][0]).encode()


def publish(zone, made):
    for key in made:
        zone[key["record"]["name"]] = {"TXT": [tuple(key["record"]["strings"])]}
    return {key["selector"] for key in made if key["algorithm"] == "rsa"}


def test_signed_from_the_first_key_to_the_next(gateway, zone, selectors):
    made = gateway.json("dkim", "keygen", DOMAIN, "--selector", "one")
    assert selectors() == set()
    one = publish(zone, made)
    gateway.cli("dkim", "check")
    wait_for("every worker signs", lambda: all(selectors() == one for _ in range(8)), pause=0.3)
    two = publish(zone, gateway.json("dkim", "rotate", DOMAIN))
    gateway.cli("dkim", "check")
    seen = []

    def taken_up():
        seen.extend(selectors() for _ in range(8))
        return all(found == two for found in seen[-8:])

    wait_for("every worker signs with the new key", taken_up, pause=0.3)
    assert all(found in (one, two) for found in seen)
    gateway.reload()
    assert all(selectors() == two for _ in range(8))
