"""The SMTP server's side of the protocol, without I/O: bytes in, events and bytes out. RFC 5321.

    server = SmtpServer(options)
    server.greet()
    server.receive_data(data)
    while (event := server.next_event()) is not None: ...      # the socket's owner acts on it
    transport.write(server.data_to_send())

`MailReceived`, `TlsRequested`, `LoginAsked` and `XclientApplied` want an answer (`answer`, `start_tls`,
`answer_login`, `greet` or `refuse_connection`); until it comes no further command is looked at. How the bytes were
cut into pieces makes no difference to what comes out, with one exception: bytes behind STARTTLS are refused when they
come in with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from sekisho.mail.envelope import Tls
from sekisho.mail.reply import Reply, ReplyError
from sekisho.wire import smtp_replies as say
from sekisho.wire.lines import CommandBuffer
from sekisho.wire.smtp_auth import LINE_OCTETS, AuthDialog, AuthStep, LoginAnswer
from sekisho.wire.smtp_body import ChunkReader, DataReader
from sekisho.wire.smtp_commands import check_argument, chunk_argument, read_words
from sekisho.wire.smtp_events import Ended, Event, MailReceived, ServerOptions, TlsRequested, XclientApplied
from sekisho.wire.smtp_path import valid_helo
from sekisho.wire.smtp_states import IN_TRANSACTION, OTHER_PROTOCOLS, State, move
from sekisho.wire.smtp_tally import Tally
from sekisho.wire.smtp_transaction import MailTransaction
from sekisho.wire.smtp_xclient import parse_xclient

Admit = Callable[[int], Reply | None]
# An event; True: go on at once; None: more bytes are needed.
_Step = Event | Literal[True] | None

_OUTPUT_FULL = 65_536  # octets of replies that may wait before no more commands are read
_FOLLOW_MAIL = frozenset({"RCPT", "DATA", "BDAT"})


class SmtpServer:
    """One connection. `admit` is asked at each MAIL with the declared size (0: none) and may return a refusal."""

    def __init__(self, options: ServerOptions, *, admit: Admit = lambda _size: None, tls: Tls | None = None) -> None:
        self.options = options
        self.tls = tls
        self.helo = ""
        self.esmtp = False
        self.tally = Tally()
        self.auth = AuthDialog()
        self._admit = admit
        self._state = State.CONNECTED
        self._buffer = CommandBuffer()
        self._output = bytearray()
        self._transaction: MailTransaction | None = None
        self._body: DataReader | ChunkReader | None = None
        self._waiting = True
        self._ended = False
        self._mail_refused = False

    # --- for the socket's owner -------------------------------------------------------------------------------

    @property
    def in_transaction(self) -> bool:
        """Whether a message is being sent, or waits for its answer."""
        return self._state in IN_TRANSACTION

    @property
    def receiving(self) -> bool:
        """Whether a message's bytes are on their way; also between two chunks of one message."""
        return self._body is not None

    @property
    def received(self) -> int:
        """Octets that have come in for the message on its way, as sent."""
        return self._body.received if self._body else 0

    @property
    def stored(self) -> int:
        """Octets in memory of the message on its way."""
        return self._body.stored if self._body else 0

    @property
    def output_full(self) -> bool:
        """Whether no more commands are read until `data_to_send` is called."""
        return len(self._output) >= _OUTPUT_FULL

    def configure(self, options: ServerOptions) -> None:
        """Use other options from here on. To be called between transactions."""
        self.options = options

    def greet(self) -> None:
        """Say 220 and listen. RFC 5321 3.1."""
        self._send(say.greeting(self.options.hostname))
        self._state = State.CONNECTED
        self._waiting = False

    def refuse_connection(self, reply: Reply) -> None:
        """Say 554 (`reply`) and take nothing but QUIT. RFC 5321 3.1."""
        self._send(reply)
        self._state = State.REFUSED
        self._waiting = False

    def receive_data(self, data: bytes) -> None:
        """Take in what the client sent. After the end it is dropped."""
        if self._ended:
            return
        if self._body is not None and not self._body.complete and not self._buffer:
            data = self._body.feed(data)
        self._buffer.append(data)

    def data_to_send(self) -> bytes:
        """The replies since the last call."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def next_event(self) -> Event | None:
        """What happened; None when more bytes, an answer or an emptied output is needed."""
        step: _Step = True
        while step is True and not (self._waiting or self._ended or self.output_full):
            step = self._read_body() if self._body_open() else self._read_line()
        return None if step is True else step

    def answer(self, reply: Reply) -> Ended | None:
        """Give the reply to the message of `MailReceived`; a 421 ends the connection."""
        self._waiting = False
        if reply.code == 421:
            return self._end("shutdown", reply)
        self._finish_transaction(reply)
        return None

    def answer_login(self, answer: LoginAnswer) -> Ended | None:
        """Give the answer to the question of `LoginAsked`; too many refusals, or a 421, end the connection."""
        self._waiting = False
        step = self._go_on(lambda: self.auth.resume(answer))
        return step if isinstance(step, Ended) else None

    def refuse_body(self, reply: Reply) -> None:
        """Store no more of the message on its way; read it to its end and answer with this."""
        if self._body is not None:
            self._body.refuse(reply)

    def start_tls(self, tls: Tls, bindings: Mapping[str, bytes] | None = None) -> None:
        """The handshake is done, with these channel bindings: forget what was said in clear text. RFC 3207 4.2."""
        self.tls = tls
        self.auth.start_anew(bindings or {})
        self.helo, self.esmtp = "", False
        self._buffer.take()
        self._state = State.CONNECTED
        self._waiting = False

    def close(self, reply: Reply) -> Ended | None:
        """Say 421 (`reply`) and be done, whatever is going on. None where all was said before."""
        return None if self._ended else self._end("shutdown", reply)

    # --- commands ---------------------------------------------------------------------------------------------

    def _read_line(self) -> _Step:
        """The next command, or response to a challenge of AUTH, whose lines may be longer. RFC 4954 4."""
        limit = self.options.limits.command_line_bytes
        in_auth = self.auth.open or (self.options.mechanisms.some and self._buffer.starts_with(b"AUTH "))
        line = self._buffer.next_line(max(limit, LINE_OCTETS) if in_auth else limit)
        if line is None:
            return None
        if (over := self.tally.command(self.options.limits)) is not None:
            return self._end("limit", over)
        if self.auth.open:
            return self._go_on(lambda: self.auth.respond(line))
        verb, too_long = "", say.AUTH_LINE_TOO_LONG if in_auth else say.line_too_long(limit)
        try:
            verb, argument = read_words(line, too_long)
            return self._perform(verb, argument)
        except ReplyError as error:
            return self._refuse(error.reply, verb)

    def _perform(self, verb: str, argument: str) -> _Step:
        if verb in OTHER_PROTOCOLS:
            return self._end("protocol", say.NOT_SMTP)
        if verb == "BDAT":
            return self._on_bdat(argument)
        if verb not in _FOLLOW_MAIL:
            self._mail_refused = False
        state = self._move(verb)
        if isinstance(state, Reply):
            raise ReplyError(state)
        check_argument(verb, argument)
        if verb in say.ALWAYS_THE_SAME:
            return self._go(state, say.ALWAYS_THE_SAME[verb])
        return self._HANDLERS[verb](self, argument, state)

    def _move(self, verb: str) -> State | Reply:
        options = self.options
        return move(
            self._state,
            verb,
            needs_tls=options.require_tls and self.tls is None,
            needs_auth=options.require_auth and not self.auth.done,
            has_auth=options.mechanisms.some,
        )

    def _on_ehlo(self, argument: str, state: State) -> _Step:
        self._greeted(argument, esmtp=True)
        offered = self.auth.offered(self.options.mechanisms, self.tls)
        return self._go(state, self.options.extensions(self.tls, offered))

    def _on_helo(self, argument: str, state: State) -> _Step:
        self._greeted(argument, esmtp=False)
        return self._go(state, Reply(250, None, self.options.hostname))

    def _greeted(self, argument: str, *, esmtp: bool) -> None:
        """Take the client's name; a transaction is dropped. RFC 5321 4.1.4."""
        if not valid_helo(argument):
            raise ReplyError(say.BAD_HELO)
        self.helo, self.esmtp = argument, esmtp
        self._forget()

    def _on_mail(self, argument: str, state: State) -> _Step:
        limits = self.options.limits
        if (over := self.tally.mail(limits)) is not None:
            return self._end("limit", over)
        transaction = MailTransaction(argument, limits, esmtp=self.esmtp, auth=self.options.mechanisms.some)
        refusal = self._admit(transaction.parameters.size or 0)
        if refusal is not None:
            raise ReplyError(refusal)
        self._transaction = transaction
        return self._go(state, say.SENDER_OK)

    def _on_rcpt(self, argument: str, state: State) -> _Step:
        self._open_transaction().add(argument, self.options.hostname)
        return self._go(state, say.RECIPIENT_OK)

    def _on_data(self, _argument: str, _state: State) -> _Step:
        self._body = DataReader(self.options.limits)
        return self._go(self._state, say.GO_AHEAD)

    def _on_rset(self, _argument: str, state: State) -> _Step:
        self._forget()
        return self._go(state, say.OK)

    def _on_starttls(self, _argument: str, _state: State) -> _Step:
        if self.tls is not None:
            raise ReplyError(say.TLS_ALREADY)
        if not self.options.starttls:
            raise ReplyError(say.NOT_IMPLEMENTED)
        if self._buffer:  # RFC 3207 6: what stands here in clear text must not be taken as sent under TLS
            return self._end("protocol", say.TLS_PIPELINED)
        self._send(say.READY_FOR_TLS)
        self._waiting = True
        return TlsRequested()

    def _on_xclient(self, argument: str, _state: State) -> _Step:
        if not self.options.xclient:
            raise ReplyError(say.XCLIENT_REFUSED)
        attributes = parse_xclient(argument)
        self.auth.start_anew(self.auth.bindings)
        self.auth.vouched = bool(attributes.login)
        self.helo, self.esmtp = "", False
        self._waiting = True
        return XclientApplied(attributes)

    def _on_auth(self, argument: str, _state: State) -> _Step:
        if not self.esmtp:
            raise ReplyError(say.AUTH_AFTER_EHLO)
        return self._go_on(lambda: self.auth.begin(argument, self.options.mechanisms, self.tls))

    def _go_on(self, step: Callable[[], AuthStep]) -> _Step:
        """Take a step of AUTH: say something, or ask somebody."""
        try:
            done = step()
        except ReplyError as error:
            return self._refuse(error.reply, "AUTH")
        if isinstance(done, Reply):
            self._send(done)
            return True
        self._waiting = True
        return done

    def _on_quit(self, _argument: str, _state: State) -> _Step:
        return self._end("quit", say.GOODBYE)

    # --- the message's bytes ----------------------------------------------------------------------------------

    def _on_bdat(self, argument: str) -> _Step:
        """BDAT out of order is refused too, but only after its octets are read. RFC 3030 2."""
        chunk = chunk_argument(argument)
        if chunk is None:
            return self._end("protocol", say.BDAT_UNREADABLE)
        state = self._move("BDAT")
        chunks = self._body if isinstance(self._body, ChunkReader) else ChunkReader(self.options.limits)
        self._body = chunks
        if isinstance(state, Reply):
            chunks.refuse(state)
        else:
            self._state = state
        chunks.expect(chunk[0], last=chunk[1])
        return True

    def _body_open(self) -> bool:
        """Whether the next bytes belong to a message."""
        return self._body is not None and (isinstance(self._body, DataReader) or self._body.open)

    def _read_body(self) -> _Step:
        body = self._body
        if body is None:
            return None
        if not body.complete:
            self._buffer.append(body.feed(self._buffer.take()))
        if not body.complete:
            return None
        if isinstance(body, ChunkReader):
            body.open = False
            if body.refusal is not None or not body.last:
                return self._chunk_done(body)
        return self._message_done(body)

    def _chunk_done(self, body: ChunkReader) -> _Step:
        if body.refusal is None:
            self._send(Reply(250, "0.0", f"{body.chunk} octets received"))
            return True
        self._body = None
        if self._state is State.CHUNKS:
            self._transaction = None
            self._state = State.CHUNKS_FAILED
        if self._state is State.CHUNKS_FAILED and body.last:
            self._state = State.READY
        return self._refuse(body.refusal, "BDAT")

    def _message_done(self, body: DataReader | ChunkReader) -> _Step:
        self._body = None
        if body.stored > self.options.unread_above_bytes and body.refusal is None:
            self._waiting = True
            return MailReceived(self._open_transaction().envelope(), b"", body)
        try:
            data = body.finish()
        except ReplyError as error:
            self._finish_transaction(error.reply)
            return True
        self._waiting = True
        return MailReceived(self._open_transaction().envelope(), data)

    def _open_transaction(self) -> MailTransaction:
        if self._transaction is None:
            raise ReplyError(say.MAIL_FIRST)
        return self._transaction

    # --- ends and replies -------------------------------------------------------------------------------------

    def _finish_transaction(self, reply: Reply) -> None:
        self._forget()
        self._state = State.READY
        self._send(reply)

    def _forget(self) -> None:
        self._transaction = None
        self._body = None

    def _go(self, state: State, reply: Reply) -> Literal[True]:
        self._state = state
        self._send(reply)
        return True

    def _refuse(self, reply: Reply, verb: str) -> _Step:
        """Say no, and end the connection after too many of our permanent noes; a 421 ends it at once."""
        if reply.code == 421:
            return self._end("shutdown", reply)
        self._send(reply)
        if verb == "MAIL":
            self._mail_refused = True
        # What was pipelined behind a refused MAIL is not the client's mistake. RFC 2920 3.1
        mistake = reply.permanent and not (self._mail_refused and verb in _FOLLOW_MAIL)
        over = self.tally.error(self.options.limits) if mistake else None
        return True if over is None else self._end("limit", over)

    def _end(self, why: Literal["quit", "limit", "protocol", "shutdown"], reply: Reply) -> Ended:
        self._send(reply)
        self._forget()
        self._buffer.take()
        self._ended = True
        return Ended(why)

    def _send(self, reply: Reply) -> None:
        self._output += reply.encode()

    _HANDLERS: ClassVar[dict[str, Callable[[SmtpServer, str, State], _Step]]] = {
        "EHLO": _on_ehlo,
        "HELO": _on_helo,
        "MAIL": _on_mail,
        "RCPT": _on_rcpt,
        "DATA": _on_data,
        "RSET": _on_rset,
        "STARTTLS": _on_starttls,
        "AUTH": _on_auth,
        "XCLIENT": _on_xclient,
        "QUIT": _on_quit,
    }
