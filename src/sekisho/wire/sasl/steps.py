"""What a mechanism says, and what it asks of whoever knows the accounts.

A mechanism is a small state machine. `respond` takes what the client said, decoded, `resume` the answer to a
question, and each returns the next step. After `Challenge` comes a response, after a question its answer.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from sekisho.mail.account import ScramKeys

SECRET_OCTETS = 1024


class SaslError(Exception):
    """What the client said is none of the mechanism's messages; the exchange has ended."""


class Challenge(Struct, frozen=True):
    """Octets for the client, which has to answer."""

    data: bytes


CLIENT_FIRST = Challenge(b"")


class CheckPassword(Struct, frozen=True):
    """Is this the password of this login? Wants True or False."""

    login: str
    password: str

    def __repr__(self) -> str:
        """Without the password, which no log may have."""
        return f"CheckPassword({self.login!r})"


class CheckToken(Struct, frozen=True):
    """Is this a token for this login ("": whose login it names itself)? Wants True or False."""

    login: str
    token: str

    def __repr__(self) -> str:
        """Without the token, which no log may have."""
        return f"CheckToken({self.login!r})"


class GiveKeys(Struct, frozen=True):
    """What are the keys of this login? Wants `ScramKeys`."""

    login: str


class CheckProof(Struct, frozen=True):
    """The client has `proved` to have the password of this login, or has not. Wants whether it may come in."""

    login: str
    proved: bool


class Passed(Struct, frozen=True):
    """The exchange is over, and the client may come in."""


class Failed(Struct, frozen=True):
    """The exchange is over, and the client may not come in."""


Question = CheckPassword | CheckToken | GiveKeys | CheckProof
Step = Challenge | Question | Passed | Failed
Answer = ScramKeys | bool


class Mechanism(Protocol):
    """One exchange. `first` is the challenge that begins it: empty where the client is to speak first."""

    first: Challenge

    def respond(self, response: bytes) -> Step:
        """Take what the client said. Raises SaslError."""

    def resume(self, answer: Answer) -> Step:
        """Take the answer to the question asked last."""


def text_of(octets: bytes) -> str:
    """UTF-8 without NUL. Raises SaslError."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise SaslError("not UTF-8") from None
    if "\0" in text:
        raise SaslError("NUL in a text")
    return text
