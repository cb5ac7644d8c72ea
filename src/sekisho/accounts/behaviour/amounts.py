"""Amounts that are learned with exponential decay: shares, and how much of something there is in an hour or a day.

Weights are inflated instead of decayed: what is seen at time t weighs 2^((t - born) / half-life), and reading divides
by the weight of the present. So nothing has to be touched while time passes.
"""

from __future__ import annotations

import math
from bisect import bisect_right

from msgspec import Struct, field

# A class holds amounts from its edge to the next; the first is 0.
EDGES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048)


class Share(Struct, array_like=True):
    """How often something is so: inflated weights of yes and of all."""

    yes: float = 0.0
    every: float = 0.0

    def add(self, weight: float, *, yes: bool) -> None:
        """Learn one more case."""
        self.every += weight
        if yes:
            self.yes += weight

    def of(self, weight: float, prior: float, strength: float) -> float:
        """The share, as if `strength` cases had been seen before with the share `prior`."""
        return (self.yes / weight + strength * prior) / (self.every / weight + strength)


class Spread(Struct, array_like=True):
    """How much there is in a span of time: inflated weights by class of amount."""

    classes: list[float] = field(default_factory=lambda: [0.0] * (len(EDGES) + 1))
    every: float = 0.0

    def add(self, weight: float, amount: float) -> None:
        """Learn the amount of one span. A part counts as one class more: what nearly was is not odd."""
        at = bisect_right(EDGES, amount)
        self.classes[at] += 0.8 * weight
        self.classes[min(at + 1, len(EDGES))] += 0.2 * weight
        self.every += weight

    def tail(self, weight: float, amount: float, typical: float, strength: float) -> float:
        """How likely so much or more is, as if `strength` spans of the population had been seen before.

        `typical` is the amount that half of the population's spans reach; above, it falls as a power of it (Pareto).
        """
        at = bisect_right(EDGES, amount)
        prior = 1.0 if amount <= 0 else 1.0 / (1.0 + (amount / typical) ** 1.4)
        own = sum(self.classes[at:]) / weight
        return (own + strength * prior) / (self.every / weight + strength)


class Window(Struct, array_like=True):
    """What came lately: a sum that fades within `span` seconds (by e)."""

    span: float
    amount: float = 0.0
    at: float = 0.0

    def add(self, at: float, amount: float) -> float:
        """Add, and give the sum. A time before the last one counts as the last."""
        if at > self.at:
            self.amount *= math.exp((self.at - at) / self.span)
            self.at = at
        self.amount += amount
        return self.amount
