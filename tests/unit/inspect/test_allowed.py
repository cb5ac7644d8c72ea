"""Allowed values are the same however they are written."""

import pytest

from sekisho.inspect.allowed import NOTHING, Allowed


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("03-1234-5678", "0312345678"),
        ("03(1234)5678", "０３－１２３４－５６７８"),
        ("info@corp.example", "Info@Corp.Example"),
        ("*@corp.example", "hanako@corp.example"),
        ("4012 8888 8888 1881", "4012-8888-8888-1881"),
        ("0120*", "0120-000-111"),
    ],
)
def test_allowed(entry, value):
    assert Allowed(["something else", entry]).has(value)


@pytest.mark.parametrize(
    ("entry", "value"), [("*@corp.example", "a@corp.example.evil"), ("031234", "0312345"), ("a.b", "axb")]
)
def test_not_allowed(entry, value):
    assert not Allowed([entry]).has(value)


def test_nothing():
    assert not NOTHING.has("anything")
    assert not Allowed([]).has("")
