"""What a metric is."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["counter", "gauge", "histogram"]


class Definition(Struct, frozen=True):
    """One metric. `gauge_mode`: how several processes' gauges become one; `most` bounds its label values."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()
    gauge_mode: str = "livesum"
    most: int = 200
