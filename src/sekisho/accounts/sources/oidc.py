"""Tokens of an OpenID Connect provider: signed ones (RFC 7519), and those it is asked about (RFC 7662)."""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import jwt

from sekisho.accounts.sources.https_json import fetch_json
from sekisho.accounts.sources.issuer_keys import IssuerKeys
from sekisho.accounts.sources.source import Checked, Known, Reach, SourceAwayError, Wrong
from sekisho.config.account_settings import OidcSettings
from sekisho.config.source_checks import secret_in
from sekisho.mail.account import Account, LoginAttempt, canonical_login
from sekisho.store.threads import Threads

log = logging.getLogger(__name__)

_MOST_TOKEN: Final = 16_384  # characters
_THREADS: Final = 4

Claims = Mapping[str, Any]


class OidcSource:
    """See `accounts.sources.source.TokenSource`. `path` makes paths of the settings absolute; `now`: seconds.

    Raises OSError and ValueError where files of the settings cannot be used.
    """

    def __init__(
        self,
        name: str,
        settings: OidcSettings,
        reach: Reach,
        path: Callable[[str], Path],
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.reach = reach
        self._settings = settings
        self._now = now
        self._context = ssl.create_default_context(cafile=path(settings.ca_file) if settings.ca_file else None)
        self._secret = secret_in(path(settings.client_secret_file)) if settings.client_secret_file else ""
        self._keys = IssuerKeys(settings.issuer, settings.jwks_url, self._fetch, settings.keys_seconds, clock)
        self._threads = Threads(f"oidc-{name}", _THREADS, lambda: None)

    async def check_token(self, attempt: LoginAttempt, token: str) -> Checked:
        """Whose token it is. Raises SourceAwayError. An attempt with a login must be of the token's own."""
        if not token or len(token) > _MOST_TOKEN or not token.isascii():
            return None
        claims = await self._run(lambda: self._claims(token))
        if claims is None:
            return None
        login = self._login(claims)
        if not login or (attempt.login and canonical_login(attempt.login) != login) or not self.reach.has(login):
            return Wrong()
        name = claims.get("name")
        own = (login,) if "@" in login else ()
        return Known(Account(self.reach.tenant, login, own, name=name[:200] if isinstance(name, str) else ""))

    async def close(self) -> None:
        """Let its threads end."""
        self._threads.close(0.0)

    async def _run(self, run: Callable[[], Claims | None]) -> Claims | None:
        try:
            async with asyncio.timeout(3 * self._settings.timeout_seconds):
                return await asyncio.wrap_future(self._threads.submit(run))
        except TimeoutError:
            raise SourceAwayError("the issuer does not answer in time") from None
        except (SourceAwayError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("source %s of accounts", self.name)
            raise SourceAwayError(type(error).__name__) from error

    def _claims(self, token: str) -> Claims | None:
        """What a token says, where it is good. Blocks."""
        claims = self._signed(token) if token.count(".") == 2 else self._introspected(token)
        if claims is not None and not set(self._settings.scopes) <= scopes_of(claims):
            log.info("source %s of accounts: a token has not all scopes that are asked for", self.name)
            return None
        return claims

    def _signed(self, token: str) -> Claims | None:
        """RFC 7519 7.2, RFC 8725 3.1: the algorithm is one of ours, whatever the token says, and fits the key."""
        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in settings.algorithms:
                return None
            key = self._keys.key(str(header.get("kid", "")), algorithm)
            if key is None:
                return None
            return self._verified(token, key, algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            log.info("source %s of accounts: a token is refused: %s", self.name, type(error).__name__)
            return None

    def _verified(self, token: str, key: jwt.PyJWK, algorithm: str) -> Claims:
        decoded: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[algorithm],
            options={"require": ["exp", "iss", "aud"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            audience=list(self._settings.audiences),
            issuer=self._settings.issuer,
        )
        if not self._in_time(decoded):
            raise jwt.ExpiredSignatureError
        return decoded

    def _in_time(self, claims: Claims) -> bool:
        """RFC 7519 4.1.4, 4.1.5, by our clock and what it may be wrong by."""
        now, skew = self._now(), self._settings.skew_seconds
        return _time(claims.get("exp"), 0.0) > now - skew and _time(claims.get("nbf"), now) <= now + skew

    def _introspected(self, token: str) -> Claims | None:
        """What the issuer says of a token that is no JWT. RFC 7662 2."""
        settings = self._settings
        if not settings.introspection_url:
            return None
        who = ":".join(urllib.parse.quote(word, safe="") for word in (settings.client_id, self._secret))
        headers = {"Authorization": f"Basic {base64.b64encode(who.encode()).decode()}"}  # RFC 6749 2.3.1
        form = {"token": token, "token_type_hint": "access_token"}
        claims = fetch_json(settings.introspection_url, self._context, settings.timeout_seconds, form, headers)
        if claims.get("active") is not True or claims.get("iss", settings.issuer) != settings.issuer:
            return None
        audience = claims.get("aud", claims.get("client_id"))
        named = audience if isinstance(audience, list) else [audience]
        if not any(one in settings.audiences for one in named if isinstance(one, str)):
            return None
        if "exp" in claims and not self._in_time(claims):
            return None
        return claims

    def _login(self, claims: Claims) -> str:
        """The account's login; an address that the issuer has not verified is nobody's. OpenID Connect Core 5.1."""
        for name in self._settings.login_claims:
            value = claims.get(name)
            if name == "email" and claims.get("email_verified", True) not in (True, "true"):
                continue
            if isinstance(value, str) and (login := canonical_login(value)):
                return login
        return ""

    def _fetch(self, url: str) -> dict[str, Any]:
        return fetch_json(url, self._context, self._settings.timeout_seconds)


def scopes_of(claims: Claims) -> set[str]:
    """The scopes of a token: `scope` (RFC 8693 4.2) or `scp`, text or list."""
    found: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            found.update(value.split())
        elif isinstance(value, list):
            found.update(one for one in value if isinstance(one, str))
    return found


def _time(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
