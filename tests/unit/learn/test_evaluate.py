"""Decisions are judged by what was learned from others."""

from support.taught import GROUND, NOW, decision, garden, phishing

from sekisho.config.settings import LearningSettings
from sekisho.learn.evaluate import Outcome, evaluate

SETTINGS = LearningSettings()


def two(n):
    return ("ann", "bob")[n % 2]


def test_a_newsletter_is_judged_better_and_phishing_as_well_as_before():
    fine = [decision(f"f{n}", garden(n), reviewer=two(n), sender=f"s{n % 3}@corp.example") for n in range(20)]
    bad = [decision(f"b{n}", phishing(n), "bad", reviewer=two(n)) for n in range(20)]
    found = evaluate(GROUND, fine + bad, SETTINGS, NOW)
    assert found.before == Outcome(40, 20, 20, 0)
    assert found.after == Outcome(40, 40, 0, 0)
    assert found.changed == 20
    assert (found.before.accuracy, found.after.accuracy) == (0.5, 1.0)


def test_the_same_text_is_never_learned_from_and_judged():
    """Else each would be known by its copies, and all would look right."""
    same = [decision(f"{n}", garden(n % 3), reviewer=two(n // 3), sender=f"s{n}@corp.example") for n in range(60)]
    found = evaluate(GROUND, same, LearningSettings(least_decisions=3), NOW)
    assert found.after == found.before
    assert found.changed == 0


def test_nothing_decided():
    found = evaluate(GROUND, [], SETTINGS, NOW)
    assert (found.before, found.changed, found.before.accuracy) == (Outcome(0, 0, 0, 0), 0, 0.0)


def test_ones_own_mail_is_not_judged():
    own = [decision(f"{n}", garden(n), reviewer="news") for n in range(20)]
    assert evaluate(GROUND, own, SETTINGS, NOW).before.decisions == 0
