"""A worker: accepts mail on the shared sockets and carries each message from accept to record."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime

import uvloop
from msgspec import Struct
from msgspec.structs import replace

from sekisho.accept.fleet import FleetCounts, FleetUsage
from sekisho.accept.smtp import SmtpListener
from sekisho.accounts.sources.build import LdapMissingError
from sekisho.config.settings import LimitSettings, ListenerSettings
from sekisho.config.tenants import TenantFinder
from sekisho.daemon import compose
from sekisho.daemon.account_watch import AccountWatch
from sekisho.daemon.accounts import Accounts
from sekisho.daemon.checking import Checking
from sekisho.daemon.child import until_told
from sekisho.daemon.flood_watch import FloodWatch
from sekisho.daemon.machine import raise_file_limit
from sekisho.daemon.signing_keys import StoredKeys
from sekisho.daemon.supervisor import Pipes
from sekisho.gateway import Gateway
from sekisho.record.metrics import Metrics

log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 5.0
_REFRESH_SECONDS = 30.0
# How long a thread that works on a large message keeps the others waiting, each time that they want to go on: small
# messages have to ask for their turn some twenty times. Python's own value, 5 ms, made them 0.1 s slow.
_SWITCH_SECONDS = 0.0005
_CLOSE_SECONDS = 1.0  # what a stop leaves to attachments being opened: their clients are gone


class Shared(Struct, eq=False):
    """What workers inherit: the configuration in force, sockets by listener name, the counts they share."""

    prepared: compose.Prepared
    sockets: Mapping[str, socket.socket]
    counts: FleetCounts
    workers: int


def run_worker(shared: Shared, number: int, pipes: Pipes) -> int:
    """Run worker `number` (from 0) until it is told to stop. Returns the exit status."""
    shared.counts.clear(number)
    sys.setswitchinterval(_SWITCH_SECONDS)
    raise_file_limit()
    uvloop.run(Worker(shared, number).run(pipes))
    return 0


class Worker:
    """One event loop with every listener. A reload replaces rules, policy, relays and limits, not connections."""

    def __init__(self, shared: Shared, number: int) -> None:
        self._shared = shared
        self._prepared = shared.prepared
        self._name = f"worker-{number + 1}"
        self._usage = FleetUsage(shared.counts, number)
        self._reloading = asyncio.Lock()
        self._reloads: set[asyncio.Task[None]] = set()

    async def run(self, pipes: Pipes) -> None:
        """Serve until told to stop, then drain."""
        configuration = self._prepared.configuration
        store = compose.open_store(configuration)
        metrics = Metrics.open(compose.metrics_directory(configuration))
        recorder, journal = compose.recorder(configuration, store, metrics)
        self._recorder = recorder
        self._signing = StoredKeys(store.signing_keys)
        self._acting = compose.actions(self._prepared, store, metrics, self._signing)
        self._watch = AccountWatch(store.locks, self._prepared.tenants, self._drop, self._is_registered)
        key, locks = compose.finding_key(store), self._watch.locks
        self._checking = compose.checking(self._prepared, key, store, metrics, locks)
        self._accounts = Accounts(self._prepared, store, metrics, locks, self._checking.directory, self._drop)
        observed = self._watch.observing(recorder, self._accounts.handled)
        self._floods = FloodWatch(self._prepared, self._usage, metrics, self._shared.workers)
        checks = self._floods.fair(self._checking.checks)
        self._gateway = Gateway(
            checks, self._acting.carry_out, observed, store.trouble, self._accounts, room=self._floods
        )
        self._store, self._metrics = store, metrics
        self._tenant_of = TenantFinder(configuration.settings)
        self._listeners = self._listen()
        await self._checking.warm_up()
        await self._watch.locks.refresh()
        await self._signing.refresh()
        servers = [await self._serve(name, listener) for name, listener in self._listeners.items()]
        beating = asyncio.create_task(self._beat())
        refreshing = asyncio.create_task(self._refresh())
        beside = (self._watch, self._accounts, self._floods, self._signing)
        watching = [asyncio.create_task(work.run()) for work in beside]
        await until_told(pipes, reload=self._start_reload, reopen=journal.reopen)
        for server in servers:
            server.close()
        await self._drain(configuration.settings.gateway.drain_seconds)
        for task in (beating, refreshing, *watching):
            task.cancel()
        for relay in self._acting.relays:
            await relay.close()
        await self._checking.close(_CLOSE_SECONDS)
        await self._accounts.close()
        store.close()
        journal.close()

    def _listen(self) -> dict[str, SmtpListener]:
        return {
            listener.name: SmtpListener(
                listener,
                self._limits(),
                self._prepared.hostname,
                self._floods.fairness.receiving(self._gateway.receive),
                session_tenant=self._tenant,
                refuse=self._gateway.refuse,
                metrics=self._metrics,
                usage=self._usage,
                authenticator=self._accounts,
            )
            for listener in compose.listeners(self._prepared.configuration)
        }

    def _tenant(self, client_ip: str, settings: ListenerSettings) -> str:
        return self._tenant_of(client_ip, settings)

    def _is_registered(self, tenant: str, login: str) -> bool:
        return self._checking.directory.registered(tenant, login)

    def _drop(self, tenant: str, login: str) -> None:
        """End the sessions of an account that was locked."""
        for listener in self._listeners.values():
            listener.drop(tenant, login)

    def _limits(self) -> LimitSettings:
        """The limits for this worker: memory is shared out, connections are counted over all workers."""
        limits = self._prepared.configuration.settings.limits
        return replace(limits, memory_bytes=limits.memory_bytes // self._shared.workers)

    async def _serve(self, name: str, listener: SmtpListener) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(listener.protocol_factory, sock=self._shared.sockets[name].dup())

    async def _drain(self, seconds: float) -> None:
        draining = [listener.drain() for listener in self._listeners.values()]
        _, pending = await asyncio.wait(draining, timeout=seconds)
        if pending:
            log.warning("%s: not every message ended within %g s; clients will send them again", self._name, seconds)

    async def _beat(self) -> None:
        """Tell `status` how this worker is."""
        while True:
            self._metrics.store_trouble(self._store.trouble())
            self._metrics.counters_trouble(self._accounts.trouble())
            await self._checking.ask_around()
            state = {
                **self._checking.status(),
                "connections": sum(listener.connections for listener in self._listeners.values()),
                "next_hops": [host for relay in self._acting.relays for host in relay.status()],
                "store_trouble": self._store.trouble(),
                "counters_trouble": self._accounts.trouble(),
                "floods": self._floods.status(),
            }
            try:
                await self._store.heartbeat(self._name, os.getpid(), state, datetime.now(UTC))
            except Exception as error:  # noqa: BLE001 - status is never worth a worker
                log.warning("%s: no heartbeat: %s", self._name, error)
            await asyncio.sleep(_HEARTBEAT_SECONDS)

    async def _refresh(self) -> None:
        """Look now and then whether files of link lists have changed."""
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            try:
                await self._checking.refresh()
            except Exception:
                log.exception("%s: link lists were not looked at", self._name)

    def _start_reload(self) -> None:
        self._beside(self._reload())

    def _beside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload(self) -> None:
        """Read everything again; take all of it, or nothing."""
        async with self._reloading:  # a later one must not be overtaken by an earlier
            await self._take_anew()

    async def _take_anew(self) -> None:
        prepared = await asyncio.to_thread(compose.prepared_again, self._prepared)
        checking = await self._checking_for(prepared) if prepared is not None else None
        self._metrics.reloaded(done=checking is not None)
        if prepared is None or checking is None:
            return
        old, old_checking = self._acting, self._checking
        self._prepared = prepared
        self._acting = compose.actions(prepared, self._store, self._metrics, self._signing)
        self._checking = checking
        self._watch.reload(prepared.tenants)
        self._floods.reload(prepared)
        self._gateway.checks = self._floods.fair(self._checking.checks)
        self._gateway.act = self._acting.carry_out
        self._recorder.file_names = prepared.configuration.settings.record.file_names
        self._tenant_of = TenantFinder(prepared.configuration.settings)
        for listener in compose.listeners(prepared.configuration):
            if listener.name in self._listeners:
                self._listeners[listener.name].update(listener, self._limits(), prepared.hostname)
        log.info("%s: new configuration in force", self._name)
        self._beside(self._retire(old, old_checking))

    async def _checking_for(self, prepared: compose.Prepared) -> Checking | None:
        """What looks at messages under a new configuration; None where it cannot be made to work."""
        checking = compose.checking(
            prepared, compose.finding_key(self._store), self._store, self._metrics, self._watch.locks
        )
        if await checking.warm_up() and self._accounts_taken(prepared, checking):
            return checking
        log.error("%s: the old configuration stays in force", self._name)
        await checking.close(_CLOSE_SECONDS)
        return None

    def _accounts_taken(self, prepared: compose.Prepared, checking: Checking) -> bool:
        """Whether accounts work under a new configuration; they do from now on then."""
        try:
            self._accounts.reload(prepared, checking.directory)
        except (OSError, ValueError, LdapMissingError) as error:
            log.error("%s: accounts: %s", self._name, error)  # noqa: TRY400 - the text says all
            return False
        return True

    @staticmethod
    async def _retire(acting: compose.Actions, checking: Checking) -> None:
        """Close what a reload has replaced, once nobody uses it any more."""
        for relay in acting.relays:
            await relay.close()
        await checking.close()
