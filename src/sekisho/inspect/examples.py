"""Runs the examples that rule files carry through the engine that runs them on mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.patterns import Patterns
from sekisho.inspect.samples import filled_in
from sekisho.mail.message import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.inspect.prefilter import Compilations
    from sekisho.inspect.rules import Example, Rule, Rules


class Failure(Struct, frozen=True):
    """An example that its rule does not keep: `example` is "positive[0]", `text` says what happened."""

    rule: str
    example: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.example}: {self.text}"


def test_rules(rules: Rules, kept: Compilations | None) -> list[Failure]:
    """Every example of every rule that is not disabled; a rule's own findings are what counts."""
    engine = Patterns(rules, b"examples", kept=kept)
    return [failure for rule in rules.with_patterns for failure in _failures(engine, rule)]


test_rules.__test__ = False  # type: ignore[attr-defined] # the name is the command's; pytest must not collect it


def _failures(engine: Patterns, rule: Rule) -> Iterator[Failure]:
    for i, example in enumerate(rule.positive):
        confidence = _confidence(engine, rule, example)
        if confidence is None:
            yield Failure(rule.id, f"positive[{i}]", "does not match")
        elif confidence < example.confidence:
            yield Failure(rule.id, f"positive[{i}]", f"reaches confidence {confidence:.2f} only")
    for i, example in enumerate(rule.negative):
        if _confidence(engine, rule, example) is not None:
            yield Failure(rule.id, f"negative[{i}]", "matches")


def _confidence(engine: Patterns, rule: Rule, example: Example) -> float | None:
    findings = engine.search([Text(filled_in(example.text), rule.example_place(example), "1")])
    return max((f.confidence for f in findings if f.rule == rule.id), default=None)
