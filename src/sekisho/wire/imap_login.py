"""The client side of an IMAP login (RFC 9051, RFC 3501) without I/O: is this the password of this login?

The shell feeds `receive` with what the network brings and writes what `take_output` holds after every call.
"""

from __future__ import annotations

import re
from base64 import b64encode
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec import Struct

from sekisho.wire.client_events import StartTls

if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.wire.client_events import Login

    _Handler = Callable[["ImapLogin", str, str], None]

_MOST_OCTETS = 65_536  # of all that a server says until it has answered
_LINE = re.compile(r"(?:(\*|\+)|(a[0-9]{1,3}))(?: (.*))?", re.ASCII)
_STATUS = re.compile(r"(OK|NO|BAD|BYE|PREAUTH|CAPABILITY)(?: (.*))?", re.IGNORECASE | re.ASCII)
_CODE = re.compile(r"\[([A-Z0-9-]{1,40})", re.IGNORECASE | re.ASCII)
# RFC 5530 3: what says nothing of the password
_NOT_NOW = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "PRIVACYREQUIRED", "CONTACTADMIN"})


class Answer(Struct, frozen=True):
    """What a server says of a login: "away" is no word on it, and `cause` says why, for the log."""

    kind: Literal["passed", "denied", "expired", "away"]
    cause: str = ""


class _Wait(Enum):
    """What comes next of the server."""

    GREETING = auto()
    CAPABILITY = auto()
    STARTTLS = auto()
    HANDSHAKE = auto()
    AUTHENTICATE = auto()
    NAME = auto()
    PASSWORD = auto()
    CLOSED = auto()


Event = StartTls | Answer


