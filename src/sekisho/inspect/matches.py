"""From a pattern that occurs to a counted, judged and redacted finding."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import re2
from msgspec import Struct

from sekisho.inspect.allowed import NOTHING, Allowed
from sekisho.inspect.context import Word, lowered, spans_around, word_in, words_of
from sekisho.inspect.quoted import PLACE as QUOTED
from sekisho.inspect.quoted import SHARE as QUOTED_SHARE
from sekisho.inspect.redact import redacted
from sekisho.inspect.rules import Rule
from sekisho.inspect.validators import VALIDATORS
from sekisho.mail.finding import Finding
from sekisho.mail.message import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sekisho.inspect.rules import Context

MOST_VALUES = 1000  # distinct values of a rule in one place; nothing depends on knowing more
MOST_CANDIDATES = 100_000  # matches of a pattern that are looked at in one text; about 4 us each
MOST_CONTEXTS = 500  # places of context words that are looked around; with more, all of the text is looked at
PATIENCE = 2000  # candidates after which it matters whether more pass than by chance
CHANCE_SHARE = 0.02
BULK_VALUES = 5
BULK_SHARE = 0.9

_SEPARATORS = re.compile(r"[\s-]+")
_BESIDE_BYTES = 8 * 4
_LONGEST_VALUE = 128  # characters; longer ones are found where the context stands before them


class PatternRule(Struct, frozen=True, eq=False):
    """One pattern of a rule, ready to run: `steps` is its normalisation, `before` and `after` its not_beside.

    `run` matches a run of single characters that `before` forbids: no match begins inside or right after it.
    """

    rule: Rule
    text: str
    caseless: bool
    regex: re2.Pattern
    steps: frozenset[str]
    before: re2.Pattern | None
    after: re2.Pattern | None
    run: re.Pattern[bytes] | None


class Looked(Struct, eq=False):
    """A text in one normalisation: `data` is `text` in UTF-8, lone surrogates as question marks."""

    source: Text
    text: str
    data: bytes
    in_lower_case: str | None = None

    @property
    def lower(self) -> str:
        """The text in lower case, as long as before; made when first asked for."""
        if self.in_lower_case is None:
            self.in_lower_case = lowered(self.text)
        return self.in_lower_case


class Tally:
    """What a rule has found so far in one place: distinct values and the best sureness of any of them."""

    def __init__(self, rule: Rule, source: Text, allowed: Allowed = NOTHING) -> None:
        self.rule = rule
        self.source = source
        self.allowed = allowed
        self.values: set[str] = set()
        self.first_value = ""
        self.excerpt = ""
        self.span: tuple[int, int] | None = None
        self.near = ""
        self.tried = 0
        self.passed = 0
        self.gave_up = False

    @property
    def full(self) -> bool:
        """Whether enough has been counted."""
        return len(self.values) >= MOST_VALUES

    @property
    def found(self) -> bool:
        """Whether there is anything to report."""
        return len(self.values) >= max(self.rule.least, 1) and self.confidence > 0

    @property
    def by_chance(self) -> bool:
        """Whether so few candidates pass the validator, none of them in context, that it says nothing."""
        return bool(self.rule.validator) and not self.near and self.passed < CHANCE_SHARE * self.tried

    @property
    def confidence(self) -> float:
        """0..1. Without context, a rule with a validator is trusted by the share of candidates that pass it.

        What a mail quotes of its recipient's own words counts half.
        """
        return self._sureness * (QUOTED_SHARE if self.source.place == QUOTED else 1.0)

    @property
    def _sureness(self) -> float:
        sure = self.rule.sureness
        if self.near and sure.in_context is not None:
            return sure.in_context
        if self._in_bulk and sure.in_bulk is not None:
            return sure.in_bulk
        share = self.passed / self.tried if self.rule.validator and self.tried >= BULK_VALUES else 1.0
        return sure.alone * share

    @property
    def _in_bulk(self) -> bool:
        return len(self.values) >= BULK_VALUES and self.passed >= BULK_SHARE * self.tried

    def add(self, value: str, span: tuple[int, int]) -> None:
        """Count one match. `value` is normalised; the same value with other separators is not counted again."""
        plain = _SEPARATORS.sub("", value)
        if self.allowed.has(plain):
            return
        if not self.values:
            self.first_value, self.span = plain, span
            self.excerpt = redacted(value, self.rule.redact, self.rule.all_patterns)
        self.values.add(plain)

    def finding(self, keyed_hash: str) -> Finding:
        """All matches of the rule in this place as one finding; span, excerpt and hash are the first one's."""
        return Finding(
            rule=self.rule.id,
            severity=self.rule.severity_for(len(self.values)),
            confidence=self.confidence,
            count=len(self.values),
            part=self.source.part,
            where=self.source.where,
            span=self.span,
            path="/".join(filter(None, (self.source.path, self.source.place))),
            excerpt=self.excerpt,
            keyed_hash=keyed_hash,
            explanation=self._explanation(),
        )

    def _explanation(self) -> str:
        said = [f'near "{self.near}"'] if self.near else []
        if self.rule.validator:
            said.append(f"{self.passed} of {self.tried} candidates pass {self.rule.validator}")
        if self.full:
            said.append(f"counting stopped at {MOST_VALUES}")
        return "; ".join(said)


