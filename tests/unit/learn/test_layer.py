"""A layer lowers what honest reviewers release, within its limits, and nothing else."""

import numpy as np
import pytest
from support.taught import GROUND, MODEL, NOW, decision, features, garden, office, phishing

from sekisho.config.settings import LearningSettings
from sekisho.learn.ground import PROBABLE
from sekisho.learn.layer import Layer, _pull, most_of_one
from sekisho.learn.model import log_odds, probability

SETTINGS = LearningSettings()
HONEST = [decision(n, garden(n), reviewer=("ann", "bob")[n % 2]) for n in range(12)]


def layer(decisions, settings=SETTINGS):
    return Layer(GROUND, decisions, settings, NOW)


def judged(text, by=None):
    read = features(text)
    scores = MODEL.score_features(read)
    shift = by.shift(read.indices, scores.logit) if by is not None else 0.0
    return MODEL.score_features(read, shift).abuse


def test_a_dozen_releases_by_two_reviewers_free_the_newsletter_and_phishing_stays():
    taught = layer(HONEST)
    for number in range(100, 120):
        assert judged(garden(number)) > PROBABLE
        assert judged(garden(number), taught) < PROBABLE
        assert judged(phishing(number), taught) == pytest.approx(judged(phishing(number)), abs=0.002)
        assert judged(office(number), taught) == pytest.approx(judged(office(number)), abs=0.01)


def test_confirmed_abuse_of_a_new_kind_is_found_next_time():
    bad = [
        decision(n, garden(n), "bad", reviewer=("ann", "bob")[n % 2], sender=f"s{n}@corp.example", probability=0.6)
        for n in range(12)
    ]
    read = features(garden(200)).indices
    assert layer(bad).shift(read, 0.4) > 1.0


def test_without_decisions_nothing_changes():
    empty = layer([])
    assert not empty.in_effect
    assert empty.shift(features(garden(1)).indices, 1.0) == 0.0
    assert empty.odds(HONEST[0]) == HONEST[0].logit


def test_a_thousand_releases_of_ones_own_mail_change_nothing():
    attack = [decision(f"e{n}", phishing(n), reviewer="eve", sender="eve@corp.example") for n in range(1000)]
    assert not layer(attack).in_effect
    with_attack, honest = layer(HONEST + attack), layer(HONEST)
    for number in range(10):
        assert judged(phishing(number), with_attack) == judged(phishing(number), honest)
        assert judged(garden(number), with_attack) == judged(garden(number), honest)


def test_a_thousand_releases_of_one_text_count_once():
    attack = [
        decision(f"e{n}", phishing(1), reviewer=("ann", "bob")[n % 2], sender=f"s{n}@corp.example", probability=0.85)
        for n in range(1000)
    ]
    assert not layer(attack).in_effect
    read = features(phishing(1)).indices
    moved = -layer(HONEST + attack).shift(read, log_odds(0.85))
    assert moved <= most_of_one(SETTINGS) + 0.05


def test_three_wrong_clicks_do_not_free_a_probable_phishing():
    wrong = [
        decision(f"w{n}", phishing(n), reviewer="ann", sender=f"s{n}@corp.example", probability=0.9) for n in range(3)
    ]
    taught = layer(HONEST + wrong)
    logit = log_odds(0.9)
    assert probability(logit + taught.shift(features(phishing(77)).indices, logit)) > PROBABLE


def test_what_is_certain_stays_held_whatever_is_released():
    everyone = [decision(n, phishing(n), reviewer=f"r{n % 9}", sender=f"s{n}@corp.example") for n in range(400)]
    taught = layer(everyone, LearningSettings(most_shift=4.0))
    assert taught.in_effect
    for number in range(500, 520):
        assert judged(phishing(number)) > 0.95
        assert judged(phishing(number), taught) > PROBABLE


def test_opposite_decisions_hold_each_other():
    pairs = [(n, ("fine", "bad")[n % 2]) for n in range(40)]
    mixed = [
        decision(n, garden(n), label, reviewer=("ann", "bob", "cat")[n % 3], sender=f"s{n}@corp.example")
        for n, label in pairs
    ]
    alone = [d for d in mixed if d.label == "fine"]
    read = features(garden(300)).indices
    assert abs(layer(mixed).shift(read, 0.5)) < abs(layer(alone).shift(read, 0.5)) * 2 / 3


def test_the_order_of_decisions_does_not_matter():
    read = features(garden(300)).indices
    assert layer(HONEST[::-1]).shift(read, 1.0) == layer(HONEST).shift(read, 1.0)


def test_influence_names_the_decisions_that_pull():
    influence = layer(HONEST).influence
    assert set(influence) == {d.id for d in HONEST}
    assert all(-most_of_one(SETTINGS) <= pull < 0 for pull in influence.values())


def test_broken_decisions_are_no_failure():
    broken = [
        decision(n, garden(n), reviewer=("ann", "bob")[n % 2], features=b"\xff" * 401, sketch=b"x" * n)
        for n in range(12)
    ]
    assert not layer(broken).in_effect


@pytest.mark.parametrize("asked", [-800.0, -1.0, 0.0, 3.0, 800.0])
def test_a_pull_solves_its_equation(asked):
    pull = _pull(asked, 0.3)
    assert 0 <= pull <= 0.3
    assert pull == pytest.approx(0.3 / (1 + np.exp(min(pull - asked, 500.0))), abs=1e-5)
