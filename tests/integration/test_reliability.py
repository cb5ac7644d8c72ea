"""Nothing that got 250 is lost, whatever dies: workers, the next hop, the disk, the store.

The short forms run in `make test`, the long ones (marker soak) in `make soak`.
"""

import asyncio
import contextlib
import os
import random
import sqlite3
import subprocess
import threading
import time

import pytest
from support.accounts import accounted, held_copies
from support.client import Client, message
from support.gateway import RunningGateway, wait_for
from support.sink import Sink

RECIPIENTS = ("taro@example.net", "jiro@example.org")
POLICY = """
[[rule]]
name = "to-be-held"
from = { address = "held@example.com" }
then = { disposition = "hold", hold = "approval" }

[[rule]]
name = "split"
from = { address = "split@example.com" }
to = { domain = "example.org" }
then = { disposition = "hold", hold = "quarantine" }
split = true
"""
SENDERS = ("plain@example.com", "plain@example.com", "held@example.com", "split@example.com")


def sections(sink, policy):
    return f"""
[hold]
retry_seconds = 0.5
retry_max_seconds = 1

[tenant.default]
builtin_limits = false
domains = ["example.com"]
policy = ["{policy}"]

[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{sink.port}"]
connect_seconds = 2
backoff_seconds = 0.2
backoff_max_seconds = 0.5
"""


class Mail:
    """Senders in a thread, for `seconds`: each sends a message until 250. `promised` has the pairs that got one."""

    def __init__(self, gateway, senders, seed, seconds, lines=(1, 30, 800)):
        self.promised = set()
        self.attempts = 0
        self._port, self._senders, self._seed, self._seconds = gateway.port, senders, seed, seconds
        self._lines = lines
        self._error = None
        self._thread = threading.Thread(target=self._run)

    def start(self):
        self._until = time.monotonic() + self._seconds
        self._thread.start()

    @property
    def running(self):
        """Whether new messages are still begun; what is under way then may end in peace."""
        return time.monotonic() < self._until and self._thread.is_alive()

    def finish(self):
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self):
        try:
            asyncio.run(self._all())
        except BaseException as error:  # noqa: BLE001 - told in `finish`
            self._error = error

    async def _all(self):
        now = asyncio.get_running_loop().time()
        await asyncio.gather(*(self._one_sender(now, who) for who in range(self._senders)))

    async def _one_sender(self, began, who):
        loop = asyncio.get_running_loop()
        chance = random.Random(f"{self._seed}-{who}")
        client = Client(self._port, seconds=30)
        number = 0
        while loop.time() < began + self._seconds:
            number += 1
            identity, sender = f"m{who}-{number}", chance.choice(SENDERS)
            body = ("x" * 74 + "\r\n") * chance.choice(self._lines)
            data = message(identity, body, sender=sender)
            patience = began + self._seconds + 60
            attempts = await client.send_until_taken(data, patience, sender=sender, recipients=RECIPIENTS)
            self.attempts += attempts
            self.promised.update((identity, recipient) for recipient in RECIPIENTS)
        await client.close()


def settle(gateway, sink):
    """Let the gateway finish what it owes: nothing is left that only waits for the next hop."""
    sink.behave = lambda verb, argument: None
    wait_for("everything owed is sent", lambda: not gateway.held("--state", "releasing"), 60)


def verdict(gateway, sink, mail, capsys, what):
    settle(gateway, sink)
    lost, duplicates = accounted(mail.promised, sink.seen, held_copies(gateway))
    with capsys.disabled():
        print(
            f"\n  {what}: {len(mail.promised)} recipients promised, {len(lost)} lost, {duplicates} duplicates, "
            f"{mail.attempts} attempts"
        )
    assert lost == []
    assert len(mail.promised) > 200


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


@pytest.fixture
def gateway(tmp_path, sink):
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    with RunningGateway(tmp_path, sections=sections(sink, policy)) as running:
        yield running


def kill_processes(gateway, sink, mail, chance):
    while mail.running:
        time.sleep(chance.uniform(0.2, 1.2))
        gateway.kill_one(chance)


def stop_and_start_next_hop(gateway, sink, mail, chance):
    while mail.running:
        time.sleep(chance.uniform(0.2, 1.0))
        sink.stop()
        time.sleep(chance.uniform(0.1, 0.6))
        sink.start()


def misbehave(gateway, sink, mail, chance):
    """The next hop refuses some recipients for a while, and breaks off before and after it has the message."""

    def behave(verb, argument):
        roll = chance.random()
        if verb == "RCPT" and argument.endswith("example.org") and roll < 0.2:
            return "451 4.2.0 later"
        if verb == "received" and roll < 0.05:
            return "451 4.3.0 not now"
        if verb in ("MAIL", "DATA", "received") and roll < 0.08:
            return "drop"
        return None

    sink.behave = behave
    while mail.running:
        time.sleep(0.2)


def pause_store(gateway, sink, mail, chance):
    """Another process locks the database, as a backup that hangs would."""
    while mail.running:
        time.sleep(chance.uniform(0.5, 1.5))
        with contextlib.closing(sqlite3.connect(gateway.state_dir / "sekisho.db", timeout=5)) as connection:
            connection.execute("PRAGMA locking_mode = NORMAL")
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("BEGIN EXCLUSIVE")
                time.sleep(chance.uniform(1.0, 5.0))
            connection.rollback()


def everything(gateway, sink, mail, chance):
    threads = [
        threading.Thread(target=disturb, args=(gateway, sink, mail, random.Random(f"{chance.random()}")))
        for disturb in (kill_processes, stop_and_start_next_hop, pause_store)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("disturb", [kill_processes, stop_and_start_next_hop, misbehave, pause_store, everything])
def test_nothing_is_lost(gateway, sink, disturb, capsys):
    mail = Mail(gateway, 8, disturb.__name__, 10)
    mail.start()
    disturb(gateway, sink, mail, random.Random(disturb.__name__))
    mail.finish()
    verdict(gateway, sink, mail, capsys, disturb.__name__)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("disturb", [kill_processes, stop_and_start_next_hop, misbehave, pause_store, everything])
def test_nothing_is_lost_for_long(gateway, sink, disturb, capsys):
    mail = Mail(gateway, 16, disturb.__name__, 300)
    mail.start()
    disturb(gateway, sink, mail, random.Random(disturb.__name__))
    mail.finish()
    verdict(gateway, sink, mail, capsys, f"{disturb.__name__}, long")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
@pytest.mark.timeout(240)
def test_full_disk(tmp_path, sink, capsys):
    """The disk fills up and is emptied again: 451 meanwhile, nothing lost, and it goes on by itself."""
    state = tmp_path / "var"
    state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(state)], check=False)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    try:
        with RunningGateway(tmp_path, sections=sections(sink, policy)) as gateway:
            mail = Mail(gateway, 4, "disk", 14, lines=(1, 30))
            mail.start()
            filler = state / "filler"
            for _ in range(3):
                time.sleep(1)
                with contextlib.suppress(OSError), filler.open("wb") as file:
                    while True:
                        file.write(b"\0" * 65536)
                time.sleep(3)
                filler.unlink()
            mail.finish()
            verdict(gateway, sink, mail, capsys, "full disk")
    finally:
        subprocess.run(["umount", "-l", str(state)], check=False)
