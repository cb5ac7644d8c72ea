"""Trains the content model: `make train` writes models/content.model and its data card models/content.md."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice

import numpy as np
from calibrate import curves
from corpora import PROJECT, SHARED, Sample, samples
from data_card import data_card
from fit import Marked, fit
from msgspec.structs import replace
from numpy.typing import NDArray
from read import features

from sekisho.learn.model import KINDS, Model, to_bytes

MOST = 6_000  # messages of one source and label
PARTS = 5  # of the cross-validation that the calibration is made from
FOLDER = PROJECT / "models"
# Japanese ham that may not be learned from; thresholds may be set by it.
NO_MAIL = ("ja_ham_livedoor_news", "ja_ham_business_dialogue")
MOST_NO_MAIL = 600


def fit_and_score(training: Sequence[Sample], held_out: Sequence[Sample]) -> list[float]:
    """The probability of abuse of each held-out message, by a model that learned from `training` alone."""
    model = learn(mark(training), training)
    return [model.score_features(features(sample)).abuse for sample in held_out]


def learn(marked: Marked, training: Sequence[Sample]) -> Model:
    """A model of `training`, whose features are `marked`; calibrated on a fifth that its weights never saw."""
    part = _parts(training)
    learned = fit(marked.chosen(np.flatnonzero(part != 0)))
    unseen = marked.chosen(np.flatnonzero(part == 0))
    return Model(replace(learned, curves=curves(unseen, sums(Model(learned), unseen))))


def mark(found: Iterable[Sample]) -> Marked:
    """Features of samples with what they are."""
    listed = list(found)
    kinds = np.array([KINDS.index(one.label) if one.label in KINDS else -1 for one in listed], np.int64)
    return Marked([features(one) for one in listed], [one.source for one in listed], kinds)


def sums(model: Model, marked: Marked) -> NDArray[np.float64]:
    """The model's sums before calibration, a row for each message."""
    return np.array([model.sums(one) for one in marked.features])


def chosen(found: Iterable[Sample]) -> Iterator[Sample]:
    """What a shipped model learns from: one of each group of near-duplicates, at most MOST of a source and label."""
    groups: set[str] = set()
    counts: Counter[tuple[str, str]] = Counter()
    for sample in found:
        key = (sample.source, sample.label)
        if not sample.ship_safe or sample.group in groups or counts[key] >= MOST:
            continue
        groups.add(sample.group)
        counts[key] += 1
        yield sample


def _parts(found: Sequence[Sample]) -> NDArray[np.int64]:
    """A number below PARTS for each sample; near-duplicates have the same."""
    digests = (blake2b(sample.group.encode(), digest_size=4).digest() for sample in found)
    return np.array([int.from_bytes(digest, "big") % PARTS for digest in digests], np.int64)


def cross_validated(marked: Marked, part: NDArray[np.int64]) -> NDArray[np.float64]:
    """The sums of each message by a model that did not learn from its part."""
    scores = np.zeros((len(part), len(KINDS)))
    for number in range(PARTS):
        model = Model(fit(marked.chosen(np.flatnonzero(part != number))))
        held = np.flatnonzero(part == number)
        scores[held] = sums(model, marked.chosen(held))
        print(f"part {number + 1} of {PARTS} scored", file=sys.stderr, flush=True)
    return scores


def main() -> None:
    """Read, learn, calibrate, write."""
    began = time.process_time()
    learned_from = list(chosen(samples(SHARED)))
    marked = mark(learned_from)
    print(f"{len(learned_from)} messages read", file=sys.stderr, flush=True)
    scores = cross_validated(marked, _parts(learned_from))
    now = datetime.now(UTC)
    weights = fit(marked, now.strftime("%Y-%m-%d"))
    more = mark(one for source in NO_MAIL for one in islice(samples(SHARED, [source]), MOST_NO_MAIL))
    seen = np.concatenate((scores, sums(Model(weights), more)))
    weights = replace(weights, curves=curves(marked.joined(more), seen))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "content.model").write_bytes(to_bytes(weights))
    (FOLDER / "content.md").write_text(data_card(learned_from, marked, scores, weights), encoding="utf-8")
    print(
        f"models/content.model written after {time.process_time() - began:.0f} s of processor time", file=sys.stderr
    )


if __name__ == "__main__":
    main()
