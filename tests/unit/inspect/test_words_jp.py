import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.rules import compiled, load_rules
from sekisho.inspect.words_jp import _NO_GIVEN_NAMES, given_characters, is_full_name, words


@pytest.mark.parametrize(
    "name",
    [
        "山田 太郎",
        "山田　太郎",
        "山田太郎",
        "佐々木 仁",
        "林 真由美",
        "髙橋一郎",
        "五十嵐さくら",
        "長谷川 蓮",
        "石田純和",
        "森 誠",
    ],
)
def test_full_names(name):
    assert is_full_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "山田",
        "太郎",
        "山田 様",
        "山田 平成",  # in characters of which given names are made
        "石川公正",
        "営業 本部",
        "営業本部",
        "千葉大学",
        "石川県庁",
        "福島支店",
        "林道",
        "森林",
        "原因",
        "東京都",
        "",
        " ",
        "山田 ",
        " 太郎",
    ],
)
def test_other_words(text):
    assert not is_full_name(text)


def test_the_words_that_are_no_given_names_would_be_taken_for_some():
    assert all(given_characters().issuperset(word) for word in _NO_GIVEN_NAMES)
    assert not _NO_GIVEN_NAMES & words("given-names")
    assert not any(is_full_name(f"山田{word}") for word in _NO_GIVEN_NAMES)


def test_lists_hold_each_word_once_and_nothing_else():
    assert len(words("surnames")) > 700
    assert len(words("given-names")) > 1000
    assert all(1 <= len(w) <= 4 for w in words("surnames"))
    assert all(1 <= len(w) <= 5 for w in words("given-names"))
    assert len(given_characters()) > 300


def test_area_codes_leave_at_least_five_digits():
    codes = words("area-codes")
    assert all(code.isdigit() and not code.startswith("0") and 1 <= len(code) <= 4 for code in codes)
    assert {"3", "6", "45", "463", "1267"} <= codes


def test_the_rule_looks_at_every_listed_surname():
    rules, problems = load_rules([shipped("rules") / "dlp" / "jp" / "name.toml"])
    assert problems == []
    honorific = compiled(rules.by_id["dlp/jp/name"].all_patterns[0])
    cell = compiled(rules.by_id["dlp/jp/name"].all_patterns[2])
    assert [name for name in words("surnames") if not honorific.match(f"{name} 太郎様")] == []
    assert [name for name in words("surnames") if not cell.match(f"{name} 太郎,")] == []
