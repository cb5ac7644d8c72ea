import string

import pytest
import stdnum.iban
import stdnum.jp.cn
import stdnum.jp.in_
import stdnum.luhn
import stdnum.us.ssn
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_97_10

from sekisho.inspect.samples import filled_in
from sekisho.inspect.validators import (
    VALIDATORS,
    entropy,
    iban,
    jp_corporate_number,
    jp_drivers_licence,
    jp_my_number,
    json_web_token,
    luhn,
    no_placeholder,
    password_like,
    payment_card,
    random_looking,
    us_ssn,
)


def digits(size):
    return st.text(string.digits, min_size=size, max_size=size)


def checked(prefix_size, calc, *, first=False):
    """Numbers with a right check digit by the other implementation."""
    return digits(prefix_size).map(lambda n: calc(n) + n if first else n + calc(n))


@given(digits(12) | checked(11, stdnum.jp.in_.calc_check_digit))
def test_my_number_agrees_with_stdnum(number):
    assume(len(set(number)) > 2)
    assert jp_my_number(number) == stdnum.jp.in_.is_valid(number)


@given(digits(13) | checked(12, stdnum.jp.cn.calc_check_digit, first=True))
def test_corporate_number_agrees_with_stdnum(number):
    assume(len(set(number)) > 1)
    assert jp_corporate_number(number) == stdnum.jp.cn.is_valid(number)


@given(
    st.text(string.digits, min_size=2, max_size=25) | digits(15).map(lambda n: n + stdnum.luhn.calc_check_digit(n))
)
def test_luhn_agrees_with_stdnum(number):
    assert luhn(number) == stdnum.luhn.is_valid(number)


IBANS = [
    "GB82WEST12345698765432",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "BE68539007547034",
    "NO9386011117947",
    "SA0380000000608010167519",
    "MT84MALT011000012345MTLCAST001S",
]


@given(st.sampled_from(IBANS), st.integers(4, 30), st.sampled_from(string.digits + string.ascii_uppercase))
def test_iban_check_digits_agree_with_stdnum(number, place, new):
    place %= len(number)
    changed = number[:place] + new + number[place + 1 :]
    assume(changed[:2] == number[:2])
    assert iban(changed) == mod_97_10.is_valid(changed[4:] + changed[:4])


@pytest.mark.parametrize("number", IBANS)
def test_an_iban_of_the_registry_passes_here_and_there(number):
    assert stdnum.iban.is_valid(number, check_country=False)
    assert iban(number)
    assert not iban(number + "0")


def test_iban_in_groups_and_before_a_word():
    assert iban("GB82 WEST 1234 5698 7654 32")
    assert iban("GB82 WEST 1234 5698 7654 32 PLE")
    assert not iban("GB82WEST12345698765432X")
    assert not iban("GB82 WEST 1234 5698 7654")
    assert not iban("XX82 WEST 1234 5698 7654 32")


@given(digits(9) | st.from_regex(r"(000|666|9[0-9]{2}|078|219|001)(00|05|09|01)(0000|1120|9999)", fullmatch=True))
def test_ssn_agrees_with_stdnum(number):
    assume(number not in ("123456789", "987654321"))
    assert us_ssn(number) == stdnum.us.ssn.is_valid(number)


def test_separators_do_not_count():
    assert us_ssn("536-22-1234")
    assert jp_my_number("1234 5678 9018")
    assert not us_ssn("123-45-6789")


@pytest.mark.parametrize("number", ["309012345620", "3090-1234-5620"])
def test_drivers_licence(number):
    # 3090123456: 5*3+3*9+7*1+6*2+5*3+4*4+3*5+2*6 = 119, 119 mod 11 = 9, 11-9 = 2
    assert jp_drivers_licence(number)


@pytest.mark.parametrize("number", ["309012345610", "309012345630", "159012345620", "30901234562", "000000000010"])
def test_no_drivers_licence(number):
    assert not jp_drivers_licence(number)


def test_the_licence_check_digit_is_one_for_remainder_zero():
    # 3040000003: 5*3 + 3*4 + 2*3 = 33, 33 mod 11 = 0, (11 - 0) mod 10 = 1
    assert jp_drivers_licence("304000000310")
    assert not jp_drivers_licence("304000000300")


# Numbers that the brands publish for tests.
@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3530111333300000",
        "30569309025904",
        "6011111111111117",
        "6200000000000005",
    ],
)
def test_payment_cards(number):
    assert payment_card(number)
    assert not payment_card(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert not payment_card("9" + number[1:])


@given(st.text(string.digits, max_size=22))
def test_a_payment_card_passes_luhn(number):
    assert not payment_card(number) or stdnum.luhn.is_valid(number)


def test_entropy():
    assert entropy("aaaa") == 0
    assert entropy("ab") == 1
    assert entropy("abcdefgh") == 3


def test_random_looking():
    assert random_looking(filled_in("{{github-token}}"))
    assert not random_looking("ghp_" + "x" * 36)
    assert not random_looking("AKIAIOSFODNN7EXAMPLE")


@pytest.mark.parametrize("value", ["aB3dE5gH7#", "tanaka2024!", "p4ssw0rd?"])
def test_password_like(value):
    assert password_like(value)


@pytest.mark.parametrize(
    "value", ["short", "secretly", "20241231", "********", "<password1>", "${PASS1}", "https://a1.example", "a1" * 40]
)
def test_not_password_like(value):
    assert not password_like(value)


def test_no_placeholder():
    assert no_placeholder("hunter2")
    assert not no_placeholder("your-password")
    assert not no_placeholder("aaaa")


def test_json_web_token():
    assert json_web_token(filled_in("{{json-web-token}}"))
    assert not json_web_token("eyJub3RfYV9oZWFkZXIiOjF9.e30.x")
    assert not json_web_token("eyJ.e30.x")
    assert not json_web_token("WyJhbGciXQ.e30.x")


@given(st.sampled_from(sorted(VALIDATORS)), st.text(max_size=60))
def test_no_validator_raises(name, value):
    assert VALIDATORS[name](value) in (True, False)
