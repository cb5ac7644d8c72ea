import asyncio

import pytest
from support.zone import ZoneResolver

from sekisho.mailauth.spf.budget import Budget, Limits, StoppedError, address_number, is_name


@pytest.mark.parametrize(("name", "good"), [("a.example", True), ("_x y.example", True), ("", False), ("a..b", False),
                                            ("a" * 64, False), ("é.example", False), ("a." * 126 + "a", True),
                                            ("a." * 127 + "a", False)])  # fmt: skip
def test_names_that_can_be_asked_for(name, good):
    assert is_name(name) == good


@pytest.mark.parametrize(("text", "number"), [("192.0.2.1", 0xC0000201), ("::1", 1), ("", -1), ("192.0.2.256", -1)])
def test_addresses_as_numbers(text, number):
    assert address_number(text) == number


def test_names_that_cannot_be_asked_for_are_not_asked_and_not_void():
    resolver = ZoneResolver({})
    budget = Budget(resolver, Limits(), lambda: 0.0)
    assert asyncio.run(budget.ask("a..b", "A")) == ()
    assert (resolver.asked, budget.void_lookups) == ([], 0)


def test_the_third_void_lookup_is_one_too_many():
    budget = Budget(ZoneResolver({"a.example": {"TXT": ["x"]}}), Limits(), lambda: 0.0)
    assert asyncio.run(budget.ask("a.example", "A")) == ()
    assert asyncio.run(budget.ask("no.example", "A")) == ()
    with pytest.raises(StoppedError) as stopped:
        asyncio.run(budget.ask("no.example", "MX"))
    assert (stopped.value.result, stopped.value.reason) == ("permerror", "void-lookups")
