import string

import stdnum.us.ssn
from hypothesis import assume, given
from hypothesis import strategies as st

from sekisho.inspect.samples import filled_in
from sekisho.inspect.validators import (
    VALIDATORS,
    json_web_token,
    no_placeholder,
    random_looking,
    us_ssn,
)


def digits(size):
    return st.text(string.digits, min_size=size, max_size=size)


@given(digits(9) | st.from_regex(r"(000|666|9[0-9]{2}|078|219|001)(00|05|09|01)(0000|1120|9999)", fullmatch=True))
def test_ssn_agrees_with_stdnum(number):
    assume(number not in ("123456789", "987654321"))
    assert us_ssn(number) == stdnum.us.ssn.is_valid(number)


def test_separators_do_not_count():
    assert us_ssn("536-22-1234")
    assert not us_ssn("123-45-6789")


def test_random_looking():
    assert random_looking(filled_in("{{github-token}}"))
    assert not random_looking("ghp_" + "x" * 36)
    assert not random_looking("AKIAIOSFODNN7EXAMPLE")


def test_no_placeholder():
    assert no_placeholder("hunter2")
    assert no_placeholder("0401")  # a day, as the password of an archive often is
    assert no_placeholder("12345678")
    assert not no_placeholder("your-password")
    assert not no_placeholder("aaaa")
    assert not no_placeholder("0000")
    assert not no_placeholder("null")


def test_json_web_token():
    assert json_web_token(filled_in("{{json-web-token}}"))
    assert not json_web_token("eyJub3RfYV9oZWFkZXIiOjF9.e30.x")
    assert not json_web_token("eyJ.e30.x")
    assert not json_web_token("WyJhbGciXQ.e30.x")


@given(st.sampled_from(sorted(VALIDATORS)), st.text(max_size=60))
def test_no_validator_raises(name, value):
    assert VALIDATORS[name](value) in (True, False)
