"""Find the configuration, read it, and check what the types alone cannot say. Every problem at once."""

from __future__ import annotations

import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, ip_address, ip_network
from math import inf
from pathlib import Path

from msgspec import Struct

from sekisho.config.behaviour_checks import behaviour_problems
from sekisho.config.flood_checks import flood_problems
from sekisho.config.identity_checks import listener_problems, tenant_problems
from sekisho.config.limit_checks import counting_problems
from sekisho.config.locations import Locations, Problem
from sekisho.config.password_checks import hash_problems, password_problems
from sekisho.config.settings import (
    AntivirusSettings,
    DnsListSettings,
    LearningSettings,
    LinkListSettings,
    ListenerSettings,
    NextHopSettings,
    Settings,
    TenantSettings,
)
from sekisho.config.signing_checks import signing_problems
from sekisho.config.source_checks import source_problems
from sekisho.config.submission_checks import role_problems
from sekisho.config.toml import decode, read_toml

DEFAULT_FILES = (Path("sekisho.toml"), Path("/etc/sekisho/sekisho.toml"))


class Configuration(Struct, frozen=True):
    """Settings with the file they came from (None: built-in defaults) and the folder that relative paths start at."""

    settings: Settings
    file: Path | None
    base: Path
    locations: Locations = Locations("")

    def path(self, text: str) -> Path:
        """A path from the settings, made absolute."""
        return (self.base / text).absolute()

    @property
    def state_dir(self) -> Path:
        """The folder of everything that is kept."""
        return self.path(self.settings.gateway.state_dir)

    @property
    def key_file(self) -> Path:
        """Where the keys of held messages lie."""
        given = self.settings.hold.key_file
        return self.path(given) if given else self.state_dir / "keys" / "hold.key"


def find_file(given: str | None) -> Path | None:
    """The file that was asked for, else the first default that exists, else None."""
    if given is not None:
        return Path(given)
    return next((file for file in DEFAULT_FILES if file.exists()), None)


def load(file: Path | None) -> tuple[Configuration | None, list[Problem]]:
    """Read and check one configuration file; None reads the built-in defaults. Never raises.

    Returns no configuration exactly when there is a problem.
    """
    configuration, problems = read(file)
    return (None if problems else configuration), problems


def read(file: Path | None) -> tuple[Configuration | None, list[Problem]]:
    """The same, but with the configuration also where only its checks found problems.

    Whoever goes on reading what it names can report that at once with the rest.
    """
    if file is None:
        return Configuration(Settings(), None, Path.cwd()), []
    data, locations, problems = read_toml(file)
    if data is None:
        return None, problems
    settings = decode(data, Settings, locations, problems)
    if settings is None:
        return None, problems
    configuration = Configuration(settings, file, file.parent, locations)
    problems.extend(_Checks(configuration, locations).all())
    return configuration, problems


def host_and_port(address: str, default_port: int | None = None) -> tuple[str, int]:
    """Split "host:port" or "[v6]:port"; `default_port` stands where none is given. Raises ValueError, saying why."""
    host, colon, port = address.rpartition(":")
    if address.startswith("[") and address.endswith("]"):
        host, colon, port = address, "", ""
    elif not colon:
        host, port = address, ""
    if not port and default_port is not None:
        port = str(default_port)
    host = host.strip("[]") if host.startswith("[") else host
    if not host or (":" in host and not address.startswith("[")):
        raise ValueError(f"expected host:port or [v6]:port, got {address!r}")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"expected a port from 1 to 65535 in {address!r}")
    return host, int(port)


class EngineAddress(Struct, frozen=True):
    """Where a virus scanner listens: the UNIX socket `socket`, or `host` and `port`; `service` is ICAP's path."""

    socket: str = ""
    host: str = ""
    port: int = 0
    service: str = ""


