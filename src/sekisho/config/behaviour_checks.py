"""Checks of the behaviour settings that their types alone cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sekisho.config.account_settings import BehaviourSettings
from sekisho.config.locations import Locations, Problem

_RANGES = {
    "notify_probability": (0.1, 1.0),
    "lock_probability": (0.5, 1.0),
    "habit_half_life_days": (7.0, 730.0),
    "evidence_half_life_hours": (1.0, 168.0),
}


def behaviour_problems(
    key: str, settings: BehaviourSettings, path: Callable[[str], Path], locations: Locations
) -> Iterator[Problem]:
    """Every problem of a tenant's section, whose key is `key`; `path` makes paths absolute."""
    for name, (low, high) in _RANGES.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            yield locations.problem(f"{key}.{name}", f"must be from {low:g} to {high:g}, got {value:g}")
    if settings.notify_probability > settings.lock_probability:
        yield locations.problem(f"{key}.notify_probability", "must not be more than lock_probability")
    if settings.country_file and not path(settings.country_file).is_file():
        yield locations.problem(f"{key}.country_file", f"no such file: {settings.country_file}")
