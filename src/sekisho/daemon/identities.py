"""Who may write as whom, put together from tenants' and listeners' settings."""

from __future__ import annotations

from collections.abc import Mapping

from sekisho.accounts.directory import AccountDirectory, RegisteredAccounts, TenantIdentity
from sekisho.accounts.identify import Identification, identifications, untrusted_header
from sekisho.config.account_settings import IdentitySettings, LockSettings
from sekisho.config.load import Configuration
from sekisho.config.settings import TenantSettings
from sekisho.config.tenants import lineage
from sekisho.inspect.identity import Identity, TenantOwn
from sekisho.mail.envelope import Session
from sekisho.mail.message import Message


def directory_of(
    configuration: Configuration, tenants: Mapping[str, TenantSettings], registered: RegisteredAccounts | None = None
) -> AccountDirectory:
    """The directory of accounts; `tenants` with what they inherit, `registered` those of the store."""
    return AccountDirectory({name: _identity(configuration, name, t) for name, t in tenants.items()}, registered)


def identity_inspector(
    tenants: Mapping[str, TenantSettings], directory: AccountDirectory, by_listener: Mapping[str, Identification]
) -> Identity:
    """The inspector of all tenants."""

    def untrusted(session: Session, message: Message) -> str:
        return untrusted_header(session, message, by_listener.get(session.listener))

    return Identity(directory, {name: _own(tenant) for name, tenant in tenants.items()}, untrusted)


def identified_by(configuration: Configuration) -> Mapping[str, Identification]:
    """How each listener knows whose mail it takes."""
    return identifications(configuration.settings.listener)


def _own(tenant: TenantSettings) -> TenantOwn:
    identity = tenant.identity or IdentitySettings()
    return TenantOwn.of(
        tenant.domains, identity.enforce, identity.subaddress_separator, networks=tenant.client_networks
    )


def _identity(configuration: Configuration, name: str, tenant: TenantSettings) -> TenantIdentity:
    identity = tenant.identity or IdentitySettings()
    groups: dict[str, tuple[str, ...]] = {}
    for one in lineage(configuration.settings, name):
        groups = {**one.groups, **groups}
    lock = tenant.lock or LockSettings()
    files = (configuration.path(file) if file else None for file in (identity.aliases_file, lock.contacts_file))
    return TenantIdentity(identity, groups, *files)
