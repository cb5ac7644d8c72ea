import re

import pytest

from sekisho.inspect.exact.plain import DASHES, arabic, has_cjk, plain


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("ﾔﾏﾀﾞ", "ヤマダ"),
        ("Straße", "STRASSE"),
        ("山田　太郎", "山田 太郎"),
        ("ABC", "abc"),
    ],
)
def test_plain(written, same):
    assert plain(written) == plain(same)


def test_kana_stay_what_they_are():
    assert plain("やまだ") != plain("ヤマダ")


def test_has_cjk():
    assert all(map(has_cjk, ("山", "カ", "ﾔ", "한", "a々")))
    assert not any(map(has_cjk, ("", "abc", "Łódź", "〒")))


@pytest.mark.parametrize(
    ("kanji", "digits"),
    [
        ("四丁目二番八号", "4丁目2番8号"),
        ("二十三番地", "23番地"),
        ("十番", "10番"),
        ("一〇番", "10番"),
        ("昭和五十年四月十日", "昭和50年4月10日"),
        ("令和元年", "令和1年"),
        ("三好", "三好"),
        ("十十番", "十十番"),
    ],
)
def test_arabic(kanji, digits):
    assert arabic(kanji) == digits


def test_dashes_stand_in_a_class():
    assert re.fullmatch(f"[{DASHES}]+", "-‐–—―−ー－")
    assert not re.search(f"[{DASHES}]", "a 0~!")
