"""The one process for background work: kept messages, expiry, retention, metrics and health over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import uvloop

from sekisho.accounts.locks import Locks
from sekisho.config.load import name_server
from sekisho.daemon import compose
from sekisho.daemon.child import until_told
from sekisho.daemon.http import HttpServer
from sekisho.daemon.key_watch import KeyWatch, look_now, watched
from sekisho.daemon.signing_keys import StoredKeys
from sekisho.daemon.supervisor import Pipes
from sekisho.daemon.worker import Shared
from sekisho.mail.kept import StoreAwayError
from sekisho.record.metrics import Metrics

log = logging.getLogger(__name__)

_RELEASE_SECONDS = 1.0
_HEARTBEAT_SECONDS = 5.0
_RETENTION_SECONDS = 3600.0
_REFRESH_SECONDS = 30.0
_KEYS_SECONDS = 3600.0
_CLOSE_SECONDS = 1.0


def run_background(shared: Shared, http: socket.socket, pipes: Pipes) -> int:
    """Run until told to stop. Returns the exit status."""
    uvloop.run(Background(shared, http).run(pipes))
    return 0


class Background:
    """Does what has to be done once, not once for each worker. The supervisor starts exactly one."""

    def __init__(self, shared: Shared, http: socket.socket) -> None:
        self._prepared = shared.prepared
        self._workers = shared.workers
        self._http = http
        self._stop = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._round = asyncio.Lock()  # held while kept messages are sent: a reload takes nothing away under them
        self._reloads: set[asyncio.Task[None]] = set()

    async def run(self, pipes: Pipes) -> None:
        """Work until told to stop."""
        configuration = self._prepared.configuration
        self._store = compose.open_store(configuration)
        self._metrics = Metrics.open(compose.metrics_directory(configuration))
        journal = compose.journal_of(configuration, self._metrics.journal_failed)
        await self._store.forget_claims()
        self._locks = Locks(self._store.locks)
        self._signing = StoredKeys(self._store.signing_keys)
        await self._signing.refresh()
        self._compose()
        http = HttpServer(self._http, self._metrics.render, self._store.trouble)
        http.start()
        work = [
            asyncio.create_task(self._every(_RELEASE_SECONDS, self._release_due)),
            asyncio.create_task(self._every(_HEARTBEAT_SECONDS, self._beat)),
            asyncio.create_task(self._every(_RETENTION_SECONDS, self._retain)),
            asyncio.create_task(self._every(_REFRESH_SECONDS, self._refresh)),
            asyncio.create_task(self._every(_KEYS_SECONDS, self._look_at_keys)),
        ]
        await until_told(pipes, reload=self._start_reload, reopen=journal.reopen)
        self._stop.set()
        _, late = await asyncio.wait(work, timeout=configuration.settings.gateway.drain_seconds)
        for task in late:
            task.cancel()
        http.stop()
        for relay in self._acting.relays:
            await relay.close()
        await self._checking.close(_CLOSE_SECONDS)
        self._store.close()
        journal.close()

    def _compose(self) -> None:
        self._acting = compose.actions(self._prepared, self._store, self._metrics, self._signing)
        key = compose.finding_key(self._store)
        self._checking = compose.checking(self._prepared, key, self._store, self._metrics)
        checks, directory = self._checking.checks, self._checking.directory
        self._release = compose.release(self._prepared, self._store, self._acting, checks, self._locks)
        self._teller = compose.lock_teller(self._prepared, self._store, self._acting, directory, self._metrics)

    async def _release_due(self) -> None:
        """Send what is due until nothing more is. A stop waits for the round under way, which ends what it sent."""
        while not self._stop.is_set():
            async with self._round:
                await self._locks.refresh()
                await self._teller.run_once()
                await self._signing.refresh()
                if not await self._release.run_once():
                    return

    async def _refresh(self) -> None:
        """What is inspected anew before it is released meets the lists and layers that the workers have."""
        await self._checking.refresh()

    async def _look_at_keys(self) -> None:
        """Go on with the DKIM keys of the store."""
        configuration = self._prepared.configuration
        of = watched(configuration, self._prepared.hostname)
        servers = [name_server(text) for text in configuration.settings.links.name_servers]
        await look_now(KeyWatch(self._store, of, self._metrics.dkim_key_event), servers)

    async def _beat(self) -> None:
        now = datetime.now(UTC)
        self._metrics.kept(await self._store.kept_counts())
        self._metrics.store_trouble(self._store.trouble())
        state = {
            "workers": self._workers,
            "next_hops": [host for relay in self._acting.relays for host in relay.status()],
            "store_trouble": self._store.trouble(),
        }
        await self._store.heartbeat("background", os.getpid(), state, now)

    async def _retain(self) -> None:
        settings = self._prepared.configuration.settings
        purged = await self._store.purge(datetime.now(UTC), settings.record.retention_days)
        swept = await self._store.sweep()
        opened = self._checking.opened
        gone = await asyncio.to_thread(opened.tidy) if opened is not None else 0
        log.info("retention: %s; sweep: %s; results of opening gone: %d", purged, swept, gone)

    def _start_reload(self) -> None:
        task = asyncio.get_running_loop().create_task(self._reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload(self) -> None:
        async with self._reloading:
            prepared = await asyncio.to_thread(compose.prepared_again, self._prepared)
            if prepared is None:
                return
            old, old_checking = self._acting, self._checking
            self._prepared = prepared
            self._compose()
            await self._checking.layers.refresh()
            await self._checking.directory.refresh()
        async with self._round:
            for relay in old.relays:
                await relay.close()
            await old_checking.close()

    async def _every(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        """Do it now and then; a failure is logged (once while it stays the same) and tried again next time."""
        last = ""
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                await do()
                last = ""
            except StoreAwayError as error:
                if last != str(error):
                    log.warning("background work waits for the store: %s", error)
                last = str(error)
            except Exception:
                log.exception("background work failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), max(0.0, seconds - (time.monotonic() - started)))
