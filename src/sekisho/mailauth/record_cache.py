"""Answers of the DNS, remembered until their time is over."""

from __future__ import annotations

from collections import OrderedDict

from msgspec.structs import replace

from sekisho.mail.dns import Records, RecordType

_MOST_SECONDS = 86_400.0
_OVERHEAD = 300  # octets of an entry beside its values


class RecordCache:
    """At most `entries` answers and about `most_octets` of them; what was not used for longest goes first."""

    def __init__(self, entries: int, most_octets: int) -> None:
        self._entries = entries
        self._most_octets = most_octets
        self._octets = 0
        self._kept: OrderedDict[tuple[str, RecordType], tuple[float, int, Records]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: tuple[str, RecordType], now: float) -> Records | None:
        """The answer with the seconds that are left to it, None where there is none any more."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        until, _, answer = kept
        if now >= until:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return replace(answer, ttl=until - now)

    def put(self, key: tuple[str, RecordType], answer: Records, now: float) -> None:
        """Remember an answer for its time to live, which 0 says not to."""
        if answer.ttl <= 0:
            return
        self._drop(key)
        octets = _OVERHEAD + sum(len(one) if isinstance(one, str | bytes) else 100 for one in answer.values)
        self._kept[key] = (now + min(answer.ttl, _MOST_SECONDS), octets, answer)
        self._octets += octets
        while len(self._kept) > self._entries or self._octets > self._most_octets:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, RecordType]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._octets -= kept[1]
