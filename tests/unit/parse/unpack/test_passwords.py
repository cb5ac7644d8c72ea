import time

import pytest
from tests.support.opened_file import opening_of

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.opening import Budget, Opening
from sekisho.parse.unpack.passwords import PasswordSearch, spellings, tell_opened, try_passwords


def test_the_first_that_fits():
    opening = opening_of(b"", passwords=("a", "b", "", "c"))
    tried = []
    assert try_passwords(opening, lambda p: tried.append(p) or p == "b") == "b"
    assert tried == ["a", "b"]


def test_none_fits():
    assert try_passwords(opening_of(b"", passwords=("a",)), lambda _: False) is None


def test_no_more_than_the_limit():
    tried = []
    budget = Budget(OpenLimits(passwords=3))
    try_passwords(Opening(b"", "a", budget=budget, passwords=tuple("abcdef")), lambda p: bool(tried.append(p)))
    assert tried == ["a", "b", "c"]


def test_slow_checks_end_in_time():
    opening = opening_of(b"", passwords=tuple(map(str, range(200))))
    began = time.monotonic()
    end = began + 5

    def check(_):
        until = time.monotonic() + 0.02
        while time.monotonic() < until < end:
            pass
        return False

    assert try_passwords(opening, check, seconds=0.1) is None
    assert time.monotonic() - began < 1


def test_a_share_of_the_time_left():
    opening = opening_of(b"", passwords=("a",), seconds=0)
    assert try_passwords(opening, lambda _: True) is None


def test_what_the_check_raises_is_passed_on():
    with pytest.raises(ZeroDivisionError):
        try_passwords(opening_of(b"", passwords=("a",)), lambda _: bool(1 / 0))


def test_success_is_told_once_and_without_the_password():
    opening = opening_of(b"", "a.zip")
    tell_opened(opening)
    tell_opened(opening)
    assert opening.opened_by_password
    assert [(f.rule, f.severity.word) for f in opening.findings] == [("attachment/password-in-mail", "medium")]


def test_spellings():
    assert spellings("abc") == (b"abc",)
    assert spellings("合言葉") == ("合言葉".encode(), "合言葉".encode("cp932"))
    assert spellings("é€😀") == ("é€😀".encode(),)


def test_a_known_password_is_tried_first():
    search = PasswordSearch(opening_of(b"", passwords=("a", "b", "c")))
    assert search.find(lambda p: p == "c") == "c"
    tried = []
    assert search.find(lambda p: tried.append(p) or p in "bc") == "c"
    assert tried == ["c"]


def test_after_three_searches_in_vain_only_known_ones_are_tried():
    search = PasswordSearch(opening_of(b"", passwords=("a", "b")))
    assert [search.find(lambda p: p == "a"), *(search.find(lambda _: False) for _ in range(3))] == [
        "a",
        None,
        None,
        None,
    ]
    tried = []
    assert search.find(lambda p: bool(tried.append(p))) is None
    assert tried == ["a"]
