"""Lists of bad links through the running gateway: a file that changes, and a DNS list."""

import asyncio
import json
import os

import pytest
from support.client import message, send
from support.dns import NameServer
from support.gateway import RunningGateway, wait_for
from support.sink import Sink

SECTIONS = """
[links]
name_servers = ["{dns}"]
[[link_list]]
name = "ours"
file = "bad.txt"
match = "host"
[[dns_list]]
name = "multi"
zone = "multi.test"
codes = {{ "127.0.0.2" = "phishing" }}
[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{hop}"]
"""


def policy_rule(gateway, identity):
    """The rule that held a message, "" where it went."""
    held = [json.loads(line) for line in gateway.cli("hold", "list", "--json").splitlines()]
    found = [kept for kept in held if kept["message_id"] == f"<{identity}@example.com>"]
    return found[0]["policy_rule"] if found else ""


@pytest.mark.timeout(180)
def test_lists_of_links(tmp_path):
    async def story():
        zone = {"listed-by-dns.com.multi.test.": ["127.0.0.2"]}
        async with NameServer(zone) as server:
            await asyncio.to_thread(with_gateway, server)

    def with_gateway(server):
        bad = tmp_path / "bad.txt"
        bad.write_text("bad.example.net\n")
        with Sink() as sink:
            sections = SECTIONS.format(dns=server.address, hop=sink.port)
            with RunningGateway(tmp_path, sections=sections, workers=1) as gateway:
                for identity, host in (
                    ("file", "bad.example.net"),
                    ("dns", "www.listed-by-dns.com"),
                    ("fine", "a.example.org"),
                ):
                    assert send(gateway.port, message(identity, f"see https://{host}/page\r\n")).startswith("250")
                assert policy_rule(gateway, "file") == "listed-link"
                assert policy_rule(gateway, "dns") == "listed-link"
                assert policy_rule(gateway, "fine") == ""
                assert "listed-by-dns.com.multi.test" in server.names()
                later = bad.with_suffix(".new")
                later.write_text("newly-bad.example.net\n")
                os.utime(later, (1_700_000_000, 1_700_000_000))  # no writer is at it any more
                later.replace(bad)
                said = "taken up anew"  # by the worker and by the background process
                wait_for("the file is taken up", lambda: gateway.log.read_text().count(said) == 2, seconds=90)
                assert send(gateway.port, message("new", "see https://newly-bad.example.net/\r\n")).startswith("250")
                assert policy_rule(gateway, "new") == "listed-link"
                state = json.loads(gateway.cli("status", "--json"))
                assert [(x["name"], x["entries"]) for x in state["link_lists"]] == [("ours", 1)]
                assert [(x["name"], x["up"]) for x in state["dns_lists"]] == [("multi", True)]

    asyncio.run(story())
