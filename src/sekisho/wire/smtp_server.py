"""The SMTP server's side of the protocol, without I/O: bytes in, events and bytes out. RFC 5321.

    server = SmtpServer(options)
    server.greet()
    server.receive_data(data)
    while (event := server.next_event()) is not None: ...      # the socket's owner acts on it
    transport.write(server.data_to_send())

`MailReceived`, `TlsRequested` and `XclientApplied` want an answer (`answer`, `start_tls`, `greet` or
`refuse_connection`); until it comes no further command is looked at. How the bytes were cut into pieces makes no
difference to what comes out, with one exception: bytes behind STARTTLS are refused when they come in with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar, Literal

from sekisho.mail.envelope import Tls
from sekisho.mail.reply import Reply, ReplyError
from sekisho.wire import smtp_replies as say
from sekisho.wire.lines import CommandBuffer
from sekisho.wire.smtp_body import ChunkReader, DataReader
from sekisho.wire.smtp_events import Ended, Event, MailReceived, ServerOptions, TlsRequested, XclientApplied
from sekisho.wire.smtp_path import valid_helo
from sekisho.wire.smtp_states import BEFORE_TLS, IN_TRANSACTION, OTHER_PROTOCOLS, TABLE, State
from sekisho.wire.smtp_transaction import MailTransaction
from sekisho.wire.smtp_xclient import parse_xclient

Admit = Callable[[int], Reply | None]
# An event; True: go on at once; None: more bytes are needed.
_Step = Event | Literal[True] | None

_OUTPUT_FULL = 65_536  # octets of replies that may wait before no more commands are read
_CHUNK = re.compile(r"([0-9]{1,20})(?: +(LAST))?", re.IGNORECASE)  # RFC 3030 2
_WITHOUT_ARGUMENT = frozenset({"DATA", "RSET", "STARTTLS", "QUIT"})
_FOLLOW_MAIL = frozenset({"RCPT", "DATA", "BDAT"})


def _admit_all(_size: int) -> Reply | None:
    return None


class SmtpServer:
    """One connection. `admit` is asked at each MAIL with the declared size (0: none) and may return a refusal."""

    def __init__(self, options: ServerOptions, *, admit: Admit = _admit_all, tls: Tls | None = None) -> None:
        self.options = options
        self.tls = tls
        self.helo = ""
        self.esmtp = False
        self._admit = admit
        self._state = State.CONNECTED
        self._buffer = CommandBuffer()
        self._output = bytearray()
        self._transaction: MailTransaction | None = None
        self._body: DataReader | ChunkReader | None = None
        self._waiting = True
        self._ended = False
        self.commands = self._errors = self.mails = 0
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
            step = self._read_body() if self._body_open() else self._read_command()
        return None if step is True else step

    def answer(self, reply: Reply) -> Ended | None:
        """Give the reply to the message of `MailReceived`; a 421 ends the connection."""
        self._waiting = False
        if reply.code == 421:
            return self._end("shutdown", reply)
        self._finish_transaction(reply)
        return None

    def refuse_body(self, reply: Reply) -> None:
        """Store no more of the message on its way; read it to its end and answer with this."""
        if self._body is not None:
            self._body.refuse(reply)

    def start_tls(self, tls: Tls) -> None:
        """The handshake is done: forget what was said in clear text. RFC 3207 4.2."""
        self.tls = tls
        self.helo, self.esmtp = "", False
        self._buffer.take()
        self._state = State.CONNECTED
        self._waiting = False

    def close(self, reply: Reply) -> Ended | None:
        """Say 421 (`reply`) and be done, whatever is going on. None where all was said before."""
        return None if self._ended else self._end("shutdown", reply)

    # --- commands ---------------------------------------------------------------------------------------------

    def _read_command(self) -> _Step:
        limits = self.options.limits
        line = self._buffer.next_line(limits.command_line_bytes)
        if line is None:
            return None
        self.commands += 1
        if self.commands > limits.commands_per_connection:
            count = limits.commands_per_connection
            return self._end("limit", say.too_many("commands", count, "commands_per_connection"))
        verb = ""
        try:
            verb, argument = self._words(line)
            return self._perform(verb, argument)
        except ReplyError as error:
            return self._refuse(error.reply, verb)

    def _words(self, line: bytes) -> tuple[str, str]:
        """A line's verb in upper case and its argument. Raises ReplyError 500 for a line that is none."""
        if line is CommandBuffer.LINE_TOO_LONG:
            raise ReplyError(say.line_too_long(self.options.limits.command_line_bytes))
        if not line.endswith(b"\r\n") or line.find(b"\r") != len(line) - 2:
            raise ReplyError(say.BARE_LINE_END)  # RFC 5321 2.3.8
        if b"\0" in line:
            raise ReplyError(say.NUL_IN_COMMAND)
        try:
            verb, _, argument = line[:-2].decode().partition(" ")
        except UnicodeDecodeError:
            raise ReplyError(say.NOT_UTF8) from None
        return verb.rstrip("\t").upper(), argument.strip(" \t")

    def _perform(self, verb: str, argument: str) -> _Step:
        if verb in OTHER_PROTOCOLS:
            return self._end("protocol", say.NOT_SMTP)
        if verb == "BDAT":
            return self._on_bdat(argument)
        if verb not in _FOLLOW_MAIL:
            self._mail_refused = False
        move = self._move(verb)
        if isinstance(move, Reply):
            raise ReplyError(move)
        if argument and verb in _WITHOUT_ARGUMENT:
            raise ReplyError(say.NO_ARGUMENT)
        return self._HANDLERS[verb](self, argument, move)

    def _move(self, verb: str) -> State | Reply:
        """What the table says, and RFC 3207 4 where TLS is required."""
        move = TABLE[self._state].get(verb, say.UNKNOWN_COMMAND)
        needs_tls = self.options.require_tls and self.tls is None and self._state is not State.REFUSED
        if needs_tls and verb not in BEFORE_TLS and move is not say.UNKNOWN_COMMAND:
            return say.TLS_FIRST
        return move

    def _on_ehlo(self, argument: str, state: State) -> _Step:
        self._greeted(argument, esmtp=True)
        return self._go(state, self.options.extensions(self.tls))

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
        self.mails += 1  # RFC 9422 4.1: whether it succeeds or not
        if self.mails > limits.messages_per_connection:
            count = limits.messages_per_connection
            return self._end("limit", say.too_many("messages", count, "messages_per_connection"))
        transaction = MailTransaction(argument, limits, esmtp=self.esmtp)
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
        self.helo, self.esmtp = "", False
        self._waiting = True
        return XclientApplied(attributes)

    def _on_noop(self, _argument: str, state: State) -> _Step:
        return self._go(state, say.OK)

    def _on_help(self, _argument: str, state: State) -> _Step:
        return self._go(state, say.HELP)

    def _on_vrfy(self, _argument: str, state: State) -> _Step:
        return self._go(state, say.CANNOT_VERIFY)  # RFC 5321 7.3

    def _on_quit(self, _argument: str, _state: State) -> _Step:
        return self._end("quit", say.GOODBYE)

    # --- the message's bytes ----------------------------------------------------------------------------------

    def _on_bdat(self, argument: str) -> _Step:
        """BDAT out of order is refused too, but only after its octets are read. RFC 3030 2."""
        matched = _CHUNK.fullmatch(argument)
        if matched is None:
            return self._end("protocol", say.BDAT_UNREADABLE)
        move = self._move("BDAT")
        chunks = self._body if isinstance(self._body, ChunkReader) else ChunkReader(self.options.limits)
        self._body = chunks
        if isinstance(move, Reply):
            chunks.refuse(move)
        else:
            self._state = move
        chunks.expect(int(matched[1]), last=matched[2] is not None)
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
        if reply.permanent and not (self._mail_refused and verb in _FOLLOW_MAIL):
            self._errors += 1
        limit = self.options.limits.errors_per_connection
        if self._errors > limit:
            return self._end("limit", say.too_many("errors", limit, "errors_per_connection"))
        return True

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
        "XCLIENT": _on_xclient,
        "NOOP": _on_noop,
        "HELP": _on_help,
        "VRFY": _on_vrfy,
        "QUIT": _on_quit,
    }
