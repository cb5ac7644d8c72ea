"""The rows of kept messages: `Kept` to columns and back, and the statements that change them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from msgspec import structs

from sekisho.mail.kept import Kept, KeptState, StoreAwayError
from sekisho.store.audit import addresses, clean, decode, encode, micros
from sekisho.store.keys import Keys

log = logging.getLogger(__name__)

FINAL: frozenset[str] = frozenset({"released", "rejected", "expired"})
_PURPOSE = "row"
_COLUMNS = "id, tenant, kind, state, received_at, expires_at, due_at, changed_at, claim, claimed_until, document"
_INSERT = f"INSERT INTO kept ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0, ?)"  # noqa: S608 - constant columns
_INSERT_ADDRESS = "INSERT OR IGNORE INTO kept_address (domain, local, role, kept_id) VALUES (?, ?, ?, ?)"
# Whoever claimed the row may change it, and nobody else before the claim's end: sent once and only once.
_CHANGE = """
UPDATE kept SET kind = ?, state = ?, expires_at = ?, due_at = ?, changed_at = ?, claim = '', claimed_until = 0,
    document = ?
WHERE id = ? AND state = ? AND (claimed_until <= ? OR claim = ?)"""
_FETCHED = "id, tenant, state, document"
_ONE = f"SELECT {_FETCHED} FROM kept WHERE id = ?"  # noqa: S608
_DUE = """
SELECT id FROM kept WHERE state IN ('held', 'releasing', 'rejecting') AND due_at <= ? AND claimed_until <= ?
ORDER BY due_at LIMIT ?"""
_CLAIM = """
UPDATE kept SET state = CASE state WHEN 'held' THEN 'releasing' ELSE state END, claim = ?, claimed_until = ?
WHERE id = ? AND claimed_until <= ?"""
_FORGET_CLAIMS = "UPDATE kept SET claim = '', claimed_until = 0 WHERE claim NOT IN ('', ?)"
_EXPIRED = f"""
SELECT {_FETCHED} FROM kept WHERE state IN ('held', 'releasing') AND expires_at <= ? AND claimed_until <= ?
ORDER BY expires_at LIMIT ?"""  # noqa: S608


class HeldRows:
    """Statements over the table `kept`, each for a connection given by the caller. `claim` names this process."""

    def __init__(self, keys: Keys, claim: str) -> None:
        self._keys = keys
        self._claim = claim

    def insert(self, connection: sqlite3.Connection, kept: Kept, sealed: bytes, now: int) -> None:
        """A new row. Raises sqlite3.IntegrityError where the id is taken."""
        times = (micros(kept.received_at), micros(kept.expires_at), _due_at(kept), now)
        connection.execute(_INSERT, (kept.id, kept.tenant, kept.kind, kept.state, *times, sealed))
        connection.executemany(_INSERT_ADDRESS, addresses(kept.envelope, kept.id))

    def change(
        self, connection: sqlite3.Connection, kept: Kept, sealed: bytes, expected: KeptState, now: int
    ) -> bool:
        """Write the row anew if it still is in that state and nobody else has claimed it."""
        times = (micros(kept.expires_at), _due_at(kept), now)
        key = (kept.id, expected, now, self._claim)
        return connection.execute(_CHANGE, (kept.kind, kept.state, *times, sealed, *key)).rowcount == 1

    def undo(self, connection: sqlite3.Connection, kept: Kept) -> bool:
        """Take back a row that nobody was promised, unless somebody works on it already."""
        gone = connection.execute(
            "DELETE FROM kept WHERE id = ? AND state = ? AND claim = ''", (kept.id, kept.state)
        ).rowcount
        if gone:
            connection.execute("DELETE FROM kept_address WHERE kept_id = ?", (kept.id,))
        return bool(gone)

    def due(self, connection: sqlite3.Connection, now: datetime, limit: int) -> list[str]:
        """Ids of rows to work on now."""
        at = micros(now)
        return [row[0] for row in connection.execute(_DUE, (at, at, limit))]

    def claim(self, connection: sqlite3.Connection, now: datetime, until: datetime, limit: int) -> list[Kept]:
        """Claim due rows for this process; to be called inside a write transaction."""
        claimed: list[Kept] = []
        for kept_id in self.due(connection, now, limit):
            if connection.execute(_CLAIM, (self._claim, micros(until), kept_id, micros(now))).rowcount:
                claimed.extend(self.read(connection.execute(_ONE, (kept_id,))))
        return claimed

    def forget_claims(self, connection: sqlite3.Connection) -> int:
        """End the claims of every other process; returns how many rows had one."""
        return connection.execute(_FORGET_CLAIMS, (self._claim,)).rowcount

    def one(self, connection: sqlite3.Connection, kept_id: str) -> Kept | None:
        """The row. Raises StoreAwayError where it cannot be decrypted."""
        row = connection.execute(_ONE, (kept_id,)).fetchone()
        return self._kept(row) if row else None

    def expired(self, connection: sqlite3.Connection, now: datetime, limit: int) -> list[Kept]:
        """Rows whose time is over and that nobody works on."""
        return list(self.read(connection.execute(_EXPIRED, (micros(now), micros(now), limit))))

    def read(self, rows: Iterable[tuple[Any, ...]]) -> Iterable[Kept]:
        """Rows of (id, tenant, state, document). One that cannot be read is logged and must not hide the others."""
        for row in rows:
            try:
                yield self._kept(row)
            except StoreAwayError as error:
                log.error("kept message %s cannot be read: %s", row[0], error)  # noqa: TRY400 - no traceback needed

    def sealed(self, kept: Kept) -> bytes:
        """The row's document, encrypted: findings name files, modifications may hold text."""
        return self._keys.seal(_PURPOSE, kept.tenant, kept.id, encode(kept))

    def _kept(self, row: tuple[Any, ...]) -> Kept:
        kept_id, tenant, state, document = row
        plain = self._keys.unseal(_PURPOSE, tenant, kept_id, document)
        try:
            kept = decode(plain, Kept)
        except ValueError as error:
            raise StoreAwayError(f"the row of {clean(kept_id)} was not written by this version") from error
        return structs.replace(kept, state=cast("KeptState", state)) if kept.state != state else kept


def _due_at(kept: Kept) -> int | None:
    """When somebody has to work on the row: a hold at its release time, everything owed at its next attempt."""
    if kept.state == "held":
        return micros(kept.release_at) if kept.release_at else None
    if kept.state in FINAL:
        return None
    return micros(kept.next_attempt_at) if kept.next_attempt_at else 0
