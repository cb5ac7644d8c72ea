"""Equal passwords found without keeping them: a keyed fingerprint under a key of the tenant.

The fingerprint is quick, which argon2id is not: whoever has both the store and the key file can guess passwords by
it. It is therefore kept sealed, and only where a setting asks for it. Those of two tenants cannot be compared.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable

from msgspec import Struct

from sekisho.accounts.passwords.preparation import PreparationError, prepared

PURPOSE = "password fingerprint"  # of `Keys.derived`
OCTETS = 16


class Reuse(Struct, frozen=True):
    """Where a password is used already: `previous` by its own account, `shared` by another one of the tenant."""

    previous: bool = False
    shared: bool = False


def fingerprint(key: bytes, tenant: str, password: str) -> bytes:
    """The keyed fingerprint of a password, 16 octets. Raises PreparationError. RFC 2104.

    `key` is `Keys.derived(PURPOSE)`.
    """
    return _print(_tenant_key(key, tenant), prepared(password))


def words_fingerprints(key: bytes, tenant: str, words: Iterable[str]) -> list[bytes]:
    """The fingerprint of each word, in their order; b"" for one that cannot be a password."""
    own = _tenant_key(key, tenant)
    return [_word_print(own, word) for word in words]


def reused(of: bytes, previous: Collection[bytes], others: Collection[bytes]) -> Reuse:
    """Where the password of a fingerprint is used: in the account's `previous` ones, in those of `others`."""
    return Reuse(previous=_among(of, previous), shared=_among(of, others))


def _tenant_key(key: bytes, tenant: str) -> bytes:
    return hmac.digest(key, b"tenant\0" + tenant.encode("utf-8", "surrogatepass"), "sha256")


def _print(key: bytes, password: str) -> bytes:
    return hmac.digest(key, password.encode(), "sha256")[:OCTETS]


def _word_print(key: bytes, word: str) -> bytes:
    try:
        return _print(key, prepared(word))
    except PreparationError:
        return b""


def _among(wanted: bytes, prints: Collection[bytes]) -> bool:
    """All are looked at, whether or not it was found."""
    return sum(hmac.compare_digest(wanted, one) for one in prints) > 0
