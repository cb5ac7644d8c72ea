import sqlite3
import threading
import time
from contextlib import closing

import pytest

from sekisho.mail.kept import StoreAwayError
from sekisho.store import connection
from sekisho.store import writer as module
from sekisho.store.audit import DomainSets, audit_row
from sekisho.store.batch import Undo
from sekisho.store.connection import connect
from sekisho.store.migrate import ensure_schema
from sekisho.store.writer import Writer

_SET = "INSERT OR REPLACE INTO domain_set (id, domains) VALUES (?, '')"


@pytest.fixture(name="database")
def _database(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
    ensure_schema(tmp_path / "sekisho.db")
    return tmp_path / "sekisho.db"


@pytest.fixture(name="probe")
def _probe():
    """What the writer asks whether blobs can be written: fails while `broken` is set."""

    class Probe:
        broken = False
        asked = 0

        def __call__(self):
            self.asked += 1
            if self.broken:
                raise OSError(28, "No space left on device")

    return Probe()


@pytest.fixture(name="writer")
def _writer(database, probe):
    made = Writer(database, probe)
    yield made
    made.close(5)


@pytest.fixture(name="row")
def _row(make_audit):
    sets = DomainSets()
    return lambda audit_id="t1", **more: audit_row(make_audit(audit_id, **more), str, sets)


def until(true, seconds=10):
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.005)


def ids(database):
    with closing(connect(database)) as opened:
        return [found for (found,) in opened.execute("SELECT id FROM audit ORDER BY id")]


def test_rows_come_in_order_and_once(writer, row, database):
    for number in range(1200):
        writer.add(row(f"{number:05}"))
    writer.add(row("00000"))
    assert writer.close(10) == []
    assert ids(database) == [f"{number:05}" for number in range(1200)]


def test_jobs_that_wait_together_share_a_commit(writer):
    hold, started, statements = threading.Event(), threading.Event(), []

    def first(opened):
        opened.set_trace_callback(statements.append)
        started.set()
        hold.wait(5)

    writer.submit(first, seconds=5)
    assert started.wait(5)
    jobs = [writer.submit(lambda opened: opened.execute(_SET, ("x",)).rowcount, seconds=5) for _ in range(20)]
    hold.set()
    assert [job.result(5) for job in jobs] == [1] * 20
    assert statements.count("COMMIT") == 2


def test_durable_jobs_are_committed_in_full_and_others_not(writer):
    level = "PRAGMA synchronous"
    assert writer.submit(lambda c: c.execute(level).fetchone(), seconds=5).result(5) == (2,)
    assert writer.submit(lambda c: c.execute(level).fetchone(), seconds=5, durable=False).result(5) == (1,)


def test_a_job_that_fails_takes_no_other_with_it(writer, database):
    hold, started = threading.Event(), threading.Event()

    def first(_):
        started.set()
        hold.wait(5)

    def bad(opened):
        opened.execute(_SET, ("bad",))
        raise ValueError("my own fault")

    writer.submit(first, seconds=5)
    assert started.wait(5)
    failing = writer.submit(bad, seconds=5)
    good = writer.submit(lambda opened: opened.execute(_SET, ("good",)).rowcount, seconds=5)
    hold.set()
    assert good.result(5) == 1
    with pytest.raises(ValueError, match="my own fault"):
        failing.result(5)
    with closing(connect(database)) as opened:
        assert opened.execute("SELECT id FROM domain_set").fetchall() == [("good",)]
    assert writer.trouble() == ""


def test_a_bad_row_is_left_out_alone(writer, row, database, caplog):
    from msgspec.structs import replace  # noqa: PLC0415

    bad = row("bad")
    bad = replace(bad, values=(bad.values[0], 2**80, *bad.values[2:]))
    for each in (row("a"), bad, row("b")):
        writer.add(each)
    assert writer.close(5) == []
    assert ids(database) == ["a", "b"]
    assert "audit row bad cannot be stored" in caplog.text