def engine_address(engine: AntivirusSettings) -> EngineAddress:
    """Read a virus scanner's address; clamd's port is 3310 and ICAP's 1344 where none is given. Raises ValueError."""
    address = engine.address
    if engine.kind == "icap":
        place, _, service = address.removeprefix("icap://").partition("/")
        # RFC 3507 4.2: the URI says which service; what would break the request line cannot be part of it
        if not address.startswith("icap://") or not service or not _URI_PATH.fullmatch(service):
            raise ValueError(f"expected icap://host:port/service, got {address!r}")
        host, port = host_and_port(place, 1344)
        return EngineAddress(host=host, port=port, service=service)
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        if not path.startswith("/"):
            raise ValueError(f"expected unix:/path/of/the/socket, got {address!r}")
        return EngineAddress(socket=path)
    host, port = host_and_port(address, 3310)
    return EngineAddress(host=host, port=port)


_URI_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]+")


class _Checks:
    """The checks across settings; each yields problems with the key's line."""

    def __init__(self, configuration: Configuration, locations: Locations) -> None:
        self.configuration = configuration
        self.settings = configuration.settings
        self.locations = locations

    def all(self) -> Iterator[Problem]:
        """Every problem there is."""
        yield from self._gateway()
        yield from self._positive()
        for number, listener in enumerate(self.settings.listener):
            yield from self._listener(f"listener[{number}]", listener)
        yield from self._unique("listener", "name", [entry.name for entry in self.settings.listener])
        yield from self._unique("listener", "address", [entry.address for entry in self.settings.listener])
        for number, engine in enumerate(self.settings.antivirus):
            yield from self._antivirus(f"antivirus[{number}]", engine)
        yield from self._unique("antivirus", "name", [entry.name for entry in self.settings.antivirus])
        yield from self._links()
        yield from source_problems(self.settings, self.configuration.path, self.locations)
        yield from hash_problems(self.configuration, "password_hash", self.settings.password_hash)
        yield from flood_problems(self.settings, self.locations)
        yield from signing_problems(self.settings, self.configuration.path, self.locations)
        yield from counting_problems(self.settings, self.configuration.path, self.locations)
        for name, tenant in self.settings.tenant.items():
            yield from self._tenant(f"tenant.{name}", tenant)

    def _gateway(self) -> Iterator[Problem]:
        gateway = self.settings.gateway
        yield from self._readable("gateway.http_address", gateway.http_address, _checked_address)
        if not self.settings.listener:
            yield self.locations.problem("listener", "at least one listener is needed")

    def _positive(self) -> Iterator[Problem]:
        for section in ("gateway", "limits", "inspect", "attachments", "links", "record", "hold"):
            yield from self._numbers(section, getattr(self.settings, section))

    def _numbers(self, key: str, values: Struct) -> Iterator[Problem]:
        """TOML also has `nan` and `inf`, which no timer takes."""
        for name in values.__struct_fields__:
            value = getattr(values, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            zero = name in _ZERO_ALLOWED
            if not (0 < value < inf or (zero and value == 0)):
                yield self.locations.problem(
                    f"{key}.{name}", f"must be {'0 or ' if zero else ''}above 0, got {value}"
                )

    def _links(self) -> Iterator[Problem]:
        for number, server in enumerate(self.settings.links.name_servers):
            yield from self._readable(f"links.name_servers[{number}]", server, name_server)
        for number, entry in enumerate(self.settings.link_list):
            yield from self._link_list(f"link_list[{number}]", entry)
        yield from self._unique("link_list", "name", [entry.name for entry in self.settings.link_list])
        for number, asked in enumerate(self.settings.dns_list):
            yield from self._dns_list(f"dns_list[{number}]", asked)
        yield from self._unique("dns_list", "name", [entry.name for entry in self.settings.dns_list])

    def _link_list(self, key: str, entry: LinkListSettings) -> Iterator[Problem]:
        if not entry.name.strip():
            yield self.locations.problem(f"{key}.name", "must not be empty")
        if not self.configuration.path(entry.file).is_file():
            yield self.locations.problem(f"{key}.file", f"no such file: {entry.file}")

    def _dns_list(self, key: str, entry: DnsListSettings) -> Iterator[Problem]:
        if not entry.name.strip():
            yield self.locations.problem(f"{key}.name", "must not be empty")
        if not _ZONE.fullmatch(entry.zone):
            yield self.locations.problem(f"{key}.zone", f"expected a domain in lower case, got {entry.zone!r}")
        if bool(entry.codes) == bool(entry.bits):
            yield self.locations.problem(key, "needs either codes or bits")
        for code in entry.codes:
            yield from self._readable(f"{key}.codes", code, _list_code)
        for bit in entry.bits:
            if bit not in _BITS:
                text = f"expected a bit of an octet (1, 2, 4 … 128), got {bit!r}"
                yield self.locations.problem(f"{key}.bits", text)

    def _antivirus(self, key: str, engine: AntivirusSettings) -> Iterator[Problem]:
        if not engine.name.strip():
            yield self.locations.problem(f"{key}.name", "must not be empty")
        try:
            engine_address(engine)
        except ValueError as error:
            yield self.locations.problem(f"{key}.address", str(error))
        yield from self._numbers(key, engine)

    def _listener(self, key: str, listener: ListenerSettings) -> Iterator[Problem]:
        yield from self._readable(f"{key}.address", listener.address, _checked_address)
        for name in ("networks", "proxy_protocol_from", "xclient_from"):
            yield from self._networks(f"{key}.{name}", getattr(listener, name) or ())
        yield from role_problems(key, listener, self.locations)
        yield from listener_problems(key, listener, self.locations)
        if listener.tenant not in self.settings.tenant:
            yield self.locations.problem(f"{key}.tenant", f"no tenant {listener.tenant!r}")
        if listener.tls != "off":
            yield from self._certificate(key, listener)
        elif listener.require_tls:
            yield self.locations.problem(f"{key}.require_tls", 'needs tls = "starttls" or "implicit"')

    def _certificate(self, key: str, listener: ListenerSettings) -> Iterator[Problem]:
        if not listener.certificate:
            yield self.locations.problem(f"{key}.certificate", f'tls = "{listener.tls}" needs a certificate file')
            return
        certificate = self.configuration.path(listener.certificate)
        private_key = self.configuration.path(listener.private_key) if listener.private_key else None
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, private_key)
        except (OSError, ssl.SSLError) as error:
            why = getattr(error, "reason", None) or error.strerror or str(error)
            yield self.locations.problem(f"{key}.certificate", f"cannot be used: {why} ({certificate})")

    def _tenant(self, key: str, tenant: TenantSettings) -> Iterator[Problem]:
        yield from self._networks(f"{key}.client_networks", tenant.client_networks)
        yield from self._parents(key, tenant)
        for number, domain in enumerate(tenant.domains):
            if domain != domain.lower() or "@" in domain or not domain.strip("."):
                text = f"expected a domain in lower case, got {domain!r}"
                yield self.locations.problem(f"{key}.domains[{number}]", text)
        for number, file in enumerate(tenant.policy):
            if not self.configuration.path(file).is_file():
                yield self.locations.problem(f"{key}.policy[{number}]", f"no such file: {file}")
        for name in ("attachment_passwords_file", "dlp_allow_file", "people_file"):
            yield from self._named_file(f"{key}.{name}", getattr(tenant, name), lines_in)
        for number, hop in enumerate(tenant.next_hop):
            yield from self._next_hop(f"{key}.next_hop[{number}]", hop)
        if tenant.learning is not None:
            yield from self._learning(f"{key}.learning", tenant.learning)
        yield from tenant_problems(key, tenant, self.settings, self.configuration.path, self.locations)
        if tenant.behaviour is not None:
            of = (tenant.behaviour, self.configuration.path, self.locations)
            yield from behaviour_problems(f"{key}.behaviour", *of)
        if tenant.password is not None:
            yield from password_problems(self.configuration, f"{key}.password", tenant.password)
        yield from self._unique_domains(key, tenant)

    def _learning(self, key: str, learning: LearningSettings) -> Iterator[Problem]:
        yield from self._numbers(key, learning)
        for name, most in (("most_shift", 4), ("most_share", 1)):
            if (value := getattr(learning, name)) > most:
                yield self.locations.problem(f"{key}.{name}", f"must be at most {most}, got {value}")

    def _parents(self, key: str, tenant: TenantSettings) -> Iterator[Problem]:
        seen = [key.partition(".")[2]]
        while tenant.parent:
            if tenant.parent in seen:
                yield self.locations.problem(
                    f"{key}.parent", f"goes round in a circle: {' → '.join([*seen, tenant.parent])}"
                )
                return
            if tenant.parent not in self.settings.tenant:
                yield self.locations.problem(f"{key}.parent", f"no tenant {tenant.parent!r}")
                return
            seen.append(tenant.parent)
            tenant = self.settings.tenant[tenant.parent]

    def _next_hop(self, key: str, hop: NextHopSettings) -> Iterator[Problem]:
        if bool(hop.hosts) == bool(hop.maildir):
            yield self.locations.problem(key, "needs either hosts or maildir")
        for number, host in enumerate(hop.hosts):
            yield from self._readable(f"{key}.hosts[{number}]", host, lambda text: host_and_port(text, 25))
        yield from self._numbers(key, hop)
        yield from self._named_file(f"{key}.ca_file", hop.ca_file, _certificates)
        yield from self._named_file(f"{key}.password_file", hop.password_file, _password)
        if bool(hop.username) != bool(hop.password_file):
            yield self.locations.problem(f"{key}.username", "username and password_file go together")
        if hop.username and hop.tls != "verified":
            yield self.locations.problem(f"{key}.tls", 'a password is sent only with tls = "verified"')

    def _named_file(self, key: str, text: str, use: Callable[[Path], object]) -> Iterator[Problem]:
        """A file that the gateway will use: used here first, for it would stop every worker."""
        if not text:
            return
        try:
            use(self.configuration.path(text))
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
            yield self.locations.problem(key, f"cannot be used: {why} ({text})")

    def _unique_domains(self, key: str, tenant: TenantSettings) -> Iterator[Problem]:
        names = [domain.rstrip(".").lower() for hop in tenant.next_hop for domain in hop.domains or ("",)]
        for domain, times in Counter(names).items():
            if times > 1:
                what = f"domain {domain!r}" if domain else "all other domains (no domains given)"
                yield self.locations.problem(f"{key}.next_hop", f"{times} next hops claim {what}")

    def _networks(self, key: str, networks: tuple[str, ...]) -> Iterator[Problem]:
        for number, network in enumerate(networks):
            yield from self._readable(f"{key}[{number}]", network, ip_network)

    def _readable(self, key: str, text: str, read: Callable[[str], object]) -> Iterator[Problem]:
        try:
            read(text)
        except ValueError as error:
            yield self.locations.problem(key, str(error))

    def _unique(self, section: str, name: str, values: list[str]) -> Iterator[Problem]:
        for number, value in enumerate(values):
            if value in values[:number]:
                yield self.locations.problem(f"{section}[{number}].{name}", f"{value!r} is used twice")


