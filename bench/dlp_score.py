"""Precision, recall and F1 of what a tool finds in labelled texts."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dlp_sets import Labelled


class Found(NamedTuple):
    """A value that a tool has found: its own name for the kind, character offsets, how sure it is (0..1)."""

    kind: str
    start: int
    end: int
    score: float


class Score(NamedTuple):
    """Right, wrong and missed values."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: object) -> Score:
        """The two together."""
        if not isinstance(other, Score):
            return NotImplemented
        return Score(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float | None:
        """The share of what was found that is right; None where nothing was found."""
        found = self.right + self.wrong
        return self.right / found if found else None

    @property
    def recall(self) -> float | None:
        """The share of what is there that was found; None where nothing is there."""
        there = self.right + self.missed
        return self.right / there if there else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None where nothing is there."""
        if not self.right + self.missed:
            return None
        return 2 * self.right / (2 * self.right + self.wrong + self.missed)


def scores(
    texts: Sequence[Labelled],
    found: Sequence[Sequence[Found]],
    kinds: Mapping[str, Collection[str]],
    least: float,
) -> dict[str, Score]:
    """By entity. `kinds` says which of the tool's names stand for an entity; others are not looked at."""
    totals: dict[str, Score] = defaultdict(Score)
    for text, values in zip(texts, found, strict=True):
        if text.entity in kinds:
            chosen = [v for v in values if v.kind in kinds[text.entity] and v.score >= least and v.score > 0]
            totals[text.entity] += _score(text, _apart(chosen))
    return dict(totals)


def _apart(values: Sequence[Found]) -> list[Found]:
    """Of values that overlap, the longest."""
    kept: list[Found] = []
    for value in sorted(values, key=lambda v: (v.start - v.end, v.start)):
        if all(value.end <= k.start or k.end <= value.start for k in kept):
            kept.append(value)
    return kept


def _score(text: Labelled, values: Sequence[Found]) -> Score:
    """By line, by place (half of the longer must overlap) or by number, as the set is labelled."""
    if text.by_line:
        return _by_line(text, values)
    if len(text.spans) != text.count:
        right = min(len(values), text.count)
        return Score(right, len(values) - right, text.count - right)
    hit = {i for i, span in enumerate(text.spans) for v in values if _same(span, (v.start, v.end))}
    right_values = sum(any(_same(span, (v.start, v.end)) for span in text.spans) for v in values)
    return Score(len(hit), len(values) - right_values, text.count - len(hit))


def right_or_wrong(text: Labelled, values: Sequence[Found]) -> list[tuple[Found, bool]]:
    """Each value, and whether it is one of those that the text is labelled with; by number where it has no places."""
    if text.by_line:
        right, lines = _by_line(text, values).right, {text.line(start) for start, _ in text.spans}
        return [(v, text.line(v.start) in lines if lines else n < right) for n, v in enumerate(values)]
    if len(text.spans) != text.count:
        return [(value, place < text.count) for place, value in enumerate(_apart(values))]
    return [(v, any(_same(span, (v.start, v.end)) for span in text.spans)) for v in _apart(values)]


def _by_line(text: Labelled, values: Sequence[Found]) -> Score:
    found = {text.line(value.start) for value in values}
    there = {text.line(start) for start, _ in text.spans}
    right = len(found & there) if there else min(len(found), text.count)
    return Score(right, len(found) - right, text.count - right)


def _same(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return 2 * (min(a[1], b[1]) - max(a[0], b[0])) >= max(a[1] - a[0], b[1] - b[0])