def test_a_locked_database_is_trouble_until_it_is_free(writer, row, database):
    with closing(connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        writer.add(row("a"))
        until(writer.trouble)
        assert "locked" in writer.trouble()
        waiting = writer.submit(lambda opened: opened.execute(_SET, ("x",)).rowcount, seconds=30)
        too_late = writer.submit(lambda opened: opened.execute(_SET, ("y",)).rowcount, seconds=0)
        with pytest.raises(StoreAwayError, match="locked"):
            too_late.result(10)
        other.execute("COMMIT")
    assert waiting.result(10) == 1
    until(lambda: not writer.trouble())
    assert writer.close(5) == []
    assert ids(database) == ["a"]


def test_trouble_without_anything_queued_is_probed_until_it_ends(writer, database):
    with closing(connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreAwayError):
            writer.submit(lambda _: None, seconds=0).result(10)
        until(writer.trouble)
        other.execute("COMMIT")
    until(lambda: not writer.trouble())


def test_blobs_that_cannot_be_written_are_trouble_until_a_probe_succeeds(writer, probe):
    probe.broken = True
    writer.blobs_failed("No space left on device")
    assert "No space" in writer.trouble()
    until(lambda: probe.asked > 1)
    assert "No space" in writer.trouble()
    probe.broken = False
    until(lambda: not writer.trouble())


def test_a_commit_that_takes_too_long_is_trouble_while_it_lasts(writer, monkeypatch):
    go_on, started = threading.Event(), threading.Event()

    def slow(_):
        started.set()
        go_on.wait(10)

    monkeypatch.setattr(module, "_STUCK", 0.0)
    future = writer.submit(slow, seconds=10)
    assert started.wait(5)
    until(lambda: "does not answer" in writer.trouble())
    go_on.set()
    future.result(5)
    until(lambda: not writer.trouble())


def test_what_was_given_up_too_late_is_taken_back(writer, database):
    go_on, started, undone = threading.Event(), threading.Event(), threading.Event()

    def slow(opened):
        opened.execute(_SET, ("x",))
        started.set()
        go_on.wait(5)

    undo = Undo(lambda opened: opened.execute("DELETE FROM domain_set").rowcount == 1, undone.set)
    future = writer.submit(slow, seconds=5, undo=undo)
    assert started.wait(5)
    assert future.cancel()
    go_on.set()
    assert undone.wait(5)
    with closing(connect(database)) as opened:
        assert opened.execute("SELECT * FROM domain_set").fetchall() == []


def test_what_was_given_up_before_it_began_is_not_run(writer, database):
    undone, ran = threading.Event(), []
    with closing(connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        future = writer.submit(lambda _: ran.append(1), seconds=30, undo=Undo(lambda _: False, undone.set))
        assert future.cancel()
        other.execute("COMMIT")
    assert undone.wait(10)
    assert ran == []


def test_a_replaced_database_file_is_noticed_and_the_new_one_used(writer, row, database, tmp_path):
    writer.submit(lambda _: None, seconds=5).result(5)
    for path in tmp_path.glob("sekisho.db*"):
        path.rename(tmp_path / f"old.{path.name}")
    writer.add(row("a"))
    until(writer.trouble)
    ensure_schema(database)
    until(lambda: not writer.trouble())
    assert writer.close(5) == []
    assert ids(database) == ["a"]


def test_a_corrupt_database_is_trouble_and_rows_are_given_back(writer, row, database):
    database.write_bytes(b"\xff" * 65536)
    writer.add(row("a"))
    with pytest.raises((StoreAwayError, sqlite3.Error)):
        writer.submit(lambda opened: opened.execute("SELECT * FROM kept").fetchall(), seconds=0).result(10)
    until(writer.trouble)
    assert [left.values[0] for left in writer.close(5)] == ["a"]


def test_nothing_is_taken_after_close(writer):
    writer.close(5)
    with pytest.raises(StoreAwayError, match="closed"):
        writer.submit(lambda _: None, seconds=1).result(5)


def test_full(writer, row, database, monkeypatch):
    monkeypatch.setattr(module, "_QUEUE", 3)
    with closing(connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert not writer.full
        for number in range(3):
            writer.add(row(str(number)))
        until(lambda: writer.full and writer.trouble())
        other.execute("COMMIT")
    until(lambda: not writer.full)
