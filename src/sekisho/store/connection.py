"""Connections to the embedded database, and its failures as `StoreAwayError`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sekisho.mail.kept import StoreAwayError

DATABASE = "sekisho.db"
BUSY_SECONDS = 2.0  # how long one statement waits for another process's lock


def connect(database: Path) -> sqlite3.Connection:
    """Open the database, which must exist, for use by one thread at a time. Raises sqlite3.Error.

    Transactions are opened by hand (BEGIN IMMEDIATE); commits are synchronous=FULL until the writer says otherwise.
    """
    connection = sqlite3.connect(
        database.resolve().as_uri() + "?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_size_limit=67108864")
        connection.execute("PRAGMA temp_store=MEMORY")  # sorting must not fail for a full disk
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def is_busy(error: BaseException) -> bool:
    """Whether another process holds the lock, so that trying again helps."""
    code = getattr(error, "sqlite_errorcode", 0)
    return (code & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@contextmanager
def store_away() -> Iterator[None]:
    """Turn failures of the database or the disk into StoreAwayError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreAwayError(reason(error)) from error


def reason(error: BaseException) -> str:
    """A failure in few words, without the paths and values that an OSError carries."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
