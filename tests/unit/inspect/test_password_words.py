"""The words that a person would try at an encrypted attachment, the likeliest first."""

import time

import pytest

from sekisho.inspect.password_words import MOST_NAMED, MOST_OTHER, candidate_words, named_words
from sekisho.mail.message import Text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("パスワードは「Abc#2024」です。", "Abc#2024"),
        ("解凍パスワード：\n\n  himitsu99\nよろしくお願いします", "himitsu99"),
        ("Password: Secret!9, thanks", "Secret!9"),
        ("The password is hunter2.", "hunter2"),
        ("the password for the archive is Foo123", "Foo123"),
        ("PW： ａｂｃ１２３", "abc123"),
        ("パスワードは以下の通りです。\nX7k-99\n", "X7k-99"),
        ("zipパスワード（添付ファイル用）: 20240401", "20240401"),
        ("Passwort: Geheim1", "Geheim1"),
        ("添付ファイルの暗証番号は 4649 です", "4649"),
    ],
)
def test_a_named_password_comes_first(text, word):
    texts = [Text(text, "body")]
    named = named_words(texts)
    assert word in named
    assert word in candidate_words(texts, named, ["recent1"], ["given1"])[:3]


def test_a_text_that_only_announces_a_password_names_none():
    assert named_words([Text("パスワードは別途お送りします。", "body")]) == ()


def test_order_of_the_sources():
    texts = [Text("please find attached; password: Abc1234 / order 77-31", "body")]
    words = candidate_words(texts, named_words(texts), ["recent1"], ["given1"])
    assert words.index("Abc1234") < words.index("recent1") < words.index("given1") < words.index("77-31")
    assert words.index("77-31") < words.index("attached")
    assert len(words) == len(set(words))


def test_attachments_and_addresses_give_no_words():
    texts = [Text("password: inside1", "attachment"), Text("https://a.example/x1 taro@example.jp", "body")]
    assert named_words(texts) == ()
    assert candidate_words(texts, (), (), ()) == ()


@pytest.mark.parametrize("text", ["pass" * 50_000, "password (((( " * 15_000, "password \n" * 20_000, "は" * 200_000])
def test_bounded(text):
    started = time.process_time()
    texts = [Text(text, "body")]
    named = named_words(texts)
    words = candidate_words(texts, named, (), ())
    assert len(named) <= MOST_NAMED
    assert len(words) <= MOST_NAMED + MOST_OTHER
    assert time.process_time() - started < 2
