"""How good a tenant's layer is: each decision judged by a layer that was learned from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from sekisho.learn.counted import same_person
from sekisho.learn.grams import BITS
from sekisho.learn.ground import PROBABLE
from sekisho.learn.layer import Layer
from sekisho.learn.model import log_odds
from sekisho.learn.sketch import grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sekisho.config.settings import LearningSettings
    from sekisho.learn.ground import Ground
    from sekisho.mail.decision import Decision

FOLDS: Final = 5


class Outcome(Struct, frozen=True):
    """Of `decisions`: `false_holds` are fine and held, `missed` bad and not held, `right` all others."""

    decisions: int
    right: int
    false_holds: int
    missed: int

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.right / self.decisions if self.decisions else 0.0


class Evaluation(Struct, frozen=True):
    """The shipped model alone, and with the layer; `changed` counts decisions whose outcome the layer changed."""

    before: Outcome
    after: Outcome
    changed: int


def evaluate(
    ground: Ground, decisions: Iterable[Decision], settings: LearningSettings, now: datetime, folds: int = FOLDS
) -> Evaluation:
    """Cross-validation. Texts that are nearly the same are never learned from and judged in one fold.

    What is judged are the decisions that may be learned from; a message counts as held from the probability PROBABLE.
    """
    usable = [d for d in decisions if d.bits == BITS and not same_person(d.reviewer, d.sender)]
    usable.sort(key=lambda decision: decision.id)
    texts = grouped([decision.sketch for decision in usable])
    numbers = {text: number % folds for number, text in enumerate(dict.fromkeys(texts))}
    fold_of = [numbers[text] for text in texts]
    before: list[bool] = []
    after: list[bool] = []
    judged: list[Decision] = []
    held = log_odds(PROBABLE)
    for fold in range(folds):
        layer = Layer(ground, [d for d, f in zip(usable, fold_of, strict=True) if f != fold], settings, now)
        for decision in (d for d, f in zip(usable, fold_of, strict=True) if f == fold):
            judged.append(decision)
            before.append(decision.logit >= held)
            after.append(layer.odds(decision) >= held)
    changed = sum(one != other for one, other in zip(before, after, strict=True))
    return Evaluation(_outcome(judged, before), _outcome(judged, after), changed)


def _outcome(decisions: Sequence[Decision], held: Sequence[bool]) -> Outcome:
    pairs = [(decision.label == "bad", is_held) for decision, is_held in zip(decisions, held, strict=True)]
    false_holds, missed = pairs.count((False, True)), pairs.count((True, False))
    return Outcome(len(pairs), len(pairs) - false_holds - missed, false_holds, missed)
