"""Rule files: detection as data, read whole, with every error at once."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

import re2
from msgspec import Struct, field

from sekisho.config.toml import Locations, Problem, decode, read_toml
from sekisho.inspect.normalise import Step
from sekisho.inspect.redact import Redaction
from sekisho.inspect.samples import filled_in
from sekisho.inspect.validators import VALIDATORS
from sekisho.mail.finding import Severity, Where

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SeverityWord = Literal["low", "medium", "high", "critical"]

FAMILIES = (
    "malware", "attachment", "link", "spam", "phishing", "bec", "dlp", "misdirected", "auth", "account", "flood",
    "message", "inspection.failed",
)  # fmt: skip

_ID = re.compile(r"[a-z.]+(?:/[a-z0-9]+(?:-[a-z0-9]+)*)+")
_TEXT_PLACES: tuple[Where, ...] = ("subject", "header", "body", "attachment", "filename", "link")


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """The same sentence in English and Japanese."""

    en: str
    ja: str


class Context(Struct, frozen=True, forbid_unknown_fields=True):
    """Words that make a match more likely when they stand within `window` characters of it, in any case.

    `acronyms` count as whole words and in this very case only (`SIN`, `NIE`).
    `headings`: they also count in the subject, in the file's name and in the first line of an attachment.
    """

    words: tuple[str, ...] = ()
    acronyms: tuple[str, ...] = ()
    window: int = 60
    headings: bool = False


class Confidence(Struct, frozen=True, forbid_unknown_fields=True):
    """How sure a match is, 0..1: by itself, with its context, and as one of many that pass the validator.

    `alone` 0 drops matches without context. `in_bulk` is for five or more values where nine candidates of ten pass.
    """

    alone: float
    in_context: float | None = None
    in_bulk: float | None = None


class NotBeside(Struct, frozen=True, forbid_unknown_fields=True):
    """Patterns for what may not stand right before or right after a match; up to 8 characters are looked at."""

    before: str = ""
    after: str = ""


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """A text that the rule must or must not match.

    `text` may hold sample makers in double braces (`{{github-token}}`, see `samples`). `where` is the place of the
    text: where it is not given the body, or the rule's first place if it does not look there. `confidence` is the
    least that a positive must reach.
    """

    text: str
    where: Where | None = None
    confidence: float = 0.0


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule file. Without a pattern it is a head that documents an id found by code.

    Fewer different values than `least` in one place are no finding: one address is a signature, fifty are a list.
    Not `maskable`: what the patterns match is only the beginning of what must not leave (a key's first line).
    """

    id: str
    title: Words
    severity: SeverityWord
    why: Words
    pattern: str = ""
    patterns: tuple[str, ...] = ()
    not_beside: str | NotBeside = ""
    normalise: tuple[Step, ...] = ()
    validator: str = ""
    context: Context | None = None
    confidence: Confidence | float = 1.0
    by_count: dict[int, SeverityWord] = field(default_factory=dict)
    least: int = 1
    where: tuple[Where, ...] = _TEXT_PLACES
    redact: Redaction = "middle"
    maskable: bool = True
    references: tuple[str, ...] = ()
    positive: tuple[Example, ...] = ()
    negative: tuple[Example, ...] = ()

    @property
    def all_patterns(self) -> tuple[str, ...]:
        """`pattern` and `patterns` together; empty for a head."""
        return (self.pattern, *self.patterns) if self.pattern else self.patterns

    @property
    def beside(self) -> NotBeside:
        """`not_beside` with its two sides apart."""
        sides = self.not_beside
        return sides if isinstance(sides, NotBeside) else NotBeside(sides, sides)

    @property
    def sureness(self) -> Confidence:
        """`confidence` in its long form."""
        return self.confidence if isinstance(self.confidence, Confidence) else Confidence(float(self.confidence))

    @property
    def needs_context(self) -> bool:
        """Whether a match is worth nothing without one of the context's words."""
        return self.context is not None and self.sureness.alone == 0 and self.sureness.in_bulk is None

    @property
    def worst(self) -> Severity:
        """The severity of very many values."""
        return self.severity_for(max([1, *self.by_count]))

    def severity_for(self, count: int) -> Severity:
        """The severity for so many distinct values."""
        reached = [Severity.of(word) for least, word in self.by_count.items() if count >= least]
        return max([Severity.of(self.severity), *reached])

    def example_place(self, example: Example) -> Where:
        """Where an example's text stands."""
        if example.where:
            return example.where
        return "body" if "body" in self.where else self.where[0]


class Rules(Struct, frozen=True):
    """All rules by id, in the order of their ids; those in `disabled` are documented but never run."""

    by_id: dict[str, Rule]
    disabled: frozenset[str] = frozenset()

    @property
    def with_patterns(self) -> tuple[Rule, ...]:
        """The rules that the pattern engine runs."""
        return tuple(r for r in self.by_id.values() if r.all_patterns and r.id not in self.disabled)


