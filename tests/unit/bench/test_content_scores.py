"""Metrics against values that are worked out by hand or published."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))

from content_scores import Bin, above, calibration_error, interval, recall_at, reliability, roc_auc, threshold


def by_pairs(ham, bad):
    """The definition, pair by pair."""
    return sum((b > h) + 0.5 * (b == h) for h in ham for b in bad) / (len(ham) * len(bad))


@pytest.mark.parametrize(
    ("ham", "bad", "auc"),
    [
        ([0.1, 0.4], [0.35, 0.8], 0.75),  # the example of scikit-learn's roc_auc_score
        ([0.1, 0.2], [0.8, 0.9], 1.0),
        ([0.8, 0.9], [0.1, 0.2], 0.0),
        ([0.5, 0.5], [0.5], 0.5),
        ([0.0, 0.5], [0.5, 1.0], 0.875),
    ],
)
def test_roc_auc(ham, bad, auc):
    assert roc_auc(ham, bad) == auc


def test_roc_auc_is_what_the_pairs_say():
    chance = random.Random(3)
    for _ in range(50):
        ham = [chance.randrange(8) / 8 for _ in range(chance.randrange(1, 30))]
        bad = [chance.randrange(8) / 8 for _ in range(chance.randrange(1, 30))]
        assert roc_auc(ham, bad) == pytest.approx(by_pairs(ham, bad))


def test_one_side_alone_has_no_auc():
    assert roc_auc([], [1.0]) is None
    assert roc_auc([1.0], []) is None


def test_the_threshold_lets_no_more_ham_pass_than_said():
    ham = [n / 1000 for n in range(1000)]
    assert threshold(ham, 0.001) == 0.998
    assert sum(score > 0.998 for score in ham) == 1
    assert threshold(ham, 0.0005) == 0.999  # half a message is none
    assert threshold(ham, 0.01) == 0.989
    assert threshold(ham, 1.0) == 0.0
    assert threshold([], 0.1) is None


def test_equal_scores_of_ham_are_not_flagged():
    assert threshold([0.0, 0.9, 0.9, 0.9], 0.25) == 0.9
    assert above([0.9, 0.9], 0.9) == 0.0


def test_recall_at_a_rate():
    ham = [n / 1000 for n in range(1000)]
    assert recall_at(ham, [0.5, 0.9985, 0.9995, 1.0], 0.001) == 0.75
    assert recall_at(ham, [0.5, 0.9985, 0.9995, 1.0], 0.0) == 0.5
    assert recall_at(ham, [], 0.001) is None
    assert recall_at([], [1.0], 0.001) is None


def test_reliability_rows():
    assert reliability([0.0, 0.1, 0.95], [0.95, 1.0]) == [
        Bin(0.0, 2, 0.4, 0.05, 0.0),
        Bin(0.9, 3, 0.6, pytest.approx(2.9 / 3), pytest.approx(2 / 3)),
    ]


def test_calibration_error():
    assert calibration_error([0.05, 0.15], [0.85, 1.0]) == pytest.approx((0.05 + 0.15 + 0.15 + 0.0) / 4)
    # Ten messages at 0.7 of which seven are bad are perfectly calibrated.
    assert calibration_error([0.7] * 3, [0.7] * 7) == pytest.approx(0.0)
    assert calibration_error([1.0] * 4, []) == 1.0
    assert calibration_error([], []) is None


def test_calibration_where_few_are_bad():
    # Half of each score 0.1: of a mixture with one in ten bad, one in ten of them is.
    ham, bad = [0.1] * 5 + [0.0] * 5, [0.1] * 5 + [0.9] * 5
    low, high = reliability(ham, bad, prior=0.1)
    assert (low.messages, low.weight, high.weight) == (15, pytest.approx(0.95), pytest.approx(0.05))
    assert low.bad == pytest.approx(0.05 / 0.95)
    assert low.mean == pytest.approx((0.45 * 0.1 + 0.05 * 0.1) / 0.95)
    assert high.bad == 1.0
    assert calibration_error(ham, bad, prior=0.1) == pytest.approx(0.05 * 0.1 + abs(0.05 - 0.05))


def test_a_score_that_is_no_probability_is_an_error():
    with pytest.raises(ValueError, match="probability"):
        reliability([5.1], [])


def test_wilson_interval():
    # Newcombe 1998, table I: 81 of 263, and 0 of 20.
    assert interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=0.0001)
    assert interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=0.0001)
    assert interval(0.0, 0) == (0.0, 1.0)
