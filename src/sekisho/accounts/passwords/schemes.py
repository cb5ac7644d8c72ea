"""Hashes of passwords from other systems, good until the owner's next login: "{SCHEME}…", as Dovecot writes them."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from typing import Final

from sekisho.accounts.passwords.hashing import readable

_FORM = re.compile(r"\{([A-Za-z0-9-]{1,30})\}([^\r\n]{1,1000})")
# Salted and unsalted digests: the algorithm and the octets of its digest. Dovecot's password schemes.
_DIGESTS: Final = {
    "SHA": ("sha1", 20), "SSHA": ("sha1", 20), "SHA256": ("sha256", 32), "SSHA256": ("sha256", 32),
    "SHA512": ("sha512", 64), "SSHA512": ("sha512", 64),
}  # fmt: skip
PLAIN: Final = frozenset({"PLAIN", "CLEARTEXT", "CLEAR"})
ARGON2: Final = frozenset({"ARGON2", "ARGON2ID"})


class SchemeError(ValueError):
    """A hash that cannot be used; the text says why, without it."""


def scheme_of(text: str) -> tuple[str, str]:
    """The scheme in upper case and what follows it. A PHC string of argon2id is of the scheme "ARGON2ID".

    Raises SchemeError for a scheme that is not known, and for a hash that is not of its scheme's form.
    """
    if text.startswith("$argon2id$"):
        text = "{ARGON2ID}" + text
    matched = _FORM.fullmatch(text)
    if matched is None:
        raise SchemeError('must be "{SCHEME}…" or an argon2id PHC string')
    scheme, rest = matched[1].upper(), matched[2]
    if scheme in ARGON2:
        if not readable(rest):
            raise SchemeError("not an argon2id hash that can be used")
    elif scheme in _DIGESTS:
        _digest(scheme, rest)
    elif scheme not in PLAIN:
        raise SchemeError(f"the scheme {scheme} is not known; known are {', '.join(known_schemes())}")
    return scheme, rest


def known_schemes() -> list[str]:
    """The schemes that can be read, sorted."""
    return sorted({*_DIGESTS, *PLAIN, *ARGON2})


def foreign(kept: str) -> bool:
    """Whether what is kept of a password came from another system."""
    return kept.startswith("{")


def verify_foreign(kept: str, password: str) -> bool:
    """Whether a password is the one of a salted or unsalted digest. Raises nothing."""
    try:
        scheme, rest = scheme_of(kept)
        digest, salt, algorithm = _digest(scheme, rest)
    except (SchemeError, KeyError):
        return False
    made = hashlib.new(algorithm, password.encode("utf-8", "replace") + salt, usedforsecurity=False).digest()
    return hmac.compare_digest(made, digest)


def _digest(scheme: str, rest: str) -> tuple[bytes, bytes, str]:
    algorithm, octets = _DIGESTS[scheme]
    try:
        raw = b64decode(rest, validate=True)
    except (binascii.Error, ValueError):
        raise SchemeError(f"not a {scheme} hash: base64 is broken") from None
    salted = scheme.startswith("SS")
    if len(raw) < octets or (len(raw) == octets) == salted:
        raise SchemeError(f"not a {scheme} hash: it has {len(raw)} octets")
    return raw[:octets], raw[octets:], algorithm
