"""Results of scans, by content. Failures are never kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from sekisho.inspect.antivirus.engine import Answer


class Results:
    """At most `entries` results, the least recently used going first, each for `seconds` after its scan.

    A result counts only for the version of engine and signatures that gave it. `clock` counts seconds.
    """

    def __init__(self, entries: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = entries if seconds > 0 else 0
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[str, float, Answer]] = OrderedDict()

    def get(self, sha256: bytes, version: str) -> Answer | None:
        """The result for this content, if it is still good."""
        kept = self._kept.get(sha256)
        if kept is None:
            return None
        of_version, until, answer = kept
        if of_version != version or self._clock() >= until:
            del self._kept[sha256]
            return None
        self._kept.move_to_end(sha256)
        return answer

    def put(self, sha256: bytes, version: str, answer: Answer) -> None:
        """Keep a result."""
        self._kept[sha256] = (version, self._clock() + self._seconds, answer)
        self._kept.move_to_end(sha256)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
