import pytest

from sekisho.inspect.exact.dates import date_of, dates_at, day_comes_first


@pytest.mark.parametrize(
    "written",
    [
        "1975-04-01", "1975/4/1", "1975.4.1", "1975年4月1日", "１９７５年４月１日", "19750401", "1975 年 4 月 1 日",
        "昭和50年4月1日", "S50.4.1", "s50/04/01", "昭和五十年四月一日", "Ｓ５０．４．１",
        "1 April 1975", "1st of April 1975", "1-Apr-1975", "April 1, 1975", "Apr. 1, 1975",
    ],
)  # fmt: skip
def test_all_are_one_day(written):
    assert date_of(written, day_first=True) == "19750401"


# The first days of the eras, as the government's calendar law has them.
@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("明治45年7月29日", "19120729"), ("大正元年7月30日", "19120730"), ("昭和元年12月25日", "19261225"),
        ("平成元年1月8日", "19890108"), ("令和元年5月1日", "20190501"), ("R6.1.5", "20240105"),
        ("H31/4/30", "20190430"),
    ],
)  # fmt: skip
def test_eras(written, day):
    assert date_of(written, day_first=False) == day


@pytest.mark.parametrize(
    "written", ["", "yesterday", "1975-13-01", "1975-00-10", "50.4.1", "x50.4.1x", "1234567", "99999999"]
)
def test_no_date(written):
    assert date_of(written, day_first=False) == ""


def test_day_or_month_first():
    assert date_of("04/05/1975", day_first=True) == "19750504"
    assert date_of("04/05/1975", day_first=False) == "19750405"
    assert set(dates_at("04/05/1975", 0)) == {"19750504", "19750405"}
    assert dates_at("13/05/1975", 0) == ("19750513",)


def test_a_column_says_what_comes_first():
    assert day_comes_first(["01/02/1975", "13/02/1975"])
    assert not day_comes_first(["01/02/1975", "02/13/1975"])
    assert not day_comes_first(["01/02/1975"])
    assert not day_comes_first(["1975-13-01"])


def test_where_a_date_stands():
    text = "born on the 1975/4/1, number 12"
    assert dates_at(text, text.index("1975")) == ("19750401",)
    assert dates_at(text, text.index("12")) == ()
    assert dates_at("1975/4/123", 0) == ()
    assert dates_at("197504011", 0) == ()
