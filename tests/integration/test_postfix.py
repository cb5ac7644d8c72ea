"""A real mail server on both sides: Postfix → gateway → Postfix → a sink that remembers."""

import asyncio
import contextlib
import random
import threading
import time
from email import message_from_bytes

import pytest
from support.accounts import accounted, held_copies
from support.certificates import self_signed
from support.client import Client, message, send
from support.gateway import RunningGateway, wait_for
from support.postfix import MISSING, Postfix
from support.sink import Sink

pytestmark = [pytest.mark.peer, pytest.mark.skipif(bool(MISSING), reason=MISSING), pytest.mark.timeout(240)]

POLICY = """
[[rule]]
name = "held"
from = { address = "held@example.com" }
then = { disposition = "hold", hold = "approval" }

[[rule]]
name = "refused"
from = { address = "refused@example.com" }
then = { disposition = "reject", reply = "5.7.1 not from here" }
"""


class Chain:
    """Front Postfix → gateway → back Postfix → sink."""

    def __init__(self, folder, *, listener="", next_hop="", front="", back=""):
        self._stack = contextlib.ExitStack()
        (folder / "policy.toml").write_text(POLICY)
        try:
            enter = self._stack.enter_context
            self.sink = enter(Sink(extensions=("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 104857600")))
            self.back = enter(Postfix(self.sink.port, back))
            sections = f"""
[hold]
retry_seconds = 0.5
retry_max_seconds = 1
[tenant.default]
builtin_limits = false
domains = ["example.com"]
policy = ["policy.toml"]
[[tenant.default.next_hop]]
hosts = ["localhost:{self.back.port}"]
backoff_seconds = 0.2
backoff_max_seconds = 0.5
{next_hop}
"""
            self.gateway = enter(RunningGateway(folder, sections=sections, listener=listener))
            self.front = enter(Postfix(self.gateway.port, front))
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def arrived(self, identity, recipient="taro@example.net"):
        return self.sink.seen[identity, recipient]


@pytest.fixture
def chain(tmp_path):
    with Chain(tmp_path) as made:
        yield made


def test_a_message_passes_unchanged_below_the_trace_headers(chain):
    body = "one\r\n..two\r\n.\x20three\r\ncaf\u00e9 \u5bae\u57ce\r\n" + "x" * 900 + "\r\n\r\n"
    data = message("plain", body)
    assert send(chain.front.port, data).startswith("250 ")
    wait_for("arrived", lambda: chain.arrived("plain"))
    ((_, arrived),) = chain.sink.received
    assert arrived.endswith(data)
    trace = message_from_bytes(arrived).get_all("Received")
    assert ["by postfix.example.com" in line for line in trace] == [True, False, True]
    assert "by gate.example.com" in trace[1]


def test_dsn_parameters_reach_the_next_hop(chain):
    """RFC 3461 4: both Postfix and the gateway between them pass them on as they came."""

    async def dialog():
        client = Client(chain.front.port)
        await client.open()
        for line in (
            "MAIL FROM:<hanako@example.com> RET=HDRS ENVID=QQ314159",
            "RCPT TO:<taro@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+2B1@example.net",
            "RCPT TO:<jiro@example.net> NOTIFY=NEVER",
            "DATA",
        ):
            assert (await client.say(line))[-1][0] in "23"
        client._writer.write(message("dsn") + b".\r\n")
        assert (await client.reply())[-1].startswith("250 ")
        await client.close()

    asyncio.run(dialog())
    wait_for("arrived", lambda: chain.arrived("dsn") and chain.arrived("dsn", "jiro@example.net"))
    (mail,) = [path.split() for path in chain.sink.paths if "FROM:<hanako@" in path]
    assert {"RET=HDRS", "ENVID=QQ314159"} <= set(mail)
    (taro,) = [path.split() for path in chain.sink.paths if "TO:<taro@" in path]
    (jiro,) = [path.split() for path in chain.sink.paths if "TO:<jiro@" in path]
    assert {"NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Bob+2B1@example.net"} <= set(taro)
    assert "NOTIFY=NEVER" in jiro


def test_an_internationalized_address_passes(chain):
    """RFC 6531: the address goes as UTF-8, and SMTPUTF8 with it, over all three hops."""

    async def dialog():
        client = Client(chain.front.port)
        await client.open()
        for line in ("MAIL FROM:<花子@example.com> SMTPUTF8", "RCPT TO:<太郎@example.net>", "DATA"):
            answer = (await client.say(line))[-1]
            if line.startswith("MAIL") and answer.startswith("5"):
                pytest.skip(f"this Postfix takes no SMTPUTF8: {answer}")
            assert answer[0] in "23", answer
        client._writer.write(data + b".\r\n")
        assert (await client.reply())[-1].startswith("250 ")
        await client.close()

    data = message("utf8", "こんにちは\r\n", sender="花子@example.com", to="太郎@example.net")
    asyncio.run(dialog())
    wait_for("arrived", lambda: chain.arrived("utf8", "太郎@example.net"))
    assert chain.sink.received[0][1].endswith(data)
    assert [path for path in chain.sink.paths if "花子@example.com" in path and "SMTPUTF8" in path.split()]
    (record,) = wait_for("recorded", lambda: chain.gateway.json("audit", "search", "--recipient", "太郎@example.net"))
    assert record["mail_from"] == "花子@example.com"


