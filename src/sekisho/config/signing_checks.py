"""What the types alone cannot say of the settings about DKIM keys."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from math import inf
from pathlib import Path

from sekisho.config.locations import Locations, Problem
from sekisho.config.settings import Settings
from sekisho.config.signing_settings import DnsUpdateSettings, SigningSettings

_ZONE = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
_SERVER = re.compile(r"(?:\[([0-9A-Fa-f:]+)\]|([0-9.]+))(?::([0-9]{1,5}))?")
_LEAST_SECRET = 16  # octets
_MOST_TTL = 86_400


def signing_problems(settings: Settings, path: Callable[[str], Path], locations: Locations) -> Iterator[Problem]:
    """Everything that is wrong with the tenants' `signing` and `dns_update`."""
    for name, tenant in settings.tenant.items():
        if tenant.signing is not None:
            yield from _times(f"tenant.{name}.signing", tenant.signing, locations)
        for number, update in enumerate(tenant.dns_update):
            yield from _update(f"tenant.{name}.dns_update[{number}]", update, path, locations)


def _times(key: str, signing: SigningSettings, locations: Locations) -> Iterator[Problem]:
    if not 0 <= signing.rotate_days < inf:
        yield locations.problem(f"{key}.rotate_days", f"must be 0 or above 0, got {signing.rotate_days}")
    for name in ("overlap_days", "late_days"):
        if not 0 < (value := getattr(signing, name)) < inf:
            yield locations.problem(f"{key}.{name}", f"must be above 0, got {value}")
    if 0 < signing.rotate_days <= signing.overlap_days:
        yield locations.problem(f"{key}.rotate_days", f"must be above overlap_days ({signing.overlap_days:g})")


def _update(
    key: str, update: DnsUpdateSettings, path: Callable[[str], Path], locations: Locations
) -> Iterator[Problem]:
    for name in ("zone", "key_name"):
        if not _ZONE.fullmatch(getattr(update, name)):
            text = f"expected a name in lower case, got {getattr(update, name)!r}"
            yield locations.problem(f"{key}.{name}", text)
    if not 0 < update.ttl <= _MOST_TTL:
        yield locations.problem(f"{key}.ttl", f"must be from 1 to {_MOST_TTL}, got {update.ttl}")
    if not 0 < update.timeout_seconds < inf:
        yield locations.problem(f"{key}.timeout_seconds", f"must be above 0, got {update.timeout_seconds}")
    for name, read in (("server", lambda: server_of(update)), ("secret_file", lambda: secret_in(update, path))):
        try:
            read()
        except (OSError, ValueError) as error:
            yield locations.problem(f"{key}.{name}", getattr(error, "strerror", None) or str(error))


def server_of(update: DnsUpdateSettings) -> tuple[str, int]:
    """IP address and port of the name server. Raises ValueError."""
    match = _SERVER.fullmatch(update.server) or _SERVER.fullmatch(f"[{update.server}]")
    port = int(match[3] or 53) if match else 0
    if match is None or not 0 < port < 65_536:
        raise ValueError(f"expected an IP address with or without a port, got {update.server!r}")
    return str(ip_address(match[1] or match[2])), port


def secret_in(update: DnsUpdateSettings, path: Callable[[str], Path]) -> str:
    """The secret of the TSIG key, in base64. Raises OSError, ValueError."""
    lines = path(update.secret_file).read_text("ascii").split()
    secret = lines[0] if lines else ""
    if len(base64.b64decode(secret, validate=True)) < _LEAST_SECRET:
        raise ValueError(f"the secret has less than {_LEAST_SECRET} octets")
    return secret
