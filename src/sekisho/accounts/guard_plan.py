"""Whose failed logins are counted together, and how many are too many. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_network

from msgspec import Struct

from sekisho.accounts.naming import Names
from sekisho.config.account_settings import AuthGuardSettings
from sekisho.mail.account import LoginAttempt, canonical_login
from sekisho.mail.address import IpAddress, IpNetwork, client_address
from sekisho.mail.counting import Charge, Fresh

HOUR, DAY = 3_600, 86_400
DAY_FACTOR = 3  # a whole day bears so many times what an hour does
_MOST = 5_000  # items of a group: more would say nothing more
_MOST_PLACES = 200  # networks that an account is known from


class Place(Struct, frozen=True):
    """Where an attempt comes from, as text: address and /24, with IPv6 /64 and /56.

    Whoever has IPv6 has a /64 at least, and often a /56: a single address says nothing.
    """

    address: str
    network: str

    @classmethod
    def of(cls, client_ip: str) -> Place:
        """Of a client; what is no address is a place of its own."""
        try:
            address = client_address(client_ip)
        except ValueError:
            return cls(client_ip[:64], client_ip[:64])
        if isinstance(address, IPv6Address):
            return cls(_network(address, 64), _network(address, 56))
        return cls(str(address), _network(address, 24))


def _network(address: IpAddress, prefix: int) -> str:
    return str(ip_network((address, prefix), strict=False))


class Trusted:
    """The networks that are never turned away."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks: tuple[IpNetwork, ...] = tuple(ip_network(text, strict=False) for text in networks)

    def has(self, client_ip: str) -> bool:
        """Whether an address is in one of them."""
        if not self._networks:
            return False
        try:
            address = client_address(client_ip)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


class Who(Struct, frozen=True):
    """One attempt: tenant, login and place, of which the names of the counters are made."""

    tenant: str
    login: str
    place: Place
    names: Names

    @classmethod
    def of(cls, attempt: LoginAttempt, names: Names) -> Who:
        """Of an attempt. A login that can be none has failures as well, all under one name."""
        session = attempt.session
        return cls(session.tenant, canonical_login(attempt.login), Place.of(session.client_ip), names)

    def known(self, days: int) -> Fresh:
        """Whether the account has logged in from this network before."""
        group = self.names.key("place", self.tenant, self.login)
        return Fresh(group, (self.names.item("place", self.login, self.place.network),), days * DAY, _MOST_PLACES)

    def wrong(self, password: str) -> Fresh | None:
        """Whether this address has tried just this password at the account within a day; None: not known."""
        if not password:
            return None
        group = self.names.key("wrong", self.tenant, self.login, self.place.address)
        return Fresh(group, (self.names.faint("wrong", self.tenant, self.login, password),), DAY, 100)

    def at_address(self, seconds: int, amount: int, most: int = 0, fresh: int = -1) -> Charge:
        """Failures from the address."""
        return self._charge("address", self.place.address, seconds=seconds, amount=amount, most=most, fresh=fresh)

    def at_network(self, seconds: int, amount: int, most: int = 0, fresh: int = -1) -> Charge:
        """Failures from the network."""
        return self._charge("network", self.place.network, seconds=seconds, amount=amount, most=most, fresh=fresh)

    def at_pair(self, amount: int, most: int = 0, fresh: int = -1) -> Charge:
        """Failures of the account from the network that it is known from."""
        words = ("pair", self.tenant, self.login, self.place.network)
        return self._charge(*words, seconds=HOUR, amount=amount, most=most, fresh=fresh)

    def good(self) -> Fresh:
        """Accounts that logged in from the address within a day."""
        return Fresh(self._group("good", self.place.address), (self._item(),), DAY, _MOST)

    def good_count(self, amount: int, fresh: int = -1) -> Charge:
        """How many those are."""
        return self._charge("good", self.place.address, seconds=DAY, amount=amount, fresh=fresh)

    def networks_of_account(self) -> Fresh:
        """Networks from which the account failed within an hour."""
        group = self._group("networks", self.tenant, self.login)
        return Fresh(group, (self.names.item("network", self.place.network),), HOUR, _MOST)

    def networks_count(self, amount: int, fresh: int = -1) -> Charge:
        """How many those are."""
        return self._charge("networks", self.tenant, self.login, seconds=HOUR, amount=amount, fresh=fresh)

    def strangers(self, amount: int, most: int) -> Charge:
        """Attempts at an account that many guess at, from places that it is not known from."""
        return self._charge("strangers", self.tenant, self.login, seconds=HOUR, amount=amount, most=most)

    def accounts_of_network(self) -> Fresh:
        """Accounts that failed from the network within an hour."""
        return Fresh(self._group("accounts", self.place.network), (self._item(),), HOUR, _MOST)

    def accounts_count(self, amount: int, fresh: int = -1) -> Charge:
        """How many those are."""
        return self._charge("accounts", self.place.network, seconds=HOUR, amount=amount, fresh=fresh)

    def accounts_of_tenant(self) -> Fresh:
        """Accounts of the tenant that failed from places they are not known from, within an hour."""
        return Fresh(self._group("tenant", self.tenant), (self._item(),), HOUR, _MOST)

    def tenant_count(self, amount: int, fresh: int = -1) -> Charge:
        """How many those are."""
        return self._charge("tenant", self.tenant, seconds=HOUR, amount=amount, fresh=fresh)

    def told(self, event: str, subject: str) -> Charge:
        """How often administrators were told of this within an hour."""
        return self._charge("told", event, subject, seconds=HOUR, amount=1, most=1)

    def _charge(self, *words: str, seconds: int, amount: int, most: int = 0, fresh: int = -1) -> Charge:
        return Charge(self.names.key("auth", str(seconds), *words), seconds, amount, most, fresh)

    def _group(self, *words: str) -> bytes:
        return self.names.key("auth-group", *words)

    def _item(self) -> bytes:
        return self.names.item("auth-account", self.tenant, self.login)


def delay(failures: int, settings: AuthGuardSettings, *, strict: bool = False) -> float:
    """Seconds that the answer is put off after so many failures of an address in an hour: twice as long each time."""
    free = 1 if strict else settings.free_failures
    if failures <= free:
        return 0.0
    return float(min(2 ** min(failures - free - 1, 30), settings.most_delay_seconds))
