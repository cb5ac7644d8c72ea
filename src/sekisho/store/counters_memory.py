"""Counters of one process, in memory: where those of all cannot be reached, and for tests."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from sekisho.mail.counting import Take, Taken
from sekisho.store.counting import done


class _MemoryRows:
    """See `store.counting.Rows`. What was not written for the longest time goes first."""

    def __init__(self, most_counters: int, most_groups: int) -> None:
        self.counters: OrderedDict[bytes, bytes] = OrderedDict()
        self.groups: OrderedDict[bytes, dict[bytes, int]] = OrderedDict()
        self._most_counters = most_counters
        self._most_groups = most_groups

    def states(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return {key: state for key in keys if (state := self.counters.get(key))}

    def save(self, rows: Iterable[tuple[bytes, int, bytes]]) -> None:
        for key, _until, state in rows:
            self.counters[key] = state
            self.counters.move_to_end(key)
        while len(self.counters) > self._most_counters:
            self.counters.popitem(last=False)

    def known(self, group: bytes, items: Sequence[bytes]) -> Mapping[bytes, int]:
        there = self.groups.get(group, {})
        return {item: there[item] for item in items if item in there}

    def remember(self, group: bytes, items: Sequence[bytes], new: int, until: int, most: int) -> None:  # noqa: ARG002 - counted here
        there = self.groups.setdefault(group, {})
        self.groups.move_to_end(group)
        for item in items:
            there.pop(item, None)
            there[item] = until
        for item in list(there)[: max(len(there) - most, 0)]:
            del there[item]
        while len(self.groups) > self._most_groups:
            self.groups.popitem(last=False)


class MemoryCounters:
    """See `mail.ports.Counters`. At most so many counters and groups, some 200 octets a counter."""

    def __init__(self, most_counters: int = 50_000, most_groups: int = 5_000) -> None:
        self._rows = _MemoryRows(most_counters, most_groups)

    async def take(self, take: Take, at: float) -> Taken:
        """Take, in memory."""
        return done(take, at, self._rows)

    async def look(self, take: Take, at: float) -> Taken:
        """What would come of it."""
        return done(take, at, self._rows, look=True)

    def trouble(self) -> str:
        """Never any."""
        return ""

    async def close(self) -> None:
        """Nothing to close."""
