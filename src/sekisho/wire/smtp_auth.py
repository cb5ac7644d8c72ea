"""AUTH: the exchange of a SASL mechanism in SMTP's lines. RFC 4954.

`begin`, `respond` and `resume` return a reply to send (after a 334 a response of the client comes next) or a
question, which wants `resume`. Each may raise ReplyError: the exchange is over.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from typing import NoReturn

from msgspec import Struct

from sekisho.mail.account import Login, ScramKeys
from sekisho.mail.envelope import Tls
from sekisho.mail.reply import Reply, ReplyError
from sekisho.wire import smtp_replies as say
from sekisho.wire.lines import CommandBuffer
from sekisho.wire.sasl.offered import IN_CLEAR, MECHANISMS, begin, usable
from sekisho.wire.sasl.steps import Challenge, Failed, Mechanism, Passed, Question, SaslError, Step

LINE_OCTETS = 12_288  # RFC 4954 4
_CANCEL = b"*"


class Allowed(Struct, frozen=True):
    """The SASL mechanisms with which a client may log in: under TLS, and without."""

    protected: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()

    @property
    def some(self) -> bool:
        """Whether a client may log in at all."""
        return bool(self.protected or self.clear)


class LoginAsked(Struct, frozen=True):
    """What only the accounts know. Wants `answer_login`."""

    mechanism: str
    question: Question


AuthStep = Reply | LoginAsked
LoginAnswer = ScramKeys | Login | Reply


class AuthDialog:
    """Logging in on one connection.

    `login` is who is logged in, None for nobody; `vouched`: a front end says that its client has logged in there.
    `bindings` are the connection's channel bindings by name (RFC 5056).
    """

    def __init__(self) -> None:
        self.bindings: Mapping[str, bytes] = {}
        self.vouched = False
        self.login: Login | None = None
        self._mechanism: Mechanism | None = None
        self._name = ""
        self._found: Login | None = None
        self._refusal: Reply = say.AUTH_FAILED

    @property
    def open(self) -> bool:
        """Whether the client's next line is a response."""
        return self._mechanism is not None

    @property
    def done(self) -> bool:
        """Whether the client has logged in, here or at a front end."""
        return self.vouched or self.login is not None

    def offered(self, allowed: Allowed, tls: Tls | None) -> tuple[str, ...]:
        """The mechanisms that may be used at the moment."""
        if self.done:
            return ()
        return usable(allowed.protected if tls else allowed.clear, self.bindings, protected=tls is not None)

    def start_anew(self, bindings: Mapping[str, bytes]) -> None:
        """Forget who the client is. RFC 3207 4.2."""
        self.bindings, self.login, self.vouched = bindings, None, False
        self._mechanism = self._found = None

    def begin(self, argument: str, allowed: Allowed, tls: Tls | None) -> AuthStep:
        """Read AUTH's argument. Raises ReplyError 501, 503, 504, 534, 535, 538."""
        if self.done:
            raise ReplyError(say.AUTH_ALREADY)
        name, _, initial = argument.partition(" ")
        name, initial = name.upper(), initial.strip(" ")
        offered = self.offered(allowed, tls)
        if name not in offered:
            raise ReplyError(_not_offered(name, allowed, tls))
        self._name, self._found, self._refusal = name, None, say.AUTH_FAILED
        self._mechanism = begin(name, offered, self.bindings)
        if not initial:
            return _challenge(self._mechanism.first.data)
        return self._read(b"" if initial == "=" else initial.encode())  # RFC 4954 4: "=" is an empty one

    def respond(self, line: bytes) -> AuthStep:
        """Read a line of the client with its line end. Raises ReplyError 500, 501, 535."""
        if line is CommandBuffer.LINE_TOO_LONG:
            self._over(say.AUTH_LINE_TOO_LONG)
        if not line.endswith(b"\r\n"):
            self._over(say.BARE_LINE_END)
        if line[:-2] == _CANCEL:
            self._over(say.AUTH_CANCELLED)
        return self._read(line[:-2])

    def resume(self, answer: LoginAnswer) -> AuthStep:
        """Take the answer to the question asked last: keys, who it is, or why not. Raises ReplyError."""
        mechanism = self._running()
        if isinstance(answer, ScramKeys):
            return self._taken(mechanism.resume(answer))
        if isinstance(answer, Reply):
            self._refusal = answer
            if answer.code != say.AUTH_FAILED.code:  # no word on the client's credentials: nothing to go on with
                self._over(answer)
        else:
            self._found = answer
        return self._taken(mechanism.resume(self._found is not None))

    def _running(self) -> Mechanism:
        if self._mechanism is None:
            raise ReplyError(say.AUTH_CANCELLED)
        return self._mechanism

    def _read(self, encoded: bytes) -> AuthStep:
        """A response in base64, which has one way to be written only. RFC 4954 4, RFC 4648 3.5."""
        try:
            response = b64decode(encoded, validate=True)
        except Error:
            self._over(say.AUTH_NOT_BASE64)
        if b64encode(response) != encoded:
            self._over(say.AUTH_NOT_BASE64)
        try:
            return self._taken(self._running().respond(response))
        except SaslError:
            self._over(say.AUTH_MALFORMED)

    def _taken(self, step: Step) -> AuthStep:
        if isinstance(step, Challenge):
            return _challenge(step.data)
        if isinstance(step, Passed) and self._found is not None:
            self.login, self._mechanism = self._found, None
            return say.AUTH_OK
        if isinstance(step, Passed | Failed):
            self._over(self._refusal)
        return LoginAsked(self._name, step)

    def _over(self, reply: Reply) -> NoReturn:
        self._mechanism = self._found = None
        raise ReplyError(reply)


def _challenge(data: bytes) -> Reply:
    return Reply(334, None, b64encode(data).decode())


def _not_offered(name: str, allowed: Allowed, tls: Tls | None) -> Reply:
    """RFC 4954 4, 6: why this mechanism cannot be used."""
    if name not in MECHANISMS:
        return say.AUTH_UNKNOWN if name else say.AUTH_NEEDS_MECHANISM
    if name not in (*allowed.protected, *allowed.clear):
        return say.AUTH_NOT_ALLOWED
    return say.AUTH_NEEDS_TLS if tls is None and name not in IN_CLEAR else say.AUTH_UNKNOWN
