"""User names in one spelling. RFC 8265 3.3, its table in 3.5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.wire.sasl.names import prepared_name


@pytest.mark.parametrize(
    ("written", "prepared"),
    [
        ("juliet@example.com", "juliet@example.com"),
        ("Taro.Yamada@Example.JP", "taro.yamada@example.jp"),
        ("\u03c0", "\u03c0"),  # RFC 8265 3.5, table 1: pi
        ("\u03a3", "\u03c3"),  # the same: upper case sigma becomes lower case
        ("\uff54\uff41\uff52\uff4f", "taro"),  # 3.3.2: width mapping
        ("\uff83\uff9e\uff7d", "\u30c7\u30b9"),  # and what it leaves apart is composed
        ("e\u0301", "\u00e9"),
        (" taro ", "taro"),
    ],
)
def test_one_spelling(written, prepared):
    assert prepared_name(written) == prepared


@pytest.mark.parametrize("written", ["", " ", "a\0b", "a\nb", "a\u202eb", "\u200b", "x" * 321])
def test_no_name(written):
    assert prepared_name(written) is None


@given(st.text(max_size=400))
def test_prepared_once_is_prepared(text):
    once = prepared_name(text)
    assert once is None or prepared_name(once) == once
