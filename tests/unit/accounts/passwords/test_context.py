"""Words that are expected of an owner."""

import pytest

from sekisho.accounts.passwords.context import ContextWord, context_words, rest

WORDS = context_words(
    "t-yamada@mail.yamanoue.co.jp",
    ["Taro Yamada", "山田 太郎", "やまだ たろう"],
    ["山上工業", "Yamanoue Kogyo K.K."],
    ["yamanoue.co.jp", "example.jp"],
    ["Tokaido Line"],
)


def texts(kind):
    return {word.text for word in WORDS if word.kind == kind}


def test_words_and_their_parts():
    assert texts("login") == {"t-yamada", "yamada"}
    # "Yamada" and "やまだ" are there already, as the login's
    assert texts("name") == {"Taro Yamada", "Taro", "山田 太郎", "山田", "太郎", "やまだ たろう", "たろう"}
    assert "山上工業" in texts("company")
    assert "Kogyo" in texts("company")
    assert texts("product") == {"sekisho"}
    assert "Tokaido" in texts("words")
    # suffixes, short labels and ordinary ones say nothing
    assert not {"co", "jp", "mail", "example", "K", "t"} & {word.text for word in WORDS}


@pytest.mark.parametrize(
    ("password", "most", "kind"),
    [
        ("Yamada-Taro-1985", 2, "name"),
        ("y4m4d4t4r0", 0, "name"),
        ("やまだたろう1985", 2, "name"),
        ("ヤマダ2026", 2, "name"),
        ("山田太郎山田太郎", 0, "name"),
        ("yamanouye kougyou", 10, "company"),
        ("山上工業2026年", 3, "company"),
        ("Sekisyo2026!", 2, "product"),
        ("Y.a.m.a.n.o.u.e", 0, "company"),
    ],
)
def test_what_is_left(password, most, kind):
    left, kinds = rest(password, WORDS)
    assert left <= most
    assert kind in kinds or (kind == "name" and kinds == ("login",))


def test_nothing_of_them():
    assert rest("correct horse battery", WORDS)[1] == ()
    assert rest("", WORDS) == (0, ())


def test_a_name_among_many_words_leaves_them():
    left, kinds = rest("yamada bought seventeen purple teapots", WORDS)
    assert kinds == ("login",)
    assert left >= 25


def test_many_words_are_bounded():
    assert len(context_words(words=[f"word{number}" for number in range(10_000)])) == 200


def test_no_words():
    assert context_words() == (ContextWord("product", "sekisho"),)
