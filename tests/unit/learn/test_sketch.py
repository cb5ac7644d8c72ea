"""Texts that are nearly the same are told by their sketches; the Jaccard index is counted beside."""

import random

import numpy as np
import pytest

from sekisho.learn.grams import BITS
from sekisho.learn.sketch import SIZE, grouped, sketch


def some(number, seed):
    return np.array(random.Random(seed).sample(range(1 << BITS), number), np.int64)


def varied(indices, share, seed):
    """A set of the same size of which `share` is the other's."""
    kept = round(len(indices) * share)
    return np.concatenate((indices[:kept], some(len(indices) - kept, seed)))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_equal_minima_estimate_the_jaccard_index(share):
    one = some(3000, 1)
    other = varied(one, share, 2)
    together = len(set(one.tolist()) & set(other.tolist())) / len(set(one.tolist()) | set(other.tolist()))
    minima = [np.frombuffer(sketch(indices), "<u2") for indices in (one, other)]
    assert abs(float(np.mean(minima[0] == minima[1])) - together) < 4 * (0.25 / SIZE) ** 0.5


def test_the_order_does_not_matter():
    one = some(500, 1)
    assert sketch(one) == sketch(one[::-1])


def test_what_is_nearly_the_same_is_one_group():
    one, other = some(3000, 1), some(3000, 2)
    sketches = [
        sketch(indices) for indices in (one, other, varied(one, 0.97, 3), varied(other, 0.97, 4), some(50, 5))
    ]
    assert grouped(sketches) == [0, 1, 0, 1, 4]


def test_what_shares_half_is_not():
    one = some(3000, 1)
    assert grouped([sketch(one), sketch(varied(one, 0.6, 2))]) == [0, 1]


def test_no_sketch_and_broken_ones_are_no_failure():
    assert sketch(np.zeros(0, np.int64)) == b""
    assert grouped([b"", b"x", sketch(some(100, 1)), b"y" * 1000, b""]) == [0, 0, 2, 3, 0]


def test_a_repeated_text_is_found_among_many_that_resemble_it():
    shared = np.arange(700)
    texts = [sketch(np.concatenate((shared, 1000 + 300 * n + np.arange(300)))) for n in range(200)]
    found = grouped([*texts, texts[-1]])
    assert len(set(found[:200])) == 200
    assert found[-1] == 199
