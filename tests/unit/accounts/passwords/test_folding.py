"""Forms in which passwords and words are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.accounts.passwords.folding import AS_HEARD, FOLDS, of_word, plain, romanised, without_edges


@pytest.mark.parametrize(
    ("kana", "letters"),
    [  # ISO 3602 and Cabinet order 1 of 1954, table 1
        ("さくら", "sakura"),
        ("シンジュク", "sinzyuku"),
        ("きょうと", "kyouto"),
        ("がっこう", "gakkou"),
        ("ちゃづけ", "tyazuke"),
        ("ファイル", "hairu"),
        ("ヴァイオリン", "vaiorin"),
        ("ラーメン", "ramen"),
        ("っ", ""),
        ("ゃ", "ya"),
        ("漢字かな", "漢字kana"),
        ("plain", "plain"),
    ],
)
def test_kana_in_letters(kana, letters):
    assert romanised(kana) == letters


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("やまのうえ", "Yamanoue"),
        ("しんじゅく", "shinjuku"),
        ("ちばふみこ", "Chiba Fumiko"),
        ("おおの", "Ohno"),
        ("おおの", "oono"),
        ("さとう", "SATO"),
        ("つちや", "tsuchiya"),
        ("なんば", "Namba"),
        ("じゅんいちろう", "junichiro"),
        ("ゆうき", "yuki"),
        ("マッチャ", "matcha"),
        ("マッチャ", "maccha"),
        ("ｾｷｼｮ", "ＳＥＫＩＳＨＯ"),
    ],
)
def test_every_romanisation_is_heard_as_one(one, other):
    assert FOLDS[AS_HEARD](one) == FOLDS[AS_HEARD](other)


@pytest.mark.parametrize(
    "written", ["P@ssw0rd", "p a s s w o r d", "ＰＡＳＳＷＯＲＤ", "pa55word", "p.a.$.$.w.0.r.d"]
)
def test_substitutions_are_undone(written):
    assert "password" in {fold(written) for fold in FOLDS}


def test_one_stands_for_two_letters():
    assert "login" in {fold("1ogin") for fold in FOLDS}
    assert "admin" in {fold("adm1n") for fold in FOLDS}


def test_edges():
    assert without_edges("2026-Sakura!!") == "Sakura"
    assert without_edges("2026!!") == ""
    assert plain("Ａ-b_c 9") == "abc9"


@given(st.text())
def test_any_text(text):
    for number, fold in enumerate(FOLDS):
        assert fold(text) == of_word(number, text)
        assert fold(text.upper()) == fold(text.upper().lower().upper())
