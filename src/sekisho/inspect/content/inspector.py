"""The inspector "content": what a mail says, judged by the content models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sekisho.inspect.content.explain import Language, explained
from sekisho.learn.model import KINDS
from sekisho.mail.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sekisho.inspect.content.reading import Reader
    from sekisho.learn.grams import Indices
    from sekisho.learn.model import Model, Scores
    from sekisho.mail.transaction import Transaction

LEAST = 0.2  # probability from which a finding is worth the space
_PROBABLE = 0.75
_POSSIBLE = 0.5
_FEWEST = 20  # features; a mail that says less cannot be judged


class Shifts(Protocol):
    """What tenants have taught: a change of the model's logit for the features of a mail."""

    def shift_for(self, tenant: str) -> Callable[[Indices, float], float]:
        """What tells how much to add to a mail's logit, by its features and that logit."""


class Content:
    """Finds `spam/content`, `phishing/content` and `bec/content`.

    A finding's confidence is the probability that the mail is of that kind rather than ordinary. `languages` are
    those of the tenants' explanations, by tenant. Shared by all threads.
    """

    name = "content"

    def __init__(
        self,
        model: Model,
        reader: Reader,
        shifts: Shifts | None = None,
        languages: Mapping[str, Language] | None = None,
    ) -> None:
        self._model = model
        self._reader = reader
        self._shifts = shifts
        self._languages = languages or {}

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """At most one finding of each kind, the likeliest first."""
        tenant = transaction.session.tenant
        reading = self._reader.read(transaction)
        features = reading.features()
        if len(features.grams) < _FEWEST:
            return ()
        scores = self._model.score_features(features)
        if self._shifts is not None and (shift := self._shifts.shift_for(tenant)(features.indices, scores.logit)):
            scores = self._model.score_features(features, shift)
        if scores.abuse < LEAST:
            return ()
        language = self._languages.get(tenant, "both")
        return tuple(
            self._finding(kind, confidence, explained(self._model, reading, kind, language))
            for kind, confidence in kinds(scores)
        )

    @staticmethod
    def _finding(kind: str, confidence: float, why: str) -> Finding:
        return Finding(f"{kind}/content", _severity(confidence), round(confidence, 4), explanation=why)


def kinds(scores: Scores) -> list[tuple[str, float]]:
    """The kinds to name with their probabilities, the likeliest first."""
    likely = [(share, kind) for share, kind in zip(scores.kinds, KINDS, strict=True) if share >= LEAST]
    return [(kind, share) for share, kind in sorted(likely, reverse=True)]


def _severity(confidence: float) -> Severity:
    return Severity.HIGH if confidence >= _PROBABLE else Severity.MEDIUM if confidence >= _POSSIBLE else Severity.LOW
