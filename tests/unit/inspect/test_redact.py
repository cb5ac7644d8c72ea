import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.redact import hidden, redacted


@pytest.mark.parametrize(
    ("value", "how", "expected"),
    [
        ("1234 5678 9018", "middle", "12** **** **18"),
        ("TR1234567", "middle", "T********"),
        ("12345", "middle", "*****"),
        ("s3cr3t!", "all", "*******"),
        ("x" * 500, "all", "********"),
        ("【社外秘】", "none", "【社外秘】"),
        ("our account 1234567 changed", "none", "our ******* ******* *******"),  # no words of a rule
        ("to\n\n your", "none", "to your"),
    ],
)
def test_what_is_left(value, how, expected):
    assert redacted(value, how) == expected


@given(st.text("0123456789 -", min_size=1, max_size=200))
def test_middle_shows_at_most_four_characters(value):
    shown = redacted(value, "middle")
    assert sum(c.isalnum() for c in shown) <= 4
    assert len(shown) <= 61


@given(st.text(max_size=300))
def test_all_shows_nothing(value):
    assert set(redacted(value, "all")) <= {"*"}


@given(st.text(max_size=300))
def test_none_shows_no_digit_and_one_line(value):
    shown = redacted(value, "none")
    assert not any("0" <= c <= "9" for c in shown)
    assert "\n" not in shown
    assert len(shown) <= 61


@pytest.mark.parametrize(
    ("value", "how", "left"),
    [
        ("1234 5678 9018", "middle", "12** **** **18"),
        ("１２３４５６７８９０", "middle", "１２******９０"),
        ("TR1234567", "middle", "T********"),
        ("a b!\nc", "all", "* **\n*"),
        ("x" * 500, "all", "*" * 500),
        ("【社外秘】1", "none", "【***】*"),
    ],
)
def test_what_is_masked_in_a_text(value, how, left):
    places = hidden(value, how)
    assert "".join("*" if i in places else c for i, c in enumerate(value)) == left


@given(st.text("0123456789 -abc", min_size=1, max_size=50))
def test_a_text_shows_no_more_than_an_excerpt(value):
    value = " ".join(value.split())
    assert "".join("*" if i in hidden(value, "middle") else c for i, c in enumerate(value)) == redacted(
        value, "middle"
    )
