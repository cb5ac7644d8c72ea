"""Whose account a login is, and what it may write as: registered accounts, aliases in a file, and settings."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from sekisho.config.account_settings import IdentitySettings
from sekisho.config.identity_checks import GROUP, aliases_in
from sekisho.mail.account import Account, canonical_login
from sekisho.mail.address import domain_of

log = logging.getLogger(__name__)

_ByLogin = Mapping[str, tuple[str, ...]]


class RegisteredAccounts(Protocol):
    """The accounts of the store; `stamp` is another where they are others. Both raise StoreAwayError."""

    async def accounts(self) -> Sequence[Account]:
        """All that may send."""

    async def stamp(self) -> tuple[int, ...]:
        """Cheap."""


class TenantIdentity(Struct, frozen=True):
    """What a tenant's settings say: `groups` by name as policy has them; the files are None where there are none."""

    settings: IdentitySettings
    groups: Mapping[str, tuple[str, ...]]
    aliases_file: Path | None = None
    contacts_file: Path | None = None


class AccountDirectory:
    """See `mail.ports.Directory`; an account that nobody registered is made up from its login.

    Before the first `refresh` only settings and files are known, and no registered accounts.
    """

    def __init__(self, tenants: Mapping[str, TenantIdentity], registered: RegisteredAccounts | None = None) -> None:
        self._source = registered
        self._stamp: tuple[int, ...] | None = None
        self._registered: dict[tuple[str, str], Account] = {}
        self._tenants = {name: _Tenant(identity) for name, identity in tenants.items()}

    def account(self, tenant: str, login: str) -> Account | None:
        """The account of a login with all addresses it may use; None where the tenant is not known."""
        if tenant not in self._tenants:
            return None
        login = canonical_login(login)
        account = self._registered.get((tenant, login)) or Account(tenant, login)
        own = (login,) if "@" in login else ()
        addresses = (*own, *account.addresses, *self._tenants[tenant].addresses(login))
        behalf = (*account.on_behalf_of, *self._tenants[tenant].behalf(login))
        return replace(
            account,
            addresses=tuple(dict.fromkeys(addresses)),
            on_behalf_of=tuple(dict.fromkeys(behalf)),
            contact=account.contact or self._tenants[tenant].contact(login),
        )

    def registered(self, tenant: str, login: str) -> bool:
        """Whether it is an account of the store: one that somebody can log in with."""
        return (tenant, canonical_login(login)) in self._registered

    async def refresh(self) -> None:
        """Take up accounts and files that have changed; a file that is wrong is logged, and the old one stays.

        Raises StoreAwayError; what was known before stays known.
        """
        for tenant in self._tenants.values():
            tenant.refresh()
        if self._source is not None and (stamp := await self._source.stamp()) != self._stamp:
            accounts = await self._source.accounts()
            self._registered = {(a.tenant, canonical_login(a.login)): a for a in accounts}
            self._stamp = stamp


class _Tenant:
    """One tenant's settings, turned around: from the login to addresses."""

    def __init__(self, identity: TenantIdentity) -> None:
        self._aliases = _File(identity.aliases_file)
        self._contacts = _File(identity.contacts_file)
        self._send_as = _by_login(identity.settings.send_as, identity.groups)
        self._delegates = _by_login(identity.settings.delegates, identity.groups)

    def addresses(self, login: str) -> tuple[str, ...]:
        return (*self._aliases.by_login.get(login, ()), *_of(self._send_as, login))

    def behalf(self, login: str) -> tuple[str, ...]:
        return _of(self._delegates, login)

    def contact(self, login: str) -> str:
        return next(iter(self._contacts.by_login.get(login, ())), "")

    def refresh(self) -> None:
        self._aliases.refresh()
        self._contacts.refresh()


class _File:
    """Addresses of logins, in a file that is read again when it has changed."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self.by_login: _ByLogin = {}
        self.refresh()

    def refresh(self) -> None:
        if self._path is None:
            return
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self._stamp = stamp
                self.by_login = aliases_in(self._path)
        except (OSError, ValueError) as error:
            log.error("%s was not taken up: %s", self._path, error)  # noqa: TRY400 - no traceback needed


def _of(by_login: _ByLogin, login: str) -> tuple[str, ...]:
    """What a login has, and what every login of its domain has."""
    return (*by_login.get(login, ()), *by_login.get("@" + domain_of(login), ()))


def _by_login(by_address: _ByLogin, groups: _ByLogin) -> _ByLogin:
    found: dict[str, list[str]] = {}
    for address, logins in by_address.items():
        for login in _members(logins, groups):
            found.setdefault(login, []).append(address)
    return {login: tuple(addresses) for login, addresses in found.items()}


def _members(logins: Iterable[str], groups: _ByLogin) -> Iterable[str]:
    """Logins, and those of groups: a group's domain means every login of it."""
    for login in logins:
        if login.startswith(GROUP):
            members = groups.get(login.removeprefix(GROUP), ())
            yield from (member.lower() if "@" in member else f"@{member.lower()}" for member in members)
        else:
            yield login
