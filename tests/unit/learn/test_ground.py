"""What a layer may do to the model's judgement, and which features it keeps of a mail."""

import math

import numpy as np
import pytest
from support.taught import GROUND, features, garden, office, phishing

from sekisho.learn.ground import CERTAIN, MOST_FEATURES, PROBABLE, allowed
from sekisho.learn.model import log_odds, probability


@pytest.mark.parametrize("before", [0.05, 0.5, 0.8, 0.94])
@pytest.mark.parametrize("change", [-2.0, -0.3, 0.0, 0.02])
def test_what_is_not_certain_changes_as_learned(before, change):
    assert allowed(log_odds(before), change) == change


@pytest.mark.parametrize("before", [0.9501, 0.97, 0.99, 0.9995, 1 - 1e-9])
def test_what_is_certain_stays_probable(before):
    odds = log_odds(before)
    assert PROBABLE < probability(odds + allowed(odds, -50.0)) < PROBABLE + 0.01
    assert allowed(odds, -0.1) == -0.1
    assert allowed(odds, 0.5) == 0.5


@pytest.mark.parametrize("before", [1e-6, 0.5, 0.9489, 0.94999])
def test_what_is_not_certain_does_not_become_so(before):
    odds = log_odds(before)
    assert before <= probability(odds + allowed(odds, 50.0)) + 1e-12 < CERTAIN


def test_features_of_a_long_mail_are_few_and_the_same_ones():
    one = features(garden(1) + office(1) + office(2) + phishing(1)).indices
    assert len(one) > MOST_FEATURES
    kept = np.frombuffer(GROUND.features(one), "<u4")
    assert len(kept) == MOST_FEATURES
    assert set(kept.tolist()) <= set(one.tolist())
    assert kept.tolist() == sorted(kept.tolist())
    other = features(garden(1) + office(1) + office(2) + phishing(2)).indices
    shared = set(one.tolist()) & set(other.tolist()) & set(kept.tolist())
    again = set(np.frombuffer(GROUND.features(other), "<u4").tolist())
    assert len(shared & again) > 0.9 * len(shared)


def test_a_direction_has_length_one():
    _, values = GROUND.direction(GROUND.features(features(garden(1)).indices))
    assert math.sqrt(float(values @ values)) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("broken", [b"", b"abc", b"\xff" * 400])
def test_what_are_no_features_have_no_direction(broken):
    indices, values = GROUND.direction(broken)
    assert (len(indices), len(values)) == (0, 0)