_ZERO_ALLOWED = {
    "workers",
    "drain_seconds",
    "retention_days",
    "minimum_bytes_per_second",
    "idle_seconds",
    "backoff_seconds",
    "backoff_max_seconds",
    "cache_seconds",
    "cache_entries",
    "new_site_days",
    "learning_days",
}
_ZONE = re.compile(r"(?=.{4,200}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)+[a-z][a-z0-9-]{1,62}")
_BITS = frozenset(str(1 << number) for number in range(8))


def name_server(text: str) -> str:
    """A name server as the resolver takes it: "192.0.2.1:53", "[2001:db8::1]:53". Raises ValueError."""
    try:
        host, port = str(ip_address(text.strip("[]"))), 53
    except ValueError:
        host, port = host_and_port(text, 53)
        host = str(ip_address(host))
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _list_code(text: str) -> None:
    if not IPv4Address(text).is_loopback:
        raise ValueError(f"expected an address in 127.0.0.0/8, got {text!r}")


def _certificates(file: Path) -> None:
    ssl.create_default_context(cafile=file)


def _password(file: Path) -> None:
    if not file.read_text("utf-8").rstrip("\r\n"):
        raise ValueError("it is empty")


def lines_in(file: Path) -> tuple[str, ...]:
    """The lines of a file, empty ones left out. Raises OSError, ValueError."""
    return tuple(line for line in file.read_text("utf-8").splitlines() if line.strip())


def _checked_address(text: str) -> tuple[str, int]:
    return host_and_port(text)
