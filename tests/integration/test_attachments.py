"""Attachments through the running gateway: what is inside is found, and bombs hurt nobody."""

import asyncio
import json
import re
import statistics
import time
import urllib.request

import pytest
from support.archived import EICAR, docx, gzip_bomb, nested_bomb, with_attachments, zipped
from support.client import Client, message, send
from support.gateway import RunningGateway, wait_for
from support.sink import Sink

CARDS = "Visa 4111 1111 1111 1111, 4012 8888 8888 1881 and 5555 5555 5555 4444"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Sink() as sink:
        hop = f'[[tenant.default.next_hop]]\nhosts = ["127.0.0.1:{sink.port}"]'
        hop = f"[tenant.default]\nbuiltin_limits = false\n{hop}"
        with RunningGateway(tmp_path_factory.mktemp("gateway"), sections=hop, workers=1) as running:
            running.sink = sink
            yield running


def only_held(gateway, identity):
    held = [json.loads(line) for line in gateway.cli("hold", "list", "--json").splitlines()]
    (found,) = [kept for kept in held if kept["message_id"] == f"<{identity}@example.com>"]
    return json.loads(gateway.cli("hold", "show", found["id"], "--json"))


@pytest.mark.parametrize(
    ("identity", "name", "content", "path"),
    [
        ("as-text", "eicar.txt", EICAR, "eicar.txt"),
        ("zip-in-zip", "a.zip", zipped({"b.zip": zipped({"eicar.com": EICAR})}), "a.zip/b.zip/eicar.com"),
        ("in-docx", "letter.docx", docx(extra={"word/embeddings/eicar.bin": EICAR}), "letter.docx/"),
    ],
)
def test_the_test_virus_ends_in_quarantine(gateway, identity, name, content, path):
    reply = send(gateway.port, with_attachments(identity, (name, content)))
    assert reply.startswith("250")
    shown = only_held(gateway, identity)
    assert shown["kind"] == "quarantine"
    found = [f for f in shown["findings"] if f["rule"] == "malware/eicar"]
    assert found
    assert found[0]["path"].startswith(path)
    assert not [identity for identity_, _ in gateway.sink.seen if identity_ == identity]


def test_text_inside_an_archive_is_looked_through(gateway):
    content = zipped({"inner.docx": docx(CARDS)})
    reply = send(gateway.port, with_attachments("cards", ("outer.zip", content)))
    assert reply.startswith("250")
    shown = only_held(gateway, "cards")
    found = [f for f in shown["findings"] if f["rule"] == "dlp/card"]
    assert [f["path"] for f in found] == ["outer.zip/inner.docx"]
    assert found[0]["count"] == 3


def test_the_audit_record_and_the_log_name_the_inner_file(gateway):
    content = zipped({"inner.docx": docx(CARDS)})
    send(gateway.port, with_attachments("audited", ("予算 outer.zip", content)))

    def found():
        records = gateway.json("audit", "search", "--message-id", "<audited@example.com>")
        return [f["path"] for record in records for f in record["findings"] if f["rule"] == "dlp/card"]

    assert wait_for("the record", found) == ["予算 outer.zip/inner.docx"]
    lines = [json.loads(line) for line in gateway.log.read_text().splitlines() if '"<audited@' in line]
    assert [f["path"] for f in lines[0]["findings"] if f["rule"] == "dlp/card"] == ["予算 outer.zip/inner.docx"]


def test_an_ordinary_document_goes(gateway):
    reply = send(gateway.port, with_attachments("ordinary", ("report.docx", docx("Quarterly figures"))))
    assert reply.startswith("250")
    wait_for("it arrives", lambda: any(identity == "ordinary" for identity, _ in gateway.sink.seen))


async def latencies(port, count, meanwhile=None):
    """Milliseconds from MAIL to the last reply of `count` plain messages, one after the other."""
    client, took = Client(port), []
    await client.open()
    for number in range(count):
        if number and number % 500 == 0:  # the gateway takes 1,000 messages on a connection
            await client.close()
            await client.open()
        data = message(f"plain-{number}-{time.time_ns()}")
        started = time.perf_counter()
        assert (await client.send(data)).startswith("250")
        took.append((time.perf_counter() - started) * 1000)
        if meanwhile is not None and meanwhile.done():
            break
    await client.close()
    return took


