"""The embedded store: one SQLite database and one directory of encrypted files, shared by all processes.

Implements `mail.ports.Store` and what the command line, `status` and the background work need beside it. Each process
opens its own, after it was forked.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
from msgspec import Struct

from sekisho.mail.kept import Kept, KeptState, StoreAwayError
from sekisho.mail.transaction import AuditRecord
from sekisho.mail.verdict import Disposition
from sekisho.store import accounts, decisions, locks, memory, profiles, search, signing_keys, upkeep, windows
from sekisho.store.audit import DomainSets, Recorded, audit_row, micros, moment
from sekisho.store.batch import Undo
from sekisho.store.blobs import Blobs
from sekisho.store.connection import DATABASE, connect, reason, store_away
from sekisho.store.held import FINAL, HeldRows
from sekisho.store.keys import Keys
from sekisho.store.migrate import ensure_schema
from sekisho.store.threads import Threads
from sekisho.store.writer import Writer

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_DEADLINE = 10.0  # seconds that anything durable may take
_CLOSE = 5.0
_UNDER_WAY = 60.0  # a file this old belongs to no keep that somebody still waits for
_BLOBS = "held"
_HEARTBEAT = "INSERT OR REPLACE INTO heartbeat (name, pid, at, state) VALUES (?, ?, ?, ?)"


class Heartbeat(Struct, frozen=True):
    """What a process last said of itself; `at` is aware, UTC."""

    name: str
    pid: int
    at: datetime
    state: dict[str, Any]


class SqliteStore:
    """See `mail.ports.Store`. Make it with `open`; the methods that are not `async` may block for a while."""

    def __init__(self, directory: Path, keys: Keys) -> None:
        self._directory = directory
        self._database = directory / DATABASE
        self.keys = keys
        self._blobs = Blobs(directory / _BLOBS, keys)
        self._rows = HeldRows(keys, f"{os.getpid()}-{os.urandom(6).hex()}")
        self._domain_sets = DomainSets()
        self._memory = memory.Memory(keys)
        self.decisions = decisions.Decisions(keys, self._read, self._write)
        self.locks = locks.LockRows(keys, self._read, self._write)
        self.accounts = accounts.AccountRows(keys, self._read, self._write)
        self.profiles = profiles.ProfileRows(keys, self._read, self._write)
        self.windows = windows.WindowRows(keys, self._read, self._write)
        self.signing_keys = signing_keys.SigningKeyRows(keys, self._read, self._write)
        self._local = threading.local()
        self._threads = Threads("store-disk", 4, self._close_reader)
        self._writer = Writer(self._database, self._blobs.probe)

    @classmethod
    def open(cls, state_dir: Path, key_file: Path | None = None) -> SqliteStore:
        """Open the store of a process; makes database and key file where there are none yet.

        `key_file` None is `state_dir`/keys/hold.key. Raises StoreAwayError, never waits for more than a minute.
        """
        path = key_file or state_dir / "keys" / "hold.key"
        with store_away():
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            keys = Keys.open(path, create=not _has_blobs(state_dir / _BLOBS))
            ensure_schema(state_dir / DATABASE)
            store = cls(state_dir, keys)
            store._take_in_spilled()
            store._blobs.clean_temporary(_UNDER_WAY)
            return store

    # What the mail path needs.

    async def record(self, record: AuditRecord) -> None:
        """Queue the audit record; waits a little while the queue is full. A second one of an id replaces it."""
        row = audit_row(record, self.keys.subject_hash, self._domain_sets)
        deadline = time.monotonic() + _DEADLINE
        while self._writer.full and time.monotonic() < deadline:  # noqa: ASYNC110 - a thread empties it
            await asyncio.sleep(0.05)
        self._writer.add(row)  # also when still full: nothing is dropped, and `trouble` has stopped new mail

    async def keep(self, kept: Kept, data: bytes) -> None:
        """Make bytes and row durable. Raises StoreAwayError, and then nothing of it stays."""
        deadline = time.monotonic() + _DEADLINE
        sealed = self._rows.sealed(kept)
        write = self._threads.submit(
            lambda: self._blobs.write(kept.tenant, kept.id, data), lambda: self._blobs.remove(kept.id)
        )
        try:
            await _result(write, _DEADLINE)
        except FileExistsError as error:
            raise StoreAwayError(str(error)) from error
        except OSError as error:
            self._writer.blobs_failed(reason(error))
            raise StoreAwayError(reason(error)) from error
        except StoreAwayError as error:
            self._writer.blobs_failed(str(error))
            raise
        await self._insert(kept, sealed, deadline - time.monotonic())

    async def _insert(self, kept: Kept, sealed: bytes, seconds: float) -> None:
        insert = self._writer.submit(
            lambda connection: self._rows.insert(connection, kept, sealed, _now()),
            seconds=seconds,
            undo=Undo(lambda connection: self._rows.undo(connection, kept), lambda: self._blobs.remove(kept.id)),
        )
        try:
            await _result(insert, seconds)
        except (sqlite3.Error, StoreAwayError) as error:
            if not insert.cancelled():  # else `undo` sees to it
                await _result(self._threads.submit(lambda: self._blobs.remove(kept.id)), _DEADLINE)
            raise StoreAwayError(reason(error)) from error

    async def kept(self, kept_id: str) -> Kept | None:
        """The row, or None. Raises StoreAwayError also where it cannot be decrypted."""
        return await self._read(lambda connection: self._rows.one(connection, kept_id))

    async def kept_data(self, kept: Kept) -> bytes:
        """The bytes as they came in. Raises StoreAwayError where they are gone or damaged."""
        return await self._in_thread(lambda: self._blobs.read(kept.tenant, kept.id))

    async def change(self, kept: Kept, expected: KeptState) -> bool:
        """Write the row anew, durably; False where its state is another or another process has claimed it.

        Ends a claim of this process. In a final state the bytes are deleted, once the row is durable.
        """
        sealed = self._rows.sealed(kept)
        changed = await self._write(lambda connection: self._rows.change(connection, kept, sealed, expected, _now()))
        if changed and kept.state in FINAL:
            await self._in_thread(lambda: self._blobs.remove(kept.id))
        return changed

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[Kept]:
        """Take rows to work on for this process, to `until`; held rows whose time has come are "releasing" then."""
        if not await self._read(lambda connection: self._rows.due(connection, now, 1)):
            return []  # asked every second, and mostly there is nothing: no write lock for that
        return await self._write(lambda connection: self._rows.claim(connection, now, until, limit))

    async def forget_claims(self) -> int:
        """End all claims but our own: for the one process that works on kept messages, when it starts."""
        return await self._write(self._rows.forget_claims)

    async def expired(self, now: datetime, limit: int) -> list[Kept]:
        """Rows in "held" or "releasing" whose `expires_at` has passed, unclaimed."""
        return await self._read(lambda connection: self._rows.expired(connection, now, limit))

    def subject_hash(self, subject: str) -> str:
        """The keyed hash of a subject, as in audit rows; "" for an empty one."""
        return self.keys.subject_hash(subject)

    def finding_key(self) -> bytes:
        """The key for the keyed hashes of findings: the same in every process of the installation."""
        return self.keys.derived("findings")

    def trouble(self) -> str:
        """Why nothing can be made durable at the moment, or ""."""
        return self._writer.trouble()

    async def remember_words(self, tenant: str, sender: str, words: Sequence[str], at: datetime) -> None:
        """Keep words of a message that may be passwords to the sender's other messages. Raises StoreAwayError."""
        row = self._memory.words_row(tenant, sender, words, at)
        await self._write(lambda connection: memory.remember(connection, row), durable=False)

    async def recent_words(self, tenant: str, sender: str, now: datetime) -> list[str]:
        """Such words of the last days, the newest first. Raises StoreAwayError."""
        return await self._read(lambda connection: self._memory.recent(connection, tenant, sender, now))

    async def see_sites(self, tenant: str, sites: Sequence[str], now: datetime) -> None:
        """Note that a message links to these sites. Raises StoreAwayError."""
        await self._write(lambda connection: memory.see(connection, tenant, sites, now), durable=False)

    async def first_seen(self, tenant: str, sites: Sequence[str]) -> tuple[datetime | None, dict[str, datetime]]:
        """Since when sites are remembered for the tenant, and since when each of these is. Raises StoreAwayError."""
        oldest, found = await self._read(lambda connection: memory.first_seen(connection, tenant, sites))
        return (moment(oldest) if oldest else None), {site: moment(at) for site, at in found.items()}

    # What runs beside the mail path.

    async def heartbeat(self, name: str, pid: int, state: dict[str, Any], at: datetime) -> None:
        """Say how a process is, under its name; the last word stays."""
        values = (name, pid, micros(at), msgspec.json.encode(state).decode())
        await self._write(lambda connection: connection.execute(_HEARTBEAT, values) and None, durable=False)

    async def purge(self, now: datetime, retention_days: int) -> upkeep.Purged:
        """Delete audit rows and finished kept rows older than that, in small batches; 0 days keeps everything.

        What is remembered from message to message goes after its own number of days.
        """
        await self._write(lambda connection: memory.forget(connection, now), durable=False)
        await self._write(lambda connection: decisions.purge(connection, now, retention_days), durable=False)
        if retention_days <= 0:
            return upkeep.Purged(0, 0)
        before = micros(now - timedelta(days=retention_days))
        audit = await self._until_none(lambda connection: upkeep.purge_audit(connection, before))
        kept = await self._until_none(lambda connection: upkeep.purge_kept(connection, before))
        return upkeep.Purged(audit, kept)

    async def sweep(self) -> upkeep.Swept:
        """Delete files that no row names; report rows whose file is gone. Safe beside other processes."""
        return await self._read(lambda connection: upkeep.sweep(connection, self._blobs, _UNDER_WAY))

    async def kept_counts(self) -> list[search.KeptCount]:
        """How many messages wait, by tenant, kind and state."""
        return await self._read(search.count_kept)

    # What the command line asks.

    def search_audit(
        self,
        *,
        sender: str | None = None,
        recipient: str | None = None,
        subject: str | None = None,
        message_id: str | None = None,
        finding_glob: str | None = None,
        disposition: Disposition | None = None,
        tenant: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[Recorded]:
        """The newest matching records; see `search.AuditQuery`. A subject is found by its keyed hash."""
        query = search.AuditQuery(
            sender=sender,
            recipient=recipient,
            subject_hash=self.keys.subject_hash(subject) if subject is not None else None,
            message_id=message_id,
            finding_glob=finding_glob,
            disposition=disposition,
            tenant=tenant,
            since=since,
            until=until,
        )
        return self._ask(lambda connection: search.search_audit(connection, query, limit))

    def recorded(
        self, since: datetime | None = None, until: datetime | None = None, tenant: str | None = None
    ) -> Iterator[Recorded]:
        """Records for policy replay, the oldest first. Raises StoreAwayError."""
        query = search.AuditQuery(since=since, until=until, tenant=tenant)
        with store_away(), closing(connect(self._database)) as connection:
            yield from search.replay(connection, query)

    def list_kept(
        self,
        *,
        tenant: str | None = None,
        state: str | None = None,
        kind: str | None = None,
        sender: str | None = None,
        recipient: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[Kept]:
        """Matching kept messages, the newest first; see `search.KeptQuery`."""
        query = search.KeptQuery(
            tenant=tenant, state=state, kind=kind, sender=sender, recipient=recipient, since=since, until=until
        )
        rows = self._ask(lambda connection: search.list_kept(connection, query, limit))
        return list(self._rows.read(rows))

    def kept_sync(self, kept_id: str) -> Kept | None:
        """`kept`, for callers without an event loop."""
        return self._ask(lambda connection: self._rows.one(connection, kept_id))

    def kept_data_sync(self, kept: Kept) -> bytes:
        """`kept_data`, for callers without an event loop."""
        with store_away():
            return self._blobs.read(kept.tenant, kept.id)

    def change_sync(self, kept: Kept, expected: KeptState) -> bool:
        """`change`, for callers without an event loop."""
        return asyncio.run(self.change(kept, expected))

    def heartbeats(self) -> list[Heartbeat]:
        """What each process last said of itself."""
        rows = self._ask(search.heartbeat_rows)
        return [Heartbeat(name, pid, moment(at), msgspec.json.decode(state)) for name, pid, at, state in rows]

    def close(self) -> None:
        """Write what is queued; what the database does not take in time goes to a file for the next start."""
        self._threads.close(1.0)
        left = self._writer.close(_CLOSE)  # last, so that its connection folds the log into the database
        if left:
            try:
                upkeep.spill(self._directory, left)
            except OSError as error:
                log.error("%d audit rows are lost: %s", len(left), reason(error))  # noqa: TRY400

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # How it is done.

    def _ask(self, run: Callable[[sqlite3.Connection], _T]) -> _T:
        with store_away(), closing(connect(self._database)) as connection:
            return run(connection)

    async def _read(self, run: Callable[[sqlite3.Connection], _T]) -> _T:
        return await self._in_thread(lambda: run(self._reader()))

    def _reader(self) -> sqlite3.Connection:
        """This thread's connection for reading."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self._database)
        return connection

    def _close_reader(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    async def _in_thread(self, run: Callable[[], _T]) -> _T:
        with store_away():
            return await _result(self._threads.submit(run), _DEADLINE)

    async def _write(self, run: Callable[[sqlite3.Connection], _T], *, durable: bool = True) -> _T:
        with store_away():
            return await _result(self._writer.submit(run, seconds=_DEADLINE, durable=durable), _DEADLINE)

    async def _until_none(self, run: Callable[[sqlite3.Connection], int]) -> int:
        total = 0
        while done := await self._write(run, durable=False):
            total += done
        return total

    def _take_in_spilled(self) -> None:
        for path in upkeep.spilled(self._directory):
            job = self._writer.submit(partial(upkeep.take_in, path=path), seconds=_DEADLINE)
            try:
                log.warning("%s: %d audit rows taken in", path.name, job.result(_DEADLINE))
                path.unlink(missing_ok=True)
            except (TimeoutError, StoreAwayError, OSError, sqlite3.Error) as error:
                log.error("%s cannot be taken in now: %s", path.name, reason(error))  # noqa: TRY400


async def _result(future: Future[_T], seconds: float) -> _T:
    """The future's result. After `seconds` it is cancelled: StoreAwayError, unless it was done at that moment."""
    waiter = asyncio.wrap_future(future)
    waiter.add_done_callback(_seen)
    try:
        done, _ = await asyncio.wait((waiter,), timeout=max(seconds, 0.0))
    except asyncio.CancelledError:
        future.cancel()
        raise
    if not done and future.cancel():
        raise StoreAwayError("the disk or the database does not answer")
    return future.result()


def _seen(waiter: asyncio.Future[Any]) -> None:
    """The failure is raised from the other future; asyncio need not complain that nobody looked at this one."""
    if not waiter.cancelled():
        waiter.exception()


def _now() -> int:
    return micros(datetime.now(UTC))


def _has_blobs(directory: Path) -> bool:
    """Whether messages are held already, which a new key file would make unreadable."""
    return directory.is_dir() and any(not path.name.startswith(".") for path in directory.iterdir())
