"""A listener for SMTP: who may connect, what is offered, and what becomes of a message that came in whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from ipaddress import ip_network

from msgspec import Struct

from sekisho.accept.connection import SmtpConnection
from sekisho.accept.login import Logins
from sekisho.accept.metrics import AcceptMetrics, NoMetrics
from sekisho.accept.tls import Certificate, TlsLayer
from sekisho.accept.usage import Usage
from sekisho.config.settings import LimitSettings, ListenerSettings
from sekisho.mail.address import IpNetwork, client_address
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.ports import Authenticator
from sekisho.mail.reply import UNKNOWN_FAILURE, Reply, ReplyError
from sekisho.wire.sasl.offered import PLUS
from sekisho.wire.smtp_events import MailReceived, ServerOptions
from sekisho.wire.smtp_replies import SHUTTING_DOWN

Receive = Callable[[Session, Envelope, bytes], Awaitable[Reply]]
SessionTenant = Callable[[str, ListenerSettings], str]
Refuse = Callable[[], Reply | None]

_THREAD_ABOVE_BYTES = 262_144

_log = logging.getLogger(__name__)


def _networks(texts: tuple[str, ...]) -> tuple[IpNetwork, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


class _Access(Struct, frozen=True):
    """The networks of a listener, parsed."""

    clients: tuple[IpNetwork, ...]
    proxies: tuple[IpNetwork, ...]
    front_ends: tuple[IpNetwork, ...]

    @classmethod
    def of(cls, settings: ListenerSettings) -> _Access:
        return cls(
            _networks(settings.clients), _networks(settings.proxy_protocol_from), _networks(settings.xclient_from)
        )


def _within(client_ip: str, networks: tuple[IpNetwork, ...]) -> bool:
    if not networks:
        return False
    address = client_address(client_ip)
    return any(address in network for network in networks)


class SmtpListener:
    """One listener. `protocol_factory` is for `loop.create_server(listener.protocol_factory, sock=...)`.

    `receive` gets each whole message and returns its reply; what it raises becomes a reply (`ReplyError`: its own,
    anything else: 451) and, for the unknown, a traceback in the log. `session_tenant` names the tenant for a client's
    address. `refuse` is asked at each MAIL and may return a 4xx. `authenticator` says who may log in where the role
    is "submission"; without it nobody can. `usage` is shared by the listeners of a process.
    Raises OSError or ValueError for a certificate or a network that cannot be read.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        limits: LimitSettings,
        hostname: str,
        receive: Receive,
        *,
        session_tenant: SessionTenant = lambda _ip, settings: settings.tenant,
        refuse: Refuse = lambda: None,
        authenticator: Authenticator | None = None,
        metrics: AcceptMetrics | None = None,
        usage: Usage | None = None,
    ) -> None:
        self.metrics: AcceptMetrics = metrics or NoMetrics()
        self.usage = usage or Usage()
        self.draining = False
        self.generation = 0
        self.hostname = hostname
        self.logins = Logins(authenticator, self.metrics)
        self._receive = receive
        self._session_tenant = session_tenant
        self._refuse = refuse
        self._connections: set[SmtpConnection] = set()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._drained: asyncio.Future[None] | None = None
        self.update(settings, limits, hostname)

    def update(self, settings: ListenerSettings, limits: LimitSettings, hostname: str = "") -> None:
        """Use new settings; open connections take them from their next transaction on. `hostname` "" stays.

        Raises OSError or ValueError, and changes nothing, where a certificate or a network cannot be read.
        """
        access = _Access.of(settings)
        certificate = None
        if settings.tls != "off":
            certificate = Certificate(settings.certificate, settings.private_key)
        self.settings, self.limits, self.hostname = settings, limits, hostname or self.hostname
        self._access, self.certificate = access, certificate
        self.generation += 1

    def protocol_factory(self) -> SmtpConnection:
        """The protocol of a new connection."""
        return SmtpConnection(self)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def drain(self) -> asyncio.Future[None]:
        """Take no more transactions: idle connections get 421 now, others after their message.

        The future is done when all connections are closed and every message has its reply. The caller stops
        accepting first.
        """
        self.draining = True
        if self._drained is None:
            self._drained = asyncio.get_running_loop().create_future()
        for connection in tuple(self._connections):
            connection.drain()
        self._check_drained()
        return self._drained

    def drop(self, tenant: str, login: str) -> None:
        """Close all connections of an account: idle ones now, others after the message that they are sending."""
        for connection in tuple(self._connections):
            connection.drop(tenant, login)

    def close(self) -> None:
        """Say 421 to whoever is left, whatever is going on, and close. Messages in our hands go on."""
        for connection in tuple(self._connections):
            connection.shut_down(SHUTTING_DOWN)

    # --- for the connections ----------------------------------------------------------------------------------

    def options(self, client_ip: str) -> ServerOptions:
        """What is offered to a client that connected from this address."""
        return ServerOptions(
            hostname=self.hostname,
            limits=self.limits,
            starttls=self.settings.tls == "starttls",
            require_tls=self.settings.needs_tls,
            mechanisms=self.logins.allowed(self.settings),
            require_auth=self.settings.role == "submission",
            xclient=_within(client_ip, self._access.front_ends),
            unread_above_bytes=_THREAD_ABOVE_BYTES,
        )

    def bindings(self, tls: TlsLayer) -> dict[str, bytes]:
        """What logins can be bound to.

        RFC 9266 3: clients that bind take tls-exporter in TLS 1.3 and would fail with anything else. What we can do
        is for those only whose administrator asks for the mechanism by name.
        """
        found = tls.bindings()
        defaults = {"tls-exporter", "tls-unique"} & found.keys()
        return found if defaults or PLUS in self.settings.mechanisms else {}

    def may_connect(self, client_ip: str) -> bool:
        """Whether mail of this client is taken."""
        return _within(client_ip, self._access.clients)

    def speaks_proxy_protocol(self, client_ip: str) -> bool:
        """Whether a PROXY header must come first from this peer."""
        return _within(client_ip, self._access.proxies)

    def tenant(self, client_ip: str) -> str:
        """The tenant of a client."""
        return self._session_tenant(client_ip, self.settings)

    def admit(self, size: int) -> Reply | None:
        """Why no transaction may begin now; `size` is the declared one in octets."""
        if self.draining:
            return SHUTTING_DOWN
        refusal = self.usage.mail_refusal(size, self.limits) or self._refuse()
        if refusal is not None:
            self.metrics.mail_put_off(self.settings.name, refusal)
        return refusal

    def refusal(self, client_ip: str) -> Reply | None:
        """Why a connection from this address is not taken."""
        if self.draining:
            return SHUTTING_DOWN
        return self.usage.refusal(self.limits, client_ip, trusted=self.speaks_proxy_protocol(client_ip))

    def opened(self, connection: SmtpConnection) -> None:
        """Count a connection in."""
        self._connections.add(connection)
        self.usage.connections += 1

    def closed(self, connection: SmtpConnection) -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        self.usage.crowd.forget(connection)
        self.usage.connections -= 1
        self._check_drained()

    def deliver(self, connection: SmtpConnection, delivery: Coroutine[None, None, None]) -> None:
        """Run a connection's wait for a reply; it is kept alive and waited for, even if the client goes."""
        task = asyncio.get_running_loop().create_task(delivery)
        self._deliveries.add(task)
        task.add_done_callback(lambda done: self._delivered(connection, done))

    async def reply_to(self, session: Callable[[], Session], mail: MailReceived) -> Reply:
        """The reply to a message. Raises nothing but CancelledError."""
        try:
            about = session()
            data = mail.data if mail.unread is None else await asyncio.to_thread(mail.read)
            return await self._receive(about, mail.envelope, data)
        except ReplyError as error:
            _log.info("message refused: %s", error)
            return error.reply
        except Exception:  # noqa: BLE001 - whatever it is, the client must get 451 and nothing else
            _log.exception("a message could not be handled")
            return UNKNOWN_FAILURE

    def _delivered(self, connection: SmtpConnection, task: asyncio.Task[None]) -> None:
        self._deliveries.discard(task)
        if task.cancelled() or task.exception() is not None:
            failure = None if task.cancelled() else task.exception()
            _log.error("a connection failed while it waited for an answer", exc_info=failure)
            connection.abort()
        self._check_drained()

    def _check_drained(self) -> None:
        idle = not self._connections and not self._deliveries
        if idle and self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
