"""The content model's arithmetic, against the same written plainly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from sekisho.learn.grams import BITS
from sekisho.learn.model import Features, Model, ModelError, Reading, Weights, to_bytes

CURVE = ((-4.0, -4.6), (0.0, -1.4), (2.0, 1.1), (3.0, 2.9))
LATER = ((-4.0, -5.0), (4.0, 1.0))


def weights(**changes):
    made = np.random.default_rng(3)
    size = 1 << BITS
    plain = Weights(
        version="test",
        importance=made.uniform(0, 5, (3, size)).astype("<f2").astype(np.float32),
        common=made.uniform(size=size) > 0.5,
        grams=made.normal(size=(3, size)).astype("<f2").astype(np.float32),
        facts={"about:urgency": (0.1, 0.2, 2.0), "sign:link/ip-address": (0.0, 1.0, 0.0)},
        bias=(0.1, 0.0, -0.1),
        curves={"kana": (LATER,) * 3, "other": (CURVE,) * 3},
    )
    return replace(plain, **changes)


def test_the_sums_are_those_over_a_unit_vector_and_the_facts():
    known = weights()
    places = (5, 77, 4242)
    features = Features(np.array(places), ("about:urgency", "about:nothing-known"))
    expected = []
    for values, row, bias, fact in zip(known.importance, known.grams, (0.1, 0.0, -0.1), (0.1, 0.2, 2.0), strict=True):
        length = math.sqrt(sum(float(values[i]) ** 2 for i in places))
        expected.append(sum(float(values[i]) / length * float(row[i]) for i in places) + bias + fact)
    assert Model(known).sums(features).tolist() == pytest.approx(expected, abs=1e-4)


def only(bec, script="other"):
    """A mail of which nothing is known, by a model that gives it this sum for fraud."""
    model = Model(weights(bias=(-9.0, -9.0, bec)))
    return model.score_features(Features(np.zeros(0, np.int64), (), script))


@pytest.mark.parametrize(("total", "odds"), [*CURVE, (1.0, -0.15), (-9.0, -4.6), (9.0, 2.9)])
def test_the_curve_goes_through_its_points_and_ends_level(total, odds):
    scores = only(total)
    assert scores.kinds[2] == pytest.approx(1 / (1 + math.exp(-odds)))
    assert scores.logit == pytest.approx(max(odds, -4.6))


def test_the_likeliest_kind_is_the_one():
    assert (only(2.0).kind, only(-20.0).abuse) == ("bec", pytest.approx(1 / (1 + math.exp(4.6))))


def test_each_script_has_its_own_curve():
    assert only(0.0, "kana").logit == pytest.approx(-2.0)
    assert Reading("こちらをご確認くださいませ").features().script == "kana"
    assert Reading("please see 御社 の").features().script == "other"


def test_a_shift_is_added_to_the_log_odds():
    model = Model(weights(bias=(-9.0, -9.0, 0.0)))
    features = Features(np.zeros(0, np.int64), ())
    assert model.score_features(features, 0.7).logit == pytest.approx(-1.4 + 0.7)
    assert 0 < model.score_features(features, 1e6).abuse < 1


def test_a_mail_without_features_has_the_bias():
    assert Model(weights()).sums(Features(np.zeros(0, np.int64), ())).tolist() == pytest.approx([0.1, 0.0, -0.1])


def test_a_file_gives_the_same_scores():
    known = weights()
    again = Model.from_bytes(to_bytes(known))
    reading = Reading("please transfer the money today", ("about:urgency",))
    assert again.score(reading).kinds == pytest.approx(Model(known).score(reading).kinds, abs=1e-5)
    assert again.version == "test"


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b"", "not a model file"),
        (b"\x93\x01\x02\x03", "not a model file"),
        (to_bytes(weights(curves={"kana": (CURVE,) * 3})), "not a whole"),
        (to_bytes(weights(curves={"kana": (CURVE,) * 3, "other": (CURVE,) * 2})), "not a whole"),
        (to_bytes(weights(curves=dict.fromkeys(("kana", "other"), (((0.0, 1.0), (0.0, 2.0)),) * 3))), "not a whole"),
        (to_bytes(weights(curves=dict.fromkeys(("kana", "other"), (((0.0, 1.0), (1.0, 1.0)),) * 3))), "not a whole"),
        (to_bytes(weights(facts={"about:urgency": (1.0,)})), "not a whole"),
        (to_bytes(weights(importance=np.zeros((3, 8), np.float32))), "not a whole"),
        (to_bytes(weights(bias=(0.0,))), "not a whole"),
    ],
)
def test_a_broken_file_is_said(broken, why):
    with pytest.raises(ModelError, match=why):
        Model.from_bytes(broken)


def test_only_common_n_grams_are_told():
    known = weights()
    told = Model(known).said_by(np.arange(200), "phishing")
    assert all(
        (value == 0) or common for value, common in zip(told.tolist(), known.common[:200].tolist(), strict=True)
    )
    assert (told[known.common[:200]] != 0).any()
