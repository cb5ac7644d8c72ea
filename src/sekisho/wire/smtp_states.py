"""The states of an SMTP server as a table: state x verb -> the state after success, or the refusal. RFC 5321 4.1.4.

A verb that is missing in a row is a command we do not know. HELO_FIRST and its like are the replies to a verb that
comes out of order; everything else about a command is its handler's business.
"""

from __future__ import annotations

from enum import Enum, auto

from sekisho.mail.reply import Reply
from sekisho.wire.smtp_replies import (
    AUTH_FIRST,
    CHUNKS_FAILED,
    CHUNKS_OPEN,
    HELO_FIRST,
    MAIL_FIRST,
    NESTED_MAIL,
    NO_RECIPIENTS,
    NOT_IMPLEMENTED,
    NOT_IN_TRANSACTION,
    ONLY_QUIT,
    RCPT_FIRST,
    TLS_FIRST,
    UNKNOWN_COMMAND,
)


class State(Enum):
    """Where a connection stands between two commands."""

    CONNECTED = auto()
    READY = auto()
    MAIL = auto()
    RCPT = auto()
    CHUNKS = auto()
    CHUNKS_FAILED = auto()
    REFUSED = auto()


Row = dict[str, State | Reply]

_C, _R, _M, _T = State.CONNECTED, State.READY, State.MAIL, State.RCPT
_B, _F, _X = State.CHUNKS, State.CHUNKS_FAILED, State.REFUSED
_OPEN = NOT_IN_TRANSACTION
_ABSENT = ("TURN", "ATRN", "ETRN", "SEND", "SOML", "SAML", "EXPN")  # RFC 5321 4.2.4, appendix F
_ANY_TIME = ("NOOP", "HELP", "VRFY")

_IN_ORDER: dict[str, dict[State, State | Reply]] = {
    "EHLO": {_C: _R, _R: _R, _M: _R, _T: _R, _B: _R, _F: _R},
    "HELO": {_C: _R, _R: _R, _M: _R, _T: _R, _B: _R, _F: _R},
    "MAIL": {_C: HELO_FIRST, _R: _M, _M: NESTED_MAIL, _T: NESTED_MAIL, _B: CHUNKS_OPEN, _F: CHUNKS_FAILED},
    "RCPT": {_C: HELO_FIRST, _R: MAIL_FIRST, _M: _T, _T: _T, _B: CHUNKS_OPEN, _F: CHUNKS_FAILED},
    "DATA": {_C: HELO_FIRST, _R: MAIL_FIRST, _M: NO_RECIPIENTS, _T: _R, _B: CHUNKS_OPEN, _F: CHUNKS_FAILED},
    "BDAT": {_C: HELO_FIRST, _R: MAIL_FIRST, _M: RCPT_FIRST, _T: _B, _B: _B, _F: CHUNKS_FAILED},
    "RSET": {_C: _C, _R: _R, _M: _R, _T: _R, _B: _R, _F: _R},
    "STARTTLS": {_C: HELO_FIRST, _R: _C, _M: _OPEN, _T: _OPEN, _B: _OPEN, _F: _OPEN},
    "AUTH": {_C: HELO_FIRST, _R: _R, _M: _OPEN, _T: _OPEN, _B: _OPEN, _F: _OPEN},  # RFC 4954 4
    "XCLIENT": {_C: _C, _R: _C, _M: _OPEN, _T: _OPEN, _B: _OPEN, _F: _OPEN},
    "QUIT": {_C: _C, _R: _C, _M: _C, _T: _C, _B: _C, _F: _C},
}


def _row(state: State) -> Row:
    if state is State.REFUSED:  # RFC 5321 3.1: after a 554 greeting, 503 to everything but QUIT
        return dict.fromkeys((*_IN_ORDER, *_ABSENT, *_ANY_TIME), ONLY_QUIT) | {"QUIT": state}
    row: Row = {verb: moves[state] for verb, moves in _IN_ORDER.items()}
    return row | dict.fromkeys(_ANY_TIME, state) | dict.fromkeys(_ABSENT, NOT_IMPLEMENTED)


TABLE: dict[State, Row] = {state: _row(state) for state in State}

# RFC 3207 4: what a client may say before the TLS that we insist on
BEFORE_TLS = frozenset({"NOOP", "EHLO", "STARTTLS", "QUIT", "XCLIENT"})
# RFC 4954 6: what a client may say before the AUTH that we insist on
BEFORE_AUTH = frozenset({"NOOP", "EHLO", "HELO", "RSET", "QUIT", "AUTH", "STARTTLS", "XCLIENT", "HELP"})
IN_TRANSACTION = frozenset({State.MAIL, State.RCPT, State.CHUNKS, State.CHUNKS_FAILED})
# First words of other protocols: whoever sends them is no mail client, or is made to speak to us by somebody else.
OTHER_PROTOCOLS = frozenset({"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "CONNECT", "PATCH", "HOST:", "PROXY"})


def move(state: State, verb: str, *, needs_tls: bool, needs_auth: bool, has_auth: bool) -> State | Reply:
    """What the table says, or what is needed before: TLS (RFC 3207 4), AUTH (RFC 4954 6) where `has_auth`."""
    found = TABLE[state].get(verb, UNKNOWN_COMMAND)
    if found is UNKNOWN_COMMAND or state is State.REFUSED:
        return found
    if needs_tls and verb not in BEFORE_TLS:
        return TLS_FIRST
    if verb == "AUTH" and not has_auth:
        return NOT_IMPLEMENTED
    return AUTH_FIRST if needs_auth and verb not in BEFORE_AUTH and found is not NOT_IMPLEMENTED else found
