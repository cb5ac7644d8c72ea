"""Brings the database to this version's schema. Alembic is imported only when there is something to do."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sekisho.mail.kept import StoreAwayError
from sekisho.store.connection import connect, is_busy

HEAD = "0008"  # the newest revision in migrations/versions; a test compares
LOCK_SECONDS = 60.0


def ensure_schema(database: Path) -> None:
    """Create or upgrade the database where needed; one process does, the others wait.

    Raises StoreAwayError for a database of a newer version or a lock held too long, sqlite3.Error and OSError
    for what the database and the disk say.
    """
    if schema_version(database) == HEAD:
        return
    with _migration_lock(database.with_suffix(".lock")):
        version = schema_version(database)
        if version > HEAD:
            raise StoreAwayError(f"the database has schema {version}, newer than this version's {HEAD}")
        if version < HEAD:
            _create_file(database)
            _upgrade(database)


def schema_version(database: Path) -> str:
    """The database's revision ("0001"), or "" where there is none yet. Raises sqlite3.Error."""
    if not database.exists() or database.stat().st_size == 0:
        return ""
    with closing(connect(database)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error) and not is_busy(error):
                return ""
            raise
    return str(row[0]) if row else ""


@contextmanager
def _migration_lock(path: Path) -> Iterator[None]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(fd)
        yield
    finally:
        os.close(fd)


def _lock(fd: int) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StoreAwayError("another process has been migrating the database for too long") from None
            time.sleep(0.05)
        else:
            return


def _create_file(database: Path) -> None:
    # SQLite gives its -wal and -shm files the mode of the database file.
    os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    with closing(connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    directory = os.open(database.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _upgrade(database: Path) -> None:
    from alembic import command  # noqa: PLC0415 - half a second that a normal start does not pay
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine, event  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    # Our own BEGIN: sqlite3's implicit transactions leave DDL outside, and a migration is all or nothing.
    engine = create_engine("sqlite://", creator=lambda: connect(database), poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()
