"""Finding records and kept messages again: for the command line and policy replay. Reads only."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from sekisho.mail.verdict import Disposition
from sekisho.store.audit import Recorded, clean, micros, recorded, split_address

log = logging.getLogger(__name__)

_PAGE = 500
_AUDIT = """
SELECT a.id, a.at, a.message_id, a.size, a.subject_hash, a.document, d.domains
FROM audit a LEFT JOIN domain_set d ON d.id = a.domain_set"""
_KEPT = "SELECT id, tenant, state, document FROM kept"
_KEPT_COUNT = """
SELECT tenant, kind, state, count(*), min(received_at) FROM kept
WHERE state IN ('held', 'releasing', 'rejecting') GROUP BY tenant, kind, state"""
_HEARTBEATS = "SELECT name, pid, at, state FROM heartbeat WHERE name != '' ORDER BY name"


class AuditQuery(Struct, frozen=True, kw_only=True):
    """What to look for; None: anything.

    `sender`, `recipient`: an address, or a domain ("example.jp" or "@example.jp"); "<>" is the null sender.
    `finding_glob`: a rule id with * and ?. `since` included, `until` not.
    """

    sender: str | None = None
    recipient: str | None = None
    subject_hash: str | None = None
    message_id: str | None = None
    finding_glob: str | None = None
    disposition: Disposition | None = None
    tenant: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class KeptQuery(Struct, frozen=True, kw_only=True):
    """What to look for among kept messages; the fields as in `AuditQuery`, times are those of arrival."""

    tenant: str | None = None
    state: str | None = None
    kind: str | None = None
    sender: str | None = None
    recipient: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class KeptCount(Struct, frozen=True):
    """How many messages wait in one state, and since when the oldest does (microseconds)."""

    tenant: str
    kind: str
    state: str
    count: int
    oldest_at: int


class _Where:
    """Collects conditions and their values."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[str | int] = []

    def add(self, condition: str, value: str | int | None) -> None:
        if value is not None:
            self.parts.append(condition)
            self.values.append(value)

    def address(self, table: str, owner: str, role: str, wanted: str | None) -> None:
        if wanted is None:
            return
        domain, local = _address(wanted)
        exact = " AND local = ?" if local is not None else ""
        key = f"SELECT {owner} FROM {table} WHERE domain = ?{exact} AND role = ?"  # noqa: S608 - names are ours
        self.parts.append(f"id IN ({key})")
        self.values.extend([domain, role] if local is None else [domain, local, role])

    def sql(self) -> str:
        return f" WHERE {' AND '.join(self.parts)}" if self.parts else ""


def _address(wanted: str) -> tuple[str, str | None]:
    """(domain, local part), the local part None where any will do."""
    if wanted in ("", "<>"):
        return "", ""
    if wanted.startswith("@") or "@" not in wanted:
        return clean(wanted).lstrip("@").lower().rstrip("."), None
    return split_address(wanted)


def search_audit(connection: sqlite3.Connection, query: AuditQuery, limit: int) -> list[Recorded]:
    """The newest matching records. Raises sqlite3.Error."""
    where = _audit_where(query)
    sql = f"{_AUDIT}{_with_alias(where.sql())} ORDER BY a.at DESC, a.id DESC LIMIT ?"
    return list(_readable(connection.execute(sql, (*where.values, limit))))


def _audit_where(query: AuditQuery) -> _Where:
    where = _Where()
    where.address("audit_address", "audit_id", "from", query.sender)
    where.address("audit_address", "audit_id", "to", query.recipient)
    where.add("subject_hash = ?", query.subject_hash)
    where.add("message_id = ?", query.message_id)
    where.add("id IN (SELECT audit_id FROM audit_finding WHERE rule GLOB ?)", query.finding_glob)
    where.add("disposition = ?", None if query.disposition is None else int(query.disposition))
    where.add("tenant = ?", query.tenant)
    where.add("at >= ?", micros(query.since) if query.since else None)
    where.add("at < ?", micros(query.until) if query.until else None)
    return where


def _readable(rows: Iterable[tuple[Any, ...]]) -> Iterator[Recorded]:
    for row in rows:
        try:
            yield recorded(row)
        except ValueError as error:
            log.error("audit record %s cannot be read: %s", row[0], error)  # noqa: TRY400 - no traceback needed


def _with_alias(where: str) -> str:
    """Only `id` is ambiguous between the joined tables."""
    return where.replace("id IN (", "a.id IN (")


def replay(connection: sqlite3.Connection, query: AuditQuery) -> Iterator[Recorded]:
    """Matching records, the oldest first, a page at a time so that no long read keeps the log from shrinking."""
    after: tuple[int, str] = (-(2**62), "")
    while True:
        where = _audit_where(query)
        where.parts.append("(a.at, a.id) > (?, ?)")
        sql = f"{_AUDIT}{_with_alias(where.sql())} ORDER BY a.at, a.id LIMIT ?"
        rows = connection.execute(sql, (*where.values, *after, _PAGE)).fetchall()
        yield from _readable(rows)
        if len(rows) < _PAGE:
            return
        after = (rows[-1][1], rows[-1][0])


def list_kept(connection: sqlite3.Connection, query: KeptQuery, limit: int) -> list[tuple[Any, ...]]:
    """Rows (id, tenant, state, document) of matching messages, the newest first. Raises sqlite3.Error."""
    where = _Where()
    where.address("kept_address", "kept_id", "from", query.sender)
    where.address("kept_address", "kept_id", "to", query.recipient)
    where.add("tenant = ?", query.tenant)
    where.add("state = ?", query.state)
    where.add("kind = ?", query.kind)
    where.add("received_at >= ?", micros(query.since) if query.since else None)
    where.add("received_at < ?", micros(query.until) if query.until else None)
    sql = f"{_KEPT}{where.sql()} ORDER BY received_at DESC, id DESC LIMIT ?"
    return connection.execute(sql, (*where.values, limit)).fetchall()


def count_kept(connection: sqlite3.Connection) -> list[KeptCount]:
    """How many messages wait, by tenant, kind and state."""
    return [KeptCount(*row) for row in connection.execute(_KEPT_COUNT)]


def heartbeat_rows(connection: sqlite3.Connection) -> list[tuple[str, int, int, str]]:
    """(name, pid, microseconds, JSON) of each process."""
    return connection.execute(_HEARTBEATS).fetchall()
