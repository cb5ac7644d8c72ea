import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.context import lowered, spans_around, word_in, words_of
from sekisho.inspect.rules import Context

CONTEXT = Context(words=("aba", "Salary", "番号", "id #"), acronyms=("SIN", "C.F."), window=10)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ABA: 1", "aba"),
        ("database", ""),
        ("abandon", ""),
        ("monthly_salary", "Salary"),
        ("salaryman", "Salary"),
        ("unsalary", ""),
        ("会員番号は", "番号"),
        ("Id # 1", "id #"),
        ("no SIN", "SIN"),
        ("no sin", ""),
        ("SINS", ""),
        ("il C.F. è", "C.F."),
    ],
)
def test_a_word_stands_alone(text, word):
    assert word_in(CONTEXT, text) == word


@given(st.text())
def test_lower_case_is_as_long(text):
    assert len(lowered(text)) == len(text)


WORDS = words_of(CONTEXT)


def test_spans():
    text = "aba " + "x" * 50 + " salary SIN"
    assert spans_around(WORDS, text, lowered(text), 10, 5) == [(0, 13), (45, 75)]
    assert spans_around(WORDS, text, lowered(text), 10, 2) is None
    assert spans_around(WORDS, "İ SIN", lowered("İ SIN"), 1, 2) == [(1, 6)]
