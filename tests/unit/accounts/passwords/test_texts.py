"""Texts in both languages."""

import re

import zxcvbn_rs_py
from hypothesis import given
from hypothesis import strategies as st

from sekisho.accounts.passwords import texts
from sekisho.accounts.passwords.texts import CLASSES, KINDS, REASONS, Text, feedback_texts, listed

FIELD = re.compile(r"\{(\w+)\}")
JAPANESE = re.compile("[ぁ-ん]")


def test_every_reason_is_said_in_both_languages():
    for text, advice in REASONS.values():
        assert set(FIELD.findall(text.en)) == set(FIELD.findall(text.ja))
        for one in (text, advice):
            assert one.en.isascii()
            assert JAPANESE.search(one.ja)
    for one in (*CLASSES.values(), *KINDS.values()):
        assert one.en
        assert one.ja


def test_everything_that_the_estimate_says_has_a_text():
    for kind, known in (("Warning", texts._HINTS), ("Suggestion", texts._SUGGESTIONS)):
        members = {name for name in dir(getattr(zxcvbn_rs_py, kind)) if name[0].isupper()}
        assert members == set(known)


@given(st.text(max_size=30))
def test_feedback_of_any_password(password):
    found = feedback_texts(zxcvbn_rs_py.zxcvbn(password, []).feedback)
    assert len(found) == len(set(found))


def test_feedback():
    assert feedback_texts(None) == ()
    found = feedback_texts(zxcvbn_rs_py.zxcvbn("password", []).feedback)
    assert found[0].en == "This is among the most common passwords."


def test_language():
    text = Text("en", "ja")
    assert [text.in_language(one) for one in ("en", "ja", "both", "fr")] == ["en", "ja", "ja\nen", "ja\nen"]


def test_listed():
    assert listed([Text("a", "あ")]) == Text("a", "あ")
    assert listed([Text("a", "あ"), Text("b", "い"), Text("c", "う")]) == Text("a, b and c", "あ・い・う")
