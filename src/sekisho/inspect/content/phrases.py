"""A set of phrases looked for at once, in any case, in linear time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.inspect.rules import compiled

if TYPE_CHECKING:
    from collections.abc import Iterable


class Phrases:
    """`western` begin as words of their own, `others` stand anywhere; both in RE2's syntax. Shared by all threads."""

    def __init__(self, western: Iterable[str], others: Iterable[str] = ()) -> None:
        alternatives = [rf"\b(?:{'|'.join(western)})", *others]
        self._regex = compiled("|".join(alternatives), case=False)

    def occur(self, octets: bytes) -> bool:
        """Whether any stands in a text in UTF-8. About 20 µs for 10 KB."""
        return self._regex.search(octets) is not None
