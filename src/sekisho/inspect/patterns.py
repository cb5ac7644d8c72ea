"""The pattern engine: one multi-pattern pass over a message, then validator, then context.

hyperscan says which patterns occur at all; RE2 then finds where, in the few that do. Measured against asking
hyperscan for the start of each match (SOM): that mode refuses patterns with long bounded repeats ("Pattern is too
large"), and reports every end of an open one. Both engines are linear in the text.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from operator import itemgetter
from typing import TYPE_CHECKING

import re2
from msgspec import Struct, field

from sekisho.inspect.allowed import NOTHING, Allowed
from sekisho.inspect.context import Word, words_of
from sekisho.inspect.file_names import name_texts
from sekisho.inspect.located import Spotted, Values, values
from sekisho.inspect.matches import Looked, Matches, PatternRule, Tally
from sekisho.inspect.normalise import normaliser
from sekisho.inspect.prefilter import Compilations, Expression, Prefilter
from sekisho.inspect.queries import query_texts
from sekisho.inspect.quoted import PLACE as QUOTED
from sekisho.inspect.quoted import split_quotes
from sekisho.inspect.rules import Rule, Rules, compiled
from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.message import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sekisho.mail.transaction import Transaction

Place = tuple[str, str, str, str]  # rule id, part, where, file

MOST_PLACES = 500  # findings of one message, more or less; beyond, a rule has one for all further parts of a kind
_LARGE = 16_384  # octets of a text that is worth asking about by itself
INSPECT_SECONDS = 10.0  # the last resort against a text that makes every rule work hard; finding, not silence


class Patterns:
    """The inspector "patterns". Compiled once, then shared by all threads.

    `key` keys the hashes by which a value is recognised again without being kept, `allowed` are values by tenant that
    are nobody's business. Raises nothing for rules that
    `load_rules` has accepted.
    """

    name = "patterns"

    def __init__(
        self,
        rules: Rules,
        key: bytes,
        allowed: Mapping[str, Allowed] | None = None,
        kept: Compilations | None = None,
    ) -> None:
        self._key = key
        self._allowed = allowed or {}
        self._patterns = [p for rule in rules.with_patterns for p in _pattern_rules(rule)]
        self._normalisers = {p.steps: normaliser(p.steps) for p in self._patterns}
        self._signs = {steps: list(_signs(self._patterns, steps)) for steps in self._normalisers}
        self._prefilters = {
            steps: Prefilter([expression for _, _, expression in signs], kept) for steps, signs in self._signs.items()
        }

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """Findings in the texts and the links of a transaction, but for what its tenant allows."""
        texts = (*split_quotes(transaction), *name_texts(transaction), *query_texts(transaction))
        return self.search(texts, self._allowed.get(transaction.session.tenant, NOTHING))

    def locate(self, texts: Sequence[Text], ids: Collection[str], tenant: str) -> tuple[Values, ...]:
        """Every value that the rules of these ids find in each of these texts; the subject gives context to all.

        All of it has as much time as one `inspect`; what there was none for is not complete.
        """
        asked = {n for n, p in enumerate(self._patterns) if p.rule.id in ids and p.rule.maskable}
        if not asked:
            return (Values(),) * len(texts)
        allowed = self._allowed.get(tenant, NOTHING)
        deadline = time.monotonic() + INSPECT_SECONDS
        subject = next((text for text in texts if text.where == "subject"), None)
        found = []
        for text in texts:
            context = (subject,) if subject is not None and subject is not text else ()
            search = _Search((*context, text), allowed, deadline, Spotted, frozenset(asked), text)
            self._count(search)
            found.append(values(search.tallies.values(), complete=search.complete))
        return tuple(found)

    def search(self, texts: Sequence[Text], allowed: Allowed = NOTHING) -> tuple[Finding, ...]:
        """Findings in these texts, one for each rule, part and file; the subject gives context to all."""
        search = _Search(texts, allowed, time.monotonic() + INSPECT_SECONDS)
        self._count(search)
        found = tuple(self._findings(search.tallies))
        return found if search.complete else (*found, inspection_failed(self.name, "took too long"))

    def _count(self, search: _Search) -> None:
        """Count what is found, until time is up."""
        if time.monotonic() > search.deadline:
            search.complete = False
            return
        plain = [Looked(t, t.text, t.text.encode("utf-8", "replace")) for t in search.texts]
        steps = self._normalisers if search.asked is None else {self._patterns[n].steps for n in search.asked}
        variants = {one: [_changed(looked, self._normalisers[one]) for looked in plain] for one in steps}
        subject = next((t.text for t in search.texts if t.where == "subject"), "")
        for number, occurrence in sorted(self._occurring(variants).items(), key=itemgetter(0)):
            pattern = self._patterns[number]
            if search.asked is not None and number not in search.asked:
                continue
            for looked in variants[pattern.steps]:
                source = looked.source
                if source.where not in pattern.rule.where or (search.only is not None and source is not search.only):
                    continue
                if not (occurrence.words or _place_of(looked) in occurrence.places):
                    continue
                if time.monotonic() > search.deadline:
                    search.complete = False
                    return
                place = _place(search.tallies, pattern.rule, source)
                tally = search.tallies.get(place) or search.make_tally(pattern.rule, source, search.allowed)
                Matches(pattern, looked, subject, search.deadline, occurrence.words).count_into(tally)
                if tally.values or tally.gave_up:
                    search.tallies[place] = tally

    def _occurring(self, variants: dict[frozenset[str], list[Looked]]) -> dict[int, _Occurrence]:
        """The numbers of the patterns that may occur, each with where, or with the words of its context that may.

        One pass over each variant of all texts, with the paths, line ends between, for the patterns that want it;
        but for large texts, which have a pass of their own.
        """
        found: dict[int, _Occurrence] = {}
        for steps, texts in variants.items():
            parts = dict.fromkeys(looked.data for looked in texts if not _place_of(looked))
            parts |= dict.fromkeys(looked.source.path.encode("utf-8", "replace") for looked in texts)
            places = {_place_of(looked): looked.data for looked in texts} | {b"": b"\n".join(parts)}
            for place, data in places.items():
                for sign in self._prefilters[steps].occurring(data):
                    number, word, _ = self._signs[steps][sign]
                    occurrence = found.setdefault(number, _Occurrence())
                    occurrence.places.add(place)
                    if word and word not in occurrence.words:
                        occurrence.words.append(word)
        return found

    def _findings(self, tallies: dict[Place, Tally]) -> Iterable[Finding]:
        for tally in tallies.values():
            if tally.found:
                yield tally.finding(self._hash(tally.rule.id, tally.first_value))
            if tally.gave_up and tally.rule.worst > Severity.LOW:
                why = f"{tally.rule.id}: too many candidates, the rest was not looked at"
                yield inspection_failed(self.name, why, part=tally.source.part, where=tally.source.where)

    def _hash(self, rule_id: str, value: str) -> str:
        message = f"{rule_id}\0{value}".encode("utf-8", "replace")
        return hmac.digest(self._key, message, hashlib.sha256).hex()[:32]


class _Search(Struct, eq=False):
    """One search: what is looked for where, and what has been found so far.

    `asked` are the numbers of the patterns (None: all), `only` is the one text to look through (None: all).
    """

    texts: Sequence[Text]
    allowed: Allowed
    deadline: float
    make_tally: Callable[[Rule, Text, Allowed], Tally] = Tally
    asked: frozenset[int] | None = None
    only: Text | None = None
    tallies: dict[Place, Tally] = field(default_factory=dict)
    complete: bool = True


class _Occurrence(Struct, eq=False):
    """Where a pattern may occur: in all texts, for a word of its context does, or in these places."""

    words: list[Word] = field(default_factory=list)
    places: set[bytes] = field(default_factory=set)


def _place_of(looked: Looked) -> bytes:
    """A large text is a place of its own, all others are one: most patterns that occur do so in the mail itself."""
    return looked.data if len(looked.data) >= _LARGE else b""


def _signs(patterns: Sequence[PatternRule], steps: frozenset[str]) -> Iterator[tuple[int, Word | None, Expression]]:
    """What shows that a pattern of these steps may occur, with its number: itself, or a word that it needs.

    Numbers of nine digits are in many texts, the word that says what they are in few: words cost hyperscan less.
    """
    for number, pattern in enumerate(patterns):
        context = pattern.rule.context
        if pattern.steps != steps:
            continue
        if context is None or not pattern.rule.needs_context:
            yield number, None, Expression(pattern.text, pattern.caseless)
            continue
        for word in words_of(context):
            yield number, word, Expression(re.escape(word.text), caseless=not word.exact, literal=True)


def _place(tallies: dict[Place, Tally], rule: Rule, source: Text) -> Place:
    """Where a rule's matches in a text are counted. Where very many parts have some, the later ones share a place."""
    file = f"{source.path}/{QUOTED}" if source.place == QUOTED else source.path
    place = (rule.id, source.part, source.where, file)
    return (rule.id, "", source.where, "") if place not in tallies and len(tallies) >= MOST_PLACES else place


def _pattern_rules(rule: Rule) -> Iterable[PatternRule]:
    steps = frozenset(rule.normalise)
    before, after = rule.beside.before, rule.beside.after
    ends_before = compiled(rf"(?:{before})\z") if before else None
    for text in rule.all_patterns:
        yield PatternRule(
            rule=rule,
            text=text,
            caseless="case" in steps,
            regex=compiled(text, case="case" not in steps),
            steps=steps - {"case"},
            before=ends_before,
            after=compiled(after) if after else None,
            run=_run(ends_before),
        )


def _run(before: re2.Pattern | None) -> re.Pattern[bytes] | None:
    r"""A run of ASCII characters each of which, alone, is forbidden before a match (digits, for `[0-9-]`)."""
    forbidden = [c for c in map(chr, range(128)) if before is not None and before.search(c.encode())]
    return re.compile(b"[" + re.escape("".join(forbidden)).encode() + b"]+") if forbidden else None


def _changed(plain: Looked, change: Callable[[str], str]) -> Looked:
    text = change(plain.text)
    return plain if text is plain.text else Looked(plain.source, text, text.encode("utf-8", "replace"))
