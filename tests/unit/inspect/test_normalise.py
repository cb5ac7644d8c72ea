import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.normalise import normaliser

BOTH = frozenset({"width", "dashes"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("１２３４－５６７８", "1234-5678"),
        ("ＡＢｃ：＝／．＠", "ABc:=/.@"),
        ("03ー1234‐5678–9—0−1", "03-1234-5678-9-0-1"),
        ("データー", "データー"),
        ("(株)関所、（株）", "(株)関所、（株）"),
        ("a\u3000b\u00a0c", "a b c"),
    ],
)
def test_full_width_and_dashes(text, expected):
    assert normaliser(BOTH)(text) == expected


def test_kanji_numerals_are_a_step_of_their_own():
    assert normaliser(frozenset({"kanji"}))("一二三〇") == "1230"
    assert normaliser(BOTH)("一二三〇") == "一二三〇"


@given(st.text(st.characters(min_codepoint=0xFF01, max_codepoint=0xFF5E)))
def test_width_agrees_with_unicode_compatibility_forms(text):
    changed = normaliser(frozenset({"width"}))(text)
    for before, after in zip(text, changed, strict=True):
        assert after in (before, unicodedata.normalize("NFKC", before))
        assert not (before.isalnum() and after == before)


@given(st.text() | st.text("０１９ー−-ａＺ漢 \u3000"))
def test_offsets_stay(text):
    assert len(normaliser(frozenset({"width", "dashes", "kanji"}))(text)) == len(text)


@given(st.text(st.characters(codec="ascii")))
def test_what_does_not_change_is_the_same_object(text):
    assert normaliser(BOTH)(text) is text


def test_no_steps_change_nothing():
    assert normaliser(frozenset())("１") == "１"
    assert normaliser(frozenset({"case"}))("A") == "A"
