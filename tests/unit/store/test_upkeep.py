import asyncio
import os
import time
from contextlib import closing
from datetime import timedelta

import pytest
from msgspec.structs import replace

from sekisho.store import sqlite, upkeep
from sekisho.store.audit import DomainSets, audit_row
from sekisho.store.connection import connect
from sekisho.store.sqlite import SqliteStore
from sekisho.store.upkeep import Purged, Swept

DAY = timedelta(days=1)
TABLES = ("audit", "audit_address", "audit_finding", "domain_set", "kept", "kept_address")


def counts(store):
    with closing(connect(store._database)) as opened:
        return {table: opened.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def fill(store, records):
    async def fill():
        for record in records:
            await store.record(record)
        await store.heartbeat("after all rows", 1, {}, records[0].transaction.received_at)

    asyncio.run(fill())


def age(path, seconds=3600):
    os.utime(path, (time.time() - seconds,) * 2)


def test_purge_takes_whole_records_in_batches(store, make_audit, monkeypatch):
    monkeypatch.setattr(upkeep, "_BATCH", 3)
    now = make_audit().transaction.received_at
    fill(
        store,
        [
            make_audit(f"{n:02}", at=now - n * DAY, rules=("a/b",), rcpt_to=(f"r{n}@x.jp", "y@x.jp"))
            for n in range(20)
        ],
    )
    assert asyncio.run(store.purge(now, 9)) == Purged(audit=10, kept=0)
    assert counts(store) | {"kept": 0} == {
        "audit": 10,
        "audit_address": 30,
        "audit_finding": 10,
        "domain_set": 1,
        "kept": 0,
        "kept_address": 0,
    }
    assert asyncio.run(store.purge(now + 100 * DAY, 9)) == Purged(audit=10, kept=0)
    assert {table for table, count in counts(store).items() if count} == {"domain_set"}


def test_retention_0_keeps_everything(store, make_audit):
    fill(store, [make_audit()])
    now = make_audit().transaction.received_at
    assert asyncio.run(store.purge(now + 10000 * DAY, 0)) == Purged(0, 0)
    assert counts(store)["audit"] == 1


def test_purge_leaves_messages_that_still_wait(store, make_kept):
    async def run():
        for state in ("held", "releasing", "rejecting", "released", "rejected", "expired"):
            await store.keep(make_kept(state, state=state), b"x")
        assert await store.purge(sqlite.datetime.now(sqlite.UTC) - DAY, 1) == Purged(0, 0)
        assert await store.purge(sqlite.datetime.now(sqlite.UTC) + 2 * DAY, 1) == Purged(0, 3)

    asyncio.run(run())
    assert {kept.id for kept in store.list_kept()} == {"held", "releasing", "rejecting"}
    assert counts(store)["kept_address"] == 6


def test_a_sweep_removes_old_orphans_and_reports_rows_without_bytes(store, make_kept, caplog):
    async def run():
        for name in ("sound", "gone", "closed"):
            await store.keep(make_kept(name), b"x")
        await store.change(replace(make_kept("closed"), state="rejected"), "held")
        return await store.sweep()

    held = store._directory / "held"
    (held / "gone").unlink(missing_ok=True)
    assert asyncio.run(run()) == Swept(0, ())
    (held / "gone").unlink()
    for name in ("young-orphan", "old-orphan", "closed", ".half-written.0.tmp"):
        (held / name).write_bytes(b"x")
    for name in ("sound", "old-orphan", "closed", ".half-written.0.tmp"):
        age(held / name)
    assert asyncio.run(store.sweep()) == Swept(2, ("gone",))
    assert {path.name for path in held.iterdir()} == {"sound", "young-orphan"}
    assert "the bytes of kept message gone are gone" in caplog.text


def test_rows_that_found_no_database_come_back_at_the_next_start(tmp_path, make_audit):
    sets = DomainSets()
    rows = [audit_row(make_audit(str(number), rules=("a/b",)), str, sets) for number in range(3)]
    SqliteStore.open(tmp_path).close()
    upkeep.spill(tmp_path, rows)
    (path,) = upkeep.spilled(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes() + b'{"cut short')
    with SqliteStore.open(tmp_path) as store:
        assert [record.id for record in store.recorded()] == ["0", "1", "2"]
        assert counts(store)["audit_finding"] == 3
    assert upkeep.spilled(tmp_path) == []


def test_taking_in_twice_is_the_same_as_once(tmp_path, make_audit):
    SqliteStore.open(tmp_path).close()
    upkeep.spill(tmp_path, [audit_row(make_audit(), str, DomainSets())])
    (path,) = upkeep.spilled(tmp_path)
    with closing(connect(tmp_path / "sekisho.db")) as opened:
        assert [upkeep.take_in(opened, path) for _ in range(2)] == [1, 1]
        assert opened.execute("SELECT count(*) FROM audit").fetchone() == (1,)


@pytest.mark.parametrize("seconds", [0, 59])
def test_a_sweep_never_takes_a_file_whose_row_may_still_come(store, seconds):
    path = store._directory / "held" / "under-way"
    path.write_bytes(b"x")
    age(path, seconds)
    assert asyncio.run(store.sweep()) == Swept(0, ())
    assert path.exists()
