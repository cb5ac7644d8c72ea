from types import SimpleNamespace

import pytest
from tests.support.opened_file import EndingBudget, opening_of

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack import passwords
from sekisho.parse.unpack.opening import Budget, Opening, OverLimitError
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


def test_slow_checks_end_in_time(monkeypatch):
    tried = []
    monkeypatch.setattr(passwords, "time", SimpleNamespace(monotonic=lambda: 0.5 * len(tried)))
    opening = opening_of(b"", passwords=tuple(map(str, range(200))))
    assert try_passwords(opening, lambda p: bool(tried.append(p)), seconds=2.0) is None
    assert tried == ["0", "1", "2", "3", "4"]


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


def test_time_ends_the_trying_of_known_passwords():
    """A check need not look at the clock: a wrong key may give nothing at all to look at."""
    tried = []
    opening = Opening(b"", "a", budget=EndingBudget(lambda: len(tried) >= 2))
    search = PasswordSearch(opening)
    search.known = ["a", "b", "c", "d"]
    with pytest.raises(OverLimitError):
        search.find(lambda p: bool(tried.append(p)))
    assert tried == ["a", "b"]
