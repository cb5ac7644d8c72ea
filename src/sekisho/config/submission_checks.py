"""What the types alone cannot say of a listener's role."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.config.locations import Locations, Problem
from sekisho.config.settings import ListenerSettings


def role_problems(key: str, listener: ListenerSettings, locations: Locations) -> Iterator[Problem]:
    """What does not go together with a listener's role. `key` is "listener[0]"."""
    if listener.role == "submission":
        if listener.tls == "off":
            text = 'role = "submission" needs "starttls" (port 587) or "implicit" (port 465)'
            yield locations.problem(f"{key}.tls", text)
    elif listener.mechanisms:
        yield locations.problem(f"{key}.mechanisms", 'only for role = "submission"')
