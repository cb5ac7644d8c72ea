from __future__ import annotations

import pytest

from sekisho.parse.unpack.office.formats import date_text, date_text_1904, float_text, format_of, number_text


@pytest.mark.parametrize(
    ("written", "shown"),
    [("4.111111111111111E+15", "4111111111111111"), ("1.5", "1.5"), ("1E-3", "1E-3"), ("1E400", "1E400"), ("x", "x")],
)
def test_numbers(written, shown):
    assert number_text(written) == shown


def test_floats():
    assert [float_text(n) for n in (1.0, 1.5, 4111111111111111.0, float("nan"), float("inf"), -2.0)] == [
        "1", "1.5", "4111111111111111", "nan", "inf", "-2"
    ]  # fmt: skip


def test_dates():
    # ECMA-376 part 1, 18.17.4.1: day 1 is 1900-01-01 and the year 1900 has a 29 February that never was
    assert date_text("61") == "1900-03-01"
    assert date_text("45000.75") == "2023-03-15 18:00:00"
    assert date_text("0.5") == "12:00:00"
    assert date_text("1E300") == "1E300"
    assert date_text_1904("43538") == "2023-03-15"


@pytest.mark.parametrize(
    "code", ["yyyy/m/d", '[$-411]ggge"年"m"月"d"日"', "d-mmm-yy", "h:mm AM/PM", "[h]:mm", 'm"月"d"日"']
)
def test_codes_of_dates(code):
    assert format_of(200, code) is not None


@pytest.mark.parametrize(
    "code", ["", "General", "0.00", "#,##0", '"¥"#,##0', "0.00E+00", "@", '#,##0"円"', "[Red]0", "0%"]
)
def test_codes_of_numbers(code):
    assert format_of(200, code) is None


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [("0000000", "1234", "0001234"), ("000-0000", "1000001", "100-0001"), ("00", "1.5", "1.5"),
     ("0000-0000-0000", "12345678901", "0123-4567-8901")],
)  # fmt: skip
def test_leading_zeros(code, value, shown):
    shows = format_of(200, code)
    assert shows is not None
    assert shows(value) == shown
