import datetime as dt
import string

import pytest
import stdnum.luhn
import stdnum.verhoeff
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_10 as stdnum_mod_11_10
from stdnum.iso7064 import mod_97_10

from sekisho.inspect.check_digits import (
    Check,
    Number,
    date_at,
    digits_of,
    is_day,
    luhn,
    luhn_digits,
    mod_11_10,
    mod_97,
    number_of,
    verhoeff,
)

numbers = st.text(string.digits, min_size=2, max_size=25)


def with_check(calc):
    """Numbers as they come, and as many whose last digit the other implementation has made."""
    return numbers | numbers.map(lambda n: n + calc(n))


@given(with_check(stdnum.luhn.calc_check_digit))
def test_luhn_agrees_with_stdnum(number):
    assert luhn(number) == luhn_digits(digits_of(number)) == stdnum.luhn.is_valid(number)


@given(with_check(stdnum.verhoeff.calc_check_digit))
def test_verhoeff_agrees_with_stdnum(number):
    assert verhoeff(digits_of(number)) == stdnum.verhoeff.is_valid(number)


@given(with_check(stdnum_mod_11_10.calc_check_digit))
def test_mod_11_10_agrees_with_stdnum(number):
    assert mod_11_10(digits_of(number)) == stdnum_mod_11_10.is_valid(number)


@given(st.text(string.digits + string.ascii_uppercase, min_size=1, max_size=40))
def test_mod_97_agrees_with_stdnum(text):
    assert mod_97(text) == mod_97_10.checksum(text)


@given(st.dates(dt.date(1904, 1, 1), dt.date(1904, 12, 31)))
def test_every_day_of_a_leap_year_is_one(date):
    assert is_day(date.month, date.day)


@pytest.mark.parametrize(("month", "day"), [(0, 1), (13, 1), (1, 0), (1, 32), (2, 30), (4, 31), (12, 32)])
def test_no_day(month, day):
    assert not is_day(month, day)


def test_a_date_in_fields():
    assert date_at(2, 4)(digits_of("800229"))
    assert not date_at(2, 4)(digits_of("800230"))
    assert not date_at(2, 4)(digits_of("802229"))
    assert date_at(2, 4, months=20)(digits_of("802229"))
    assert date_at(2, 0)(digits_of("310180"))


def test_digits_and_their_number():
    assert digits_of("12-3 ４x") == [1, 2, 3]
    assert number_of([0, 4, 2]) == 42
    assert number_of([]) == 0


# 943 476 5919 is the NHS Data Dictionary's own example of the mod 11 scheme.
def test_a_check_after_its_digits():
    check = Check((10, 9, 8, 7, 6, 5, 4, 3, 2), 11, -1)
    assert check.holds(digits_of("9434765919"))
    assert not check.holds(digits_of("9434765918"))


def test_a_check_in_the_middle_and_a_remainder_with_a_digit_of_its_own():
    assert Check((1, 0, 0, 1), 10, at=1).holds([2, 9, 0, 7])
    assert Check((1, 1), 11, instead={10: 0}).holds([5, 5, 0])
    assert not Check((1, 1), 11).holds([5, 5, 0])


def test_a_number_has_its_length_its_checks_and_more_than_one_digit():
    number = Number((3, 4), (Check((1, 1), 10),), lambda digits: digits[0] != 9)
    assert number("1-2 3")
    assert number("1234") is number("123")
    assert not number("124")
    assert not number("12345")
    assert not number("000")
    assert not number("911")
