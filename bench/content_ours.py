"""Sekisho's own models for the content benchmark, trained for each fold by the code of `make train`."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from content_sets import Sample

if TYPE_CHECKING:
    from sekisho.learn.model import Features, Model


class Sekisho:
    """The features and models of sekisho.learn."""

    name = "sekisho"
    probabilities = True
    prior: float | None = 0.02  # docs/reference/content.md: what its probabilities are drawn for

    def __init__(self) -> None:
        self.model: Model | None = None
        self.used = 0.0
        self.known: dict[tuple[str, str], Features] = {}

    def available(self) -> str:
        """Say why it cannot run, "" when it can."""
        missing = [name for name in ("numpy", "scipy") if importlib.util.find_spec(name) is None]
        return f"needs {', '.join(missing)}: make dev" if missing else ""

    def fit(self, samples: Sequence[Sample]) -> None:
        """Train on these alone; features are kept, for they do not depend on what was learned."""
        import numpy as np  # noqa: PLC0415 - the other tools can do without
        from fit import Marked  # noqa: PLC0415
        from model import learn  # noqa: PLC0415

        from sekisho.learn.model import KINDS  # noqa: PLC0415

        kinds = [KINDS.index(sample.label) if sample.label in KINDS else -1 for sample in samples]
        found = [self._features(sample) for sample in samples]
        self.model = learn(Marked(found, [sample.source for sample in samples], np.array(kinds, np.int64)), samples)

    def _features(self, sample: Sample) -> Features:
        """As the gateway finds them; the samples have lost their source's traces already."""
        from read import features_of  # noqa: PLC0415 - the other tools can do without

        key = (sample.source, sample.group)
        if key not in self.known:
            self.known[key] = features_of(sample.raw)
        return self.known[key]

    def scores(self, samples: Sequence[Sample]) -> list[float]:
        """The probability that each message is abuse; parsing and reading it is part of the processor time."""
        if self.model is None:
            raise RuntimeError("it has learned nothing yet")
        from read import features_of  # noqa: PLC0415 - the other tools can do without

        features_of(samples[0].raw)  # lists are loaded once
        began = time.thread_time()
        scores = [self.model.score_features(features_of(sample.raw)).abuse for sample in samples]
        self.used += time.thread_time() - began
        return scores

    def cpu(self) -> float:
        """Processor seconds that scoring has used so far."""
        return self.used

    def stop(self) -> None:
        """Nothing was started."""
