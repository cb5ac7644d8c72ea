"""The whole store, with real processes, locks and full disks."""

import asyncio
import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from sekisho.mail.finding import Finding, Severity
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.ports import Store
from sekisho.record.paths import with_paths
from sekisho.store import connection, sqlite
from sekisho.store.keys import rotate
from sekisho.store.sqlite import Heartbeat, SqliteStore

MINUTE = timedelta(minutes=1)


@pytest.fixture(name="impatient")
def _impatient(monkeypatch):
    """The same, with everything waiting for less time."""
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(sqlite, "_DEADLINE", 0.5)
    monkeypatch.setattr(sqlite, "_CLOSE", 0.5)


def until(true, seconds=10):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.005)


def test_is_the_store_of_the_ports(store):
    def takes(port: Store) -> Store:
        return port

    assert takes(store)
    for name in (name for name in vars(Store) if not name.startswith("_")):
        assert callable(getattr(store, name))


def test_a_kept_message_from_beginning_to_end(store, make_kept):
    data = b"Subject: x\r\n\r\nbody\r\n"
    kept = make_kept(release_at=make_kept().received_at + MINUTE, kind="delay")
    now = kept.received_at

    async def run():
        await store.keep(kept, data)
        assert await store.kept("k1") == kept
        assert await store.kept_data(kept) == data
        assert await store.claim_due(now, now + MINUTE, 10) == []
        (due,) = await store.claim_due(now + MINUTE, now + 2 * MINUTE, 10)
        assert due == replace(kept, state="releasing")
        assert await store.change(replace(due, state="released", note="gone"), "releasing")
        with pytest.raises(StoreAwayError, match="not there"):
            await store.kept_data(kept)
        return await store.kept("k1")

    assert asyncio.run(run()) == replace(kept, state="released", note="gone")
    assert list((store._directory / "held").iterdir()) == []


def test_the_same_without_an_event_loop(store, make_kept):
    kept = make_kept()
    asyncio.run(store.keep(kept, b"x"))
    assert store.kept_sync("k1") == kept
    assert store.kept_sync("k2") is None
    assert store.kept_data_sync(kept) == b"x"
    assert store.change_sync(replace(kept, state="rejecting"), "held")
    assert not store.change_sync(replace(kept, state="rejecting"), "held")


def test_an_id_is_kept_once_and_the_first_stays(store, make_kept):
    async def run():
        await store.keep(make_kept(), b"first")
        with pytest.raises(StoreAwayError):
            await store.keep(make_kept(), b"second")
        return await store.kept_data(make_kept())

    assert asyncio.run(run()) == b"first"


def test_an_id_whose_row_is_there_without_bytes_is_not_taken_over(store, make_kept):
    async def run():
        await store.keep(make_kept(), b"first")
        (store._directory / "held" / "k1").unlink()
        with pytest.raises(StoreAwayError):
            await store.keep(make_kept(), b"second")

    asyncio.run(run())
    assert not (store._directory / "held" / "k1").exists()


def test_many_at_once(store, make_kept):
    async def run():
        await asyncio.gather(*(store.keep(make_kept(f"k{n}"), b"%d" % n) for n in range(200)))
        return [await store.kept_data(make_kept(f"k{n}")) for n in range(200)]

    assert asyncio.run(run()) == [b"%d" % n for n in range(200)]
    (count,) = asyncio.run(store.kept_counts())
    assert (count.tenant, count.kind, count.state, count.count) == ("default", "quarantine", "held", 200)


def test_heartbeats(store, make_kept):
    now = make_kept().received_at

    async def run():
        await store.heartbeat("worker-1", 10, {"connections": 1}, now)
        await store.heartbeat("background", 11, {}, now)
        await store.heartbeat("worker-1", 12, {"connections": 2}, now + MINUTE)

    asyncio.run(run())
    assert store.heartbeats() == [
        Heartbeat("background", 11, now, {}),
        Heartbeat("worker-1", 12, now + MINUTE, {"connections": 2}),
    ]


def test_only_the_owner_may_read_any_of_it(store, make_kept, make_audit):
    async def run():
        await store.keep(make_kept(), b"x")
        await store.record(make_audit())

    asyncio.run(run())
    for path in (store._directory, *store._directory.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_rotation_under_a_running_store(store, make_kept):
    async def run():
        await store.keep(make_kept("old"), b"old")
        rotate(store._directory / "keys" / "hold.key")
        with SqliteStore.open(store._directory) as other:
            await other.keep(make_kept("new"), b"new")
            assert await other.kept_data(make_kept("old")) == b"old"
        assert await store.kept_data(await store.kept("new")) == b"new"

    asyncio.run(run())


def test_a_lost_key_file_is_not_replaced_while_messages_are_held(tmp_path, make_kept):
    with SqliteStore.open(tmp_path) as store:
        asyncio.run(store.keep(make_kept(), b"x"))
    key_file = tmp_path / "keys" / "hold.key"
    key_file.rename(tmp_path / "saved")
    with pytest.raises(StoreAwayError, match="No such file"):
        SqliteStore.open(tmp_path)
    assert not key_file.exists()
    (tmp_path / "saved").rename(key_file)
    with SqliteStore.open(tmp_path) as store:
        assert store.kept_data_sync(make_kept()) == b"x"


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "sekisho.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreAwayError, match="not a database"):
        SqliteStore.open(tmp_path)


def test_damaged_bytes_are_never_given_out(store, make_kept):
    asyncio.run(store.keep(make_kept(), b"some bytes of a message"))
    path = store._directory / "held" / "k1"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreAwayError, match="damaged"):
        store.kept_data_sync(make_kept())


