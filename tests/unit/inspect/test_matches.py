import pytest

from sekisho.inspect.matches import Tally
from sekisho.inspect.rules import Confidence, Rule, Words
from sekisho.mail.finding import Severity
from sekisho.mail.message import Text

WORDS = Words("x", "x")


def tally(**rule):
    return Tally(Rule("dlp/x", WORDS, "low", WORDS, pattern="x", **rule), Text("", "body", "1"))


def test_an_empty_tally_has_found_nothing():
    assert not tally().found


def test_span_and_excerpt_are_those_of_the_first_value():
    counted = tally(redact="middle")
    counted.add("1234-5678-9018", (3, 17))
    counted.add("9999-5678-9018", (20, 34))
    finding = counted.finding("hash")
    assert (finding.span, finding.excerpt, finding.count) == ((3, 17), "12**-****-**18", 2)
    assert finding.keyed_hash == "hash"
    assert counted.first_value == "123456789018"


def test_what_is_worth_nothing_is_not_found():
    counted = tally(confidence=Confidence(0.0))
    counted.add("1", (0, 1))
    assert not counted.found


def test_context_beats_bulk_and_bulk_beats_alone():
    counted = tally(validator="luhn", confidence=Confidence(0.1, 0.9, 0.5))
    for n in range(5):
        counted.add(str(n), (n, n + 1))
    counted.tried = counted.passed = 5
    assert counted.confidence == 0.5
    counted.near = "word"
    assert counted.confidence == 0.9


def test_one_candidate_in_ten_is_chance():
    counted = tally(validator="luhn", confidence=Confidence(0.5))
    counted.add("1", (0, 1))
    counted.tried, counted.passed = 10, 1
    assert counted.confidence == pytest.approx(0.05)
    assert counted.finding("").explanation == "1 of 10 candidates pass luhn"
    assert counted.finding("").severity is Severity.LOW
