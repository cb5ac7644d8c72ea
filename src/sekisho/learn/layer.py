"""A tenant's layer: a small correction of the shipped model, learned from its reviewers' decisions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sekisho.learn.counted import Counted, count
from sekisho.learn.grams import BITS, Indices
from sekisho.learn.ground import allowed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sekisho.config.settings import LearningSettings
    from sekisho.learn.ground import Ground
    from sekisho.mail.decision import Decision

_ROUNDS: Final = 12
_SETTLED: Final = 1e-3
# Decisions resemble a message only in part: with less of a pull, least_decisions of a newsletter would change little.
_PULL: Final = 1.5
_SIGN: Final = {"fine": -1.0, "bad": 1.0}
# Log odds on the right side of even from which a decision asks for less and less.
_ASKED: Final = 2.0


class Layer:
    """What a tenant's decisions change. Immutable and shared by all threads; 1 MB where it is in effect.

    A logistic regression over the shipped model's features with the shipped model's odds as its offset, in its dual
    form (Yu, Huang, Lin, "Dual coordinate descent methods for logistic regression and maximum entropy models", 2011):
    each decision moves a message by at most `most_of_one` times the likeness (cosine) of the two,
    and all together by at most `most_shift`, in log odds.
    """

    def __init__(
        self, ground: Ground, decisions: Iterable[Decision], settings: LearningSettings, now: datetime
    ) -> None:
        self.counted: Counted = count(decisions, settings, now)
        self._ground = ground
        self._most = settings.most_shift
        learned = _Learned(ground, self.counted, most_of_one(settings))
        self.influence = learned.influence
        self._weights: NDArray[np.float16] | None = None
        if any(self.influence.values()):
            self._weights = (learned.weights * ground.specific).astype(np.float16)

    @property
    def in_effect(self) -> bool:
        """Whether it changes anything."""
        return self._weights is not None

    def shift(self, indices: Indices, logit: float) -> float:
        """What to add to the shipped model's log odds `logit` for a message of these features."""
        if self._weights is None:
            return 0.0
        learned = float(self._weights[indices].sum(dtype=np.float32))
        if not learned:
            return 0.0
        specific = self._ground.specific[indices]
        length = math.sqrt(float(specific @ specific))
        return allowed(logit, self._bounded(learned / length)) if length else 0.0

    def odds(self, decision: Decision) -> float:
        """The log odds of abuse for the message of a decision, by its stored features."""
        indices, _ = self._ground.direction(decision.features)
        return decision.logit + self.shift(indices, decision.logit)

    def _bounded(self, change: float) -> float:
        return min(max(change, -self._most), self._most)


def most_of_one(settings: LearningSettings) -> float:
    """The most that one decision moves a message by, in log odds; all together no more than `most_shift`."""
    return min(_PULL * settings.most_shift / settings.least_decisions, settings.most_shift)


class _Learned:
    """The weights in the making. `influence` is how much each decision pulls, by id: below 0 towards fine."""

    def __init__(self, ground: Ground, counted: Counted, most: float) -> None:
        self.weights = np.zeros(1 << BITS)
        self.influence: dict[str, float] = {}
        rows = [(row, *ground.direction(row.decision.features)) for row in counted.rows]
        for _ in range(_ROUNDS):
            moved = 0.0
            for row, indices, direction in rows:
                decision, sign = row.decision, _SIGN[row.decision.label]
                old = self.influence.get(decision.id, 0.0)
                others = float(self.weights[indices] @ direction) - old
                asked = _ASKED - sign * (decision.logit + others)
                new = sign * _pull(asked, most * row.weight) if len(indices) else 0.0
                self.weights[indices] += (new - old) * direction
                self.influence[decision.id] = new
                moved = max(moved, abs(new - old))
            if moved < _SETTLED:
                break


def _pull(asked: float, most: float) -> float:
    """The a in 0..most with a = most / (1 + exp(a - asked)): the more it has, the less a decision asks for."""
    low, high = 0.0, most
    for _ in range(20):
        middle = (low + high) / 2
        if middle * (1 + math.exp(min(middle - asked, 50.0))) < most:
            low = middle
        else:
            high = middle
    return low