# Other processes.

_KEEP = """
import asyncio, sys
from pathlib import Path
import msgspec
from sekisho.mail.kept import Kept
from sekisho.store.sqlite import SqliteStore

async def run():
    store = SqliteStore.open(Path(sys.argv[1]))
    for line in sys.stdin:
        kept = msgspec.json.decode(line, type=Kept)
        await store.keep(kept, kept.id.encode() * 1000)
        print(kept.id, flush=True)

asyncio.run(run())
"""


def test_what_was_kept_survives_sigkill_the_moment_after(tmp_path, python, make_kept):
    process = python(_KEEP, tmp_path)
    for number in range(5):
        process.stdin.write(msgspec.json.encode(make_kept(f"k{number}")).decode() + "\n")
    process.stdin.flush()
    for number in range(5):
        assert process.stdout.readline() == f"k{number}\n"
    process.kill()
    process.wait()
    with SqliteStore.open(tmp_path) as store:
        for number in range(5):
            kept = store.kept_sync(f"k{number}")
            assert kept == make_kept(f"k{number}")
            assert store.kept_data_sync(kept) == kept.id.encode() * 1000
        assert asyncio.run(store.sweep()).rows_without_blob == ()


def test_killed_at_any_moment_what_was_promised_is_there_and_the_rest_is_swept(tmp_path, python, make_kept):
    promised = set()
    for round_ in range(5):
        process = python(_KEEP, tmp_path)
        names = [f"r{round_}-{number}" for number in range(100)]
        process.stdin.write("".join(msgspec.json.encode(make_kept(n)).decode() + "\n" for n in names))
        process.stdin.flush()
        promised.update(process.stdout.readline().strip() for _ in range(1 + round_ * 7))
        process.kill()
        promised.update(process.stdout.read().split())
    with SqliteStore.open(tmp_path) as store:
        for path in (tmp_path / "held").iterdir():
            os.utime(path, (0, 0))
        assert asyncio.run(store.sweep()).rows_without_blob == ()
        rows = {kept.id for kept in store.list_kept(limit=1000)}
        assert promised <= rows == {path.name for path in (tmp_path / "held").iterdir()}
        for kept_id in promised:
            assert store.kept_data_sync(make_kept(kept_id)) == kept_id.encode() * 1000


_CLAIM = """
import asyncio, sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from sekisho.store.sqlite import SqliteStore

async def run():
    store = SqliteStore.open(Path(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    now = datetime.now(UTC)
    while claimed := await store.claim_due(now, now + timedelta(hours=1), 3):
        print(*(kept.id for kept in claimed), flush=True)
    store.close()

asyncio.run(run())
"""


def test_two_processes_never_claim_the_same_row(tmp_path, python, make_kept):
    names = {f"k{number}" for number in range(100)}

    async def fill(store):
        await asyncio.gather(*(store.keep(make_kept(name, state="releasing"), b"x") for name in names))

    with SqliteStore.open(tmp_path) as store:
        asyncio.run(fill(store))
        processes = [python(_CLAIM, tmp_path) for _ in range(2)]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        claimed = [process.communicate()[0].split() for process in processes]
    assert sorted(claimed[0] + claimed[1]) == sorted(names)


_RECORD_MANY = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Outcome, Transaction
from sekisho.parse import parse
from sekisho.store.sqlite import SqliteStore

async def run():
    store = SqliteStore.open(Path(sys.argv[1]))
    message = parse(b"Subject: x\\r\\n\\r\\n")
    envelope = Envelope("a@example.jp", (Recipient("b@example.com"),))
    for number in range(int(sys.argv[3])):
        transaction = Transaction(
            f"{sys.argv[2]}-{number}", Session("s", "192.0.2.1"), envelope, message, datetime.now(UTC)
        )
        await store.record(AuditRecord(transaction, (), (), Outcome(Reply(250, "0.0", "OK")), {}))
        if number % 50 == 0:
            await asyncio.sleep(0)
    store.close()

asyncio.run(run())
"""


def test_several_processes_write_at_once(tmp_path):
    SqliteStore.open(tmp_path).close()
    command = [sys.executable, "-c", _RECORD_MANY, str(tmp_path)]
    processes = [subprocess.Popen([*command, name, "1500"]) for name in ("a", "b", "c")]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    with SqliteStore.open(tmp_path) as store:
        assert len(store.search_audit(limit=10000)) == 4500


_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
connection.close()
print("free", flush=True)
sys.stdin.readline()
"""


