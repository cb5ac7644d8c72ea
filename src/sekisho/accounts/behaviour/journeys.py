"""Whether a client could have come from one place to another in the time between."""

from __future__ import annotations

import math

from sekisho.accounts.behaviour.events import Origin

_FAST_KM_H = 1000.0  # an airliner
_FAR_KM = 500.0  # databases of addresses are wrong by that
_EARTH_KM = 6371.0
_HOURS = 1.5  # from country to country, where only those are known


def flips(last: Origin | None, last_at: float, origin: Origin, at: float) -> bool:
    """Whether the client would have had to travel faster than people do. Times in seconds."""
    if last is None or last.around == origin.around:
        return False
    hours = max(0.0, at - last_at) / 3600.0
    if last.place is not None and origin.place is not None:
        distance = kilometres(last.place, origin.place)
        return distance > _FAR_KM and distance > _FAST_KM_H * hours
    return bool(last.country and origin.country and last.country != origin.country and hours < _HOURS)


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance of two places (latitude, longitude in degrees) on a sphere, by the haversine formula."""
    a, b, c, d = (math.radians(value) for value in (*one, *other))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))
