import pytest

from sekisho.inspect.exact.phrases import beginnings, name_of, phrases_in, text_of


def starts_of(*phrases):
    masks = {}
    for tag, phrase in phrases:
        for beginning, bit in beginnings(tag, phrase):
            masks[beginning] = masks.get(beginning, 0) | bit
    return lambda beginning: masks.get(beginning, 0)


def found(text, *phrases):
    tags = frozenset(tag for tag, _ in phrases)
    keys = {tag + phrase for tag, phrase in phrases}
    return {key for _, key in phrases_in(text, starts_of(*phrases), tags, cjk=True, words=True)} & keys


@pytest.mark.parametrize(
    "text",
    [
        "担当は山田太郎様です",
        "山田　太郎",
        "（山田\t太郎）",
        "山田,太郎",
        "氏名：山 田 太 郎",
        "山田\n太郎",
        "ｶﾌﾞ)山田太郎",
    ],
)
def test_names_by_characters(text):
    assert found(text, ("n", name_of("山田 太郎"))) == {"n山田太郎"}


@pytest.mark.parametrize(
    "text", ["Dear Mr Yamada Taro,", "YAMADA, TARO", "taro.yamada", "Taro\tYamada", "お客様 Taro Yamada 様"]
)
def test_names_by_words(text):
    assert found(text, ("n", name_of("Taro Yamada"))) == {"ntaro yamada"}


def test_what_is_not_there():
    assert found("山田次郎と山口太郎", ("n", "山田太郎")) == set()
    assert found("Taro Suzuki met Jiro Yamada", ("n", "taro yamada")) == set()
    assert found("Ltd Acme Trading", ("t", text_of("Acme Trading Ltd"))) == set()


def test_texts():
    phrases = [("t", text_of("株式会社サンプル商事")), ("t", text_of("Acme Trading Ltd"))]
    assert found("弊社（株式会社 サンプル商事）と ACME TRADING, LTD. は", *phrases) == {
        "t株式会社サンプル商事",
        "tacme trading ltd",
    }


def test_places():
    text = "xx 山田太郎"
    places = [
        place for place, _ in phrases_in(text, starts_of(("n", "山田太郎")), frozenset("n"), cjk=True, words=True)
    ]
    assert places == [3]


def test_long_texts_are_known_by_their_beginning():
    long = "あ" * 20 + "い" * 100
    assert found(f"前文、{long}。", ("t", text_of(long))) == {"t" + "あ" * 20 + "い" * 12}
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
    assert text_of(" ".join(words)) == " ".join(words[:6])
