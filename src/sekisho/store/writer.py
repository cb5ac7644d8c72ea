"""The one thread of a process that writes to the database, in batches.

Audit rows wait a few milliseconds for company and are committed with synchronous=NORMAL: they survive the process.
Jobs are committed at once, all that wait together, and durable ones with synchronous=FULL: they survive a power cut.
Rows are never dropped: while the database does not take them they stay queued, and `trouble()` says why.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from sekisho.mail.kept import StoreAwayError
from sekisho.store.audit import AuditRow
from sekisho.store.batch import Job, Moved, Undo, settle, write_batch
from sekisho.store.connection import connect, is_busy, reason

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_LINGER = 0.02  # seconds that an audit row waits for company
_BATCH = 500
_QUEUE = 20_000
_BACK_OFF = (0.1, 2.0)
_STUCK = 3.0


class Writer:
    """Queues rows and jobs for its thread. `probe` sees whether the blob directory takes anything (OSError)."""

    def __init__(self, database: Path, probe: Callable[[], None]) -> None:
        self._database = database
        self._probe = probe
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._rows: deque[AuditRow] = deque()
        self._in_flight: Sequence[AuditRow] = ()
        self._jobs: list[Job] = []
        self._changed = threading.Condition()
        self._closing = False
        self._failure = ""
        self._blob_failure = ""
        self._back_off = 0.0
        self._attempt_since = 0.0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether so many rows wait that whoever adds one should wait."""
        return len(self._rows) >= _QUEUE

    def add(self, row: AuditRow) -> None:
        """Queue an audit row. Never blocks."""
        with self._changed:
            self._rows.append(row)
            if len(self._rows) in (1, _BATCH):
                self._changed.notify()

    def submit(
        self,
        run: Callable[[sqlite3.Connection], _T],
        *,
        seconds: float,
        durable: bool = True,
        undo: Undo | None = None,
    ) -> Future[_T]:
        """Run a job inside a write transaction; the future is done when it is committed.

        It fails with StoreAwayError, or with what `run` raised. A job that was cancelled too late is undone.
        """
        future: Future[_T] = Future()
        job = Job(run, future, time.monotonic() + seconds, durable, undo)
        with self._changed:
            if self._closing:
                future.set_exception(StoreAwayError("the store is closed"))
                return future
            self._jobs.append(job)
            self._changed.notify()
        return future

    def blobs_failed(self, why: str) -> None:
        """Told by whoever could not write a blob; the thread probes until it works again."""
        with self._changed:
            self._blob_failure = why
            self._changed.notify()

    def trouble(self) -> str:
        """Why nothing can be made durable at the moment, or ""."""
        since = self._attempt_since
        if since and time.monotonic() - since > _STUCK:
            return "the disk or the database does not answer"
        return self._failure or self._blob_failure

    def close(self, seconds: float) -> list[AuditRow]:
        """Write what waits and end the thread. Returns the rows that could not be written in time."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)
        with self._changed:
            left = [*self._in_flight, *self._rows]
            jobs, self._jobs = self._jobs, []
            self._rows.clear()
        for job in jobs:
            job.fail(StoreAwayError(self._failure or "the store is closed"))
        return left

    def _run(self) -> None:
        while self._wait():
            rows, jobs = self._take()
            self._attempt_since = time.monotonic()
            try:
                self._attempt(rows, jobs)
            except Exception as error:  # the thread must outlive whatever happens to one batch
                log.exception("writing to the store failed")
                self._failed(error, rows, jobs)
            self._attempt_since = 0.0
        if self._connection is not None:
            self._connection.close()

    def _wait(self) -> bool:
        """Sleep until there is something to write; False when it is time to end."""
        with self._changed:
            if self._back_off and not self._closing:
                self._changed.wait_for(lambda: self._closing, self._back_off)
            elif not self._closing:
                self._changed.wait_for(self._has_work)
                if not self._jobs and not self._blob_failure:
                    self._changed.wait_for(self._is_urgent, _LINGER)
            return not self._closing or (bool(self._rows or self._jobs) and not self._failure)

    def _has_work(self) -> bool:
        return bool(self._rows or self._jobs or self._closing or self._blob_failure)

    def _is_urgent(self) -> bool:
        return bool(self._jobs or self._closing or len(self._rows) >= _BATCH)

    def _take(self) -> tuple[list[AuditRow], list[Job]]:
        with self._changed:
            rows = [self._rows.popleft() for _ in range(min(_BATCH, len(self._rows)))]
            self._in_flight = rows
            jobs, self._jobs = self._jobs, []
        return rows, jobs

    def _attempt(self, rows: list[AuditRow], jobs: list[Job]) -> None:
        try:
            connection = self._connected()
            write_batch(connection, rows, jobs, probe=bool(self._failure))
        except (sqlite3.Error, OSError, Moved) as error:
            self._failed(error, rows, jobs)
            return
        self._in_flight = ()
        settle(connection, jobs)
        self._succeeded()

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one where the file has been replaced under the old one."""
        status = self._database.stat()
        file = (status.st_dev, status.st_ino)
        if self._connection is None:
            self._connection = connect(self._database)
            self._file = file
        elif file != self._file:
            raise Moved("the database file was replaced")
        return self._connection

    def _succeeded(self) -> None:
        if self._failure:
            log.warning("the store takes writes again")
        self._failure = ""
        self._back_off = 0.0
        if self._blob_failure:
            try:
                self._probe()
            except OSError as error:
                self._blob_failure = reason(error)
                self._later()
            else:
                self._blob_failure = ""

    def _failed(self, error: Exception, rows: list[AuditRow], jobs: list[Job]) -> None:
        """Keep the rows, keep the jobs that may still wait for a lock, fail the others."""
        why = reason(error)
        if not self._failure:
            log.error("the store does not take writes: %s", why)
        self._failure = why
        self._later()
        self._disconnect(error)
        now = time.monotonic()
        waiting = [job for job in jobs if is_busy(error) and now < job.deadline and not job.future.cancelled()]
        with self._changed:
            self._rows.extendleft(reversed(rows))
            self._in_flight = ()
            self._jobs = waiting + self._jobs
        for job in jobs:
            if job not in waiting:
                job.fail(StoreAwayError(why))

    def _later(self) -> None:
        least, most = _BACK_OFF
        self._back_off = min(max(self._back_off * 2, least), most)

    def _disconnect(self, error: Exception) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if not is_busy(error):
                self._connection = None
                connection.close()
        except sqlite3.Error:
            self._connection = None
