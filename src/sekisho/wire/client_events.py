"""What the SMTP client core is told, what it waits for, and what it tells."""

from __future__ import annotations

from enum import Enum, auto
from typing import Literal

from msgspec import Struct

from sekisho.mail.reply import Reply


class State(Enum):
    """What the client waits for: a reply to this command, or (the last three) for its user."""

    GREETING = auto()
    EHLO = auto()
    HELO = auto()
    STARTTLS = auto()
    AUTH_PLAIN = auto()
    AUTH_LOGIN = auto()
    AUTH_USERNAME = auto()
    AUTH_PASSWORD = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    END_OF_DATA = auto()
    LONE_DOT = auto()
    RSET = auto()
    QUIT = auto()
    HANDSHAKE = auto()
    READY = auto()
    CLOSED = auto()


class Login(Struct, frozen=True):
    """Name and password for SMTP AUTH. The password stays out of its representation."""

    username: str
    password: str

    def __repr__(self) -> str:
        """The name alone: representations end up in logs."""
        return f"Login({self.username!r})"


class ClientOptions(Struct, frozen=True):
    """How to speak to one server.

    `encrypted`: TLS runs from the first byte; `loopback`: the peer is on this machine, so that a password may go
    in clear.
    """

    hostname: str
    tls: Literal["off", "opportunistic", "verified"] = "opportunistic"
    encrypted: bool = False
    loopback: bool = False
    login: Login | None = None


class Ready(Struct, frozen=True):
    """The server takes transactions."""


class StartTls(Struct, frozen=True):
    """The server waits for a TLS handshake; `tls_started` goes on after it."""


class Finished(Struct, frozen=True):
    """A transaction is over. `replies` one per recipient; `taken`: the server took the message for some of them."""

    replies: tuple[Reply, ...]
    taken: bool


class Failed(Struct, frozen=True):
    """The connection is of no use any more. `cause` is for the log.

    In a transaction `replies` holds one reply per recipient, and `body_sent` says whether the whole message was
    handed to the network, so that the server may have taken it.
    """

    reply: Reply
    cause: str
    replies: tuple[Reply, ...] = ()
    body_sent: bool = False


Event = Ready | StartTls | Finished | Failed
