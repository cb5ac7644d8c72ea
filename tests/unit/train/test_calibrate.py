"""From sums to log odds: how much ham may be called probable and certain, counted on made scores."""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "train"))

from calibrate import CERTAIN, CERTAIN_HAM, PROBABLE, PROBABLE_HAM, curve

from sekisho.learn.model import log_odds


def odds(points, total):
    return float(np.interp(total, *zip(*points, strict=True)))


@pytest.fixture
def scores():
    made = np.random.default_rng(5)
    return made.normal(-3, 1, 40_000), made.normal(2, 1.5, 2_000)


@pytest.mark.parametrize(("probability", "share"), [(PROBABLE, PROBABLE_HAM), (CERTAIN, CERTAIN_HAM)])
def test_no_more_ham_is_probable_or_certain_than_may_be(scores, probability, share):
    ham, bad = scores
    points = curve(ham, np.ones(len(ham)), bad, 0.5)
    above = np.mean([odds(points, total) > log_odds(probability) + 1e-9 for total in ham])
    assert above <= share * 0.5


def test_the_curve_rises_and_goes_on_beyond_all_scores(scores):
    points = curve(scores[0], np.ones(len(scores[0])), scores[1], 0.5)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(points))


def test_a_mail_that_counts_for_less_moves_a_threshold_less(scores):
    ham, bad = scores
    hard = np.append(ham, np.full(30, 6.0))
    heavy = curve(hard, np.ones(len(hard)), bad, 0.5)
    light = curve(hard, np.append(np.ones(len(ham)), np.full(30, 0.05)), bad, 0.5)
    assert odds(heavy, 5.9) < log_odds(PROBABLE) < odds(light, 5.9)


def test_few_messages_give_a_curve_still():
    for ham, bad in (
        (np.array([-1.0]), np.array([2.0])),
        (np.array([-1.0]), np.zeros(0)),
        (np.array([0.5]), np.array([0.1])),
    ):
        points = curve(ham, np.ones(len(ham)), bad, 0.25)
        assert odds(points, float(ham[0])) <= log_odds(PROBABLE)
