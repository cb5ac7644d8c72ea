"""Where every value of a finding stands, not the first one only: what masking a message takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.matches import Tally
from sekisho.inspect.redact import hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sekisho.inspect.allowed import Allowed
    from sekisho.inspect.rules import Rule
    from sekisho.mail.message import Text

_SEPARATORS = re.compile(r"[\s-]+")


class Values(Struct, frozen=True):
    """The values found in one text (spans of characters), and which characters are not to be shown.

    `ids` are the rules that found them; not `complete` where the search stopped before the end of the text.
    """

    spans: tuple[tuple[int, int], ...] = ()
    hidden: frozenset[int] = frozenset()
    ids: frozenset[str] = frozenset()
    complete: bool = True


class Spotted(Tally):
    """A tally that keeps where each value stands, those that were counted before included."""

    def __init__(self, rule: Rule, source: Text, allowed: Allowed) -> None:
        super().__init__(rule, source, allowed)
        self.spans: list[tuple[int, int]] = []

    def add(self, value: str, span: tuple[int, int]) -> None:
        """Count one match and keep its place, unless its value is allowed."""
        super().add(value, span)
        if _SEPARATORS.sub("", value) in self.values:
            self.spans.append(span)

    def hidden(self) -> Iterator[int]:
        """The characters of its values that are not to be shown: none of phrases that are no secret."""
        if self.rule.redact != "none":
            for start, end in self.spans:
                yield from (start + place for place in hidden(self.source.text[start:end], self.rule.redact))


def values(spotted: Iterable[Tally], *, complete: bool) -> Values:
    """What the tallies of one text tell together."""
    all_ = [tally for tally in spotted if isinstance(tally, Spotted)]
    found = [tally for tally in all_ if tally.found]
    return Values(
        tuple(sorted({span for tally in found for span in tally.spans})),
        frozenset(place for tally in found for place in tally.hidden()),
        frozenset(tally.rule.id for tally in found),
        complete and not any(tally.gave_up or tally.full for tally in all_),
    )
