"""The open connections to a next hop's hosts, and which host may be tried when."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.act.dial import UNREACHABLE, Dialer, DialError, host_and_port
from sekisho.mail.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Collection

    from sekisho.act.connection import Connection
    from sekisho.config.settings import NextHopSettings

_log = logging.getLogger(__name__)

BUSY = Reply(451, "4.5", "All connections to the next hop are busy")


class HostStatus(Struct, frozen=True):
    """One host for `sekisho status`. `state` is "up" or "backing off", `until` when it is tried again (UTC)."""

    host: str
    state: str
    until: datetime | None
    open: int
    idle: int
    last_error: str


class Unavailable(Exception):  # noqa: N818 # a state of the next hop, not a mistake of the caller
    """No connection can be had; `reply` says so to the client."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class Host:
    """One host: its idle connections and its back-off. Times are the event loop's."""

    def __init__(self, text: str, settings: NextHopSettings) -> None:
        self.name, self.port = host_and_port(text)
        self.text = f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"
        self.idle: list[tuple[Connection, asyncio.TimerHandle]] = []
        self.open: set[Connection] = set()
        self.last_error = ""
        self._settings = settings
        self._failures = 0
        self._until = 0.0
        self._dialling = 0
        self._probed = False

    @property
    def in_use(self) -> int:
        """Connections that carry a message now, or soon will; not the one that probes whether the host is back."""
        return len(self.open) + (0 if self._probed else self._dialling) - len(self.idle)

    def may_open(self, now: float) -> bool:
        """Whether a new connection may be tried: not while backing off, and one at a time right after it."""
        return now >= self._until and not self._probed

    def opening(self) -> None:
        """A connection is being tried; after a failure nobody else tries until it is known how this ended."""
        self._dialling += 1
        self._probed = self._failures > 0

    def opened(self) -> None:
        """A connection stands, or nobody waits for it any more."""
        self._dialling -= 1
        self._probed = False

    def worked(self) -> None:
        """A whole transaction went through: what was, is forgotten."""
        self._failures = 0
        self.last_error = ""

    def failed(self, cause: str, now: float) -> None:
        """Back off: `backoff_seconds`, doubled with each further failure up to `backoff_max_seconds`."""
        self.last_error = cause
        if now < self._until:  # one of several that were under way when the host failed
            return
        settings = self._settings
        seconds = min(settings.backoff_seconds * 2 ** min(self._failures, 30), settings.backoff_max_seconds)
        self._failures += 1
        self._until = now + seconds
        _log.warning("next hop %s: %s; not tried for %.0f s", self.text, cause, seconds)

    def take_idle(self) -> Connection | None:
        """The connection that was used last, as it is the least likely to have been closed."""
        while self.idle:
            connection, timer = self.idle.pop()
            timer.cancel()
            if connection.usable:
                return connection
        return None

    def status(self, now: float) -> HostStatus:
        """As of now."""
        wait = self._until - now
        until = datetime.now(UTC) + timedelta(seconds=wait) if wait > 0 else None
        state = "backing off" if until or self._probed else "up"
        return HostStatus(self.text, state, until, len(self.open), len(self.idle), self.last_error)


class Lease(Struct, frozen=True, eq=False):
    """A connection for one transaction; `reused`: it has carried others before."""

    host: Host
    connection: Connection
    reused: bool


