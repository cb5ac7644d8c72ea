"""Concepts: phrases of several languages that stand for one thing."""

from __future__ import annotations

import time
import tomllib

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.content.concepts import Concepts

CONCEPTS = Concepts.load(shipped("lists/concepts.toml"))


def about(text):
    return {fact.removeprefix("about:") for fact in CONCEPTS.facts(text) if "+" not in fact}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("please change my direct deposit before the next payroll", {"bank_change", "payroll"}),
        ("至急、振込先の変更をお願いいたします。", {"urgency", "payment", "bank_change"}),
        ("are you at your desk? i need a few gift cards", {"at_desk", "gift_card"}),
        ("the meeting is on tuesday", set()),
        ("remittance follows", {"payment"}),
        ("our premises", set()),  # "remit" does not begin inside a word
        ("time sensitive and time-sensitive", {"urgency"}),
        ("lineグループを作成してqrコードを送ってください", {"chat_group"}),
    ],
)
def test_concepts_of_a_text(text, expected):
    assert about(text) == expected


def test_two_together_are_a_fact_of_their_own():
    made = Concepts({"a": ["one"], "b": ["two"], "c": ["three"]})
    assert made.facts("one two") == ["about:a", "about:b", "about:a+b"]


def test_a_text_about_everything_has_no_pairs():
    names = [f"n{i}" for i in range(20)]
    assert len(Concepts({name: [f"w{name}"] for name in names}).facts(" ".join(f"w{name}" for name in names))) == 20


@pytest.mark.parametrize("broken", ["a = 3", "a = [", "a = [1]"])
def test_a_broken_file_is_named(tmp_path, broken):
    file = tmp_path / "concepts.toml"
    file.write_text(broken)
    with pytest.raises(ValueError, match=r"concepts\.toml"):
        Concepts.load(file)


def test_phrases_are_distinct_and_lower_case():
    listed = tomllib.loads(shipped("lists/concepts.toml").read_text(encoding="utf-8"))
    for name, phrases in listed.items():
        assert len(set(phrases)) == len(phrases), name
        assert all(phrase == phrase.lower().strip() for phrase in phrases), name


def test_hostile_texts_take_bounded_time():
    before = time.process_time()
    CONCEPTS.facts("account " * 20_000)
    CONCEPTS.facts("振込先" * 20_000)
    assert time.process_time() - before < 2.0


def test_half_a_surrogate_pair_is_no_failure():
    assert Concepts({"hurry": ["urgent"]}).facts("urgent \ud800") == ["about:hurry"]
