"""From sums to log odds that mean something, and that are safe to act on."""

from __future__ import annotations

import numpy as np
from fit import Marked
from numpy.typing import NDArray
from scipy.optimize import minimize

from sekisho.learn.model import SCRIPTS, Curve, log_odds

Scores = NDArray[np.float64]

BASE_RATE = 0.02  # of a kind among outgoing mail; what a probability is meant for
# The built-in policy holds from PROBABLE for approval, from CERTAIN in quarantine; how much ham may get there.
PROBABLE, PROBABLE_HAM = 0.75, 1 / 2000
CERTAIN, CERTAIN_HAM = 0.95, 1 / 10000
# The part of that for each of KINDS: newsletters that read like advertising are the most of it.
_PARTS = (0.5, 0.25, 0.25)
# Ham that we wrote looks like abuse on purpose, and articles are no mail: each counts as a twentieth of a mail.
_HARD = ("written_", "ja_ham_livedoor_news", "ja_ham_business_dialogue")
_COUNTS = 0.05
_ENOUGH = 30  # mails of a kind in one script that give a curve its shape; with fewer, those of all scripts do
_STEP = 0.4  # least distance between the two thresholds
_BEYOND = 6.0  # of a curve, beyond its thresholds


def curves(marked: Marked, sums: Scores) -> dict[str, tuple[Curve, ...]]:
    """A curve for each script and kind, from sums (a row for each message) of models that had not seen them."""
    scripts = np.array([one.script for one in marked.features])
    counts = np.array([_COUNTS if source.startswith(_HARD) else 1.0 for source in marked.source])
    found = {}
    for script in SCRIPTS:
        ham = (scripts == script) & ~marked.bad
        curves_of = []
        for number, part in enumerate(_PARTS):
            bad = marked.kind == number
            here = bad & (scripts == script)
            which = here if here.sum() >= _ENOUGH else bad
            curves_of.append(curve(sums[ham, number], counts[ham], sums[which, number], part))
        found[script] = tuple(curves_of)
    return found


def curve(ham: Scores, counts: Scores, bad: Scores, part: float) -> Curve:
    """Rising (sum, log odds) points: a logistic curve at the base rate, moved where it would call too much ham bad.

    It may call this part of the ham probable, or certain, that all kinds together may. Each ham stands for `counts`
    mails.
    """
    slope, offset = _logistic(ham, counts, bad) if len(bad) and len(ham) else (1.0, 0.0)
    probable = max(_threshold(ham, counts, PROBABLE_HAM * part), (log_odds(PROBABLE) - offset) / slope)
    certain = max(_threshold(ham, counts, CERTAIN_HAM * part), (log_odds(CERTAIN) - offset) / slope, probable + _STEP)
    steps = np.linspace(_BEYOND, 0.5, 8)
    below = [(float(probable - x), log_odds(PROBABLE) - slope * x) for x in steps]
    points = [*below, (float(probable), log_odds(PROBABLE)), (float(certain), log_odds(CERTAIN))]
    points.append((float(certain + _BEYOND), log_odds(CERTAIN) + slope * _BEYOND))
    return tuple((x, float(y)) for x, y in points)


def _logistic(ham: Scores, counts: Scores, bad: Scores) -> tuple[float, float]:
    """Slope and offset of the log odds at the base rate, by maximum likelihood (Platt 1999)."""

    def loss(point: NDArray[np.float64]) -> float:
        right = np.logaddexp(0, -(point[0] * bad + point[1])).mean() * BASE_RATE
        wrong = np.average(np.logaddexp(0, point[0] * ham + point[1]), weights=counts) * (1 - BASE_RATE)
        return float(right + wrong)

    found = minimize(loss, np.array([1.0, -2.0]), method="Nelder-Mead")
    return max(float(found.x[0]), 0.1), float(found.x[1])


def _threshold(ham: Scores, counts: Scores, share: float) -> float:
    """The sum that at most this share of ham is above; with too few messages to show it, the highest of them."""
    if not len(ham):
        return -np.inf
    order = np.argsort(-ham)
    above = np.cumsum(counts[order]) / counts.sum()
    return float(ham[order[int(np.searchsorted(above, share, side="right"))]])
