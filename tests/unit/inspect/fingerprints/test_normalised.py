import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.fingerprints.normalised import normalised


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's 5 o'clock,\n\tsaid_he!", "its5oclocksaidhe"),
        ("“Quoted” – and…\u00a0so on", "quotedandsoon"),
        ("ＡＢＣ１２３　株式会社", "abc123株式会社"),
        ("ｶﾞｽの①番、㈱山田", "ガスの1番株山田"),
        ("Cafe\u0301 STRASSE straße", "caféstrassestrasse"),
        ("zero\u200bwidth soft\u00adhyphen ﬁne", "zerowidthsofthyphenfine"),
        ("「東京」・大阪。", "東京大阪"),
        ("データ", "データ"),
        ("", ""),
        ("\ud800x", "x"),
    ],
)
def test_forms(text, expected):
    assert normalised(text) == expected


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=200))
def test_as_the_plain_definition_says(text):
    """UAX 15 and the Unicode categories, letter by letter, wherever no form is cut short."""
    if any(character in "\ufdfa\ufdfb\u0345" for character in text) or "\u0345" in unicodedata.normalize("NFD", text):
        return  # left out on purpose; and a mark that becomes a letter when its case is folded
    expected = "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
    if len(expected) <= 4 * len(text):
        assert _letters(normalised(text)) == _letters(expected)


def _letters(text):
    """Line ends part letters from their marks, so these are left out here."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if c.isalnum())


@pytest.mark.parametrize(
    "text", ["e" + "\u0301\u0316" * 200_000, "\ufdfa" * 200_000, "㌖" * 200_000, "あ、" * 200_000]
)
def test_hostile_texts_take_no_longer_than_others(text):
    started = time.process_time()
    assert len(normalised(text)) <= 4 * len(text)
    assert time.process_time() - started < 5  # with the square of the length it would be minutes
