"""What the types alone cannot say of the settings of limits, of the guard of logins, and of the cluster."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from ipaddress import ip_network
from math import inf
from pathlib import Path

from sekisho.config.account_settings import AuthGuardSettings, ClusterSettings, SendingLimitSettings
from sekisho.config.locations import Locations, Problem
from sekisho.config.settings import Settings

_SECONDS = (60, 31 * 86_400)
_SCHEMES = ("redis", "rediss", "valkey", "valkeys", "unix")
_LEAST_SECRET = 32


def counting_problems(settings: Settings, path: Callable[[str], Path], locations: Locations) -> Iterator[Problem]:
    """Everything that is wrong with limits, `[auth_guard]` and `[cluster]`."""
    yield from guard_problems("auth_guard", settings.auth_guard, locations)
    yield from cluster_problems("cluster", settings.cluster, path, locations)
    for name, tenant in settings.tenant.items():
        yield from limit_problems(f"tenant.{name}.limit", tenant.limit, locations)


def limit_problems(key: str, limits: tuple[SendingLimitSettings, ...], locations: Locations) -> Iterator[Problem]:
    """What is wrong with a tenant's limits. `key` is "tenant.NAME.limit"."""
    for number, limit in enumerate(limits):
        place = f"{key}[{number}]"
        yield from _numbers(place, limit, locations)
        if not limit.name.strip():
            yield locations.problem(f"{place}.name", "must not be empty")
        if limit.lock and limit.per != "account":
            yield locations.problem(f"{place}.lock", 'only an account can be locked: needs per = "account"')
        if limit.of == "new-recipients" and limit.per != "account":
            text = 'only of an account it is known whom it wrote to before: needs per = "account"'
            yield locations.problem(f"{place}.of", text)
        if limit.of == "new-recipients" and limit.to == "any":
            yield locations.problem(f"{place}.to", 'new recipients are "external" or "internal" ones')
        if any(before.name == limit.name and not before.accounts for before in limits[:number]):
            text = f"{limit.name!r} stands above for all accounts, so that this one is never reached"
            yield locations.problem(f"{place}.name", text)


def _numbers(place: str, limit: SendingLimitSettings, locations: Locations) -> Iterator[Problem]:
    low, high = _SECONDS
    if not low <= limit.seconds <= high:
        yield locations.problem(f"{place}.seconds", f"must be from {low} to {high}, got {limit.seconds}")
    for name in ("soft", "defer", "lock"):
        if not 0 <= (value := getattr(limit, name)) < 2**53:
            yield locations.problem(f"{place}.{name}", f"must be 0 or above 0, and below 2 ** 53, got {value}")
    stops = min((step for step in (limit.defer, limit.lock) if step), default=0)
    if stops and limit.soft >= stops:
        yield locations.problem(f"{place}.soft", f"is never reached: it stops at {stops}")


def guard_problems(key: str, guard: AuthGuardSettings, locations: Locations) -> Iterator[Problem]:
    """What is wrong with `[auth_guard]`."""
    for name in guard.__struct_fields__:
        value = getattr(guard, name)
        zero = name in ("free_failures", "most_delay_seconds")
        if isinstance(value, bool) or not isinstance(value, int | float) or 0 < value < inf or (zero and value == 0):
            continue
        yield locations.problem(f"{key}.{name}", f"must be {'0 or ' if zero else ''}above 0, got {value}")
    if guard.free_failures >= guard.address_failures:
        yield locations.problem(f"{key}.free_failures", "must be below address_failures")
    for number, network in enumerate(guard.trusted_networks):
        try:
            ip_network(network)
        except ValueError as error:
            yield locations.problem(f"{key}.trusted_networks[{number}]", str(error))


def cluster_problems(
    key: str, cluster: ClusterSettings, path: Callable[[str], Path], locations: Locations
) -> Iterator[Problem]:
    """What is wrong with `[cluster]`."""
    if cluster.valkey and urllib.parse.urlsplit(cluster.valkey).scheme not in _SCHEMES:
        text = f"expected redis://host:port/0, rediss://… or unix:///path, got {cluster.valkey!r}"
        yield locations.problem(f"{key}.valkey", text)
    elif cluster.valkey and find_spec("valkey") is None:
        yield locations.problem(f"{key}.valkey", "needs the package valkey (sekisho[cluster])")
    if cluster.key_file:
        try:
            cluster_secret(path(cluster.key_file))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            yield locations.problem(f"{key}.key_file", f"cannot be used: {why} ({cluster.key_file})")


def cluster_secret(file: Path) -> bytes:
    """The secret of a cluster. Raises OSError, ValueError where it is too short to be one."""
    secret = file.read_bytes().strip()
    if len(secret) < _LEAST_SECRET:
        raise ValueError(f"needs at least {_LEAST_SECRET} octets")
    return secret
