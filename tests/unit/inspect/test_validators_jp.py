import datetime as dt
import string

import pytest
import stdnum.jp.cn
import stdnum.jp.in_
import stdnum.luhn
from hypothesis import assume, given
from hypothesis import strategies as st

from sekisho.inspect.validators import VALIDATORS
from sekisho.inspect.validators_jp import (
    JAPANESE_VALIDATORS,
    jp_bank_account,
    jp_birth_date,
    jp_corporate_number,
    jp_drivers_licence,
    jp_full_name,
    jp_insurer_number,
    jp_medical_value,
    jp_my_number,
    jp_passport,
    jp_pension_number,
    jp_phone,
    jp_vehicle_plate,
    kanji_number,
)


def digits(size):
    return st.text(string.digits, min_size=size, max_size=size)


def checked(prefix_size, calc, *, first=False):
    """Numbers with a right check digit by the other implementation."""
    return digits(prefix_size).map(lambda n: calc(n) + n if first else n + calc(n))


def test_all_of_them_can_be_named_in_a_rule():
    assert JAPANESE_VALIDATORS.items() <= VALIDATORS.items()


@given(digits(12) | checked(11, stdnum.jp.in_.calc_check_digit))
def test_my_number_agrees_with_stdnum(number):
    assume(len(set(number)) > 2)
    assert jp_my_number(number) == stdnum.jp.in_.is_valid(number)


def test_separators_do_not_count():
    assert jp_my_number("1234 5678 9018")
    assert jp_my_number("1234-5678-9018")


@pytest.mark.parametrize("number", ["000000000000", "111111111118", "12345678901", "1234567890188"])
def test_no_my_number(number):
    assert not jp_my_number(number)


@given(digits(13) | checked(12, stdnum.jp.cn.calc_check_digit, first=True))
def test_corporate_number_agrees_with_stdnum(number):
    assume(len(set(number)) > 1)
    assert jp_corporate_number(number) == stdnum.jp.cn.is_valid(number)


@pytest.mark.parametrize("number", ["309012345620", "3090-1234-5620"])
def test_drivers_licence(number):
    # 3090123456: 5*3+3*9+7*1+6*2+5*3+4*4+3*5+2*6 = 119, 119 mod 11 = 9, 11-9 = 2
    assert jp_drivers_licence(number)


@pytest.mark.parametrize("number", ["309012345610", "309012345630", "159012345620", "30901234562", "000000000010"])
def test_no_drivers_licence(number):
    assert not jp_drivers_licence(number)


@pytest.mark.parametrize(("number", "is_one"), [("909012345650", 1), ("979012345600", 1), ("989012345660", 0)])
def test_the_last_licence_commissions_are_90_to_97(number, is_one):
    # 9090123456: 149 mod 11 = 6, 11-6 = 5; 9790123456: 177 mod 11 = 1, 10 mod 10 = 0; 9890123456: 181 mod 11 = 5
    assert jp_drivers_licence(number) == bool(is_one)


def test_the_licence_check_digit_is_one_for_remainder_zero():
    # 3040000003: 5*3 + 3*4 + 2*3 = 33, 33 mod 11 = 0, (11 - 0) mod 10 = 1
    assert jp_drivers_licence("304000000310")
    assert not jp_drivers_licence("304000000300")


# 01130012 is the Tokyo branch of the national association; 0 1*1 1*2 3 0 0 1*2: 1+2+3+2 = 8, 10-8 = 2.
@pytest.mark.parametrize("number", ["01130012", "0113-0012", "138057"])
def test_insurer_number(number):
    assert jp_insurer_number(number)


@pytest.mark.parametrize("number", ["01130013", "138056", "480012", "0113001", "", "00000000"])
def test_no_insurer_number(number):
    assert not jp_insurer_number(number)


@pytest.mark.parametrize("number", ["21130018", "05130018"])
def test_there_are_no_such_kinds_of_insurer(number):
    assert stdnum.luhn.is_valid(number)
    assert not jp_insurer_number(number)


@given(
    st.sampled_from(["01", "06", "31", "39", "63"]),
    st.integers(1, 47),
    digits(3).map(lambda n: n),
    st.sampled_from(string.digits),
)
def test_the_insurer_check_digit_agrees_with_stdnum(kind, prefecture, number, check):
    text = f"{kind}{prefecture:02}{number}{check}"
    assert jp_insurer_number(text) == stdnum.luhn.is_valid(text)


