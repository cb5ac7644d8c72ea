"""DKIM signing without I/O (RFC 6376, Ed25519 by RFC 8463): what is signed, and the header field."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Struct

from sekisho.mailauth.canonical import Form, SplitMessage, body_hash, canonical_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# RFC 6376 5.4.1: what a reader sees and what decides how the body is shown. Each of these is named once more than it
# occurs, so that a second one added on the way breaks the signature (RFC 6376 8.15).
OVERSIGNED = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"reply-to",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)
# Signed as often as they occur: those that a list or a forwarder may rightly add where there was none.
SIGNED = (
    b"sender",
    b"in-reply-to",
    b"references",
    b"auto-submitted",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"resent-date",
    b"resent-from",
    b"resent-to",
    b"resent-cc",
    b"resent-message-id",
)
# More would make a signature field longer than many receivers take; no honest message comes near.
MAX_SIGNED_FIELDS = 200
COLUMNS = 78
_PADDING = PKCS1v15()
_SHA256 = SHA256()


class DkimKey(Struct, frozen=True, eq=False):
    """A private key with the name its public half is published under: `selector`._domainkey.`domain`.

    `domain` is lower case, in A-labels.
    """

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        """The a= tag: "rsa-sha256" or "ed25519-sha256"."""
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        """The signature over canonical header data. RFC 6376 3.3.1, RFC 8463 3."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(data, _PADDING, _SHA256)
        return self.key.sign(sha256(data).digest())


class TooManyFieldsError(ValueError):
    """The message has more fields to sign than MAX_SIGNED_FIELDS."""


def names_to_sign(fields: dict[bytes, list[bytes]]) -> list[bytes]:
    """The h= list: every field named in SIGNED and OVERSIGNED that occurs, and one more of each of the latter.

    Raises TooManyFieldsError.
    """
    names: list[bytes] = []
    for name in OVERSIGNED:
        names += [name] * (len(fields.get(name, ())) + 1)
    for name in SIGNED:
        names += [name] * len(fields.get(name, ()))
    if len(names) > MAX_SIGNED_FIELDS:
        raise TooManyFieldsError(f"{len(names)} header fields to sign")
    return names


def signed_fields(fields: dict[bytes, list[bytes]], names: Iterable[bytes], form: Form = "relaxed") -> bytes:
    """The named fields in canonical form, each taken from the bottom up; one that is not there counts as nothing.

    Source: RFC 6376 3.7, 5.4.2.
    """
    left: dict[bytes, int] = {}
    signed = []
    for name in names:
        found = fields.get(name)
        if found and (at := left.get(name, len(found))):
            left[name] = at - 1
            signed.append(canonical_field(found[at - 1], form) + b"\r\n")
    return b"".join(signed)


class Signing(Struct, frozen=True):
    """How to sign: the canonical forms of header and body, and after how many seconds a signature ends (0: never)."""

    header_form: Form = "relaxed"
    body_form: Form = "relaxed"
    seconds_valid: int = 0


_RELAXED = Signing()


def signature_fields(message: SplitMessage, keys: Sequence[DkimKey], at: int, how: Signing = _RELAXED) -> bytes:
    """One DKIM-Signature field for each key, CRLF included, to be put on top of the message.

    `at` is the time of signing in Unix seconds. Raises TooManyFieldsError. Source: RFC 6376 3.5, 5.
    """
    names = names_to_sign(message.fields)
    hashed = body_hash(message.body, how.body_form).decode()
    signed = signed_fields(message.fields, names, how.header_form)
    listed = re.findall(r"[^:]+:?", f" h={b':'.join(names).decode()};")
    times = (f" t={at};", f" x={at + how.seconds_valid};") if how.seconds_valid else (f" t={at};",)
    # Everything between s= and b= is the same for all keys.
    tags = (*times, *listed, f" bh={hashed};", " b=")
    return b"".join(_signature_field(key, how, tags, signed) for key in keys)


def _signature_field(key: DkimKey, how: Signing, tags: Iterable[str], signed: bytes) -> bytes:
    first = f"v=1; a={key.algorithm}; c={how.header_form}/{how.body_form};"
    unsigned = folded("DKIM-Signature: ", (first, f" d={key.domain};", f" s={key.selector};", *tags))
    signature = b64encode(key.sign(signed + canonical_field(unsigned, how.header_form)))
    return unsigned + folded_base64(signature, COLUMNS - len(unsigned) + unsigned.rfind(b"\n") + 1) + b"\r\n"


def folded(line: str, pieces: Iterable[str]) -> bytes:
    """A header field without its CRLF: `line`, its beginning, and the pieces, between which it may be folded."""
    lines = []
    for piece in pieces:
        if len(line) + len(piece) > COLUMNS:
            lines.append(line)
            line = " " + piece.lstrip()
        else:
            line += piece
    return "\r\n".join([*lines, line]).encode()


def folded_base64(value: bytes, room: int) -> bytes:
    """The value folded to COLUMNS; `room` is what is left of the first line."""
    width = COLUMNS - 1
    rest = [value[i : i + width] for i in range(room, len(value), width)]
    return b"\r\n ".join([value[:room], *rest])
