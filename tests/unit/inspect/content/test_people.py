import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.content.people import People, PeopleError, read_people

PEOPLE = read_people([
    "\ufeff# our people",
    "山田 太郎;Taro Yamada;ヤマダ タロウ;taro.yamada@example.co.jp;T-Yamada@example.com",
    "Maria K. Weber,weber@example.com",
    "鈴木 一郎\tichiro@example.co.jp",
    "鈴木 一郎;suzuki.i@example.co.jp",
    "",
    "工藤 人士;kudo@example.co.jp",
    '"Jean-Luc O\'Brien",jl@example.com',
])  # fmt: skip
TARO = {"taro.yamada@example.co.jp", "t-yamada@example.com"}


@pytest.mark.parametrize(
    "name",
    [
        "山田 太郎",
        "山田太郎",
        "山田　太郎",
        "太郎 山田",
        "山田太郎様",
        "山田 太郎 さん",
        "代表取締役 山田 太郎",
        "代表取締役社長山田太郎",
        "株式会社山上工業 代表取締役 山田太郎",
        "山田 太郎 (Yamanoue)",
        "山田太郎 / 経理部",
        "Taro Yamada",
        "Yamada, Taro",
        "TARO YAMADA",
        "Ｔａｒｏ　Ｙａｍａｄａ",
        "Mr. Taro K. Yamada",
        "Taro Yamada, CEO",
        "Taro Yamada (CEO)",
        "Taro Yamada-san",
        "Tаro Yamada",  # a Cyrillic letter
        "ヤマダタロウ",
        "ﾔﾏﾀﾞ ﾀﾛｳ",
        "ヤマダ・タロウ",
        "Yamanoue | Taro Yamada",
        "Taro Yamada via Shared Files",
    ],
)
def test_spellings(name):
    assert PEOPLE.addresses_of(name) == TARO


@pytest.mark.parametrize(
    "name",
    [
        "",
        "山田",
        "Taro",
        "Yamada",
        "Taro Tanaka",
        "山田 花子",
        "T. Y.",
        "Taro Yamada Foundation",
        "太郎",
        "CEO",
        "社長",
    ],
)
def test_others(name):
    assert PEOPLE.addresses_of(name) is None


def test_middle_initials_in_the_directory():
    assert PEOPLE.addresses_of("Maria Weber") == PEOPLE.addresses_of("WEBER Maria") == {"weber@example.com"}


def test_two_people_of_one_name():
    assert PEOPLE.addresses_of("鈴木一郎") == {"ichiro@example.co.jp", "suzuki.i@example.co.jp"}


def test_characters_that_the_skeleton_changes():
    assert PEOPLE.addresses_of("工場長 工藤人士") == {"kudo@example.co.jp"}


def test_hyphens_and_apostrophes():
    assert PEOPLE.addresses_of("O'Brien, Jean-Luc") == {"jl@example.com"}


@pytest.mark.parametrize("line", ["山田 太郎", "taro@example.com", "Taro;taro@example.com", "社;a@b.jp", ";;a@b.jp"])
def test_lines_that_name_nobody(line):
    with pytest.raises(PeopleError) as told:
        read_people(["# x", "", "Ann Bcd;a@b.jp", line])
    assert told.value.line == 4


def test_nobody():
    assert not People()
    assert PEOPLE


@given(st.text(max_size=200))
def test_any_name(name):
    PEOPLE.addresses_of(name)


def test_bounded_time():
    before = time.process_time()
    for piece in ("山", "a b ", "・", ",", "様", "(", "あ い "):
        PEOPLE.addresses_of(piece * 20_000)
    assert time.process_time() - before < 1


def test_titles_in_a_row_take_bounded_time():
    began = time.process_time()
    for title in ("取締役会長", "取締役社長", "代表理事長"):
        assert PEOPLE.addresses_of(f"x{title * 22}y") is None
    assert time.process_time() - began < 1


def test_titles_of_two_words_are_taken_off():
    for title in ("取締役会長", "取締役社長", "経理部長", "執行役員本部長"):
        assert PEOPLE.addresses_of(f"山田太郎{title}") == TARO
