"""Counters shared by the processes of one machine: an SQLite file of their own.

It is written without waiting for the disk: exact between processes and over their restarts, and a power cut costs
the last moments. A damaged file is begun anew. What waits for its lock together is done in one transaction.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue

from sekisho.mail.counting import Take, Taken
from sekisho.mail.kept import StoreAwayError
from sekisho.store.connection import is_busy, reason
from sekisho.store.counting import done

log = logging.getLogger(__name__)

FILE = "counters.db"
_BUSY_SECONDS = 1.0
_RETRY_SECONDS = 0.0003
_BATCH = 64
_TIDY_SECONDS = 10.0
_SLICES = 64
_WIDTH = 256 // _SLICES  # values of a key's first octet in a slice
_MOST_ROWS = 1_000_000  # counters, and as many items: some 200 MB
_MOST_PAGES = 262_144  # 1 GiB: the end, whatever comes
_LARGE = 1 << 29
_SIZES = (1, 8, 32, 128, 512)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (key BLOB PRIMARY KEY, until INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS item
  (grp BLOB NOT NULL, item BLOB NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (grp, item)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS item_group (grp BLOB PRIMARY KEY, size INTEGER NOT NULL, until INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tidied (at INTEGER NOT NULL, slice INTEGER NOT NULL);
"""
_SAVE = """
INSERT INTO counter (key, until, state) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET until = excluded.until, state = excluded.state"""
_REMEMBER = """
INSERT INTO item (grp, item, until) VALUES (?, ?, ?)
ON CONFLICT (grp, item) DO UPDATE SET until = excluded.until"""
_GROUP = """
INSERT INTO item_group (grp, size, until) VALUES (?, ?, ?)
ON CONFLICT (grp) DO UPDATE SET size = size + excluded.size, until = max(until, excluded.until) RETURNING size"""
_OLDEST_OF = """
DELETE FROM item WHERE grp = ?1 AND item IN (SELECT item FROM item WHERE grp = ?1 ORDER BY until LIMIT ?2)"""
# Keys are hashes, so that a slice of them is like any other.
_KEYS = {"counter": "key", "item": "grp", "item_group": "grp"}
_OVER = {t: f"DELETE FROM {t} WHERE {k} >= ? AND {k} < ? AND until <= ?" for t, k in _KEYS.items()}  # noqa: S608
_COUNT = {t: f"SELECT count(*) FROM {t} WHERE {k} >= ? AND {k} < ?" for t, k in _KEYS.items()}  # noqa: S608
_CUT = "SELECT until FROM {0} WHERE {1} >= ? AND {1} < ? ORDER BY until LIMIT 1 OFFSET ?"


class _DatabaseRows:
    """See `store.counting.Rows`: within a transaction of the caller's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute
        self._run_many = connection.executemany

    def states(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Those counters that there are."""
        found: dict[bytes, bytes] = {}
        for marks, values in _chunks(keys):
            found.update(self._run(f"SELECT key, state FROM counter WHERE key IN ({marks})", values))  # noqa: S608
        return found

    def save(self, rows: Iterable[tuple[bytes, int, bytes]]) -> None:
        """Write counters."""
        self._run_many(_SAVE, rows)

    def known(self, group: bytes, items: Sequence[bytes]) -> Mapping[bytes, int]:
        """Those items that a group has, and until when."""
        found: dict[bytes, int] = {}
        for marks, values in _chunks(items):
            select = f"SELECT item, until FROM item WHERE grp = ? AND item IN ({marks})"  # noqa: S608 - only marks
            found.update(self._run(select, (group, *values)))
        return found

    def remember(self, group: bytes, items: Sequence[bytes], new: int, until: int, most: int) -> None:
        """Write items; those that end first make room, a sixteenth more of them than needed."""
        self._run_many(_REMEMBER, [(group, item, until) for item in items])
        (size,) = self._run(_GROUP, (group, new, until)).fetchone()
        if size > most:
            # What was over and is gone was not taken off the size.
            (size,) = self._run("SELECT count(*) FROM item WHERE grp = ?", (group,)).fetchone()
            if size > most:
                surplus = size - most + most // 16
                self._run(_OLDEST_OF, (group, surplus))
                size -= surplus
            self._run("UPDATE item_group SET size = ? WHERE grp = ?", (max(size, 0), group))


def _chunks(values: Sequence[bytes]) -> Iterable[tuple[str, Sequence[bytes]]]:
    """Values by the hundreds, filled up with the last one, so that few statements are needed."""
    for begin in range(0, len(values), _SIZES[-1]):
        chunk = values[begin : begin + _SIZES[-1]]
        size = next(size for size in _SIZES if size >= len(chunk))
        yield ",".join("?" * size), [*chunk, *([chunk[-1]] * (size - len(chunk)))]


_Asked = tuple[Take, float, bool, "Future[Taken]"]


