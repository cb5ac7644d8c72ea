"""The client side of SMTP (RFC 5321) without I/O: bytes in, events out. The states are in the table at the end.

The shell feeds `receive` with what the network brings and writes what `take_output` holds after every call.
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from sekisho.mail.reply import Reply
from sekisho.wire.client_capabilities import Capabilities, read_capabilities
from sekisho.wire.client_events import ClientOptions, Event, Failed, Finished, Ready, StartTls, State
from sekisho.wire.client_transaction import Plan, plan
from sekisho.wire.smtp_reply import ReplyReader, ReplySyntaxError, temporary

if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.mail.envelope import Envelope
    from sekisho.wire.client_transaction import Content

    _Handler = Callable[["SmtpClient", Reply], None] | None

REFUSED = Reply(451, "3.2", "The next hop does not take connections at the moment")
GARBLED = Reply(451, "5.0", "The next hop does not follow the protocol")
NO_TLS = Reply(451, "7.4", "The next hop does not offer the encryption that is required")
NO_LOGIN = Reply(451, "7.0", "The next hop does not let this gateway log in")
LOST = Reply(451, "4.2", "The connection to the next hop broke")


class _Job:
    """The transaction under way. `replies` fills up; `accepted` are the recipients the server took so far."""

    def __init__(self, recipients: int, laid_out: Plan) -> None:
        self.plan = laid_out
        self.replies: list[Reply | None] = [laid_out.refused.get(i) for i in range(recipients)]
        self.answered = 0
        self.accepted: list[int] = []
        self.mail_refused = False
        self.body_sent = False
        self.over = False

    def settle(self, reply: Reply) -> None:
        """Give every recipient without a reply of its own this one."""
        self.replies = [own or reply for own in self.replies]

    def outcome(self, otherwise: Reply) -> tuple[Reply, ...]:
        return tuple(own or otherwise for own in self.replies)


class SmtpClient:
    """One connection to one server. Never raises for what the server sends; afterwards it is `closed`.

    `login_reply` is what the server said to a login that it refused.
    """

    def __init__(self, options: ClientOptions) -> None:
        self.options = options
        self.encrypted = options.encrypted
        self.peer = Capabilities()
        self.transactions = 0
        self.replies_seen = 0
        self.login_reply: Reply | None = None
        self._reader = ReplyReader()
        self._awaited: deque[State] = deque([State.GREETING])
        self._rest = State.READY
        self._script: deque[tuple[State, bytes]] = deque()
        self._output: list[bytes] = []
        self._events: list[Event] = []
        self._job: _Job | None = None

    @property
    def state(self) -> State:
        """The command whose reply comes next, or where the client rests."""
        return self._awaited[0] if self._awaited else self._rest

    @property
    def closed(self) -> bool:
        """Nothing can be sent any more."""
        return self._rest is State.CLOSED

    @property
    def usable(self) -> bool:
        """Another transaction may begin: nothing is owed, and LIMITS MAILMAX not reached. RFC 9422 4.1."""
        worn = bool(self.peer.mail_max) and self.transactions >= self.peer.mail_max
        return self.state is State.READY and not worn and not self._reader.holds_bytes

    def take_output(self) -> list[bytes]:
        """The pieces to write now, in order."""
        output, self._output = self._output, []
        return output

    def receive(self, data: bytes) -> list[Event]:
        """Take what the server sent."""
        if self.closed:
            return []
        if self._rest is State.HANDSHAKE and not self._awaited:
            self._fail(GARBLED, "bytes in clear where TLS begins")
        self._reader.feed(data)
        try:
            while not self.closed and (reply := self._reader.read()) is not None:
                self._on_reply(reply)
        except ReplySyntaxError as error:
            self._fail(GARBLED, str(error))
        return self._take_events()

    def lost(self, reply: Reply, cause: str) -> list[Event]:
        """The network broke or time ran out."""
        self._fail(reply, cause)
        return self._take_events()

    def tls_started(self) -> list[Event]:
        """Go on inside TLS, with nothing remembered from before. RFC 3207 4.2."""
        self.encrypted = True
        self.peer = Capabilities()
        self._rest = State.READY
        self._say_ehlo()
        return self._take_events()

    def send(self, envelope: Envelope, data: bytes | Content) -> list[Event]:
        """Begin a transaction; only in state READY. `data` is the message with CRLF line ends.

        With PIPELINING everything up to DATA goes in one write (RFC 2920 3.1). Where CHUNKING is offered the message
        goes by BDAT once the recipients are known: as many round trips, and a length instead of a dot to end it.
        """
        if self.state is not State.READY:
            raise RuntimeError(f"a transaction begun in state {self.state.name}")
        job = self._job = _Job(len(envelope.recipients), plan(envelope, data, self.peer))
        if not job.plan.order:
            self._finish(taken=False)
            return self._take_events()
        self._script.append((State.MAIL, job.plan.mail))
        self._script.extend((State.RCPT, line) for line in job.plan.rcpt)
        if self.peer.pipelining and not job.plan.chunked:
            self._script.append((State.DATA, b"DATA\r\n"))
        self._advance()
        return self._take_events()

    def quit(self) -> None:
        """Say goodbye; only in state READY."""
        if self.state is State.READY:
            self._command(State.QUIT, b"QUIT\r\n")

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _on_reply(self, reply: Reply) -> None:
        self.replies_seen += 1
        if reply.code == 421:  # RFC 5321 3.8: at any time, and the connection closes
            self._fail(temporary(reply) if self._job else REFUSED, str(reply))
        elif not self._awaited or self._output:
            # Whatever is still to be written, the server cannot have answered: taking this for its reply could
            # take a message for delivered that was never sent.
            self._fail(GARBLED, f"a reply that nobody asked for: {reply}")
        else:
            state = self._awaited.popleft()
            handler = self._TABLE[state][reply.code // 100 - 2]
            if handler is None:
                self._fail(GARBLED, f"{reply} in reply to {state.name}")
            else:
                handler(self, reply)

    def _command(self, state: State, line: bytes) -> None:
        self._output.append(line)
        self._awaited.append(state)

    def _fail(self, reply: Reply, cause: str) -> None:
        if self.closed:
            return
        leaving = self.state is State.QUIT
        self._rest = State.CLOSED
        self._awaited.clear()
        self._script.clear()
        job, self._job = self._job, None
        if job is not None and job.over:
            self._events.append(Finished(job.outcome(reply), taken=False))
        elif job is not None:
            self._events.append(Failed(reply, cause, job.outcome(reply), job.body_sent))
        elif not leaving:
            self._events.append(Failed(reply, cause))

    # Until the server is ready

    def _say_ehlo(self, _reply: Reply | None = None) -> None:
        self._command(State.EHLO, f"EHLO {self.options.hostname}\r\n".encode())

    def _say_helo(self, _reply: Reply) -> None:
        self._command(State.HELO, f"HELO {self.options.hostname}\r\n".encode())  # RFC 5321 3.2

    def _refused(self, reply: Reply) -> None:
        # The server refuses us, not this message: the sender may try again. RFC 5321 3.1
        self._fail(REFUSED, str(reply))

    def _extended(self, reply: Reply) -> None:
        self.peer = read_capabilities(reply.text)
        if self.options.tls != "off" and not self.encrypted and self.peer.starttls:
            self._command(State.STARTTLS, b"STARTTLS\r\n")
        else:
            self._go_on(reply)

    def _start_tls(self, _reply: Reply) -> None:
        if self._reader.holds_bytes:
            # RFC 3207 4: what comes in clear after the 220 would be read as if TLS had protected it
            self._fail(GARBLED, "bytes in clear after the reply to STARTTLS")
            return
        self._rest = State.HANDSHAKE
        self._events.append(StartTls())

    def _go_on(self, _reply: Reply) -> None:
        """Greeted, and TLS is on or will not come."""
        login = self.options.login
        if self.options.tls == "verified" and not self.encrypted:
            self._fail(NO_TLS, "STARTTLS is not offered")
        elif login is None:
            self._ready()
        elif not (self.encrypted or self.options.loopback):
            self._fail(NO_LOGIN, "no TLS to send the password in")
        elif "PLAIN" in self.peer.auth:
            words = f"\0{login.username}\0{login.password}"  # RFC 4616 2
            self._command(State.AUTH_PLAIN, b"AUTH PLAIN %s\r\n" % b64encode(words.encode()))
        elif "LOGIN" in self.peer.auth:
            self._command(State.AUTH_LOGIN, b"AUTH LOGIN\r\n")
        else:
            self._fail(NO_LOGIN, "neither AUTH PLAIN nor AUTH LOGIN is offered")

    def _say_username(self, _reply: Reply) -> None:
        if self.options.login is not None:
            self._command(State.AUTH_USERNAME, b64encode(self.options.login.username.encode()) + b"\r\n")

    def _say_password(self, _reply: Reply) -> None:
        if self.options.login is not None:
            self._command(State.AUTH_PASSWORD, b64encode(self.options.login.password.encode()) + b"\r\n")

    def _not_logged_in(self, reply: Reply) -> None:
        self.login_reply = reply
        self._fail(NO_LOGIN, str(reply))

    def _ready(self, _reply: Reply | None = None) -> None:
        self._rest = State.READY
        self._events.append(Ready())

    # One transaction

    def _the_job(self) -> _Job:
        if self._job is None:
            raise RuntimeError("a reply of a transaction without one")
        return self._job

    def _advance(self) -> None:
        """Say the next command of the envelope, or all with PIPELINING; after the last one decide how to go on."""
        if self._script and self.peer.pipelining:
            self._output.append(b"".join(line for _, line in self._script))
            self._awaited.extend(state for state, _ in self._script)
            self._script.clear()
        elif self._script:
            if not self._awaited:
                self._command(*self._script.popleft())
        elif not self._awaited:
            self._after_recipients()

    def _after_recipients(self) -> None:
        job = self._the_job()
        if job.mail_refused or not job.accepted:
            self._abandon()
        elif job.plan.chunked:
            self._send_body()
        else:
            self._command(State.DATA, b"DATA\r\n")

    def _mail_accepted(self, _reply: Reply) -> None:
        self._advance()

    def _mail_refused(self, reply: Reply) -> None:
        job = self._the_job()
        job.settle(reply)
        job.mail_refused = True
        self._script.clear()
        self._advance()

    def _recipient_answered(self, reply: Reply) -> None:
        job = self._the_job()
        index = job.plan.order[job.answered]
        job.answered += 1
        if reply.positive:
            job.accepted.append(index)
        elif not job.mail_refused:
            job.replies[index] = reply
        self._advance()

    def _go_ahead(self, _reply: Reply) -> None:
        job = self._the_job()
        if job.mail_refused or not job.accepted:
            self._command(State.LONE_DOT, b".\r\n")  # RFC 2920 3.1: a 354 although there is no recipient
        else:
            self._send_body()

    def _send_body(self) -> None:
        job = self._the_job()
        self._output.extend(job.plan.body)
        self._awaited.append(State.END_OF_DATA)
        job.body_sent = True

    def _data_refused(self, reply: Reply) -> None:
        self._the_job().settle(reply)
        self._abandon()

    def _message_taken(self, reply: Reply) -> None:
        self._the_job().settle(reply)
        self._finish(taken=True)

    def _message_refused(self, reply: Reply) -> None:
        job = self._the_job()
        job.settle(reply)
        if job.plan.chunked:
            self._abandon()  # RFC 3030 2: after a failed BDAT only RSET is sure to clear the server
        else:
            self._finish(taken=False)

    def _nothing_taken(self, _reply: Reply) -> None:
        self._abandon()

    def _abandon(self) -> None:
        """The transaction has failed; clear what the server may have kept of it. RFC 5321 4.1.1.5."""
        self._the_job().over = True
        self._command(State.RSET, b"RSET\r\n")

    def _was_reset(self, _reply: Reply) -> None:
        self._finish(taken=False)

    def _not_reset(self, reply: Reply) -> None:
        self._fail(GARBLED, str(reply))

    def _finish(self, *, taken: bool) -> None:
        job = self._the_job()
        self._job = None
        self.transactions += 1
        self._events.append(Finished(job.outcome(GARBLED), taken))

    def _gone(self, reply: Reply) -> None:
        self._awaited.appendleft(State.QUIT)
        self._fail(GARBLED, str(reply))

    # What each reply leads to, by its first digit: 2xx, 3xx, 4xx, 5xx. None: the server broke the protocol.
    _TABLE: ClassVar[dict[State, tuple[_Handler, _Handler, _Handler, _Handler]]] = {
        State.GREETING: (_say_ehlo, None, _refused, _refused),
        State.EHLO: (_extended, None, _refused, _say_helo),
        State.HELO: (_go_on, None, _refused, _refused),
        State.STARTTLS: (_start_tls, None, _go_on, _go_on),
        State.AUTH_PLAIN: (_ready, _not_logged_in, _not_logged_in, _not_logged_in),
        State.AUTH_LOGIN: (None, _say_username, _not_logged_in, _not_logged_in),
        State.AUTH_USERNAME: (None, _say_password, _not_logged_in, _not_logged_in),
        State.AUTH_PASSWORD: (_ready, None, _not_logged_in, _not_logged_in),
        State.MAIL: (_mail_accepted, None, _mail_refused, _mail_refused),
        State.RCPT: (_recipient_answered, None, _recipient_answered, _recipient_answered),
        State.DATA: (None, _go_ahead, _data_refused, _data_refused),
        State.END_OF_DATA: (_message_taken, None, _message_refused, _message_refused),
        State.LONE_DOT: (_nothing_taken, None, _nothing_taken, _nothing_taken),
        State.RSET: (_was_reset, None, _not_reset, _not_reset),
        State.QUIT: (_gone, None, _gone, _gone),
    }
