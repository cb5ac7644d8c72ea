"""Hashed n-grams."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sekisho.learn.grams import BITS, LONGEST, grams, named, spelled


@given(st.text(max_size=300))
def test_indices_are_distinct_and_in_range(text):
    found = grams(text)
    assert len(set(found.tolist())) == len(found)
    assert all(0 <= index < 1 << BITS for index in found.tolist())


@given(st.text(alphabet=st.characters(codec="utf-32"), max_size=60))
def test_there_are_no_more_than_the_text_has(text):
    """Runs of 2 to 5 characters, words and pairs of words, counted the slow way."""
    runs = {text[i : i + n] for n in (2, 3, 4, 5) for i in range(len(text) - n + 1)}
    assert len(grams(text)) <= len(runs) + 2 * len(text)


def test_a_repeated_text_has_the_same_grams_but_for_its_seams():
    once, twice = set(grams("pay the invoice ").tolist()), set(grams("pay the invoice " * 2).tolist())
    assert once <= twice
    assert len(twice - once) <= 4 + 3 + 2 + 1 + 1  # runs over the seam, and one pair of words


def test_words_are_the_same_wherever_they_stand():
    words = dict(spelled("transfer the money now"))
    later = dict(spelled("please do transfer the money"))
    assert words["transfer"] == later["transfer"]
    assert words["the money"] == later["the money"]
    assert words["transfer"] != words["money"]


def test_a_words_grams_are_among_the_texts():
    text = "至急 振込先の変更 please"
    found = set(grams(text).tolist())
    assert {index for _, index in spelled(text)} <= found
    assert "振込先" in dict(spelled(text))


def test_long_texts_are_cut():
    assert set(grams("a" * LONGEST + "zebra zebra").tolist()) == set(grams("a" * LONGEST).tolist())


def test_names_have_places_of_their_own():
    places = named(("about:urgency", "about:secrecy", "about:urgency"))
    assert places[0] == places[2] != places[1]
    assert named(()).dtype == np.int64


def test_lone_surrogates_do_not_raise():
    assert len(grams("ab\udc80cd")) > 0
