import pytest

from sekisho.inspect.exact.spots import Wanted, spots

PHONES = Wanted(phones=frozenset((9, 10)))


def keys(text, wanted):
    return {key for _, key in spots(text, wanted)}


@pytest.mark.parametrize(
    "text",
    [
        "電話090-1234-5678まで", "call +81 90 1234 5678 now", "+81 (0)90-1234-5678", "(090) 1234-5678",
        "０９０（１２３４）５６７８",        "x09012345678y", "1,09012345678,2", "12 090-1234-5678 34",
        "〇090ー1234ー5678", "5 6 090 1234 5678",
    ],
)  # fmt: skip
def test_phones(text):
    assert "p9012345678" in keys(text, PHONES)


def test_only_lengths_that_a_list_has():
    assert keys("call 090-1234-5678, order 123456", Wanted(phones=frozenset((9,)))) == set()
    assert keys("order 123456 of 1234567", Wanted(numbers=frozenset((6,)))) == {"i123456"}


@pytest.mark.parametrize(
    "text",
    ["1234 5678 9012 3456", "1234-5678-9012-3456", "１２３４ー５６７８ー９０１２ー３４５６", "No.1234567890123456."],
)
def test_numbers(text):
    assert "i1234567890123456" in keys(text, Wanted(numbers=frozenset((16,))))


def test_leading_zeros_do_not_count():
    assert keys("〒060-0001", Wanted(numbers=frozenset((6,)))) == {"i600001"}


@pytest.mark.parametrize("text", ["code AB-12345.", "ab12345", "ＡＢ－１２３４５", "(AB12345)", "id=ab_12345&x"])
def test_codes(text):
    assert "iab12345" in keys(text, Wanted(codes=frozenset((7,))))


def test_codes_are_whole():
    assert keys("XAB12345 AB123456", Wanted(codes=frozenset((7,)))) == set()


@pytest.mark.parametrize(
    "text",
    ["<Taro@Example.jp>", "mail：taro@example.jp。", "taro＠example.jp", "'taro@example.jp'", "to=taro@example.jp,x"],
)
def test_emails(text):
    assert keys(text, Wanted(emails=True)) == {"etaro@example.jp"}


def test_dates_and_addresses():
    wanted = Wanted(dates=True, addresses=frozenset(("place", "number-first")))
    text = "昭和五十年四月一日生、港区芝公園四丁目2番8号、1600 Amphitheatre Pkwy"
    assert keys(text, wanted) == {"d19750401", "a公園|4-2-8", "a1600|amphitheatre"}


def test_places_are_those_in_the_text():
    text = "a 12345678 b 87654321"
    found = {key: place for place, key in spots(text, Wanted(numbers=frozenset((8,))))}
    assert found == {"i12345678": text.index("1"), "i87654321": text.index("8 b") + 4}


def test_nothing_is_wanted():
    assert keys("090-1234-5678 taro@example.jp 1975-04-01", Wanted()) == set()


def test_together():
    both = PHONES.together(Wanted(emails=True, numbers=frozenset((7,))))
    assert both == Wanted(phones=frozenset((9, 10)), emails=True, numbers=frozenset((7,)))