def test_plain_messages_keep_their_latency_while_bombs_arrive(gateway):
    """The gateway has one worker: bombs and plain messages share it."""
    bombs = [("nested.zip", nested_bomb()), ("zeros.gz", gzip_bomb())]

    async def story():
        alone = await latencies(gateway.port, 100)
        sending = [
            asyncio.create_task(asyncio.to_thread(send, gateway.port, with_attachments(f"bomb-{number}", bomb)))
            for number, bomb in enumerate(bombs * 2)
        ]
        everything = asyncio.gather(*sending)
        beside = await latencies(gateway.port, 20_000, everything)
        return alone, beside, await everything

    alone, beside, replies = asyncio.run(story())
    assert all(reply.startswith("250") for reply in replies)
    for number in range(4):
        assert only_held(gateway, f"bomb-{number}")["kind"] == "quarantine"
    slow, usual = statistics.quantiles(beside, n=100)[98], statistics.median(alone)
    print(f"\n  plain messages: median {usual:.1f} ms alone; beside bombs median {statistics.median(beside):.1f} ms, "
          f"p99 {slow:.1f} ms of {len(beside)}")  # fmt: skip
    assert slow < 250


def test_the_samples_of_the_readme(gateway):
    for sample, kind in (("plain", ""), ("secret", "approval"), ("virus", "quarantine"), ("numbers", "")):
        before = json.loads(gateway.cli("status", "--json"))["kept"].get(f"{kind} held", 0)
        answer = json.loads(gateway.cli("first-message", "--sample", sample, "--json"))
        assert answer["code"] == 250
        after = json.loads(gateway.cli("status", "--json"))["kept"].get(f"{kind} held", 0)
        assert after - before == (1 if kind else 0)


def test_status_names_the_walls(gateway):
    state = wait_for("a worker reports", lambda: json.loads(gateway.cli("status", "--json"))["opening"])
    assert "no new descriptors" in state[0]["walls"]


def test_names_of_files_are_cut_from_the_next_reload_on(tmp_path):
    attached = ("予算 outer.zip", zipped({"inner.docx": docx(CARDS)}))

    def paths(identity):
        records = running.json("audit", "search", "--message-id", f"<{identity}@example.com>")
        return [f["path"] for record in records for f in record["findings"] if f["rule"] == "dlp/card"]

    with RunningGateway(tmp_path, workers=1) as running:
        send(running.port, with_attachments("whole", attached))
        running.write_config('[record]\nfile_names = "endings"')
        running.reload()
        send(running.port, with_attachments("cut", attached))
        assert wait_for("the first", lambda: paths("whole")) == ["予算 outer.zip/inner.docx"]
        assert wait_for("the second", lambda: paths("cut")) == ["*.zip/*.docx"]
        lines = [line for line in running.log.read_text().splitlines() if '"<cut@' in line]
        assert lines
        assert "inner" not in "".join(lines)


def test_a_file_that_is_sent_again_after_a_restart_is_not_opened_again(tmp_path):
    """Two workers and the processes of the next start share what was found, and nobody else can read it."""

    def opened(running):
        with urllib.request.urlopen(f"http://127.0.0.1:{running.http_port}/metrics", timeout=10) as answer:
            (count,) = re.findall(r"^sekisho_opening_seconds_count ([0-9.]+)$", answer.read().decode(), re.MULTILINE)
        return float(count)

    attached = ("outer.zip", zipped({"inner.docx": docx(CARDS)}))
    with RunningGateway(tmp_path, workers=2) as running:
        send(running.port, with_attachments("first", attached))
        folder = running.state_dir / "opened"
        (file,) = wait_for("the result is kept", lambda: [p for p in folder.glob("*") if p.name[0] != "."])
        for number in range(8):  # whichever worker takes them
            send(running.port, with_attachments(f"again-{number}", attached))
        assert opened(running) == 1
        running.stop()
        running.start()
        send(running.port, with_attachments("later", attached))
        assert opened(running) == 0
        send(running.port, with_attachments("other", ("other.zip", zipped({"b.txt": b"x"}))))
        assert opened(running) == 1
        held = [row["message_id"] for row in running.held()]
        assert len(held) == 10
        assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
        assert b"4111" not in file.read_bytes()
