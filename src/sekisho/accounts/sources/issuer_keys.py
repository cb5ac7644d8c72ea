"""The keys of an OpenID Connect issuer (RFC 7517), found by its discovery document (RFC 8414), kept for a while."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import jwt

from sekisho.accounts.sources.source import SourceAwayError

log = logging.getLogger(__name__)

Fetch = Callable[[str], dict[str, Any]]

LEAST_SECONDS: Final = 30.0  # between two questions, however many tokens name keys that nobody knows
_MOST_KEYS: Final = 100
_KINDS: Final = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "ES256": "EC", "ES384": "EC", "EdDSA": "OKP",
}  # fmt: skip


class _Key(NamedTuple):
    """One key; `algorithm` is the only one it is for, "" where its document names none. RFC 7517 4.4."""

    id: str
    algorithm: str
    key: jwt.PyJWK

    def fits(self, algorithm: str) -> bool:
        """Whether a signature of this algorithm can be by it: nobody may use a public key as a shared secret."""
        return self.key.key_type == _KINDS.get(algorithm) and self.algorithm in ("", algorithm)


class IssuerKeys:
    """The keys by their ids. `fetch` asks the issuer, in the thread that calls; `clock` counts seconds.

    Keys are asked for anew after `seconds`; while the issuer is away the old ones stay good.
    """

    def __init__(
        self, issuer: str, jwks_url: str, fetch: Fetch, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._fetch = fetch
        self._seconds = seconds
        self._clock = clock
        self._keys: tuple[_Key, ...] = ()
        self._asked_at: float | None = None
        self._trouble = ""
        self._lock = threading.Lock()

    def key(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """The key of a token; None where the issuer has none such. Blocks. Raises SourceAwayError without keys."""
        with self._lock:
            if self._old():
                self._refresh()
            found = self._find(key_id, algorithm)
            if found is None and self._may_ask():
                self._refresh()
                found = self._find(key_id, algorithm)
            if not self._keys:
                raise SourceAwayError(self._trouble or "the issuer has no keys")
        return found

    def _old(self) -> bool:
        return self._asked_at is None or (self._clock() - self._asked_at >= self._seconds and self._may_ask())

    def _may_ask(self) -> bool:
        return self._asked_at is None or self._clock() - self._asked_at >= LEAST_SECONDS

    def _refresh(self) -> None:
        self._asked_at = self._clock()
        try:
            self._keys = tuple(_keys_in(self._fetch(self._place())))
            self._trouble = ""
        except SourceAwayError as error:
            self._trouble = str(error)
            log.warning("the keys of %s were not taken up: %s", self._issuer, error)

    def _place(self) -> str:
        if self._jwks_url:
            return self._jwks_url
        # OpenID Connect Discovery 1.0, 4; 4.3: the document must be the issuer's own
        document = self._fetch(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        place = document.get("jwks_uri")
        if document.get("issuer") != self._issuer or not isinstance(place, str):
            raise SourceAwayError("the discovery document is of another issuer, or names no keys")
        return place

    def _find(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """By its id; a token without one takes the issuer's only key of that kind. RFC 7517 4.5."""
        fitting = [known for known in self._keys if known.fits(algorithm)]
        if not key_id:
            return fitting[0].key if len(fitting) == 1 else None
        return next((known.key for known in fitting if known.id == key_id), None)


def _keys_in(document: dict[str, Any]) -> Iterator[_Key]:
    """The keys for signatures that can be used; the others are left out."""
    entries = document.get("keys")
    for entry in entries[:_MOST_KEYS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or entry.get("kty") == "oct":
            continue
        try:
            key = jwt.PyJWK.from_dict({**entry, "kid": str(entry.get("kid", ""))})
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        yield _Key(str(entry.get("kid", "")), str(entry.get("alg", "")), key)
