"""An account that is locked while it sends, through the running gateway: its mail, its held mail, and who is told."""

import asyncio
import time
from email import message_from_bytes

import pytest
from support.client import Client, message, send
from support.gateway import RunningGateway, wait_for
from support.sink import Sink

POLICY = """
[[rule]]
name = "late"
to = { address = "late@example.net" }
then = { disposition = "hold", hold = "delay", delay_seconds = 3600 }

[[rule]]
name = "abuse"
to = { address = "abuse@example.net" }
when = { none = [{ finding = "account/locked" }] }
then = { disposition = "hold", hold = "quarantine", incident = "account-abuse" }
"""
HANAKO = "hanako@example.com"


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


def sections(sink, lock=""):
    return f"""
[hold]
retry_seconds = 0.5

[tenant.default]
domains = ["example.com"]
policy = ["policy.toml"]

[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{sink.port}"]

[tenant.default.notice]
administrator = ["admin@example.com", "{HANAKO}"]

[tenant.default.lock]
contacts_file = "contacts.csv"
{lock}
"""


@pytest.fixture
def gateway(tmp_path, sink):
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "contacts.csv").write_text(f"{HANAKO},hanako@home.example\n")
    with RunningGateway(tmp_path, sections=sections(sink), workers=2) as running:
        yield running


def to(sink, address):
    return [message_from_bytes(data) for recipients, data in sink.received if address in recipients]


def texts(mail):
    return mail.get_payload(decode=True).decode()


async def everywhere(port, number=8):
    """As many connections as it takes to have some to each worker."""
    clients = [Client(port) for _ in range(number)]
    for client in clients:
        await client.open()
    return clients


async def lock_while_sending(gateway, sink):
    clients = await everywhere(gateway.port)
    before = [await client.send(message(f"before-{n}")) for n, client in enumerate(clients)]
    locked = await asyncio.to_thread(gateway.cli, "account", "lock", HANAKO, "--reason", "phone call", "--by", "ann")
    for number, client in enumerate(clients):
        await held_at_last(client, f"probe-{number}", sink)
    after = [await client.send(message(f"after-{n}")) for n, client in enumerate(clients)]
    for client in clients:
        await client.close()
    return before, locked, after


async def held_at_last(client, name, sink):
    """Until a mail over this connection is accepted and not passed on: each worker comes to know within a second."""
    deadline = time.monotonic() + 30
    for attempt in range(1000):
        assert time.monotonic() < deadline
        assert (await client.send(message(f"{name}-{attempt}"))).startswith("250")
        if not sink.seen[f"{name}-{attempt}", "taro@example.net"]:
            return


def test_locked_while_it_sends(gateway, sink):
    assert send(gateway.port, message("late"), recipients=("late@example.net",)).startswith("250")
    before, locked, after = asyncio.run(lock_while_sending(gateway, sink))
    assert locked == f"{HANAKO}: locked\n"
    assert all(reply.startswith("250") for reply in before + after)
    assert sum(sink.seen[f"before-{n}", "taro@example.net"] for n in range(8)) == 8
    held = gateway.held()
    assert len(held) == 17  # of each connection the probe and another, and the delayed one
    assert not any(sink.seen[f"after-{n}", "taro@example.net"] for n in range(8))
    wait_for("the delayed one waits for a reviewer", lambda: all(k["kind"] == "quarantine" for k in gateway.held()))
    assert all(kept["account_locked"] for kept in gateway.held())
    assert [kept["note"] for kept in gateway.held() if kept["policy_rule"] == "late"] == ["account locked"]
    some = held[0]["id"]
    assert "is locked" in gateway.cli("hold", "release", some, expect=1)
    assert gateway.cli("hold", "list").count("(account locked)") == 17

    (administrator,) = wait_for("the administrator is told", lambda: to(sink, "admin@example.com"))
    (owner,) = wait_for("the owner is told elsewhere", lambda: to(sink, "hanako@home.example"))
    assert to(sink, HANAKO) == []
    assert "phone call" in texts(administrator)
    assert "sekisho account unlock" in texts(administrator)
    assert "対応手順" in texts(administrator)
    assert "Change your password" in texts(owner)
    assert "phone call" not in texts(owner)

    assert "already" in gateway.cli("account", "lock", HANAKO, "--reason", "again", expect=1)
    assert gateway.cli("account", "unlock", HANAKO, "--reason", "new password", "--by", "ann")
    unlocked = ("unlocked", "taro@example.net")
    wait_for("mail leaves again", lambda: send(gateway.port, message("unlocked")) and sink.seen[unlocked])
    assert gateway.cli("hold", "release", some)
    wait_for("the released one leaves", lambda: any(sink.seen[f"after-{n}", "taro@example.net"] for n in range(8)))
    assert len(gateway.held()) >= 16  # the others wait for a reviewer, also the one whose time would have come
    wait_for("all are told of the unlock", lambda: len(to(sink, "admin@example.com")) == 2)


def test_refused_where_the_tenant_wants_that(gateway, sink):
    gateway.write_config(sections(sink, 'mail = "refuse"'))
    gateway.reload()
    gateway.cli("account", "lock", HANAKO, "--reason", "left the company")
    reply = wait_for("refused", lambda: (r := send(gateway.port, message("x"))).startswith("550") and r)
    assert "locked" in reply
    assert send(gateway.port, message("y", sender="jiro@example.com"), sender="jiro@example.com").startswith("250")


def test_incidents_of_policy_lock(gateway, sink):
    gateway.write_config(sections(sink, "incidents = 2"))
    gateway.reload()
    for number in range(2):
        assert send(gateway.port, message(f"abuse-{number}"), recipients=("abuse@example.net",)).startswith("250")
    wait_for("the administrator is told", lambda: to(sink, "admin@example.com"))
    assert "policy rule abuse" in texts(to(sink, "admin@example.com")[0])
    wait_for("held", lambda: send(gateway.port, message("next")) and not sink.seen["next", "taro@example.net"])
    (locked,) = [k for k in gateway.held() if k["policy_rule"] == "account-locked"][:1]
    assert [finding["rule"] for finding in locked["findings"]] == ["account/locked"]
