"""What reviewers decided, for the content models to learn from: sealed rows, the newest of each tenant."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from sekisho.mail.decision import Decision
from sekisho.mail.kept import StoreAwayError
from sekisho.store.audit import clean, micros
from sekisho.store.keys import Keys

log = logging.getLogger(__name__)

_T = TypeVar("_T")
KEEP_DAYS = 400
MOST = 5000  # decisions of one tenant
_PURPOSE = "decision"
_INSERT = "INSERT OR REPLACE INTO decision (id, tenant, at, set_aside, document) VALUES (?, ?, ?, 0, ?)"
_TOO_MANY = """
DELETE FROM decision WHERE id IN (
    SELECT id FROM decision WHERE tenant = ? AND set_aside = 0 ORDER BY at DESC, id DESC LIMIT -1 OFFSET ?)"""
_ALL = "SELECT id, document FROM decision WHERE tenant = ? AND set_aside = 0 ORDER BY at DESC, id DESC"
# Tells sets of decisions apart without reading them.
_STAMPS = """
SELECT tenant, count(*), max(at), sum(at % 1000003) FROM decision WHERE set_aside = 0 GROUP BY tenant"""
_FORGET = "DELETE FROM decision WHERE tenant = ? AND id = ? AND set_aside = 0"
_ANY = "SELECT 1 FROM decision WHERE tenant = ? AND set_aside = 0 LIMIT 1"
_DROP_OLDER_COPY = "DELETE FROM decision WHERE tenant = ? AND set_aside <> 0"
_SET_ASIDE = "UPDATE decision SET set_aside = ? WHERE tenant = ? AND set_aside = 0"
_RESTORE = "UPDATE decision SET set_aside = 0 WHERE tenant = ? AND set_aside <> 0"
_COPIES = "SELECT count(*), max(set_aside) FROM decision WHERE tenant = ? AND set_aside <> 0"
_OLD = "DELETE FROM decision WHERE at < ?"


class _Write(Protocol):
    def __call__(self, run: Callable[[sqlite3.Connection], _T], /) -> Awaitable[_T]: ...


class Decisions:
    """See `mail.ports.DecisionMemory`. `read` and `write` run a statement in the store's threads."""

    def __init__(self, keys: Keys, read: _Write, write: _Write) -> None:
        self._keys = keys
        self._read = read
        self._write = write

    async def add(self, decision: Decision) -> None:
        """Keep a decision durably; one of the same id is replaced, and the oldest over MOST goes."""
        written = replace(decision, sender=clean(decision.sender), reviewer=clean(decision.reviewer))
        sealed = self._keys.seal(_PURPOSE, decision.tenant, decision.id, msgspec.msgpack.encode(written))
        row = (decision.id, decision.tenant, micros(decision.at), sealed)

        def run(connection: sqlite3.Connection) -> None:
            connection.execute(_INSERT, row)
            connection.execute(_TOO_MANY, (decision.tenant, MOST))

        await self._write(run)

    async def of(self, tenant: str) -> list[Decision]:
        """A tenant's decisions in force, the newest first. What cannot be unsealed is logged and left out."""

        def run(connection: sqlite3.Connection) -> list[Decision]:
            rows = connection.execute(_ALL, (tenant,))
            return [decision for row in rows if (decision := self._unsealed(tenant, *row)) is not None]

        return await self._read(run)

    async def stamps(self) -> dict[str, tuple[int, ...]]:
        """For each tenant with decisions something that is another where these are others."""
        rows = await self._read(lambda connection: connection.execute(_STAMPS).fetchall())
        return {tenant: tuple(stamp) for tenant, *stamp in rows}

    async def forget(self, tenant: str, decision_id: str) -> bool:
        """Delete one; whether it was there."""
        return await self._write(lambda connection: connection.execute(_FORGET, (tenant, decision_id)).rowcount > 0)

    async def set_aside(self, tenant: str, now: datetime) -> int:
        """Take all out of force and keep them for `restore`; an older copy goes. How many; with none all stays."""

        def run(connection: sqlite3.Connection) -> int:
            if connection.execute(_ANY, (tenant,)).fetchone() is None:
                return 0
            connection.execute(_DROP_OLDER_COPY, (tenant,))
            return connection.execute(_SET_ASIDE, (micros(now), tenant)).rowcount

        return await self._write(run)

    async def restore(self, tenant: str) -> int:
        """Put in force again what was set aside last, beside what was decided since. How many."""
        return await self._write(lambda connection: connection.execute(_RESTORE, (tenant,)).rowcount)

    async def copies(self, tenant: str) -> tuple[int, int]:
        """How many decisions `restore` would bring back, and when they were set aside, in microseconds."""
        count, at = await self._read(lambda connection: connection.execute(_COPIES, (tenant,)).fetchone())
        return int(count), int(at or 0)

    def _unsealed(self, tenant: str, decision_id: str, sealed: bytes) -> Decision | None:
        try:
            plain = self._keys.unseal(_PURPOSE, tenant, decision_id, sealed)
            return msgspec.msgpack.decode(plain, type=Decision)
        except (StoreAwayError, msgspec.DecodeError) as error:
            log.error("decision %s cannot be read: %s", decision_id, error)  # noqa: TRY400 - no traceback needed
            return None


def purge(connection: sqlite3.Connection, now: datetime, retention_days: int) -> int:
    """Delete decisions after KEEP_DAYS, or earlier where records are kept for less; returns how many."""
    days = min(retention_days, KEEP_DAYS) if retention_days > 0 else KEEP_DAYS
    result: Any = connection.execute(_OLD, (micros(now - timedelta(days=days)),))
    return int(result.rowcount)
