"""The list of Japanese words."""

from sekisho.accounts.passwords.japanese import as_heard, japanese_words, shipped_japanese


def test_the_list():
    words = shipped_japanese()
    assert len(words) > 1000
    assert all(word == word.casefold() for word in words if word.isascii())
    assert all(len(word) <= 30 for word in words)


def test_words_of_a_password():
    assert {"sakura", "himitsu"} <= set(japanese_words("SakuraHimitsu99"))
    assert "ありがとう" in japanese_words("ありがとう2026")
    assert len(japanese_words("a" * 100)) <= 50


def test_kana_are_heard():
    letters, words = as_heard("ありがとうございます")
    assert letters.startswith("arigato")
    assert "arigato" in words
    assert as_heard("arigatou") is None
