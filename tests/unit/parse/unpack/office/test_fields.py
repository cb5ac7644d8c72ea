from __future__ import annotations

import time

import pytest
from support.opened_file import found, opening_of, urls

from sekisho.parse.unpack.office.fields import quoted, tell_field, tell_formula


def test_quoted():
    assert quoted(' QUOTE 68 68 69 "x" ') == "DDEx"
    assert quoted(" PAGE ") is None


@pytest.mark.parametrize(
    ("instruction", "target"),
    [(' HYPERLINK "https://e.example/a b" ', "https://e.example/a b"), (" HYPERLINK https://e.example/ ", "https://e.example/"),
     (' HYPERLINK "a.docx" \\l "x" ', "a.docx"), (' HYPERLINK \\l "bookmark" ', None)],
)  # fmt: skip
def test_links(instruction, target):
    opening = opening_of(b"")
    tell_field(opening, instruction)
    assert urls(opening) == ([target] if target else [])


@pytest.mark.parametrize(
    ("formula", "severity"),
    [("=cmd|'/c calc'!A0", "high"), ("MSEXCEL|'\\..\\..\\Windows\\System32\\cmd.exe /c x'!A", "high"),
     ("RSS|'9984.T'!x", "medium"), ('DDE("cmd";"/c calc";"a")', "high"), ('DDE("soffice";"a.ods";"A1")', "medium"),
     ("SUM(A1:B2)", None), ('IF(A1="x|y!z",1,2)', None)],
)  # fmt: skip
def test_formulas(formula, severity):
    opening = opening_of(b"")
    tell_formula(opening, formula)
    assert found(opening).get("dde") == severity


@pytest.mark.parametrize("bait", ["a|", "HYPERLINK(", '"', "a|'", "=a", 'DDE("', "| "])
def test_long_formulas_take_bounded_time(bait):
    started = time.process_time()
    tell_formula(opening_of(b""), bait * (300_000 // len(bait)))
    tell_field(opening_of(b""), "DDE " + bait * 100_000)
    assert time.process_time() - started < 10  # minutes if something is quadratic
