"""The model's data card: what it learned from, under which terms, and how it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from corpora import SHARED, Sample
from fit import Marked
from numpy.typing import NDArray

from sekisho.learn.model import Weights, probability

_HEAD = """# Content model: data card

Made by `make train`; do not edit. Version {version}.

A linear model over hashed n-grams of the cleaned text (characters 2 to 5, words 1 and 2) and over named facts
(concepts of `lists/concepts.toml` and their pairs, signs of deceptive links, hidden text). It says how likely a mail
is abuse (`spam/content`, `phishing/content`, `bec/content`) and which kind it most resembles. What it is not: a judge
of truth. Well-written fraud that reads like ordinary business is often beyond it; the figures on sources it never saw
are in `docs/reference/content-bench.md`.

## Learned from

Near-duplicates count once; at most 6,000 messages of a source and label. Traces of mailing lists and corpora (list
headers, tags, footers, `X-Spam-*`) are removed; addresses, hosts, amounts and numbers are masked. Never learned from:
sources under non-commercial, no-derivatives or AGPL terms, and `tests/golden/content`.

| source | label | messages | licence as stated |
|---|---|---:|---|
"""
_SCORES = """
## Scores of the cross-validation

Five parts; each message scored by a model that did not learn from its part. These are scores within known sources:
those on sources left out are in `docs/reference/content-bench.md`.

| source | label | probable (>= 0.75) | certain (>= 0.95) |
|---|---|---:|---:|
"""


def data_card(learned_from: Sequence[Sample], marked: Marked, sums: NDArray[np.float64], weights: Weights) -> str:
    """The card as Markdown. `sums` are the cross-validated ones."""
    counts = Counter((one.source, one.label) for one in learned_from)
    rows = [
        f"| {source} | {label} | {number} | {_licence(source)} |"
        for (source, label), number in sorted(counts.items())
    ]
    likely = _probabilities(marked, sums, weights)
    probable, certain = likely >= 0.75, likely >= 0.95
    keys = np.array([f"{one.source} | {one.label}" for one in learned_from])
    results = [
        f"| {key} | {probable[keys == key].mean():.2%} | {certain[keys == key].mean():.2%} |"
        for key in sorted(set(keys.tolist()))
    ]
    ham = ~marked.bad
    total = f"| all ham | | {probable[ham].mean():.3%} | {certain[ham].mean():.3%} |"
    all_bad = f"| all abuse | | {probable[~ham].mean():.2%} | {certain[~ham].mean():.2%} |"
    head = _HEAD.format(version=weights.version)
    return head + "\n".join(rows) + "\n" + _SCORES + "\n".join([*results, total, all_bad]) + "\n"


def _probabilities(marked: Marked, sums: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """The probability of the likeliest kind, as calibrated."""
    found = []
    for one, row in zip(marked.features, sums, strict=True):
        curves = weights.curves[one.script]
        odds = (np.interp(total, *zip(*curve, strict=True)) for total, curve in zip(row, curves, strict=True))
        found.append(probability(float(max(odds))))
    return np.array(found)


def _licence(source: str) -> str:
    """What PROVENANCE.txt states, or our own for what we wrote."""
    file = SHARED / "mail" / source / "PROVENANCE.txt"
    if not file.exists():
        return "Apache-2.0 (written for Sekisho)"
    stated = [
        line for line in file.read_text(encoding="utf-8").splitlines() if line.lower().startswith("licence as stated")
    ]
    return stated[0].partition(":")[2].strip() if stated else "see the source's own files"
