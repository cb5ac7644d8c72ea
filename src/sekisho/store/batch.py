"""One transaction of the writer: audit rows and jobs together."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from msgspec import Struct

from sekisho.mail.kept import StoreAwayError
from sekisho.store.audit import AuditRow
from sekisho.store.connection import reason

log = logging.getLogger(__name__)

_AUDIT = """
INSERT OR REPLACE INTO audit
    (id, at, tenant, message_id, size, subject_hash, disposition, policy_rule, domain_set, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ADDRESS = "INSERT OR IGNORE INTO audit_address (domain, local, role, audit_id) VALUES (?, ?, ?, ?)"
_FINDING = "INSERT OR IGNORE INTO audit_finding (rule, audit_id) VALUES (?, ?)"
_DOMAINS = "INSERT OR IGNORE INTO domain_set (id, domains) VALUES (?, ?)"
_PROBE = "INSERT OR REPLACE INTO heartbeat (name, pid, at, state) VALUES ('', 0, ?, '{}')"
# What is wrong with a value, not with the database: the row alone is to blame.
_BAD_ROW = (
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    OverflowError,
    UnicodeError,
    ValueError,
    TypeError,
)


class Moved(Exception):  # noqa: N818 - a state of the file; whoever catches it says what it means
    """The database file is not the one that was opened."""


class Undo(Struct, frozen=True):
    """How to take back a job that nobody waits for any more.

    `row` deletes what was committed and says whether it did; `rest` deletes what belonged to the row, after that.
    """

    row: Callable[[sqlite3.Connection], bool]
    rest: Callable[[], None]


class Job(Struct, eq=False):
    """Something to do inside a write transaction; see `Writer.submit`. `deadline` in monotonic seconds."""

    run: Callable[[sqlite3.Connection], Any]
    future: Future[Any]
    deadline: float
    durable: bool
    undo: Undo | None
    result: Any = None
    failure: Exception | None = None

    def fail(self, error: Exception) -> None:
        """The job was not committed."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)
        elif self.undo is not None:
            with suppress(OSError):
                self.undo.rest()


def write_batch(connection: sqlite3.Connection, rows: list[AuditRow], jobs: list[Job], *, probe: bool) -> None:
    """Write and commit. Raises sqlite3.Error, after which nothing of it has happened."""
    durable = probe or any(job.durable for job in jobs)
    connection.execute("PRAGMA synchronous=FULL" if durable else "PRAGMA synchronous=NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    if probe:
        connection.execute(_PROBE, (time.time_ns() // 1000,))
    if rows:
        insert_rows(connection, rows)
    for job in jobs:
        if not job.future.cancelled():
            _run(connection, job)
        else:
            job.failure = StoreAwayError("given up")
    connection.execute("COMMIT")


def settle(connection: sqlite3.Connection, jobs: Iterable[Job]) -> None:
    """Tell each waiter after the commit; take back what nobody waits for any more."""
    for job in jobs:
        if job.failure is not None:
            job.fail(job.failure)
        elif job.future.set_running_or_notify_cancel():
            job.future.set_result(job.result)
        elif job.undo is not None:
            _undo(connection, job.undo)


def _undo(connection: sqlite3.Connection, undo: Undo) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        taken_back = undo.row(connection)
        connection.execute("COMMIT")
        if taken_back:
            undo.rest()
    except (sqlite3.Error, OSError) as error:
        # Kept although its sender was told to come back: a duplicate, never a loss.
        log.warning("could not take back what nobody waits for: %s", reason(error))
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _run(connection: sqlite3.Connection, job: Job) -> None:
    """A job that fails by its own fault must not take the others with it."""
    connection.execute("SAVEPOINT job")
    try:
        job.result = job.run(connection)
        job.failure = None
    except (*_BAD_ROW, StoreAwayError) as error:
        job.failure = error
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def insert_rows(connection: sqlite3.Connection, rows: list[AuditRow]) -> None:
    """Write audit rows, together or, where one of them is bad, each alone. The same row twice is one row."""
    connection.execute("SAVEPOINT rows_")
    try:
        _insert(connection, rows)
    except _BAD_ROW as error:
        connection.execute("ROLLBACK TO rows_")
        if len(rows) > 1:
            for row in rows:
                insert_rows(connection, [row])
        else:
            log.error("audit row %s cannot be stored: %s", rows[0].values[0], type(error).__name__)  # noqa: TRY400
    connection.execute("RELEASE rows_")


def _insert(connection: sqlite3.Connection, rows: list[AuditRow]) -> None:
    connection.executemany(_DOMAINS, {row.domain_set for row in rows})
    connection.executemany(_AUDIT, [row.values for row in rows])
    connection.executemany(_ADDRESS, [address for row in rows for address in row.addresses])
    connection.executemany(_FINDING, [rule for row in rows for rule in row.rules])
