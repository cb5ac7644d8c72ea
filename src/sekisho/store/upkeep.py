"""What is done now and then: retention, blobs without rows and rows without blobs, rows that found no database."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from sekisho.store.audit import AuditDocument, AuditRow, addresses, decode
from sekisho.store.batch import insert_rows
from sekisho.store.blobs import Blobs

log = logging.getLogger(__name__)

_SPILL = "audit-unwritten-*.jsonl"
_BATCH = 200
_OPEN_ROWS = "SELECT id FROM kept WHERE state IN ('held', 'releasing', 'rejecting')"
_OLD_AUDIT = "SELECT id, document FROM audit WHERE at < ? ORDER BY at LIMIT ?"
_OLD_KEPT = """
SELECT id FROM kept WHERE state IN ('released', 'rejected', 'expired') AND changed_at < ? LIMIT ?"""
_FORGET_ADDRESS = "DELETE FROM audit_address WHERE domain = ? AND local = ? AND role = ? AND audit_id = ?"
_FORGET_FINDING = "DELETE FROM audit_finding WHERE rule = ? AND audit_id = ?"


class Swept(Struct, frozen=True):
    """What a sweep did: blobs deleted that no open row names, and the ids of open rows whose bytes are gone."""

    orphans_removed: int
    rows_without_blob: tuple[str, ...]


class Purged(Struct, frozen=True):
    """How many rows went."""

    audit: int
    kept: int


def purge_audit(connection: sqlite3.Connection, before: int) -> int:
    """Delete one small batch of audit rows older than `before` (microseconds); returns how many.

    Sets of domains stay: there are few, and to find the unused ones is to read every record.
    """
    rows = connection.execute(_OLD_AUDIT, (before, _BATCH)).fetchall()
    for audit_id, document in rows:
        connection.executemany(_FORGET_ADDRESS, _addresses_of(audit_id, document))
        connection.executemany(_FORGET_FINDING, _rules_of(audit_id, document))
    connection.executemany("DELETE FROM audit WHERE id = ?", [row[:1] for row in rows])
    return len(rows)


def _addresses_of(audit_id: str, document: str) -> Iterable[tuple[str, str, str, str]]:
    with suppress(ValueError):
        return addresses(decode(document, AuditDocument).envelope, audit_id)
    return ()


def _rules_of(audit_id: str, document: str) -> Iterable[tuple[str, str]]:
    with suppress(ValueError):
        return [(finding.rule, audit_id) for finding in decode(document, AuditDocument).findings]
    return ()


def purge_kept(connection: sqlite3.Connection, before: int) -> int:
    """Delete one small batch of rows in a final state since before `before` (microseconds)."""
    ids = connection.execute(_OLD_KEPT, (before, _BATCH)).fetchall()
    connection.executemany("DELETE FROM kept_address WHERE kept_id = ?", ids)
    connection.executemany("DELETE FROM kept WHERE id = ?", ids)
    return len(ids)


def sweep(connection: sqlite3.Connection, blobs: Blobs, seconds: float) -> Swept:
    """Delete files that no open row names and that are older than any keep that may still be under way.

    Raises sqlite3.Error, OSError.
    """
    blobs.clean_temporary(seconds)
    old = list(blobs.older_than(seconds))  # before the rows: a row that comes later belongs to a younger file
    rows = {row[0] for row in connection.execute(_OPEN_ROWS)}
    orphans = [blob_id for blob_id in old if blob_id not in rows]
    for blob_id in orphans:
        blobs.remove(blob_id)
    missing = [kept_id for kept_id in sorted(rows) if not blobs.exists(kept_id)]
    # A row may have been closed, and its bytes deleted, since it was read.
    missing = [kept_id for kept_id in missing if _still_open(connection, kept_id)]
    for kept_id in missing:
        log.error("the bytes of kept message %s are gone", kept_id)
    return Swept(len(orphans), tuple(missing))


def _still_open(connection: sqlite3.Connection, kept_id: str) -> bool:
    return connection.execute(f"{_OPEN_ROWS} AND id = ?", (kept_id,)).fetchone() is not None


def spill(directory: Path, rows: list[AuditRow]) -> None:
    """Write rows that the database did not take to a file, for the next start. Raises OSError."""
    path = directory / _SPILL.replace("*", f"{os.getpid()}-{os.urandom(4).hex()}")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as stream:
        stream.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
        stream.flush()
        os.fsync(fd)


def spilled(directory: Path) -> list[Path]:
    """The files that `spill` left."""
    return sorted(directory.glob(_SPILL))


def take_in(connection: sqlite3.Connection, path: Path) -> int:
    """Insert the rows of a spill file; harmless when several processes do. Raises sqlite3.Error, OSError."""
    rows = list(_read_spill(path))
    insert_rows(connection, rows)
    return len(rows)


def _read_spill(path: Path) -> Iterable[AuditRow]:
    for line in path.read_bytes().splitlines():
        try:
            yield msgspec.json.decode(line, type=AuditRow)
        except (msgspec.DecodeError, UnicodeDecodeError):
            log.error("%s: a line cannot be read", path.name)  # noqa: TRY400