class ImapLogin:
    """One login at one server. Never raises for what the server sends; after its `Answer` it is over.

    `encrypted`: TLS runs from the first byte; `start_tls`: it has to be begun; neither is for loopback only.
    """

    def __init__(self, login: Login, *, encrypted: bool, start_tls: bool) -> None:
        self._login = login
        self._encrypted = encrypted
        self._start_tls = start_tls and not encrypted
        self._wait = _Wait.GREETING
        self._tag = 0
        self._capabilities: set[str] = set()
        self._buffer = bytearray()
        self._taken = 0
        self._output: list[bytes] = []
        self._events: list[Event] = []

    def take_output(self) -> list[bytes]:
        """The pieces to write now, in order."""
        output, self._output = self._output, []
        return output

    def receive(self, data: bytes) -> list[Event]:
        """Take what the server sent."""
        if self._wait is _Wait.HANDSHAKE:
            self._end(Answer("away", "bytes in clear where TLS begins"))
        self._taken += len(data)
        if self._taken > _MOST_OCTETS:
            self._end(Answer("away", "the server says too much"))
        self._buffer += data
        while self._wait is not _Wait.CLOSED and (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            self._on_line(line.decode("utf-8", "replace"))
        return self._take_events()

    def lost(self, cause: str) -> list[Event]:
        """The network broke or time ran out."""
        self._end(Answer("away", cause))
        return self._take_events()

    def tls_started(self) -> list[Event]:
        """Go on inside TLS, with nothing remembered from before. RFC 9051 6.2.1."""
        self._encrypted = True
        self._ask_capabilities()
        return self._take_events()

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _end(self, answer: Answer) -> None:
        if self._wait is not _Wait.CLOSED:
            self._wait = _Wait.CLOSED
            self._events.append(answer)

    def _command(self, wait: _Wait, text: str) -> None:
        self._tag += 1
        self._output.append(f"a{self._tag} {text}\r\n".encode())
        self._wait = wait

    def _on_line(self, line: str) -> None:
        matched = _LINE.fullmatch(line)
        if matched is None:
            self._end(Answer("away", "the server does not speak IMAP"))
        elif matched[1] == "+":
            self._on_continuation()
        elif matched[1] == "*":
            self._on_untagged(matched[3] or "")
        elif matched[2] == f"a{self._tag}":
            self._on_tagged(matched[3] or "")
        else:
            self._end(Answer("away", "a reply that nobody asked for"))

    def _on_untagged(self, text: str) -> None:
        status = _STATUS.fullmatch(text)
        word, rest = (status[1].upper(), status[2] or "") if status else ("", "")
        if word == "CAPABILITY" and self._wait is _Wait.CAPABILITY:
            self._capabilities.update(rest.upper().split()[:200])
        elif word == "BYE":
            self._end(Answer("away", f"the server closes: {rest[:200]}"))
        elif self._wait is _Wait.GREETING:
            if word == "OK":
                self._ask_capabilities()
            else:  # PREAUTH: it would take anybody
                self._end(Answer("away", f"an unusable greeting: {text[:200]}"))

    def _ask_capabilities(self) -> None:
        self._capabilities.clear()
        self._command(_Wait.CAPABILITY, "CAPABILITY")

    def _on_tagged(self, text: str) -> None:
        status = _STATUS.fullmatch(text)
        word, rest = (status[1].upper(), status[2] or "") if status else ("", "")
        handler = self._TAGGED.get(self._wait)
        if handler is None:
            self._end(Answer("away", "a reply that nobody asked for"))
        else:
            handler(self, word, rest)

    def _capabilities_known(self, word: str, rest: str) -> None:
        if word != "OK":
            self._end(Answer("away", f"no capabilities: {rest[:200]}"))
        elif self._start_tls and not self._encrypted:
            if "STARTTLS" in self._capabilities:
                self._command(_Wait.STARTTLS, "STARTTLS")
            else:
                self._end(Answer("away", "STARTTLS is not offered"))
        else:
            self._log_in()

    def _tls_begins(self, word: str, rest: str) -> None:
        if word != "OK":
            self._end(Answer("away", f"no STARTTLS: {rest[:200]}"))
        elif self._buffer:
            # RFC 9051 6.2.1: what comes in clear after the OK would be read as if TLS had protected it
            self._end(Answer("away", "bytes in clear after the reply to STARTTLS"))
        else:
            self._wait = _Wait.HANDSHAKE
            self._events.append(StartTls())

    def _log_in(self) -> None:
        if "AUTH=PLAIN" in self._capabilities and "SASL-IR" in self._capabilities:
            self._command(_Wait.AUTHENTICATE, f"AUTHENTICATE PLAIN {self._words()}")  # RFC 4959 3
        elif "AUTH=PLAIN" in self._capabilities:
            self._command(_Wait.AUTHENTICATE, "AUTHENTICATE PLAIN")
        elif "LOGINDISABLED" in self._capabilities:  # RFC 9051 6.2.3
            self._end(Answer("away", "the server takes no passwords here"))
        else:
            self._command(_Wait.NAME, f"LOGIN {{{len(self._login.username.encode())}}}")

    def _words(self) -> str:
        return b64encode(f"\0{self._login.username}\0{self._login.password}".encode()).decode()  # RFC 4616 2

    def _on_continuation(self) -> None:
        if self._wait is _Wait.AUTHENTICATE:
            self._output.append(f"{self._words()}\r\n".encode())
            self._wait = _Wait.PASSWORD
        elif self._wait is _Wait.NAME:
            password = self._login.password.encode()
            self._output.append(b"%s {%d}\r\n" % (self._login.username.encode(), len(password)))
            self._wait = _Wait.PASSWORD
        elif self._wait is _Wait.PASSWORD and "AUTH=PLAIN" not in self._capabilities:
            self._output.append(self._login.password.encode() + b"\r\n")
        else:
            self._end(Answer("away", "a reply that nobody asked for"))

    def _answered(self, word: str, rest: str) -> None:
        """RFC 5530 3: the code in brackets says what a NO means."""
        code = _CODE.match(rest)
        name = code[1].upper() if code else ""
        if word == "OK":
            self._command(_Wait.CLOSED, "LOGOUT")
            self._events.append(Answer("passed"))
        elif word != "NO" or name in _NOT_NOW:
            self._end(Answer("away", f"{word} {rest[:200]}"))
        else:
            self._end(Answer("expired" if name == "EXPIRED" else "denied"))

    _TAGGED: ClassVar[dict[_Wait, _Handler]] = {
        _Wait.CAPABILITY: _capabilities_known,
        _Wait.STARTTLS: _tls_begins,
        _Wait.AUTHENTICATE: _answered,
        _Wait.NAME: _answered,
        _Wait.PASSWORD: _answered,
    }
