"""How well scores part bad mail from ham: ROC-AUC, recall at a rate of false alarms, calibration. Pure functions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import ceil, sqrt
from typing import NamedTuple


class Bin(NamedTuple):
    """One row of a reliability table.

    Scores above `low`: how many, their share of all, their mean, and the share of them that is bad.
    """

    low: float
    messages: int
    weight: float
    mean: float
    bad: float


def roc_auc(ham: Sequence[float], bad: Sequence[float]) -> float | None:
    """The chance that a bad message scores above a ham one, a tie counting half (Mann and Whitney 1947).

    None when either side is empty.
    """
    if not ham or not bad:
        return None
    ordered = sorted(ham)
    wins = sum(bisect_left(ordered, score) + bisect_right(ordered, score) for score in bad)
    return wins / (2 * len(ham) * len(bad))


def threshold(ham: Sequence[float], rate: float) -> float | None:
    """The lowest score of a ham message such that at most `rate` of all ham scores above it; None without ham.

    A message is flagged when it scores above the threshold, not at it.
    """
    if not ham:
        return None
    allowed = int(rate * len(ham) + 1e-9)
    return sorted(ham, reverse=True)[min(allowed, len(ham) - 1)]


def above(scores: Sequence[float], limit: float | None) -> float | None:
    """The share of scores above a threshold; None when there are none, or no threshold."""
    return None if limit is None or not scores else sum(score > limit for score in scores) / len(scores)


def recall_at(ham: Sequence[float], bad: Sequence[float], rate: float) -> float | None:
    """The share of bad messages that are flagged where at most `rate` of the ham is."""
    return above(bad, threshold(ham, rate))


def interval(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % confidence interval of a share of `count` messages (Wilson 1927)."""
    if not count:
        return 0.0, 1.0
    middle = share + z * z / (2 * count)
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def reliability(ham: Sequence[float], bad: Sequence[float], prior: float | None = None, bins: int = 10) -> list[Bin]:
    """Probabilities in `bins` equal steps of 0..1; empty steps are left out.

    With `prior`, messages are weighed as if that share of all were bad; else each counts once. ValueError for a score
    outside 0..1.
    """
    total = len(ham) + len(bad)
    weights = (1.0, 1.0)
    if prior is not None and ham and bad:
        weights = ((1 - prior) * total / len(ham), prior * total / len(bad))
    filled: dict[int, list[tuple[float, bool]]] = {}
    for scores, is_bad in ((ham, False), (bad, True)):
        for score in scores:
            if not 0 <= score <= 1:
                raise ValueError(f"{score} is no probability")
            filled.setdefault(max(0, ceil(score * bins) - 1), []).append((score, is_bad))
    return [_bin(number / bins, rows, weights, total) for number, rows in sorted(filled.items())]


def _bin(low: float, rows: Sequence[tuple[float, bool]], weights: tuple[float, float], total: int) -> Bin:
    weight = sum(weights[is_bad] for _, is_bad in rows)
    mean = sum(score * weights[is_bad] for score, is_bad in rows) / weight
    return Bin(low, len(rows), weight / total, mean, sum(weights[True] for _, is_bad in rows if is_bad) / weight)


def calibration_error(
    ham: Sequence[float], bad: Sequence[float], prior: float | None = None, bins: int = 10
) -> float | None:
    """Expected calibration error: the mean distance of probability and share, by bin (Naeini et al. 2015)."""
    if not ham and not bad:
        return None
    return sum(row.weight * abs(row.mean - row.bad) for row in reliability(ham, bad, prior, bins))