class Matches:
    """The matches of one pattern in one text; `words` are those of its context that may stand in it, else all."""

    def __init__(
        self,
        pattern: PatternRule,
        looked: Looked,
        subject: str,
        deadline: float,
        words: Sequence[Word] = (),
    ) -> None:
        self.pattern = pattern
        self.looked = looked
        self.subject = subject
        self.deadline = deadline
        self.words = words or (words_of(pattern.rule.context) if pattern.rule.context else ())
        self.validate = VALIDATORS.get(pattern.rule.validator)
        self.offsets = _CharacterOffsets(looked)
        self.stopped = 0  # the byte where the search lost patience

    def count_into(self, tally: Tally) -> None:
        """Find, validate and count; stops where the tally is full or there are too many candidates.

        A rule that wants context first looks around the words of its context; only with a match there does it look
        at all of the text. Where nearly all candidates fail, what is far from the context is not looked at.
        """
        rule = self.pattern.rule
        if tally.full or (rule.needs_context and not (self._occurs() and self._in_context(tally, 0))):
            return
        self._count(tally, 0, patient=False)
        if self.stopped and rule.context is not None and self._in_context(tally, self.stopped):
            self._count(tally, self.stopped, patient=True)

    def _occurs(self) -> bool:
        return self.pattern.regex.search(self.looked.data) is not None

    def _count(self, tally: Tally, at: int, *, patient: bool) -> None:
        context = self.pattern.rule.context
        for start, end in self._values(tally, at, patient=patient):
            first, last = self.offsets.at(start), self.offsets.at(end)
            tally.add(self.looked.text[first:last], (first, last))
            if context is not None and not tally.near:
                tally.near = self._near(context, first, last)
            if tally.full:
                return

    def _values(self, tally: Tally, at: int, *, patient: bool) -> Iterator[tuple[int, int]]:
        """Byte spans of the matches that stand free and pass the validator; `stopped` says where patience ended.

        Matches do not overlap, but after one that fails the search goes on at the next place where one may begin, so
        that a number right behind a look-alike is still found.
        """
        data, regex = self.looked.data, self.pattern.regex
        group = 1 if regex.groups else 0
        budget = 4 * len(data) + 1_000_000
        for tried in range(MOST_CANDIDATES):
            match = regex.search(data, at)
            if match is None:
                return
            start, end = match.span()
            value = match.span(group) if group and match.start(group) >= 0 else (start, end)
            if self._stands_free(start, end) and self._passes(value, tally):
                yield value
                at = max(end, start + 1)
                continue
            at = self._next_start(start)
            budget -= end - start
            if budget < 0 or (tried % 256 == 255 and time.monotonic() > self.deadline):
                break
            if not patient and tried >= PATIENCE and tally.by_chance:
                self.stopped = at
                return
        tally.gave_up = True

    def _next_start(self, start: int) -> int:
        """The next byte after a failed match where another may begin; jumps over long digit runs at once."""
        run = self.pattern.run.match(self.looked.data, start) if self.pattern.run is not None else None
        return run.end() + 1 if run else start + 1

    def _stands_free(self, start: int, end: int) -> bool:
        data, before, after = self.looked.data, self.pattern.before, self.pattern.after
        if before is not None and before.search(data[max(0, start - _BESIDE_BYTES) : start]):
            return False
        return after is None or not after.match(data, end, end + _BESIDE_BYTES)

    def _passes(self, value: tuple[int, int], tally: Tally) -> bool:
        tally.tried += 1
        if self.validate is not None and not self.validate(
            self.looked.data[value[0] : value[1]].decode("utf-8", "replace")
        ):
            return False
        tally.passed += 1
        return True

    def _in_context(self, tally: Tally, at: int) -> bool:
        """Whether there may be a match in context from byte `at` on: in headings, or around the context's words."""
        context = self.pattern.rule.context
        if tally.near or context is None or self._headed(context):
            return True
        text = self.looked.text[self.offsets.at(at) :] if at else self.looked.text
        lower = lowered(text) if at else self.looked.lower
        spans = spans_around(self.words, text, lower, context.window + _LONGEST_VALUE, MOST_CONTEXTS)
        return spans is None or any(self._found_near(context, text[first:last]) for first, last in spans)

    def _found_near(self, context: Context, text: str) -> bool:
        around = Looked(self.looked.source, text, text.encode("utf-8", "replace"))
        matches = Matches(self.pattern, around, "", self.deadline)
        trial = Tally(self.pattern.rule, around.source)
        found = any(
            matches.near_by(context, matches.offsets.at(start), matches.offsets.at(end))
            for start, end in matches._values(trial, 0, patient=True)
        )
        return found or trial.gave_up

    def _near(self, context: Context, first: int, last: int) -> str:
        """The first context word near these characters, or in a heading; "" for none."""
        return self.near_by(context, first, last) or self._headed(context)

    def near_by(self, context: Context, first: int, last: int) -> str:
        """The first context word near these characters; "" for none."""
        text, window = self.looked.text, context.window
        return word_in(context, f"{text[max(0, first - window) : first]}\n{text[last : last + window]}")

    def _headed(self, context: Context) -> str:
        if not context.headings:
            return ""
        first_line = self.looked.text[:1000].partition("\n")[0] if self.looked.source.where == "attachment" else ""
        return word_in(context, f"{self.subject}\n{self.looked.source.path}\n{first_line}")


class _CharacterOffsets:
    """From byte to character offsets, in one walk over the text: ask with growing offsets."""

    def __init__(self, looked: Looked) -> None:
        self.data = looked.data
        self.ascii = len(looked.data) == len(looked.text)
        self.byte = 0
        self.character = 0

    def at(self, byte: int) -> int:
        if self.ascii:
            return byte
        if byte < self.byte:  # a value that ends before the match that held it
            self.byte = self.character = 0
        self.character += len(self.data[self.byte : byte].decode("utf-8", "ignore"))
        self.byte = byte
        return self.character
