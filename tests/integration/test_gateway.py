"""The gateway as an administrator runs it: its own process, a next hop that answers, the command line beside it."""

import asyncio
import re
import signal
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import closing
from email import message_from_bytes

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from support.client import Client, message, send
from support.gateway import RunningGateway, wait_for
from support.sink import Sink

POLICY = """
[[rule]]
name = "held"
from = { address = "held@example.com" }
then = { disposition = "hold", hold = "approval", notify = ["reviewer"] }

[[rule]]
name = "late"
from = { address = "late@example.com" }
then = { disposition = "hold", hold = "delay", delay_seconds = 1 }

[[rule]]
name = "refused"
from = { address = "refused@example.com" }
then = { disposition = "reject", reply = "5.7.1 not from here" }
"""
KEY = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
    .replace("\n", "\r\n")
)


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


@pytest.fixture
def public_key(tmp_path):
    """The DNS record of the key that the gateway signs with."""
    private = rsa.generate_private_key(65537, 2048)
    (tmp_path / "key.pem").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    der = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b"v=DKIM1; k=rsa; p=" + b64encode(der)


def sections(sink, more=""):
    return f"""
[hold]
retry_seconds = 0.5
retry_max_seconds = 1

[tenant.default]
domains = ["example.com"]
policy = ["policy.toml"]

[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{sink.port}"]
backoff_seconds = 0.2

[[tenant.default.dkim]]
domain = "example.com"
selector = "s1"
private_key = "key.pem"

[tenant.default.notice]
reviewer = ["reviewer@example.com"]
{more}
"""


@pytest.fixture
def gateway(tmp_path, sink, public_key):
    assert public_key
    (tmp_path / "policy.toml").write_text(POLICY)
    with RunningGateway(tmp_path, sections=sections(sink)) as running:
        yield running


