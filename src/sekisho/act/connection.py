"""One connection to a next hop: the I/O shell around the SMTP client core."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from sekisho.mail.pieces import PIECE
from sekisho.mail.reply import Reply
from sekisho.wire.client_events import ClientOptions, Event, Failed, Finished, StartTls, State
from sekisho.wire.smtp_client import LOST, SmtpClient

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from sekisho.config.settings import NextHopSettings
    from sekisho.mail.envelope import Envelope
    from sekisho.wire.client_capabilities import Capabilities
    from sekisho.wire.client_transaction import Content

TIMED_OUT = Reply(451, "4.2", "The next hop did not answer in time")
GOODBYE_SECONDS = 5.0
_PIECES_AT_ONCE = 8
SLOWEST_BYTES_PER_SECOND = 16_384  # a large message gets this much more time than `data_seconds`


class Connection(asyncio.Protocol):
    """An `asyncio.Protocol` that drives one `SmtpClient` and keeps its deadlines.

    One caller at a time awaits `opened`, then `transact`, again and again. `on_closed` is called once, when the
    network connection is gone.
    """

    def __init__(
        self, options: ClientOptions, settings: NextHopSettings, on_closed: Callable[[Connection], None]
    ) -> None:
        self._core = SmtpClient(options)
        self._settings = settings
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._turn: asyncio.Future[Event] | None = None
        self._early: Event | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watched: tuple[State, int] | None = None
        self._size = 0
        self._unsent: deque[bytes | memoryview] = deque()
        self._full = False

    @property
    def usable(self) -> bool:
        """Another transaction may begin."""
        return self._core.usable

    @property
    def closed(self) -> bool:
        """Nothing can be sent any more."""
        return self._core.closed

    @property
    def transactions(self) -> int:
        """Transactions begun on this connection."""
        return self._core.transactions

    @property
    def peer(self) -> Capabilities:
        """What the server offers."""
        return self._core.peer

    async def next_event(self) -> Event:
        """What the core tells next. Raises nothing but cancellation."""
        if self._early is not None:
            event, self._early = self._early, None
            return event
        self._turn = self._loop.create_future()
        try:
            return await self._turn
        finally:
            self._turn = None

    async def opened(self, context: ssl.SSLContext | None, server_hostname: str) -> Event:
        """Ready or Failed, after greeting, TLS and login. Raises OSError for a failed TLS handshake."""
        event = await self.next_event()
        if isinstance(event, StartTls) and context is not None:
            await self._upgrade(context, server_hostname)
            event = await self.next_event()
        return event

    async def transact(self, envelope: Envelope, data: bytes | Content) -> Finished | Failed:
        """Send one message; see `SmtpClient.send`. A cancelled caller takes the connection with him."""
        if self._core.state is not State.READY:
            return Failed(LOST, "closed before the transaction", (LOST,) * len(envelope.recipients))
        self._size = len(data)
        try:
            self._handle(self._core.send(envelope, data))
            event = await self.next_event()
        except asyncio.CancelledError:
            self.abort()
            raise
        if not isinstance(event, Finished | Failed):
            raise TypeError(f"{event} in a transaction")
        return event

    def quit(self) -> None:
        """Say QUIT and close once the server has answered, or soon after. RFC 5321 4.1.1.10."""
        if self._core.state is State.READY:
            self._core.quit()
            self._flush()
            self._set_timer(GOODBYE_SECONDS)
        else:
            self.abort()

    def abort(self) -> None:
        """Drop the connection without a word."""
        self._core.lost(LOST, "dropped")
        self._set_timer(None)
        if self._transport is not None:
            self._transport.abort()

    async def _upgrade(self, context: ssl.SSLContext, server_hostname: str) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection closed before the TLS handshake")
        transport = await self._loop.start_tls(
            self._transport,
            self,
            context,
            server_hostname=server_hostname,
            ssl_handshake_timeout=self._settings.command_seconds,
        )
        if transport is None:
            raise ConnectionResetError("the connection closed in the TLS handshake")
        self._transport = transport
        self._handle(self._core.tls_started())

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The network connection stands; the greeting comes next."""
        self._transport = transport  # type: ignore[assignment] # a Transport for stream sockets
        self._set_timer(self._settings.command_seconds)

    def data_received(self, data: bytes) -> None:
        """Bytes from the server."""
        self._handle(self._core.receive(data))

    def connection_lost(self, exc: Exception | None) -> None:
        """The network connection is gone."""
        self._handle(self._core.lost(LOST, str(exc or "closed by the next hop")))
        self._set_timer(None)
        self._on_closed(self)

    def pause_writing(self) -> None:
        """The transport has enough for now."""
        self._full = True

    def resume_writing(self) -> None:
        """The transport takes more."""
        self._full = False
        self._write()

    def _timed_out(self) -> None:
        self._timer = None
        self._handle(self._core.lost(TIMED_OUT, f"no reply in time, state {self._core.state.name}"))

    def _handle(self, events: list[Event]) -> None:
        """Write what the core wants written, watch the clock for its next reply, pass on what it tells."""
        self._flush()
        core = self._core
        if core.closed:
            self._set_timer(None)
            if self._transport is not None:
                self._transport.abort()
        elif self._watched != (core.state, core.replies_seen):
            # Only a whole reply gives the server more time: a slow drip of bytes does not.
            self._watched = (core.state, core.replies_seen)
            self._set_timer(self._patience(core.state))
        for event in events:
            if self._turn is not None and not self._turn.done():
                self._turn.set_result(event)
            else:
                self._early = event

    def _patience(self, state: State) -> float | None:
        """Seconds to wait for the reply to this command."""
        if state in (State.READY, State.HANDSHAKE):
            return None
        if state is State.END_OF_DATA:
            return self._settings.data_seconds + self._size / SLOWEST_BYTES_PER_SECOND
        return self._settings.command_seconds

    def _flush(self) -> None:
        output = self._core.take_output()
        if not output or self._transport is None or self._transport.is_closing():
            return
        if self._unsent:
            self._unsent.extend(output)  # `_write` comes again
        elif sum(map(len, output)) <= PIECE:
            self._transport.writelines(output)
        else:
            self._unsent.extend(output)
            self._write()

    def _write(self) -> None:
        """Some pieces of what waits, as long as they go: a transport copies or encrypts at once what it is given."""
        transport = self._transport
        if transport is None or transport.is_closing():
            self._unsent.clear()
        for _ in range(_PIECES_AT_ONCE):
            if not self._unsent or self._full or transport is None:
                return
            first = memoryview(self._unsent.popleft())
            if len(first) > PIECE:
                self._unsent.appendleft(first[PIECE:])
            transport.write(first[:PIECE])
        if self._unsent and not self._full:
            self._loop.call_soon(self._write)

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self._loop.call_later(seconds, self._timed_out)
