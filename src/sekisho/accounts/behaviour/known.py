"""The few networks, countries, programs or scripts an account uses, and on how many days each."""

from __future__ import annotations

from msgspec import Struct, field

_STILL_NEW = 20 * 3600.0  # an attacker's first day must not make his network usual
_FAMILIAR = 3.0  # days


class Use(Struct, array_like=True):
    """When something was first used, and the inflated weight of the days it was."""

    first: float
    days: float
    day: int


class Known(Struct, array_like=True):
    """At most `most` things, those used least (in inflated weight) give way."""

    most: int
    uses: dict[str, Use] = field(default_factory=dict)

    def novelty(self, key: str, at: float, weight: float) -> float:
        """How new a thing is: 1 for not seen before today, 0 for used on some days."""
        use = self.uses.get(key)
        if use is None or at - use.first < _STILL_NEW:
            return 1.0
        return max(0.0, 1.0 - use.days / weight / _FAMILIAR)

    def add(self, key: str, at: float, weight: float) -> None:
        """Learn a use; several on one day count once."""
        day = int(at // 86400)
        use = self.uses.get(key)
        if use is not None:
            if use.day != day:
                use.days += weight
                use.day = day
            return
        if len(self.uses) >= self.most:
            del self.uses[min(self.uses, key=lambda name: self.uses[name].days)]
        self.uses[key] = Use(at, weight, day)

    def trust(self, key: str, at: float, weight: float) -> None:
        """Make a thing as familiar as what is used on many days."""
        self.add(key, at, weight)
        use = self.uses[key]
        use.first = min(use.first, at - _STILL_NEW)
        use.days = max(use.days, 2 * _FAMILIAR * weight)