@pytest.mark.usefixtures("impatient")
def test_a_database_locked_by_another_process(tmp_path, python, make_kept, make_audit):
    with SqliteStore.open(tmp_path) as store:
        other = python(_LOCK, tmp_path / "sekisho.db")
        assert other.stdout.readline() == "locked\n"

        async def locked():
            await store.record(make_audit())  # waits for nothing
            with pytest.raises(StoreAwayError):
                await store.keep(make_kept(), b"x")
            with pytest.raises(StoreAwayError):
                await store.heartbeat("w", 1, {}, make_kept().received_at)
            assert await store.kept("k1") is None  # reading goes on

        asyncio.run(locked())
        until(store.trouble)
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "free\n"
        until(lambda: not store.trouble())
        until(lambda: not (tmp_path / "held" / "k1").exists())  # the refused message left nothing
        asyncio.run(store.keep(make_kept(), b"x"))
        assert [record.id for record in store.search_audit()] == ["t1"]


@pytest.mark.usefixtures("impatient")
def test_rows_that_cannot_be_written_until_the_end_are_there_at_the_next_start(tmp_path, python, make_audit):
    with SqliteStore.open(tmp_path) as store:
        other = python(_LOCK, tmp_path / "sekisho.db")
        assert other.stdout.readline() == "locked\n"
        asyncio.run(store.record(make_audit()))
        until(store.trouble)
    other.communicate("\n\n")
    with SqliteStore.open(tmp_path) as store:
        assert [record.id for record in store.recorded()] == ["t1"]


@pytest.mark.usefixtures("impatient")
def test_given_up_by_the_client_leaves_nothing(tmp_path, python, make_kept):
    with SqliteStore.open(tmp_path) as store:
        other = python(_LOCK, tmp_path / "sekisho.db")
        assert other.stdout.readline() == "locked\n"

        async def run():
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(store.keep(make_kept(), b"x"), 0.1)

        asyncio.run(run())
        other.communicate("\n\n")
        until(lambda: list((tmp_path / "held").iterdir()) == [])
        until(lambda: not store.trouble())
        assert store.kept_sync("k1") is None


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path):
    """A file system of 3 MB."""
    path = tmp_path / "small"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", str(path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.decode().strip()}")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.usefixtures("impatient")
def test_a_full_disk_is_trouble_until_there_is_room(small_disk, make_kept, make_audit):
    with SqliteStore.open(small_disk) as store:
        asyncio.run(store.keep(make_kept("before"), b"x"))
        filler = small_disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

        async def full():
            with pytest.raises(StoreAwayError, match="No space"):
                await store.keep(make_kept("during"), bytes(100_000))
            for number in range(300):
                await store.record(make_audit(f"{number:03}"))

        asyncio.run(full())
        until(store.trouble)
        assert store.kept_data_sync(make_kept("before")) == b"x"
        assert {path.name for path in (small_disk / "held").iterdir()} == {"before"}
        filler.unlink()
        until(lambda: not store.trouble())
        asyncio.run(store.keep(make_kept("after"), bytes(100_000)))
        assert [record.id for record in store.recorded()] == [f"{number:03}" for number in range(300)]
        assert {kept.id for kept in store.list_kept()} == {"before", "after"}
        store.close()
        with closing(sqlite3.connect(small_disk / "sekisho.db")) as opened:
            assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# What must not be found on disk.

SECRET_MAIL = (
    b"From: Taro <taro@example.jp>\r\n"
    b"Subject: Project Nightingale acquisition\r\n"
    b"Message-ID: <m1@example.jp>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nthe password is correct-horse-battery\r\n"
    b'--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="layoffs-2026.txt"\r\n\r\n'
    b"Suzuki Ichiro\r\n--b--\r\n"
)
SECRETS = (b"Nightingale", b"nightingale", b"correct-horse", b"layoffs", b"Suzuki")


def test_nothing_of_a_message_can_be_read_on_disk(store, make_kept, make_audit):
    finding = Finding("dlp/x", Severity.HIGH, where="filename", path="layoffs-2026.txt", excerpt="***")
    audit = with_paths(make_audit(raw=SECRET_MAIL, findings=(finding,)), "endings")
    assert audit.transaction.message.subject == "Project Nightingale acquisition"

    async def run():
        await store.keep(make_kept(findings=(finding,)), SECRET_MAIL)
        await store.record(audit)
        await store.heartbeat("after all rows", 1, {}, make_kept().received_at)

    asyncio.run(run())
    content = b"".join(path.read_bytes() for path in store._directory.rglob("*") if path.is_file())
    assert b"hanako" in content  # the log of the database is among it
    assert b"*.txt" in content
    for secret in SECRETS:
        assert secret not in content, secret