def load_rules(paths: Sequence[Path], disabled: Sequence[str] = ()) -> tuple[Rules | None, list[Problem]]:
    """Read rule files, and every `*.toml` below directories. `disabled` are ids or globs over ids (`dlp/us/*`).

    Returns None for the rules where there was any problem. Never raises.
    """
    problems: list[Problem] = []
    by_id: dict[str, Rule] = {}
    first_file: dict[str, str] = {}
    for path in _files(paths, problems):
        rule = _load(path, problems)
        if rule is None:
            continue
        if rule.id in by_id:
            problems.append(Problem(str(path), 1, "id", f'"{rule.id}" is also in {first_file[rule.id]}'))
        by_id[rule.id] = rule
        first_file[rule.id] = str(path)
    off = _disabled(disabled, by_id, problems)
    ordered = {id_: by_id[id_] for id_ in sorted(by_id)}
    return (None if problems else Rules(ordered, off)), problems


def compiled(pattern: str, *, case: bool = True) -> re2.Pattern:
    """A pattern in RE2's syntax over UTF-8, `^` and `$` at line ends. Raises re2.error."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = case
    return re2.compile(f"(?m){pattern}", options)


def _files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*.toml") if p.is_file())
        elif path.is_file():
            yield path
        else:
            problems.append(Problem(str(path), 0, "", "no such file or directory"))


def _load(path: Path, problems: list[Problem]) -> Rule | None:
    data, locations, found = read_toml(path)
    rule = None if data is None else decode(data, Rule, locations, found)
    if rule is not None:
        found += _semantic_problems(rule, locations)
    problems += found
    return rule


def _disabled(globs: Sequence[str], by_id: dict[str, Rule], problems: list[Problem]) -> frozenset[str]:
    off: set[str] = set()
    for glob in globs:
        named = {id_ for id_ in by_id if fnmatchcase(id_, glob)}
        if not named and not problems:
            problems.append(Problem("", 0, "inspect.disabled_rules", f'no rule is called "{glob}"'))
        off |= named
    return frozenset(off)


def _semantic_problems(rule: Rule, at: Locations) -> list[Problem]:
    """What the types cannot say."""
    problems = [*_id_problems(rule, at), *_confidence_problems(rule, at)]
    if rule.validator and rule.validator not in VALIDATORS:
        known = ", ".join(sorted(VALIDATORS))
        problems.append(at.problem("validator", f'unknown validator "{rule.validator}" (there are: {known})'))
    if rule.all_patterns:
        problems += [*_pattern_problems(rule, at), *_example_problems(rule, at)]
    else:
        problems += [
            at.problem(key, "makes no sense without a pattern")
            for key in ("not_beside", "validator", "context", "positive", "negative")
            if getattr(rule, key)
        ]
    return problems


def _id_problems(rule: Rule, at: Locations) -> Iterator[Problem]:
    if not _ID.fullmatch(rule.id):
        yield at.problem("id", "expected family/name in lower-case letters, digits and single hyphens")
    elif rule.id.partition("/")[0] not in FAMILIES:
        yield at.problem("id", f"unknown family (there are: {', '.join(FAMILIES)})")
    if rule.all_patterns and not rule.where:
        yield at.problem("where", "names no place to look in")


def _confidence_problems(rule: Rule, at: Locations) -> Iterator[Problem]:
    sure = rule.sureness
    values = [v for v in (sure.alone, sure.in_context, sure.in_bulk) if v is not None]
    if not all(0.0 <= v <= 1.0 for v in values):
        yield at.problem("confidence", "must be between 0 and 1")
    if sure.in_context is not None and rule.context is None:
        yield at.problem("confidence.in_context", "there is no context")
    if rule.context is not None and sure.in_context is None:
        yield at.problem("context", "confidence.in_context is missing")
    if rule.context is not None and not 0 < rule.context.window <= 1000:
        yield at.problem("context.window", "must be between 1 and 1000 characters")
    if sure.in_bulk is not None and not rule.validator:
        yield at.problem("confidence.in_bulk", "there is no validator")


def _pattern_problems(rule: Rule, at: Locations) -> Iterator[Problem]:
    sides: tuple[tuple[str, Any], ...] = (("before", rule.beside.before), ("after", rule.beside.after))
    beside = [(f"not_beside.{side}", text) for side, text in sides if text]
    single = [("pattern", rule.pattern)] if rule.pattern else []
    for key, text in [*single, *((f"patterns[{i}]", p) for i, p in enumerate(rule.patterns)), *beside]:
        try:
            pattern = compiled(text)
        except re2.error as error:
            reason = error.args[0] if error.args else ""
            reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            yield at.problem(key, f"does not compile: {reason}")
            continue
        if not key.startswith("not_beside") and pattern.search(b"") is not None:
            yield at.problem(key, "matches the empty text")


def _example_problems(rule: Rule, at: Locations) -> Iterator[Problem]:
    for key, examples in (("positive", rule.positive), ("negative", rule.negative)):
        if not examples:
            yield at.problem(key, f"a rule with a pattern needs a [[{key}]] example")
        for i, example in enumerate(examples):
            if example.where and example.where not in rule.where:
                yield at.problem(f"{key}[{i}].where", f'the rule does not look in "{example.where}"')
            try:
                filled_in(example.text)
            except KeyError as error:
                yield at.problem(f"{key}[{i}].text", f"unknown sample maker {error}")
