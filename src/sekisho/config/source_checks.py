"""What the types alone cannot say of the settings of account sources."""

from __future__ import annotations

import ssl
import urllib.parse
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from ipaddress import ip_address
from math import inf
from pathlib import Path

from msgspec import Struct

from sekisho.config.account_settings import AccountSourceSettings, LdapSettings, LoginServerSettings, OidcSettings
from sekisho.config.locations import Locations, Problem
from sekisho.config.settings import Settings

_TABLE = {"ldap": "ldap", "imap": "server", "smtp": "server", "oidc": "oidc"}
_PLACE = "{login}"


def source_problems(settings: Settings, path: Callable[[str], Path], locations: Locations) -> Iterator[Problem]:
    """Everything that is wrong with `[[account_source]]`."""
    names: list[str] = []
    for number, source in enumerate(settings.account_source):
        key = f"account_source[{number}]"
        if not source.name.strip():
            yield locations.problem(f"{key}.name", "must not be empty")
        if source.name in names:
            yield locations.problem(f"{key}.name", f"{source.name!r} is used twice")
        names.append(source.name)
        if source.tenant not in settings.tenant:
            yield locations.problem(f"{key}.tenant", f"no tenant {source.tenant!r}")
        elif source.kind == "oidc" and not (source.domains or settings.tenant[source.tenant].domains):
            text = "is empty, and so are the tenant's: whoever has an account with the issuer could log in"
            yield locations.problem(f"{key}.domains", text)
        yield from _Checks(key, path, locations).source(source)


