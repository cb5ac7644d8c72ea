"""Which tenant a client belongs to, and what a tenant inherits from its parents."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from msgspec.structs import replace

from sekisho.config.account_settings import (
    DEFAULT_LIMITS,
    BehaviourSettings,
    IdentitySettings,
    LockSettings,
    PasswordSettings,
)
from sekisho.config.flood_settings import TenantFloodSettings
from sekisho.config.settings import LearningSettings, ListenerSettings, NoticeSettings, Settings, TenantSettings
from sekisho.config.signing_settings import SigningSettings
from sekisho.mail.address import IpNetwork, client_address


def lineage(settings: Settings, name: str) -> Iterator[TenantSettings]:
    """The tenant, its parent, and so on up."""
    while name:
        tenant = settings.tenant[name]
        yield tenant
        name = tenant.parent


def inherited(settings: Settings, name: str) -> TenantSettings:
    """The tenant with what it has from its nearest parent: next hops, keys, contacts, learning, partners, lists.

    Its limits are its own, then its parents', then the built-in ones.
    """
    line = list(lineage(settings, name))
    return replace(
        line[0],
        next_hop=next((t.next_hop for t in line if t.next_hop), ()),
        dkim=next((t.dkim for t in line if t.dkim), ()),
        notice=next((t.notice for t in line if t.notice), NoticeSettings()),
        learning=next((t.learning for t in line if t.learning), LearningSettings()),
        identity=next((t.identity for t in line if t.identity), IdentitySettings()),
        behaviour=next((t.behaviour for t in line if t.behaviour), BehaviourSettings()),
        flood=next((t.flood for t in line if t.flood), TenantFloodSettings()),
        lock=next((t.lock for t in line if t.lock), LockSettings()),
        signing=next((t.signing for t in line if t.signing), SigningSettings()),
        dns_update=next((t.dns_update for t in line if t.dns_update), ()),
        limit=(*(limit for t in line for limit in t.limit), *(DEFAULT_LIMITS if line[0].builtin_limits else ())),
        password=next((t.password for t in line if t.password), PasswordSettings()),
        partners=next((t.partners for t in line if t.partners), ()),
        people_file=next((t.people_file for t in line if t.people_file), ""),
        company_names=next((t.company_names for t in line if t.company_names), ()),
        warning_sources=next((t.warning_sources for t in line if t.warning_sources), ()),
        probable_abuse=next((t.probable_abuse for t in line if t.probable_abuse), ""),
        dlp_allow_file=next((t.dlp_allow_file for t in line if t.dlp_allow_file), ""),
        attachment_passwords_file=next(
            (t.attachment_passwords_file for t in line if t.attachment_passwords_file), ""
        ),
    )


class TenantFinder:
    """Finds the tenant of a client by its address: the smallest network that claims it wins."""

    def __init__(self, settings: Settings) -> None:
        claims = [(ip_network(text), name) for name, t in settings.tenant.items() for text in t.client_networks]
        self._claims: list[tuple[IpNetwork, str]] = sorted(claims, key=lambda claim: -claim[0].prefixlen)

    def __call__(self, client_ip: str, listener: ListenerSettings) -> str:
        """The tenant's name; the listener's own where no tenant claims the address."""
        if not self._claims:
            return listener.tenant
        address = client_address(client_ip)
        return next((name for network, name in self._claims if address in network), listener.tenant)
