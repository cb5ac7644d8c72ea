"""Where every value of a finding stands, not the first one only: what masking a message takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.matches import Tally
from sekisho.inspect.redact import hidden

if TYPE_CHECKING:
    from collections.abc import Collection

    from sekisho.inspect.allowed import Allowed
    from sekisho.inspect.rules import Rule
    from sekisho.mail.message import Text

# What these match is the beginning of what they are about: masking it would leave the rest.
BEGINNINGS = frozenset(("dlp/secret/private-key", "dlp/secret/password-table"))

_SEPARATORS = re.compile(r"[\s-]+")


class Values(Struct, frozen=True):
    """The values found in one text (spans of characters), and which characters are not to be shown."""

    spans: tuple[tuple[int, int], ...] = ()
    hidden: frozenset[int] = frozenset()


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


class Spotter:
    """Makes the tallies of one search; afterwards it tells what those of some rules found in one text."""

    def __init__(self, ids: Collection[str]) -> None:
        self._ids = ids
        self._made: list[Spotted] = []

    def tally(self, rule: Rule, source: Text, allowed: Allowed) -> Tally:
        """A tally for a rule: one that remembers places where the rule is asked for and its values can be masked."""
        if rule.id not in self._ids or rule.id in BEGINNINGS or rule.redact == "none":
            return Tally(rule, source, allowed)
        self._made.append(Spotted(rule, source, allowed))
        return self._made[-1]

    def values(self, text: Text) -> Values:
        """What was found in a text that the search was given."""
        found = [tally for tally in self._made if tally.source is text and tally.found]
        spans = sorted({span for tally in found for span in tally.spans})
        places = {
            start + place
            for tally in found
            for start, end in tally.spans
            for place in hidden(text.text[start:end], tally.rule.redact)
        }
        return Values(tuple(spans), frozenset(places))
