"""A gate may only be said to stand before a pattern of which every match holds what opens it."""

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from sekisho.config.shipped import shipped
from sekisho.inspect.gates import GATES
from sekisho.inspect.prefilter import Expression, Prefilter
from sekisho.inspect.rules import load_rules

LONG, LETTERED = GATES


@pytest.mark.parametrize(
    "pattern",
    [
        "[0-9]{11}",
        "[0-9]{2}[01][0-9]{3}-?[1-8][0-9]{6}",
        "(?:4[0-9]{3}|5[1-5][0-9]{2})(?:[ .-]?[0-9]{4}){3}(?:[0-9]{3})?",
        "[0-9]{3} ?[0-9AB]{2}[.][0-9]{6}[A-Z]*",
        r"x\b[0-9]{5}\.([0-9]{6})",
        "[0-9]{12}|(?:[0-9]{4}-){3}",
    ],
)
def test_a_long_number_has_a_gate(pattern):
    assert LONG.is_before(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "[0-9]{10}",
        "[0-9]{5}[ -]{0,2}[0-9]{6}",
        "[0-9]{5}[ ]?[-]?[0-9]{6}",
        "[0-9]{5} ?9{0,4} ?[0-9]{6}",
        "[0-9]{8}(?:[0-9]{3})?",
        "[0-9]{8}(?:[0-9]{3})*",
        "(?:[0-9]{6}|[0-9]{3})[0-9]{6}",
        "[0-9]{12}|[a-z]{12}",
        "[0-9]{12}|",
        "[0-9-]{12}",
        "[^0-9]{12}",
        r"[\d]{12}",
        "[0-9]{5}.[0-9]{6}",
        "[0-9]{4}[/][0-9]{8}",
        "[0-\uffff]{12}",
        "(?P<n>[0-9]{12})",
        "(?i)[0-9]{12}",
        "[0-9]{12}??",
        "[0-9]{12})",
        "([0-9]{12}",
        "[]0-9]{12}",
        "[[:digit:]]{12}",
    ],
)
def test_what_is_not_read_or_may_be_shorter_has_none(pattern):
    assert not LONG.is_before(pattern)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("[0-9]{7,8}[ -]?[A-Z]", True),
        ("[A-C][A-D] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2}", True),
        ("[A-Z]{1,5}9{0,4}[0-9]{6}", True),
        ("(?i:[a-z][0-9]{6})", True),
        ("[0-9]{6}[A-Z]?", False),
        ("[0-9]{6}[A-Z0-9]", False),
        ("[0-9]{6} ?-?[A-Z]", False),
        ("[0-9]{5}[A-Z][0-9]{5}", False),
    ],
)
def test_a_number_beside_a_letter(pattern, told):
    assert LETTERED.is_before(pattern) is told


def behind(gate):
    loaded, _ = load_rules([shipped("rules")])
    return sorted({text for rule in loaded.with_patterns for text in rule.all_patterns if gate.is_before(text)})


@pytest.mark.parametrize("gate", GATES, ids=["long", "lettered"])
def test_every_match_of_a_shipped_pattern_opens_its_gate(gate):
    patterns = behind(gate)
    assert len(patterns) >= 8
    opened = re2.compile(gate.text)

    @given(st.one_of([st.from_regex(re.compile(text, re.ASCII), fullmatch=True) for text in patterns]))
    def holds(match):
        assert opened.search(match)

    holds()


def test_what_opens_the_gate_is_looked_for():
    cards = [f"{n}[0-9]{{3}}(?:-?[0-9]{{4}}){{3}}" for n in range(3, 7)]
    prefilter = Prefilter([Expression("abc"), *map(Expression, cards), Expression("needle", literal=True)])
    assert prefilter.occurring(b"abc 123-456") == [0]
    assert prefilter.occurring(b"abc 5111-1111-1111-1111 needle") == [0, 3, 5]
    assert prefilter.occurring(b"4111-1111-1111-1111") == [2]
    assert prefilter.occurring(b"11111111111") == []


@pytest.mark.parametrize("text", ["123456\u212a", "123456\u017f", "123456k", "\u212a-123 456"])
def test_a_letter_that_only_ignoring_case_makes_one_opens_the_gate(text):
    patterns = ["[0-9]{6}K", "[0-9]{6}[ -]?S", "[A-Z][0-9]{6}", "K[ -]?[0-9]{3} [0-9]{3}"]
    ones = [number for number, pattern in enumerate(patterns) if re2.search(f"(?i){pattern}", text)]
    assert ones
    assert Prefilter([Expression(pattern, caseless=True) for pattern in patterns]).occurring(text.encode()) == ones