def metric(gateway, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.http_port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def test_a_message_arrives_signed_and_unchanged(gateway, sink, public_key):
    data = message("one", "Guten Tag\r\n..dots\r\n\xe3\x81\x82\r\n")
    assert send(gateway.port, data).startswith("250 2.0.0")
    ((recipients, arrived),) = sink.received
    assert recipients == ("taro@example.net",)
    assert arrived.endswith(data)
    assert dkim.verify(arrived, dnsfunc=lambda name, timeout=5: public_key)
    assert [name for name, _ in message_from_bytes(arrived).items()][:2] == ["DKIM-Signature", "Received"]
    (record,) = gateway.json("audit", "search", "--sender", "hanako@example.com")
    assert (record["disposition"], record["reply"]) == ("deliver", "250 2.0.0 taken")
    assert wait_for("counted", lambda: metric(gateway, 'sekisho_messages_total{disposition="deliver"'))


def test_a_key_in_the_text_is_held_and_released_once(gateway, sink):
    data = message("two", f"the key:\r\n{KEY}")
    assert send(gateway.port, data).startswith("250 ")
    (held,) = gateway.held()
    assert (held["kind"], held["state"], held["rcpt_to"]) == ("approval", "held", ["taro@example.net"])
    assert "dlp/secret/private-key" in {finding["rule"] for finding in held["findings"]}
    shown = gateway.json("hold", "show", held["id"])[0]
    assert shown["headers"]["Subject"] == "two"
    assert sink.seen["two", "taro@example.net"] == 0
    gateway.cli("hold", "release", held["id"], "--note", "checked", "--by", "reviewer")
    wait_for("released", lambda: sink.seen["two", "taro@example.net"])
    wait_for("closed", lambda: gateway.held("--state", "released", "--kind", "approval"))
    assert "not held any more" in gateway.cli("hold", "release", held["id"], expect=1)
    assert sink.seen["two", "taro@example.net"] == 1


def test_released_while_the_next_hop_is_down_is_retried(gateway, sink):
    send(gateway.port, message("three"), sender="held@example.com")
    sink.stop()
    (held,) = gateway.held("--kind", "approval")
    gateway.cli("hold", "release", held["id"])
    wait_for("an attempt", lambda: gateway.held("--state", "releasing", "--kind", "approval")[0]["attempts"])
    sink.start()
    wait_for("sent", lambda: sink.seen["three", "taro@example.net"] == 1)


def test_a_reviewer_is_told_and_a_rejection_reported(gateway, sink):
    send(gateway.port, message("four"), sender="held@example.com")
    (held,) = gateway.held("--kind", "approval")
    told = wait_for("notice", lambda: [d for r, d in sink.received if r == ("reviewer@example.com",)])
    assert held["id"] in message_from_bytes(told[0]).get_payload(decode=True).decode()
    gateway.cli("hold", "reject", held["id"])
    report = wait_for("report", lambda: [d for r, d in sink.received if r == ("held@example.com",)])
    parsed = message_from_bytes(report[0])
    assert parsed.get_content_type() == "multipart/report"
    assert parsed.get_param("report-type") == "delivery-status"


def test_stop_waits_for_a_release_under_way_and_writes_down_that_it_was_sent(gateway, sink):
    send(gateway.port, message("stopped"), sender="held@example.com")
    (held,) = gateway.held("--kind", "approval")
    under_way = threading.Event()

    def slow(verb, argument):
        if verb == "answer" and argument == "stopped":
            under_way.set()
            time.sleep(1.5)  # the next hop has the message and is slow to say so

    sink.behave = slow
    gateway.cli("hold", "release", held["id"])
    assert under_way.wait(20)
    assert gateway.stop() == 0
    sink.behave = lambda verb, argument: None
    gateway.start()
    wait_for("closed", lambda: gateway.held("--state", "released", "--kind", "approval"))
    assert sink.seen["stopped", "taro@example.net"] == 1


def test_a_delay_ends_by_itself(gateway, sink):
    assert send(gateway.port, message("five"), sender="late@example.com").startswith("250 ")
    wait_for("sent", lambda: sink.seen["five", "taro@example.net"] == 1)


def test_a_refusal_is_the_rules(gateway, sink):
    assert send(gateway.port, message("six"), sender="refused@example.com") == "550 5.7.1 not from here"
    assert sink.received == []


def test_the_next_hops_refusal_is_ours(gateway, sink):
    sink.behave = lambda verb, argument: "550 5.1.1 nobody here" if verb == "RCPT" else None
    assert send(gateway.port, message("seven")) == "550 5.1.1 nobody here"
    sink.stop()
    assert send(gateway.port, message("seven")).startswith("451 4.")


def test_reload_keeps_connections_and_takes_new_rules(gateway, tmp_path):
    async def dialog():
        client = Client(gateway.port)
        assert (await client.send(message("eight"))).startswith("250 ")
        (tmp_path / "policy.toml").write_text(POLICY.replace("refused@", "hanako@"))
        await asyncio.to_thread(gateway.reload)
        answer = await client.send(message("nine"))
        await client.close()
        return answer

    assert asyncio.run(dialog()) == "550 5.7.1 not from here"


def test_a_broken_reload_changes_nothing_and_says_all_of_it(gateway, tmp_path):
    (tmp_path / "policy.toml").write_text(POLICY.replace("disposition", "dispositon").replace("example.com", "x"))
    gateway.process.send_signal(signal.SIGHUP)
    wait_for("told", lambda: "the old configuration stays" in gateway.log.read_text())
    told = re.findall(r'reload: ([^"]*policy\.toml:\d+: [^"]*)', gateway.log.read_text())
    assert len(told) >= 3, told
    assert send(gateway.port, message("ten"), sender="refused@example.com") == "550 5.7.1 not from here"


def test_stop_lets_a_message_under_way_end(gateway, sink):
    async def dialog():
        client = Client(gateway.port)
        await client.open()
        for line in ("MAIL FROM:<hanako@example.com>", "RCPT TO:<taro@example.net>", "DATA"):
            assert (await client.say(line))[-1][0] in "23"
        gateway.process.send_signal(signal.SIGTERM)
        client._writer.write(message("eleven") + b".\r\n")
        answer = (await client.reply())[-1]
        await client.close()
        return answer

    assert asyncio.run(dialog()).startswith("250 ")
    assert gateway.process.wait(30) == 0
    assert sink.seen["eleven", "taro@example.net"] == 1


def test_store_away_is_451_and_status_says_so_and_it_recovers(gateway):
    assert gateway.json("status")[0]["wrong"] == []
    with closing(sqlite3.connect(gateway.state_dir / "sekisho.db", isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        answer = send(gateway.port, message("twelve"), sender="held@example.com")
        assert answer.startswith("451 4.3.0"), answer
        wait_for("health says so", lambda: _health(gateway) == 503)
        assert wait_for("metrics say so", lambda: metric(gateway, "sekisho_store_trouble"))
    wait_for("recovered", lambda: send(gateway.port, message("x"), sender="held@example.com").startswith("250 "))
    wait_for("healthy", lambda: _health(gateway) == 200)


def _health(gateway):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.http_port}/health", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_policy_replay_over_what_was_recorded(gateway, tmp_path):
    send(gateway.port, message("thirteen"))
    wait_for("recorded", lambda: gateway.json("audit", "search"))
    assert gateway.json("policy", "replay")[0]["changed"] == 0
    (tmp_path / "policy.toml").write_text(POLICY.replace("held@", "hanako@"))
    report = gateway.json("policy", "replay", expect=1)[0]
    assert report["changed"] == 1


def test_nothing_sensitive_is_written_down(gateway):
    body = f"my number 個人番号 1234 5678 9018\r\nkey:\r\n{KEY}"
    data = message("fourteen", body, headers="Comments: Umzug-Geheimnis\r\n").replace(
        b"Subject: fourteen", b"Subject: Umzug-Geheimnis"
    )
    send(gateway.port, data)
    wait_for("recorded", lambda: gateway.json("audit", "search", "--subject", "Umzug-Geheimnis"))
    gateway.stop()
    for needle in (b"Umzug-Geheimnis", b"1234 5678 9018", b"123456789018", KEY.splitlines()[3].encode()):
        for file in (*gateway.state_dir.rglob("*"), gateway.log):
            assert not file.is_file() or needle not in file.read_bytes(), (needle, file)


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ("[limits]\nmesage_bytes = 5\n[gatway]\nx = 1", ["mesage_bytes", "gatway"]),
        ('[tenant.default]\nparent = "nobody"\n[[tenant.default.next_hop]]\ntls = "maybe"', ["tls", "maybe"]),
        ("[limits\n", ["sekisho.toml:"]),
    ],
)
def test_a_broken_configuration_does_not_start(tmp_path, sections, told):
    gateway = RunningGateway(tmp_path, sections=sections)
    for command in (("serve",), ("config", "check")):
        done = gateway.run_cli(*command)
        assert done.returncode == 2
        assert all(word in done.stderr for word in told), done.stderr
        assert "Traceback" not in done.stderr
