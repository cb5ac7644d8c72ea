"""Who is known to be beyond a limit for the next seconds, so that a flood does not cost its data."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from sekisho.accounts.limits.amounts import Sender, is_internal
from sekisho.config.account_settings import LimitSide

_SECONDS = 5.0
_MOST = 10_000
_SCOPES = ("account", "domain", "listener", "tenant")
_SIDES: tuple[LimitSide, ...] = ("external", "internal")


class Beyond:
    """For a few seconds each, those of whom nothing at all would be let through. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: OrderedDict[tuple[str, str, str, str], tuple[float, frozenset[str]]] = OrderedDict()

    def note(self, sender: Sender, per: str, side: LimitSide, seconds: float, domains: frozenset[str]) -> None:
        """Somebody is beyond a limit for so long; `domains` are the tenant's own."""
        key = (sender.tenant, per, sender.name(per), side)
        self._until[key] = (self._clock() + min(seconds, _SECONDS), domains)
        self._until.move_to_end(key)
        while len(self._until) > _MOST:
            self._until.popitem(last=False)

    def refuses(self, sender: Sender, recipient: str | None = None) -> bool:
        """Whether nothing of a sender goes, at MAIL (no recipient), or nothing to a recipient. A few microseconds."""
        if not self._until:
            return False
        if recipient is None:
            return self._any(sender, ("any",)) is not None
        for side in _SIDES:
            domains = self._any(sender, (side,))
            if domains is not None and is_internal(recipient, domains) == (side == "internal"):
                return True
        return self._any(sender, ("any",)) is not None

    def _any(self, sender: Sender, sides: Iterable[str]) -> frozenset[str] | None:
        now = self._clock()
        for per in _SCOPES:
            for side in sides:
                until, domains = self._until.get((sender.tenant, per, sender.name(per), side), (0.0, frozenset()))
                if until > now:
                    return domains
        return None
