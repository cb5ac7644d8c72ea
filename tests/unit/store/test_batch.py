import threading
from concurrent.futures import Future
from contextlib import closing

import pytest
from msgspec.structs import replace

from sekisho.mail.kept import StoreAwayError
from sekisho.store.audit import DomainSets, audit_row
from sekisho.store.batch import Job, Undo, insert_rows, settle, write_batch
from sekisho.store.connection import connect
from sekisho.store.migrate import ensure_schema


@pytest.fixture(name="opened")
def _opened(tmp_path):
    ensure_schema(tmp_path / "sekisho.db")
    with closing(connect(tmp_path / "sekisho.db")) as opened:
        yield opened


@pytest.fixture(name="row")
def _row(make_audit):
    sets = DomainSets()
    return lambda audit_id="t1", **more: audit_row(make_audit(audit_id, **more), str, sets)


def count(opened, table):
    return opened.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_the_same_row_twice_is_one_row(opened, row):
    opened.execute("BEGIN")
    for _ in range(2):
        insert_rows(opened, [row(rules=("a/b", "a/b"), rcpt_to=("x@y.jp", "X@y.jp"))])
    opened.execute("COMMIT")
    tables = ("audit", "audit_address", "audit_finding", "domain_set")
    assert [count(opened, table) for table in tables] == [1, 2, 1, 1]


def test_of_many_rows_only_the_bad_ones_are_left_out(opened, row):
    rows = [row(str(number)) for number in range(10)]
    for bad in (3, 7):
        rows[bad] = replace(rows[bad], addresses=(("too", "short"),))
    opened.execute("BEGIN")
    insert_rows(opened, rows)
    opened.execute("COMMIT")
    found = {name for (name,) in opened.execute("SELECT id FROM audit")}
    assert found == set("01245689")
    assert count(opened, "audit_address") == 16


def test_a_probe_really_writes(opened):
    write_batch(opened, [], [], probe=True)
    assert count(opened, "heartbeat") == 1


def test_undo_puts_the_rest_away_only_after_the_row_is_gone(opened):
    order = []
    job = Job(lambda _: None, Future(), 0.0, durable=True, undo=Undo(lambda _: False, lambda: order.append("rest")))
    write_batch(opened, [], [job], probe=False)
    job.future.cancel()
    settle(opened, [job])
    assert order == []  # somebody else has the row: its bytes stay

    undo = Undo(lambda _: order.append("row") or True, lambda: order.append(("rest", opened.in_transaction)))
    job = Job(lambda _: None, Future(), 0.0, durable=True, undo=undo)
    write_batch(opened, [], [job], probe=False)
    job.future.cancel()
    settle(opened, [job])
    assert order == ["row", ("rest", False)]


def test_an_undo_that_fails_leaves_the_connection_usable(opened):
    def fail(_):
        raise OSError(5, "Input/output error")

    job = Job(lambda _: None, Future(), 0.0, durable=True, undo=Undo(fail, lambda: None))
    write_batch(opened, [], [job], probe=False)
    job.future.cancel()
    settle(opened, [job])
    assert not opened.in_transaction


def test_a_failed_job_that_nobody_waits_for_is_cleaned_up():
    cleaned = threading.Event()
    job = Job(lambda _: None, Future(), 0.0, durable=True, undo=Undo(lambda _: True, cleaned.set))
    job.future.cancel()
    job.fail(StoreAwayError("x"))
    assert cleaned.is_set()
