"""XCLIENT: a trusted front end says who its client is. Source: Postfix XCLIENT_README."""

from __future__ import annotations

import re

from msgspec import Struct

from sekisho.mail.address import client_address
from sekisho.mail.reply import Reply, ReplyError
from sekisho.wire.smtp_path import valid_helo

ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT")
_UNAVAILABLE = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})*")
_ESCAPE = re.compile(rb"\+([0-9A-Fa-f]{2})")
_VALUE_CHARACTERS = 255


class XclientAttributes(Struct, frozen=True):
    """What the front end said. None: not said. "": said to be unavailable.

    `addr` and `destaddr` are IP addresses in their shortest form, `port` and `destport` numbers as text, `proto`
    "SMTP" or "ESMTP", `login` the client's authenticated account.
    """

    name: str | None = None
    addr: str | None = None
    port: str | None = None
    proto: str | None = None
    helo: str | None = None
    login: str | None = None
    destaddr: str | None = None
    destport: str | None = None

    def over(self, earlier: XclientAttributes) -> XclientAttributes:
        """These attributes, and `earlier` ones where these say nothing."""
        mine, theirs = _fields(self), _fields(earlier)
        return XclientAttributes(**{k: theirs[k] if v is None else v for k, v in mine.items()})


def _fields(attributes: XclientAttributes) -> dict[str, str | None]:
    return {name.lower(): getattr(attributes, name.lower()) for name in ATTRIBUTES}


def parse_xclient(argument: str) -> XclientAttributes:
    """Read `NAME=value …`. Raises ReplyError 501 5.5.4."""
    found: dict[str, str] = {}
    for word in argument.split():
        name, equals, value = word.partition("=")
        name = name.upper()
        if name not in ATTRIBUTES or not equals:
            raise ReplyError(Reply(501, "5.4", "Bad XCLIENT attribute"))
        found[name.lower()] = _value(name, value)
    if not found:
        raise ReplyError(Reply(501, "5.4", "XCLIENT needs an attribute"))
    return XclientAttributes(**found)


def _value(name: str, value: str) -> str:
    decoded = _decoded(value)
    if decoded is None:
        raise ReplyError(Reply(501, "5.4", f"Bad XCLIENT value of {name}"))
    if decoded.upper() in _UNAVAILABLE:
        return ""
    checked = _CHECKS[name](decoded)
    if checked is None:
        raise ReplyError(Reply(501, "5.4", f"Bad XCLIENT value of {name}"))
    return checked


def _decoded(value: str) -> str | None:
    """Undo xtext (RFC 3461 4); None where it is none, or where control characters or too much come out."""
    if not _XTEXT.fullmatch(value):
        return None
    raw = _ESCAPE.sub(lambda m: bytes((int(m[1], 16),)), value.encode())
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and 0 < len(text) <= _VALUE_CHARACTERS else None


def _address(value: str) -> str | None:
    bare = value[5:] if value[:5].upper() == "IPV6:" else value
    try:
        return None if "%" in bare else str(client_address(bare))
    except ValueError:
        return None


def _port(value: str) -> str | None:
    return value if value.isascii() and value.isdecimal() and len(value) <= 5 and int(value) < 65536 else None


def _protocol(value: str) -> str | None:
    return value.upper() if value.upper() in ("SMTP", "ESMTP") else None


def _helo(value: str) -> str | None:
    """What a front end passes on from its client may be anything; what is no name counts as not available."""
    return value if valid_helo(value) else ""


def _as_is(value: str) -> str | None:
    return value


_CHECKS = {
    "NAME": _as_is,
    "ADDR": _address,
    "PORT": _port,
    "PROTO": _protocol,
    "HELO": _helo,
    "LOGIN": _as_is,
    "DESTADDR": _address,
    "DESTPORT": _port,
}
