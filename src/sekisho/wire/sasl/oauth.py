"""OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's, the older form): a token in place of a password.

XOAUTH2's source: Google, "OAuth 2.0 mechanism for IMAP, POP and SMTP".
"""

from __future__ import annotations

import re

from sekisho.wire.sasl.gs2 import read_gs2
from sekisho.wire.sasl.names import prepared_name
from sekisho.wire.sasl.steps import (
    CLIENT_FIRST,
    Answer,
    Challenge,
    CheckToken,
    Failed,
    Passed,
    SaslError,
    Step,
    text_of,
)

_PAIR = re.compile(r"([A-Za-z]{1,40})=([\t\r\n -~]*)")  # RFC 7628 3.1
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750 2.1
_SEPARATOR = "\x01"
_PAIRS = 20


def _pairs(text: str) -> dict[str, str]:
    """`name=value` pairs, each ended by 0x01, and one more 0x01. Raises SaslError."""
    words = text.split(_SEPARATOR)
    if not text.endswith(_SEPARATOR * 2) or len(words) > _PAIRS:
        raise SaslError("expected pairs that end with 0x01")
    found = {}
    for word in words[:-2]:
        matched = _PAIR.fullmatch(word)
        if matched is None or matched[1] in found:
            raise SaslError("not a pair")
        found[matched[1]] = matched[2]
    return found


class _Bearer:
    """What both have in common: one message, and after a failure one more that says nothing."""

    first = CLIENT_FIRST
    _failure: bytes
    _acknowledged: bytes

    def __init__(self) -> None:
        self._refused = False

    def respond(self, response: bytes) -> Step:
        """Read the message, or the client's word that it has seen the failure. Raises SaslError."""
        if self._refused:
            if response != self._acknowledged:
                raise SaslError("nothing was to be said any more")
            return Failed()
        login, authorization = self._read(response)
        if login is None:
            return Failed()
        matched = _BEARER.fullmatch(authorization)
        # RFC 7628 4.3: without a token a client asks where to get one
        return CheckToken(login, matched[1]) if matched else self._refuse()

    def resume(self, answer: Answer) -> Step:
        """Take the answer to `CheckToken`."""
        return Passed() if answer is True else self._refuse()

    def _refuse(self) -> Step:
        """RFC 7628 3.2.2: why it failed is said first, in JSON, and the client says that it has seen it."""
        self._refused = True
        return Challenge(self._failure)

    def _read(self, response: bytes) -> tuple[str | None, str]:
        """The login ("": not said; None: no name) and the value of the authorization."""
        raise NotImplementedError


class OAuthBearer(_Bearer):
    """One exchange: a GS2 header, then pairs of which `auth` counts. RFC 7628 3.1."""

    _failure = b'{"status":"invalid_token"}'
    _acknowledged = b"\x01"

    def _read(self, response: bytes) -> tuple[str | None, str]:
        message = text_of(response)
        header = read_gs2(message)
        rest = message[len(header.text) :]
        if header.flag == "p" or not rest.startswith(_SEPARATOR):
            raise SaslError("not a first message")
        found = _pairs(rest[1:])
        if "auth" not in found:
            raise SaslError("no authorization")
        return (prepared_name(header.act_as) if header.act_as else ""), found["auth"]


class XOAuth2(_Bearer):
    """One exchange: the pairs `user` and `auth`."""

    _failure = b'{"status":"401","schemes":"bearer"}'
    _acknowledged = b""

    def _read(self, response: bytes) -> tuple[str | None, str]:
        message = text_of(response)
        user, separator, rest = message.partition(_SEPARATOR)
        if not separator or not user.startswith("user="):
            raise SaslError("no user")
        found = _pairs(rest)
        if "auth" not in found:
            raise SaslError("no authorization")
        return prepared_name(user.removeprefix("user=")), found["auth"]