def test_held_is_taken_and_released_once(chain):
    assert send(chain.front.port, message("held"), sender="held@example.com").startswith("250 ")
    (held,) = wait_for("held", lambda: chain.gateway.held("--kind", "approval"))
    assert chain.front.queue() == []
    chain.gateway.cli("hold", "release", held["id"])
    wait_for("arrived", lambda: chain.arrived("held"))
    assert chain.arrived("held") == 1


def test_a_refusal_becomes_the_front_servers_bounce(chain):
    assert send(chain.front.port, message("refused"), sender="refused@example.com").startswith("250 ")
    bounce = wait_for(
        "bounce", lambda: [data for rcpt, data in chain.sink.received if rcpt == ("refused@example.com",)]
    )
    assert b"550 5.7.1 not from here" in bounce[0].replace(b"\r\n    ", b" ")


def test_a_next_hop_that_is_away_leaves_mail_in_the_front_queue(chain):
    chain.back.stop()
    assert send(chain.front.port, message("later")).startswith("250 ")
    waiting = wait_for("deferred", lambda: [m for m in chain.front.queue() if m["queue_name"] == "deferred"])
    assert "451" in waiting[0]["recipients"][0]["delay_reason"]
    chain.back.start()
    wait_for("arrived", lambda: chain.front.flush() or chain.arrived("later"), 60)


def over_tls(folder, ca_file=None):
    """A chain with TLS on all hops but the last; the gateway believes in `ca_file`."""
    certificate, key = self_signed(folder, "localhost")
    return Chain(
        folder,
        listener=f'tls = "starttls"\nrequire_tls = true\ncertificate = "{certificate}"\nprivate_key = "{key}"',
        next_hop=f'tls = "verified"\nca_file = "{ca_file or certificate}"',
        front="smtp_tls_security_level = encrypt\n",
        back=f"smtpd_tls_cert_file = {certificate}\nsmtpd_tls_key_file = {key}\nsmtpd_tls_security_level = encrypt\n",
    )


def test_tls_on_both_sides(tmp_path):
    with over_tls(tmp_path) as chain:
        assert send(chain.front.port, message("tls")).startswith("250 ")
        wait_for("arrived", lambda: chain.arrived("tls"))
        # RFC 3848: ESMTPS says that STARTTLS was used
        trace = message_from_bytes(chain.sink.received[0][1]).get_all("Received")
        assert "with ESMTPS" in trace[0]
        assert "with ESMTPS" in trace[1]


def test_a_next_hop_that_cannot_be_verified_gets_nothing_and_the_front_server_keeps_it(tmp_path):
    (tmp_path / "other").mkdir()
    other, _ = self_signed(tmp_path / "other", "localhost")
    with over_tls(tmp_path, other) as chain:
        assert send(chain.front.port, message("tls")).startswith("250 ")
        waiting = wait_for("deferred", lambda: [m for m in chain.front.queue() if m["queue_name"] == "deferred"])
        assert "451" in waiting[0]["recipients"][0]["delay_reason"]
        assert chain.sink.received == []
        (tmp_path / "sekisho.toml").write_text(
            (tmp_path / "sekisho.toml").read_text().replace(str(other), str(tmp_path / "cert.pem"))
        )
        chain.gateway.reload()
        wait_for("arrived", lambda: chain.front.flush() or chain.arrived("tls"))


def test_nothing_is_lost_while_workers_die_and_the_next_hop_comes_and_goes(chain, capsys):
    chance = random.Random("postfix")
    promised = set()

    async def sender(who, numbers):
        client = Client(chain.front.port)
        for number in numbers:
            identity = f"p{who}-{number}"
            envelope = chance.choice(("plain@example.com", "plain@example.com", "held@example.com"))
            answer = await client.send(message(identity), sender=envelope)
            assert answer.startswith("250 "), answer
            promised.add((identity, "taro@example.net"))
        await client.close()

    async def all_senders():
        await asyncio.gather(*(sender(who, range(60)) for who in range(8)))

    sending = threading.Thread(target=lambda: asyncio.run(all_senders()))
    sending.start()
    until = time.monotonic() + 15
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.2, 0.8))
        chain.gateway.kill_one(chance)
        if chance.random() < 0.2:
            chain.back.stop()
            time.sleep(0.5)
            chain.back.start()
    sending.join()
    wait_for("the front queue is empty", lambda: chain.front.flush() or not chain.front.queue(), 90, 0.5)
    wait_for("nothing is owed", lambda: not chain.gateway.held("--state", "releasing"), 60)
    wait_for("the back queue is empty", lambda: chain.back.flush() or not chain.back.queue(), 60, 0.5)
    lost, duplicates = accounted(promised, chain.sink.seen, held_copies(chain.gateway))
    with capsys.disabled():
        print(f"\n  between two Postfix: {len(promised)} messages taken, {len(lost)} lost, {duplicates} duplicates")
    assert lost == []
    assert len(promised) == 480