class Pool:
    """Connections to the hosts of one next hop, no more than `connections` at a time.

    Idle ones are used first, those of the first host before the others. While every host backs off, callers are
    told so at once: only the first one after a back-off probes the host.
    """

    def __init__(self, settings: NextHopSettings, dialer: Dialer) -> None:
        self.hosts = [Host(text, settings) for text in settings.hosts]
        self._settings = settings
        self._dialer = dialer
        self._leased = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closing = False
        self._returned = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def lease(self, avoid: Collection[Host] = (), *, fresh: bool = False) -> Lease:
        """A connection, waited for up to `command_seconds`; `fresh`: a new one. Raises Unavailable."""
        await self._slot()
        try:
            return await self._find(avoid, fresh=fresh)
        except BaseException:
            self._free_slot()
            raise

    def release(self, lease: Lease) -> None:
        """Give a connection back after a transaction, whatever came of it."""
        connection, settings = lease.connection, self._settings
        worn = connection.transactions >= settings.messages_per_connection
        if connection.usable and not worn and not self._closing:
            timer = asyncio.get_running_loop().call_later(settings.idle_seconds, self._idled, lease.host, connection)
            lease.host.idle.append((connection, timer))
            self._wake()
        else:
            connection.quit()
        self._free_slot()

    async def close(self) -> None:
        """Close idle connections, and the others as they are released; wait until all are closed."""
        self._closing = True
        for host in self.hosts:
            while (connection := host.take_idle()) is not None:
                connection.quit()
        await self._quiet.wait()

    async def _slot(self) -> None:
        if self._leased < self._settings.connections and not self._waiting:
            self._leased += 1
            self._quiet.clear()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._settings.command_seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._free_slot()
            if turn in self._waiting:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise Unavailable(BUSY) from error
            raise

    def _free_slot(self) -> None:
        """Hand the slot to the one who waits longest, or put it back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._leased -= 1
        self._settle()

    async def _find(self, avoid: Collection[Host], *, fresh: bool) -> Lease:
        hosts = [host for host in self.hosts if host not in avoid]
        deadline = self._now() + self._settings.command_seconds
        reply = UNREACHABLE
        while True:
            found = await self._try(hosts, fresh=fresh)
            if isinstance(found, Lease):
                return found
            reply = found or reply
            if fresh or not await self._another_returned(hosts, deadline):
                raise Unavailable(reply)

    async def _another_returned(self, hosts: list[Host], deadline: float) -> bool:
        """Wait for a connection to come back from a host that takes no more of them. False where none will."""
        if any(host.idle for host in hosts):
            return True
        if not any(host.in_use for host in hosts):
            return False
        try:
            async with asyncio.timeout_at(deadline):
                await self._returned.wait()
        except TimeoutError:
            return False
        return True

    async def _try(self, hosts: list[Host], *, fresh: bool) -> Lease | Reply | None:
        """Each host in turn: an idle connection, else a new one. Else why the last one tried could not be opened."""
        reply = None
        for host in hosts:
            if not fresh and (connection := host.take_idle()) is not None:
                return Lease(host, connection, reused=True)
            if host.may_open(self._now()):
                try:
                    return Lease(host, await self._open(host), reused=False)
                except DialError as error:
                    reply = error.reply
        return reply

    async def _open(self, host: Host) -> Connection:
        self._make_room()
        host.opening()
        try:
            connection = await self._dialer.dial(host.name, host.port, lambda gone: self._gone(host, gone))
            if not connection.closed:
                host.open.add(connection)
        except DialError as error:
            host.failed(error.cause, self._now())
            raise
        finally:
            host.opened()
            self._wake()
        return connection

    def _make_room(self) -> None:
        """Close an idle connection where a new one would be one too many."""
        idle = [host for host in self.hosts if host.idle]
        if idle and sum(len(host.open) for host in self.hosts) >= self._settings.connections:
            connection, timer = idle[-1].idle.pop(0)
            timer.cancel()
            connection.quit()

    def _idled(self, host: Host, connection: Connection) -> None:
        """An idle connection's time is over."""
        host.idle = [entry for entry in host.idle if entry[0] is not connection]
        connection.quit()

    def _gone(self, host: Host, connection: Connection) -> None:
        host.open.discard(connection)
        for entry in host.idle:
            if entry[0] is connection:
                entry[1].cancel()
        host.idle = [entry for entry in host.idle if entry[0] is not connection]
        self._wake()
        self._settle()

    def _wake(self) -> None:
        """Those who wait for a connection look again."""
        self._returned.set()
        self._returned.clear()

    def _settle(self) -> None:
        if not self._leased and not any(host.open for host in self.hosts):
            self._quiet.set()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
