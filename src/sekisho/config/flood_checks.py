"""What the types alone cannot say of the settings about floods."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from sekisho.config.locations import Locations, Problem
from sekisho.config.settings import Settings

_ZERO_IS_OFF = frozenset(
    {
        "new_connections_per_network",
        "process_memory_bytes",
        "least_free_disk_bytes",
        "held_bytes",
        "bounces_per_minute",
        "bounces_per_domain",
        "bounces_per_recipient",
    }
)
_SHARES = ("crowded_share", "network_share")
_LEAST_IN_WORK = 4  # with fewer a tenant alone could take them all


def flood_problems(settings: Settings, locations: Locations) -> Iterator[Problem]:
    """Everything that is wrong with `[flood]` and the tenants' own."""
    yield from _numbers("flood", settings.flood, locations)
    for name in _SHARES:
        if (value := getattr(settings.flood, name)) > 1:
            yield locations.problem(f"flood.{name}", f"must be at most 1, got {value}")
    if 0 < settings.flood.messages_in_work < _LEAST_IN_WORK:
        text = f"must be at least {_LEAST_IN_WORK}, got {settings.flood.messages_in_work}"
        yield locations.problem("flood.messages_in_work", text)
    for name, tenant in settings.tenant.items():
        if tenant.flood is not None:
            yield from _numbers(f"tenant.{name}.flood", tenant.flood, locations)


def _numbers(key: str, values: object, locations: Locations) -> Iterator[Problem]:
    for name in type(values).__annotations__:
        value = getattr(values, name)
        zero = name in _ZERO_IS_OFF
        if not (0 < value < inf or (zero and value == 0)):
            yield locations.problem(f"{key}.{name}", f"must be {'0 or ' if zero else ''}above 0, got {value}")