@pytest.mark.parametrize(
    "number",
    [
        "03-1234-5678",
        "06(6345)1234",
        "(045)123-4567",
        "（045）123-4567",
        "0463-22-1234",
        "01267-2-1234",
        "04-2912-3456",
        "0312345678",
        "0463221234",
        "090-1234-5678",
        "09012345678",
        "080-12345678",
        "050-1234-5678",
        "+81-90-1234-5678",
        "+81 3 1234 5678",
        "+81 (0)45-123-4567",
        "81-3-1234-5678",
        "010-81-3-1234-5678",
        "0081-90-1234-5678",
        "0081 3 1234 5678",
        "00819012345678",
    ],
)
def test_phone(number):
    assert jp_phone(number)


@pytest.mark.parametrize(
    "number",
    [
        "0120-123-456",  # a service
        "0570-012-345",
        "0800-123-4567",
        "0231-45-6789",  # no such area code
        "031-234-5678",  # the area code is 03
        "03-123-45678",
        "03-0123-4567",  # no exchange begins with 0
        "0463-221-234",
        "090-0123-4567",
        "090-1234-567",
        "090-1234-56789",
        "090-0000-0000",
        "086-8888975",
        "2024-05-01",
        "1-234-567-8901",
        "+81-1-1234-567",
        "0081-1-1234-567",
        "0082-90-1234-5678",  # Korea
        "",
        "0",
    ],
)
def test_no_phone(number):
    assert not jp_phone(number)


@given(st.dates(dt.date(1926, 12, 25), dt.date(2019, 4, 30)))
def test_a_day_is_one_in_all_its_forms(day):
    era, first = ("昭和", 1925) if day <= dt.date(1989, 1, 7) else ("平成", 1988)
    letter = {"昭和": "S", "平成": "H"}[era]
    year = day.year - first
    for text in (
        f"{day.year}年{day.month}月{day.day}",
        day.isoformat(),
        f"{day:%Y/%m/%d}",
        f"{day:%Y%m%d}",
        f"{era}{year}年{day.month}月{day.day}",
        f"{letter}{year}.{day.month}.{day.day}",
    ):
        assert jp_birth_date(text), text


@pytest.mark.parametrize("text", ["1900/01/01", "2099/12/31", "令和81年12月31日"])
def test_the_first_and_the_last_day(text):
    assert jp_birth_date(text)


@pytest.mark.parametrize("text", ["昭和五十年三月三日", "一九七五年三月三日", "平成元年一月八日", "令和2年2月29日"])
def test_days_in_kanji(text):
    assert jp_birth_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "昭和50年13月3日",
        "1975-02-30",
        "昭和65年1月1日",
        "平成0年1月1日",
        "19751301",
        "1075/03/03",
        "2100/01/01",
        "令和82年1月1日",  # 2100
        "12/3/4",
        "",
        "年月日",
    ],
)
def test_no_days(text):
    assert not jp_birth_date(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("五", 5), ("十", 10), ("十二", 12), ("二十", 20), ("五十三", 53), ("一九八〇", 1980), ("元", 1)],
)
def test_kanji_numbers(text, number):
    assert kanji_number(text) == number


@given(st.text())
def test_no_text_breaks_any_of_them(text):
    for check in JAPANESE_VALIDATORS.values():
        assert check(text) in (True, False)


@given(st.text("0123456789-+()年月日昭和SHE元十 あ", max_size=20))
def test_no_text_of_their_own_characters_breaks_any_of_them(text):
    for check in JAPANESE_VALIDATORS.values():
        assert check(text) in (True, False)


def test_accounts_passports_and_pension_numbers_are_no_fillers():
    assert jp_bank_account("0012345")
    assert jp_bank_account("10120-12345671")
    assert not jp_bank_account("0000000")
    assert not jp_bank_account("9012012345671")
    assert jp_passport("TR1234567")
    assert not jp_passport("TR1111111")
    assert not jp_passport("FY2024040")
    assert jp_pension_number("1234-567890")
    assert not jp_pension_number("0000-000000")


@pytest.mark.parametrize(
    "plate", ["品川 300 あ 12-34", "横浜500さ--12", "なにわ33ら5678", "熊谷 30A ま 1-23", "富士山 480 り --1"]
)
def test_vehicle_plate(plate):
    assert jp_vehicle_plate(plate)


@pytest.mark.parametrize(
    "plate", ["品川 300 へ 12-34", "品川 300 ん 12-34", "品川 300 あ 00-00", "品川 あ 12-34", ""]
)
def test_no_vehicle_plate(plate):
    assert not jp_vehicle_plate(plate)


def test_full_names_and_words_about_health():
    assert jp_full_name("山田太郎")
    assert not jp_full_name("営業本部")
    assert jp_medical_value("急性胃腸炎")
    assert not jp_medical_value("特になし")
