"""The training's arithmetic: where a logistic regression must end, and who has how much say."""

import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

sys.path.insert(0, str(Path(__file__).parents[3] / "train"))

from fit import STRENGTH, Marked, fit, logistic, says

from sekisho.learn.model import KINDS, Model, Reading

HAM = [
    "the minutes of the meeting are attached",
    "lunch on friday with the team",
    "your order has been shipped today",
]
BAD = {
    "spam": "cheap pills and casino bonus for you",
    "phishing": "verify your password to unlock the account",
    "bec": "wire the money to the new bank account",
}


def test_a_logistic_regression_ends_where_its_slope_is_zero():
    made = np.random.default_rng(2)
    rows = sp.csr_array(made.normal(size=(200, 5)).astype(np.float32))
    bad = made.uniform(size=200) < 1 / (1 + np.exp(-(rows @ np.array([2, -1, 0, 0.5, 0]))))
    say = made.uniform(0.5, 2, 200)
    weights, bias = logistic(rows, bad, say)
    slope = say * (1 / (1 + np.exp(-(rows @ weights + bias))) - bad)
    assert np.abs(STRENGTH * (rows.T @ slope) + weights).max() < 0.5  # of sums of some hundreds
    assert abs(slope.sum()) < 0.5
    assert weights[0] > 1
    assert weights[1] < 0


def marked():
    texts = [(text, -1) for text in HAM * 5] + [(BAD[kind], number) for number, kind in enumerate(KINDS)] * 5
    features = [Reading(f"{text} {place % 5}").features() for place, (text, _) in enumerate(texts)]
    sources = ["a" if kind < 0 else "b" for _, kind in texts]
    return Marked(features, sources, np.array([kind for _, kind in texts]))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_learned(kind):
    model = Model(fit(marked()))
    scores = model.score(Reading(BAD[kind]))
    assert scores.kind == kind
    assert all(model.score(Reading(text)).abuse < scores.abuse for text in HAM)


def test_ham_and_abuse_have_as_much_say_and_large_sources_less_for_each_message():
    mixed = Marked([], ["big"] * 100 + ["small"] * 4 + ["bad"] * 26, np.array([-1] * 104 + [0] * 26))
    say = says(mixed)
    assert say[:104].sum() == pytest.approx(say[104:].sum())
    assert say[100:104].sum() / say[:100].sum() == pytest.approx(2 / 10)  # roots of 4 and of 100
