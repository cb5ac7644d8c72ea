from string import Formatter

import pytest

from sekisho.act.lock_texts import TEXTS, say_of_lock


def test_both_languages_say_the_same_things():
    assert TEXTS["en"].keys() == TEXTS["ja"].keys()


@pytest.mark.parametrize("key", TEXTS["en"])
def test_both_languages_name_the_same_values(key):
    names = [
        {field for _, field, _, _ in Formatter().parse(TEXTS[language][key]) if field} for language in ("en", "ja")
    ]
    assert names[0] == names[1]


def test_no_english_in_japanese():
    assert all(any("\u3040" <= c <= "\u9fff" for c in text) for text in TEXTS["ja"].values())


def test_values_are_filled_in():
    assert say_of_lock("en", "subject.locked", login="hana") == "Account locked: hana"