def is_loopback(host: str) -> bool:
    """Whether a host of a setting is this machine, by an address or the name that is reserved for it (RFC 6761)."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def server_place(text: str) -> tuple[str, int]:
    """Split "host:port" or "[v6]:port". Raises ValueError, saying why."""
    place = urllib.parse.urlsplit(f"//{text}")
    if not place.hostname or place.port is None or place.path or place.username is not None:
        raise ValueError(f"expected host:port or [v6]:port, got {text!r}")
    return place.hostname, place.port


class _Checks:
    """The checks of one source; each yields problems with the key's line."""

    def __init__(self, key: str, path: Callable[[str], Path], locations: Locations) -> None:
        self._key = key
        self._path = path
        self._locations = locations

    def source(self, source: AccountSourceSettings) -> Iterator[Problem]:
        """What does not go together, and what is in the table."""
        wanted = _TABLE.get(source.kind)
        for table in ("ldap", "server", "oidc"):
            if table == wanted and getattr(source, table) is None:
                yield self._problem(table, f'kind = "{source.kind}" needs [account_source.{table}]')
            if table != wanted and getattr(source, table) is not None:
                yield self._problem(table, f'is not for kind = "{source.kind}"')
        for number, domain in enumerate(source.domains):
            if domain != domain.lower() or "@" in domain or not domain.strip("."):
                yield self._problem(f"domains[{number}]", f"expected a domain in lower case, got {domain!r}")
        if source.ldap is not None:
            yield from self._ldap(source.ldap)
        if source.server is not None:
            yield from self._server(source.server)
        if source.oidc is not None:
            yield from self._oidc(source.oidc)

    def _ldap(self, ldap: LdapSettings) -> Iterator[Problem]:
        if find_spec("ldap3") is None:
            yield self._problem("ldap", "needs ldap3: install sekisho[ldap]")
        if not ldap.servers:
            yield self._problem("ldap.servers", "is empty")
        for number, server in enumerate(ldap.servers):
            yield from self._ldap_server(f"ldap.servers[{number}]", server, start_tls=ldap.start_tls)
        if bool(ldap.bind_dn) != bool(ldap.password_file):
            yield self._problem("ldap.bind_dn", "bind_dn and password_file go together")
        yield from self._ldap_lookup(ldap)
        yield from self._file("ldap.ca_file", ldap.ca_file, _certificates)
        yield from self._file("ldap.password_file", ldap.password_file, secret_in)
        yield from self._numbers("ldap", ldap)

    def _ldap_server(self, key: str, server: str, *, start_tls: bool) -> Iterator[Problem]:
        try:
            url = urllib.parse.urlsplit(server)
            sound = url.scheme in ("ldap", "ldaps") and bool(url.hostname) and url.path in ("", "/")
            _ = url.port
        except ValueError:
            sound = False
        if not sound:
            yield self._problem(key, f"expected ldaps://host, ldap://host or one with a port, got {server!r}")
        elif url.scheme == "ldap" and not start_tls and not is_loopback(url.hostname or ""):
            yield self._problem(key, "passwords would go in clear: use ldaps:// or start_tls = true")

    def _ldap_lookup(self, ldap: LdapSettings) -> Iterator[Problem]:
        if not ldap.bind_template and not ldap.base_dn:
            yield self._problem("ldap.base_dn", "is empty: say where accounts are looked for, or bind_template")
        if ldap.bind_template and _PLACE not in ldap.bind_template:
            yield self._problem("ldap.bind_template", f"has no {_PLACE}")
        if ldap.base_dn and (_PLACE not in ldap.filter or not ldap.filter.startswith("(")):
            yield self._problem("ldap.filter", f"expected a filter in brackets with {_PLACE}, got {ldap.filter!r}")

    def _server(self, server: LoginServerSettings) -> Iterator[Problem]:
        try:
            host, _ = server_place(server.server)
        except ValueError:
            yield self._problem("server.server", f"expected host:port or [v6]:port, got {server.server!r}")
        else:
            if server.tls == "off" and not is_loopback(host):
                yield self._problem(
                    "server.tls", "passwords would go in clear: only a server on loopback may do without"
                )
        yield from self._file("server.ca_file", server.ca_file, _certificates)
        yield from self._numbers("server", server, ("remember_seconds",))

    def _oidc(self, oidc: OidcSettings) -> Iterator[Problem]:
        for name in ("issuer", "jwks_url", "introspection_url"):
            text = getattr(oidc, name)
            if (text or name == "issuer") and not sound_url(text):
                yield self._problem(f"oidc.{name}", f"expected an https URL, got {text!r}")
        for name in ("audiences", "login_claims", "algorithms"):
            if not getattr(oidc, name):
                yield self._problem(f"oidc.{name}", "is empty")
        if oidc.introspection_url and not (oidc.client_id and oidc.client_secret_file):
            yield self._problem("oidc.introspection_url", "needs client_id and client_secret_file")
        yield from self._file("oidc.ca_file", oidc.ca_file, _certificates)
        yield from self._file("oidc.client_secret_file", oidc.client_secret_file, secret_in)
        yield from self._numbers("oidc", oidc, ("skew_seconds",))

    def _numbers(self, table: str, values: Struct, zero: tuple[str, ...] = ()) -> Iterator[Problem]:
        for name in values.__struct_fields__:
            value = getattr(values, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if not (0 < value < inf or (name in zero and value == 0)):
                text = f"must be {'0 or ' if name in zero else ''}above 0, got {value}"
                yield self._problem(f"{table}.{name}", text)

    def _file(self, key: str, text: str, use: Callable[[Path], object]) -> Iterator[Problem]:
        if not text:
            return
        try:
            use(self._path(text))
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
            yield self._problem(key, f"cannot be used: {why} ({text})")

    def _problem(self, key: str, text: str) -> Problem:
        return self._locations.problem(f"{self._key}.{key}", text)


def sound_url(text: str) -> bool:
    """Whether a URL is https, or http to this machine, without a login and a fragment."""
    try:
        url = urllib.parse.urlsplit(text)
        _ = url.port
    except ValueError:
        return False
    if not url.hostname or url.username is not None or url.fragment or not text.isascii() or not text.isprintable():
        return False
    return url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname))


def secret_in(file: Path) -> str:
    """The first line of a file with a secret. Raises OSError, ValueError."""
    lines = file.read_text("utf-8").splitlines()
    if not lines or not lines[0]:
        raise ValueError("it is empty")
    return lines[0]


def _certificates(file: Path) -> None:
    ssl.create_default_context(cafile=file)
