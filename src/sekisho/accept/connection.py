"""One SMTP connection: socket, clocks, PROXY header and TLS around an `SmtpServer`."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import TYPE_CHECKING, cast

from sekisho.accept.channel import Channel, reason
from sekisho.accept.client import Client
from sekisho.accept.clock import Phase, PhaseClock
from sekisho.accept.crowd import standing_of
from sekisho.accept.tls import TlsLayer
from sekisho.accept.usage import WHY, Held
from sekisho.mail.account import canonical_login
from sekisho.mail.address import client_address
from sekisho.mail.envelope import Session
from sekisho.mail.ids import new_id
from sekisho.mail.reply import Reply
from sekisho.wire import smtp_replies as say
from sekisho.wire.proxy_protocol import ProxyError, read_proxy_header
from sekisho.wire.smtp_auth import LoginAnswer, LoginAsked
from sekisho.wire.smtp_events import Ended, Event, MailReceived, TlsRequested, XclientApplied
from sekisho.wire.smtp_server import SmtpServer

if TYPE_CHECKING:
    from sekisho.accept.smtp import SmtpListener

_log = logging.getLogger(__name__)
_TRICKLE = 4096  # octets a second
_LINGER_SECONDS = 5.0  # how long a client may take to fetch our last words


class SmtpConnection(asyncio.Protocol):
    """The protocol of one connection of `listener`."""

    def __init__(self, listener: SmtpListener) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._id = new_id()
        self._channel = Channel()
        self._server: SmtpServer
        self._client = Client(self._id, listener.usage)
        self._proxy_header: bytes | None = None
        self._asking: asyncio.Task[LoginAnswer] | None = None
        self._farewell: Reply | None = None
        self._hold = Held(listener.usage)
        self._generation = 0
        self._opened = self._useful = self._delivering = self._eof = self._ended = self._writing_paused = False
        self._clock = PhaseClock(lambda: listener.limits, lambda: self._server.received, self._timed_out)

    # --- called by the loop -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the client in, or send it away."""
        self._channel.transport = cast("asyncio.Transport", transport)
        listener = self._listener
        peer = transport.get_extra_info("peername")
        if not peer:  # gone before we looked
            self._channel.abort()
            return
        self._client.peer_ip = str(client_address(peer[0]))
        refusal = listener.refusal(self._client.peer_ip)
        if refusal is not None:
            self._turn_away(refusal)
            return
        self._opened = True
        listener.opened(self)
        listener.metrics.connection_opened(listener.settings.name)
        if listener.speaks_proxy_protocol(self._client.peer_ip):
            self._proxy_header = b""
            self._watch()
        else:
            self._client_known(self._client.peer_ip)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; a message in our hands goes on."""
        if exc is not None:
            _log.debug("session %s: connection lost: %s", self._id, exc)
        self._channel.lost = self._ended = True
        self._clock.stop()
        if self._asking is not None:
            self._asking.cancel()
        if not self._delivering:
            self._hold(0)
        self._client.leave()
        if self._opened:
            self._listener.closed(self)
            self._listener.metrics.connection_closed(self._listener.settings.name)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket."""
        if self._ended:
            return
        if self._proxy_header is not None:
            data = self._read_proxy_header(data)
        if data and self._channel.tls is not None:
            data = self._decrypt(self._channel.tls, data)
        if self._ended or not data:
            return
        self._server.receive_data(data)
        if self._waiting or self._writing_paused:
            self._channel.pause()
        else:
            self._pump()

    def eof_received(self) -> bool:
        """Nothing more will come; an answer that is due is still given."""
        self._eof = True
        return self._delivering

    def pause_writing(self) -> None:
        """The client does not fetch our replies: read no more of its commands."""
        self._writing_paused = True
        self._channel.pause()

    def resume_writing(self) -> None:
        """Go on."""
        self._writing_paused = False
        if not self._waiting and not self._ended:
            self._channel.resume()
            self._pump()

    # --- called by the listener -------------------------------------------------------------------------------

    def drain(self, reply: Reply = say.SHUTTING_DOWN) -> None:
        """Say 421 (`reply`) now if nothing is going on; otherwise that comes after the message."""
        self._farewell = reply
        if not self._delivering and not (self._talking() and self._server.in_transaction):
            self.shut_down(reply)

    def drop(self, tenant: str, login: str) -> None:
        """The same if the client has logged in to this account."""
        if not self._talking():
            return
        session = self._session()
        if session.tenant == tenant and canonical_login(session.account or "") == login:
            self.drain(say.ACCOUNT_CLOSED)

    def shut_down(self, reply: Reply) -> None:
        """Say 421 and close, whatever is going on."""
        if self._ended:
            return
        if self._talking():
            self._server.close(reply)
            self._flush()
        self._hang_up()

    def slow(self) -> bool:
        """Whether a message comes in at a trickle."""
        return self._server.received < _TRICKLE * self._clock.seconds

    def abort(self) -> None:
        """Cut the connection off; for failures of our own."""
        self._channel.abort()

    # --- who is it --------------------------------------------------------------------------------------------

    def _read_proxy_header(self, data: bytes) -> bytes:
        seen = (self._proxy_header or b"") + data
        try:
            header = read_proxy_header(seen)
        except ProxyError as error:
            _log.info("session %s: %s from %s", self._id, error, self._client.peer_ip)
            self._listener.metrics.connection_refused(self._listener.settings.name, "proxy")
            self._hang_up()
            return b""
        if header is None:
            self._proxy_header = seen
            return b""
        self._proxy_header = None
        self._client_known(header.client_ip or self._client.peer_ip)
        return seen[header.octets :]

    def _client_known(self, client_ip: str) -> None:
        """Begin the dialog with the client at this address."""
        listener = self._listener
        refusal = self._client.known_as(client_ip, listener.limits)
        if refusal is not None:
            self._turn_away(refusal)
            return
        self._generation = listener.generation
        self._server = SmtpServer(listener.options(client_ip), admit=self._admit)
        if listener.settings.tls == "implicit" and listener.certificate is not None:
            self._start_tls()
            self._watch()
        else:
            self._welcome()
            self._pump()

    def _welcome(self) -> None:
        """220, or 554 for a client from elsewhere that no trusted front end vouched for."""
        if self._listener.may_connect(self._client.ip) or self._client.said.login:
            self._server.greet()
        else:
            self._listener.metrics.connection_refused(self._listener.settings.name, "networks")
            self._server.refuse_connection(say.FOREIGN_CLIENT)

    def _turn_away(self, reply: Reply) -> None:
        """One reply and goodbye, in clear text where no TLS is spoken from the start."""
        self._listener.metrics.connection_refused(self._listener.settings.name, WHY.get(reply, "connections"))
        if self._listener.settings.tls != "implicit":
            self._channel.write(reply.encode())
        self._hang_up()

    def _admit(self, size: int) -> Reply | None:
        return self._farewell or self._listener.admit(size)

    def _session(self) -> Session:
        listener = self._listener
        return self._client.session(self._server, listener.settings.name, listener.tenant(self._client.ip))

    # --- the dialog -------------------------------------------------------------------------------------------

    def _talking(self) -> bool:
        """Whether SMTP replies can be sent."""
        return self._client.known and self._channel.ready

    def _pump(self) -> None:
        """Act on what the client said, until it has to say more or somebody has to answer."""
        while not (self._waiting or self._writing_paused or self._ended):
            self._refresh_options()
            event = self._server.next_event()
            if event is None and not self._server.output_full:
                break
            self._flush()
            if event is not None:
                self._act_on(event)
        self._flush()
        self._account()
        if self._farewell is not None:
            self.drain(self._farewell)
        self._watch()

    def _refresh_options(self) -> None:
        if self._generation != self._listener.generation and not self._server.in_transaction:
            self._generation = self._listener.generation
            self._server.configure(self._listener.options(self._client.front_ip))

    def _act_on(self, event: Event) -> None:
        if isinstance(event, MailReceived):
            self._take(event)
        elif isinstance(event, TlsRequested):
            self._start_tls()
        elif isinstance(event, LoginAsked):
            self._ask(event)
        elif isinstance(event, XclientApplied):
            self._apply_xclient(event)
        elif isinstance(event, Ended):
            self._hang_up()

    def _take(self, mail: MailReceived) -> None:
        """Hand a whole message on, unless memory has run out while it came in."""
        self._hold(mail.stored)
        if self._listener.usage.memory > self._listener.limits.memory_bytes:
            self._hold(0)
            self._server.answer(say.OUT_OF_MEMORY)
            return
        self._delivering = True
        self._listener.deliver(self, self._deliver(mail))

    async def _deliver(self, mail: MailReceived) -> None:
        """Wait for the answer to a message and pass it on, if the client is still there."""
        started, size = self._loop.time(), mail.stored
        try:
            reply = await self._listener.reply_to(self._session, mail)
        finally:
            self._delivering = False
            self._hold(0)
        seconds = self._loop.time() - started
        self._listener.metrics.message_answered(self._listener.settings.name, size, reply, seconds)
        if reply.positive:
            self._useful = True
            self._listener.usage.welcome(self._client.ip)
        if self._ended:
            _log.info("session %s: client gone before the answer: %s", self._id, reply)
            return
        self._answered(self._server.answer(reply))

    def _ask(self, asked: LoginAsked) -> None:
        """Put a mechanism's question to the accounts; who hangs up meanwhile gets no answer."""
        self._asking = self._loop.create_task(self._listener.logins.answer(self._session(), asked))
        self._asking.add_done_callback(self._login_answered)

    def _login_answered(self, asking: asyncio.Task[LoginAnswer]) -> None:
        self._asking = None
        if not (asking.cancelled() or self._ended):
            self._answered(self._server.answer_login(asking.result()))

    @property
    def _waiting(self) -> bool:
        """Whether somebody has to answer before the client's next command is looked at."""
        return self._delivering or self._asking is not None

    def _answered(self, event: Event | None) -> None:
        """Pass an answer on, and listen again."""
        if event is not None or self._eof:
            self._flush()
            self._hang_up()
            return
        if not self._writing_paused:
            self._channel.resume()
        self._pump()

    def _start_tls(self) -> None:
        certificate = self._listener.certificate
        if certificate is None:  # a reload took TLS away between EHLO and STARTTLS
            self._hang_up()
            return
        context = certificate.context()  # may load another certificate
        self._channel.tls = TlsLayer(context, certificate.end_point)

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        """The clear text in `data`; finishes the handshake when it is due."""
        waiting = tls.established is None
        try:
            plain = self._channel.read(data)
        except ssl.SSLError as error:
            self._tls_failed(error)
            return b""
        if waiting and tls.established is not None:
            self._listener.metrics.tls_established(self._listener.settings.name, tls.established.version)
            self._server.start_tls(tls.established, self._listener.bindings(tls))
            if self._listener.settings.tls == "implicit":
                self._welcome()
            self._pump()
        if tls.closed and not plain:
            self._hang_up()
        return plain

    def _tls_failed(self, error: ssl.SSLError) -> None:
        _log.info("session %s: TLS with %s failed: %s", self._id, self._client.ip, reason(error))
        self._listener.metrics.tls_failed(self._listener.settings.name)
        self._channel.tls = None
        self._hang_up()

    def _apply_xclient(self, event: XclientApplied) -> None:
        """Be told by a trusted front end who its client is; then begin anew. Source: Postfix XCLIENT_README."""
        refusal = self._client.vouched_for(event.attributes, self._listener.limits)
        if refusal is None:
            self._welcome()
        else:
            self.shut_down(refusal)

    def _account(self) -> None:
        if self._delivering or self._ended:
            return
        self._hold(self._server.stored)
        if self._server.receiving and self._listener.usage.memory > self._listener.limits.memory_bytes:
            self._server.refuse_body(say.OUT_OF_MEMORY)
            self._hold(self._server.stored)

    def _flush(self) -> None:
        try:
            self._channel.write(self._server.data_to_send())
        except ssl.SSLError as error:
            self._tls_failed(error)

    def _hang_up(self) -> None:
        """Close after what was written is sent; a client that does not fetch it is cut off after a while."""
        if self._ended:
            return
        self._ended = True
        if not self._delivering:
            self._hold(0)
        if self._asking is not None:
            self._asking.cancel()
        self._channel.close()
        self._clock.linger(_LINGER_SECONDS, self._channel.abort)

    def _watch(self) -> None:
        """Start the clock of the phase we are in, if it is a new one.

        A command's clock starts when the one before is done, so bytes that trickle in do not extend it.
        """
        if not self._ended:
            self._clock.enter(self._current_phase())
            server = self._server if self._talking() else None
            standing = None if self._waiting else standing_of(server, useful=self._useful)
            self._listener.usage.crowd.stands(self, standing)

    def _current_phase(self) -> Phase:
        if self._proxy_header is not None:
            return ("proxy", 0)
        if self._waiting:
            return ("answer", 0)
        if not self._channel.ready:
            return ("handshake", 0)
        if self._server.receiving:
            return ("data", self._server.tally.mails)
        if not self._server.helo:
            return ("greeting", 0)
        return ("command", self._server.tally.commands)

    def _timed_out(self, phase: str) -> None:
        self._listener.metrics.timed_out(self._listener.settings.name, phase)
        self.shut_down(say.TOO_SLOW if phase == "rate" else say.TIMED_OUT)
