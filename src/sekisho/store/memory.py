"""What is remembered from message to message: words that may be passwords, and when a site was first linked to.

Words are encrypted and bound to their sender, who is there as keyed hash only; they are forgotten after days.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from sekisho.mail.kept import StoreAwayError
from sekisho.store.audit import micros
from sekisho.store.keys import Keys

WORDS_DAYS = 7
SITES_DAYS = 400
_MOST_ROWS = 50  # of one sender; the newest
_PURPOSE = "word"
_INSERT_WORDS = "INSERT INTO recent_word (tenant, sender, at, document) VALUES (?, ?, ?, ?)"
_RECENT_WORDS = """
SELECT document FROM recent_word WHERE tenant = ? AND sender = ? AND at >= ? ORDER BY at DESC LIMIT ?"""
_OLD_WORDS = "DELETE FROM recent_word WHERE at < ?"
_SEE = """
INSERT INTO seen_site (tenant, site, first_at, last_at) VALUES (?, ?, ?, ?)
ON CONFLICT (tenant, site) DO UPDATE SET last_at = max(last_at, excluded.last_at)"""
_FIRST = "SELECT first_at FROM seen_site WHERE tenant = ? AND site = ?"
_OLD_SITES = "DELETE FROM seen_site WHERE last_at < ?"
_OLDEST = "SELECT min(first_at) FROM seen_site WHERE tenant = ?"


class Memory:
    """The statements; `keys` seal the words. Each method runs in a thread that owns the connection."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def words_row(self, tenant: str, sender: str, words: Sequence[str], at: datetime) -> tuple[str, str, int, bytes]:
        """The row for `remember`, sealed."""
        name = self._sender(tenant, sender)
        sealed = self._keys.seal(_PURPOSE, tenant, name, msgspec.json.encode(list(words)))
        return tenant, name, micros(at), sealed

    def recent(self, connection: sqlite3.Connection, tenant: str, sender: str, now: datetime) -> list[str]:
        """Words of the sender's messages of the last days, the newest first. What cannot be unsealed is left out."""
        name = self._sender(tenant, sender)
        since = micros(now - timedelta(days=WORDS_DAYS))
        found: list[str] = []
        for (sealed,) in connection.execute(_RECENT_WORDS, (tenant, name, since, _MOST_ROWS)):
            try:
                found += msgspec.json.decode(self._keys.unseal(_PURPOSE, tenant, name, sealed), type=list[str])
            except (StoreAwayError, msgspec.DecodeError):
                continue
        return found

    def _sender(self, tenant: str, sender: str) -> str:
        return self._keys.keyed_hash("sender", f"{tenant}\0{sender.lower()}")


def remember(connection: sqlite3.Connection, row: tuple[str, str, int, bytes]) -> None:
    """Write one row of words."""
    connection.execute(_INSERT_WORDS, row)


def see(connection: sqlite3.Connection, tenant: str, sites: Sequence[str], now: datetime) -> None:
    """Note that these sites were linked to now."""
    at = micros(now)
    connection.executemany(_SEE, [(tenant, site, at, at) for site in sites])


def first_seen(
    connection: sqlite3.Connection, tenant: str, sites: Sequence[str]
) -> tuple[int | None, dict[str, int]]:
    """When the tenant's memory begins, and when each of these sites was first linked to, in microseconds."""
    found = {}
    for site in sites:
        row = connection.execute(_FIRST, (tenant, site)).fetchone()
        if row is not None:
            found[site] = int(row[0])
    (oldest,) = connection.execute(_OLDEST, (tenant,)).fetchone()
    return oldest, found


def forget(connection: sqlite3.Connection, now: datetime) -> int:
    """Delete what is too old to be of use; returns how many rows."""
    words = connection.execute(_OLD_WORDS, (micros(now - timedelta(days=WORDS_DAYS)),)).rowcount
    sites = connection.execute(_OLD_SITES, (micros(now - timedelta(days=SITES_DAYS)),)).rowcount
    return words + sites