class SqliteCounters:
    """See `mail.ports.Counters`; raises StoreAwayError. One for each process, made after the fork."""

    def __init__(self, state_dir: Path, most_rows: int = _MOST_ROWS) -> None:
        self._file = state_dir / FILE
        self._most_rows = most_rows
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._trouble = ""
        self._tidy_at = 0.0
        self._thread = threading.Thread(target=self._work, name="counters", daemon=True)
        self._thread.start()

    async def take(self, take: Take, at: float) -> Taken:
        """Take, in one transaction with whatever waits with it."""
        return await self._ask(take, at, look=False)

    async def look(self, take: Take, at: float) -> Taken:
        """What would come of it."""
        return await self._ask(take, at, look=True)

    async def _ask(self, take: Take, at: float, *, look: bool) -> Taken:
        future: Future[Taken] = Future()
        self._asked.put((take, at, look, future))
        return await asyncio.wrap_future(future)

    def trouble(self) -> str:
        """Why the file could not be used the last time, or ""."""
        return self._trouble

    async def close(self) -> None:
        """End the thread after what is asked by now; not waited for longer than a few seconds."""
        self._asked.put(None)
        await asyncio.to_thread(self._thread.join, 3.0)

    def _work(self) -> None:
        while (first := self._asked.get()) is not None:
            batch, more = self._together(first)
            self._answer([asked for asked in batch if asked[3].set_running_or_notify_cancel()])
            if not more:
                break
        if self._connection is not None:
            self._connection.close()

    def _together(self, first: _Asked) -> tuple[list[_Asked], bool]:
        """What waits; False: and then it is time to end."""
        batch = [first]
        try:
            while len(batch) < _BATCH:
                asked = self._asked.get_nowait()
                if asked is None:
                    return batch, False
                batch.append(asked)
        except Empty:
            pass
        return batch, True

    def _answer(self, batch: list[_Asked]) -> None:
        try:
            results = self._patiently(batch)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
            for *_, future in batch:
                future.set_exception(StoreAwayError(self._trouble))
        except Exception as error:  # the thread must outlive whatever happens to one batch
            log.exception("counting failed")
            for *_, future in batch:
                future.set_exception(error)
        else:
            self._trouble = ""
            for (*_, future), result in zip(batch, results, strict=True):
                future.set_result(result)

    def _patiently(self, batch: list[_Asked]) -> list[Taken]:
        """Try again until the lock is free: SQLite's own waiting sleeps longer and longer, and some wait for ever."""
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                return self._transacted(batch)
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(_RETRY_SECONDS)

    def _transacted(self, batch: list[_Asked]) -> list[Taken]:
        connection = self._connected()
        rows = _DatabaseRows(connection)
        writes = any(not look for _, _, look, _ in batch)
        connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        try:
            results = [done(take, at, rows, look=look) for take, at, look, _ in batch]
            if writes and time.monotonic() >= self._tidy_at:
                self._tidy_at = time.monotonic() + _TIDY_SECONDS
                tidy(connection, int(batch[-1][1]), self._most_rows)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._inode != _inode(self._file):
            self._connection.close()  # another process, or a person, has removed the file: all begin anew together
            self._connection = None
        if self._connection is None:
            self._connection = opened(self._file)
            self._inode = _inode(self._file)
        return self._connection

    def _failed(self, error: Exception) -> None:
        why = reason(error)
        if why != self._trouble:
            log.warning("counters of limits and guards: %s", why)
        self._trouble = why
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        too_large = code == sqlite3.SQLITE_FULL and self._file.stat().st_size > _LARGE
        if too_large or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            log.warning("the file of the counters is %s: counting begins anew", "full" if too_large else "damaged")
            for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
                self._file.with_name(name).unlink(missing_ok=True)


def _inode(file: Path) -> int:
    try:
        return file.stat().st_ino
    except FileNotFoundError:
        return 0


def opened(file: Path) -> sqlite3.Connection:
    """A connection to the counters' file, which is made where there is none. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_size_limit=16777216")
        connection.execute(f"PRAGMA max_page_count={_MOST_PAGES}")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.executescript(_SCHEMA)
        connection.execute("PRAGMA busy_timeout=0")
        file.chmod(0o600)
    except (sqlite3.Error, OSError):
        connection.close()
        raise
    return connection


def tidy(connection: sqlite3.Connection, now: int, most_rows: int) -> None:
    """Forget what is over, and what ends first where there are too many rows, in the next slice of all keys.

    One slice in ten seconds, whoever of the processes comes first: some ten milliseconds for a million rows. Within a
    transaction of the caller's.
    """
    row = connection.execute("SELECT at, slice FROM tidied").fetchone()
    if row is not None and 0 <= now - row[0] < _TIDY_SECONDS:
        return
    number = (row[1] + 1) % _SLICES if row else 0
    connection.execute("DELETE FROM tidied")
    connection.execute("INSERT INTO tidied (at, slice) VALUES (?, ?)", (now, number))
    slice_ = (bytes([number * _WIDTH]), bytes([(number + 1) * _WIDTH]) if number + 1 < _SLICES else b"\xff" * 17)
    for table, key in _KEYS.items():
        connection.execute(_OVER[table], (*slice_, now))
        (count,) = connection.execute(_COUNT[table], slice_).fetchone()
        surplus = count - most_rows // _SLICES
        if surplus > 0:
            last = (surplus + most_rows // _SLICES // 16 - 1,)
            (until,) = connection.execute(_CUT.format(table, key), (*slice_, *last)).fetchone() or (now,)
            connection.execute(_OVER[table], (*slice_, until))
