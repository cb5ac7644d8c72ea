"""The sources of the settings, in their order; what other servers say of accounts is noted in the store."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from sekisho.accounts.sources.ldap import LdapMissingError, LdapSource
from sekisho.accounts.sources.oidc import OidcSource
from sekisho.accounts.sources.proxy import Kind, LoginServer
from sekisho.accounts.sources.source import Checked, Known, Reach, Source, SourceAwayError, TokenSource, Wrong
from sekisho.config.account_settings import AccountSourceSettings
from sekisho.config.settings import Settings
from sekisho.mail.account import Account, LoginAttempt, ScramKeys
from sekisho.mail.kept import StoreAwayError
from sekisho.store.accounts import StoredAccount

log = logging.getLogger(__name__)


class Register(Protocol):
    """Where accounts of other servers are noted (`store.accounts.AccountRows`)."""

    async def remember(self, account: Account, source: str) -> StoredAccount:
        """Note an account as a source describes it. Raises StoreAwayError."""


class Sources(Struct, frozen=True, eq=False):
    """What a `LoginService` asks, and what is to be closed when a reload replaces it."""

    passwords: tuple[Source, ...]
    tokens: tuple[TokenSource, ...]
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()

    async def close(self) -> None:
        """Close the connections to other servers. Raises nothing."""
        for close in self.closing:
            try:
                await close()
            except Exception:
                log.exception("a source of accounts could not be closed")


def sources_of(
    settings: Settings, path: Callable[[str], Path], own: Source, register: Register, hostname: str = "localhost"
) -> Sources:
    """All sources; without any in the settings `own` alone. Made in a running event loop.

    Raises OSError and ValueError where settings cannot be used, LdapMissingError without ldap3.
    """
    if not settings.account_source:
        return Sources((own,), ())
    passwords: list[Source] = []
    tokens: list[TokenSource] = []
    closing: list[Callable[[], Awaitable[None]]] = []
    for source in settings.account_source:
        reach = Reach(source.tenant, source.domains or settings.tenant[source.tenant].domains)
        made = _made(source, reach, path, hostname)
        if made is None:
            passwords.append(own)
        elif isinstance(made, OidcSource):
            tokens.append(Registered(made, register))
        else:
            passwords.append(Registered(made, register))
        if made is not None:
            closing.append(made.close)
    return Sources(tuple(passwords), tuple(tokens), tuple(closing))


_Made = LdapSource | LoginServer | OidcSource


def _made(source: AccountSourceSettings, reach: Reach, path: Callable[[str], Path], hostname: str) -> _Made | None:
    if source.ldap is not None:
        return LdapSource(source.name, source.ldap, reach, path)
    if source.oidc is not None:
        return OidcSource(source.name, source.oidc, reach, path)
    if source.server is not None:
        kind: Kind = "imap" if source.kind == "imap" else "smtp"
        return LoginServer(source.name, kind, source.server, reach, path, hostname=hostname)
    return None


class Registered:
    """A source of another server: an account is only taken from it if it is of its own tenant, and noted then.

    A server says whatever it likes of its accounts; one company's must not be able to let somebody in as another's.
    """

    has_keys = False

    def __init__(self, inner: _Made, register: Register) -> None:
        self.name = inner.name
        self._inner = inner
        self._register = register

    async def check(self, attempt: LoginAttempt, password: str) -> Checked:
        """As the inner one, and "wrong" for an account that is disabled here. Raises SourceAwayError."""
        if isinstance(self._inner, OidcSource):
            return None
        return await self._noted(await self._inner.check(attempt, password))

    async def check_token(self, attempt: LoginAttempt, token: str) -> Checked:
        """The same for a token. Raises SourceAwayError."""
        if not isinstance(self._inner, OidcSource):
            return None
        return await self._noted(await self._inner.check_token(attempt, token))

    async def keys(self, attempt: LoginAttempt) -> ScramKeys | None:  # noqa: ARG002 - a Source's
        """None: other servers give no keys away."""
        return None

    def iterations(self) -> tuple[int, ...]:
        """None."""
        return ()

    async def proved(self, attempt: LoginAttempt) -> Checked:  # noqa: ARG002 - a Source's
        """None."""
        return None

    async def _noted(self, checked: Checked) -> Checked:
        if not isinstance(checked, Known):
            return checked
        account, reach = checked.account, self._inner.reach
        if "@" in account.login and not reach.has(account.login):
            log.warning("source %s of accounts says that somebody is %s, not its own", self.name, account.login)
            return Wrong()
        account = replace(account, addresses=tuple(one for one in account.addresses if reach.has(one)))
        try:
            stored = await self._register.remember(account, self.name)
        except StoreAwayError as error:
            raise SourceAwayError(str(error)) from error
        if stored.disabled or stored.account.tenant != reach.tenant:
            return Wrong()
        return replace(checked, account=stored.account)


__all__ = ["LdapMissingError", "Register", "Registered", "Sources", "sources_of"]
