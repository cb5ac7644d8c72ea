"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS: the password is proved, not said. RFC 5802, RFC 7677."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable, Mapping

from sekisho.mail.account import ScramKeys
from sekisho.wire.sasl.gs2 import Gs2Header, read_gs2, sasl_name
from sekisho.wire.sasl.names import prepared_name
from sekisho.wire.sasl.steps import (
    CLIENT_FIRST,
    Answer,
    Challenge,
    CheckProof,
    Failed,
    GiveKeys,
    Passed,
    SaslError,
    Step,
    text_of,
)

_NONCE = r"[!-+\--~]{1,512}"  # RFC 5802 7: printable, without comma
_EXTENSIONS = r"(?:,[A-Za-z]=[^,\0]+)*"
# A first message that begins with m= wants an extension that nobody knows: no match. RFC 5802 5.1
_FIRST = re.compile(rf"n=([^,\0]{{1,1024}}),r=({_NONCE}){_EXTENSIONS}")
_FINAL = re.compile(rf"(c=([A-Za-z0-9+/=]{{1,4096}}),r=({_NONCE}){_EXTENSIONS}),p=([A-Za-z0-9+/=]{{1,128}})")
_MESSAGE_OCTETS = 8192


def new_nonce() -> str:
    """A nonce of ours. RFC 5802 5.1."""
    return secrets.token_urlsafe(24)


class Scram:
    """One exchange.

    `plus`: whether this is the -PLUS mechanism; `bindings` are the connection's channel bindings by name (RFC 5056),
    `plus_offered` says whether the client was told of -PLUS.
    """

    first = CLIENT_FIRST

    def __init__(
        self,
        *,
        plus: bool,
        bindings: Mapping[str, bytes],
        plus_offered: bool,
        nonce: Callable[[], str] = new_nonce,
    ) -> None:
        self._plus = plus
        self._plus_offered = plus_offered
        self._bindings = bindings
        self._nonce = nonce
        self._header = Gs2Header("", "n", "", "")
        self._login = self._first = self._server_first = self._both_nonces = ""
        self._keys: ScramKeys | None = None
        self._message = b""
        self._passed = False

    def respond(self, response: bytes) -> Step:
        """Read the client's first message, its final one, or the empty one at the end. Raises SaslError."""
        if self._passed:
            if response:
                raise SaslError("nothing was to be said any more")
            return Passed()
        if len(response) > _MESSAGE_OCTETS:
            raise SaslError("too long")
        return self._read_first(text_of(response)) if self._keys is None else self._read_final(text_of(response))

    def resume(self, answer: Answer) -> Step:
        """Take the answer to `GiveKeys`, then to `CheckProof`. Raises SaslError."""
        if isinstance(answer, ScramKeys):
            self._keys = answer
            salt = b64encode(answer.salt).decode()
            self._server_first = f"r={self._both_nonces},s={salt},i={answer.iterations}"
            return Challenge(self._server_first.encode())
        if not answer or self._keys is None:
            return Failed()
        self._passed = True
        signature = hmac.digest(self._keys.server_key, self._message, "sha256")
        return Challenge(b"v=" + b64encode(signature))

    def _read_first(self, message: str) -> Step:
        header = read_gs2(message)
        matched = _FIRST.fullmatch(message, len(header.text))
        if matched is None:
            raise SaslError("not a first message")
        login = prepared_name(sasl_name(matched[1]))
        if not self._binding_fits(header) or login is None:
            return Failed()
        if header.act_as and prepared_name(header.act_as) != login:
            return Failed()  # nobody acts for another
        self._header, self._login = header, login
        self._first = message[len(header.text) :]
        self._both_nonces = matched[2] + self._nonce()
        return GiveKeys(login)

    def _binding_fits(self, header: Gs2Header) -> bool:
        """RFC 5802 6: -PLUS and a binding go together; "y" while we offer -PLUS means that somebody hid it."""
        if header.flag == "p":
            return self._plus and header.binding in self._bindings
        return not self._plus and not (header.flag == "y" and self._plus_offered)

    def _read_final(self, message: str) -> Step:
        matched = _FINAL.fullmatch(message)
        if matched is None:
            raise SaslError("not a final message")
        without_proof, channel, nonce, proof = matched.groups()
        expected = self._header.text.encode() + self._bindings.get(self._header.binding, b"")
        same = _octets(channel) == expected and hmac.compare_digest(nonce, self._both_nonces)
        self._message = f"{self._first},{self._server_first},{without_proof}".encode()
        return CheckProof(self._login, self._proves(_octets(proof)) and same)

    def _proves(self, proof: bytes) -> bool:
        """RFC 5802 3: the proof and the stored key's signature give a key whose digest is the stored key."""
        if self._keys is None:
            return False
        stored = self._keys.stored_key
        signature = hmac.digest(stored, self._message, "sha256")
        if len(proof) != len(signature):
            return False
        key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        return hmac.compare_digest(hashlib.sha256(key).digest(), stored)


def _octets(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except Error:
        raise SaslError("not base64") from None
