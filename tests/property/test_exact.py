"""Exact data matching: whatever a list holds is found however it is written, and cannot be read in its file."""

import tempfile
from datetime import date
from operator import itemgetter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support.listed import as_csv, inspector, listed, sent

from sekisho.inspect.exact.dates import date_of
from sekisho.inspect.exact.normalise import FIELD_TYPES, canonical
from sekisho.inspect.exact.spots import Wanted, spots

_WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
_KANJI = st.text("山川田本中村木林高橋佐藤鈴井上一二太郎花子美香健翔", min_size=2, max_size=2)
_ROW = st.tuples(
    st.builds("{} {}".format, _KANJI, _KANJI),
    st.integers(10_000_000, 99_999_999).map(lambda n: f"090-{n // 10_000}-{n % 10_000:04}"),
    st.integers(100_000, 999_999).map(lambda n: f"user{n}@example.jp"),
    st.dates().map(lambda day: day.replace(year=1930 + day.year % 80, day=min(day.day, 28)).isoformat()),
)


@st.composite
def _writings(draw):
    """A row, and the same as somebody else would write it."""
    name, phone, mail, day = row = draw(_ROW)
    year, month, dom = map(int, day.split("-"))
    written = [
        draw(st.sampled_from([name, name.replace(" ", ""), name.replace(" ", "　") + "様"])),
        draw(st.sampled_from([phone, phone.replace("-", ""), "+81 " + phone[1:], phone.replace("-", "ー")])),
        draw(st.sampled_from([mail, mail.upper(), f"<{mail}>"])),
        draw(st.sampled_from([day, f"{year}年{month}月{dom}日", f"{year}/{month}/{dom}", day.replace("-", "")])),
    ]
    cells = [draw(st.sampled_from([cell, cell.translate(_WIDE)])) for cell in written]
    return row, draw(st.sampled_from(["\n", "\t", "、", " , "])).join(draw(st.permutations(cells)))


# Each value once: with the row that is looked for, it stands in two rows at most. What stands in more of so short
# a list tells none of them, and is left out of it by design (`writer.most_rows`).
_BY_COLUMN = tuple(map(itemgetter, range(4)))


@given(st.lists(_ROW, min_size=5, max_size=20, unique_by=_BY_COLUMN), _writings(), st.text(max_size=50))
@settings(deadline=None, max_examples=60)
def test_a_row_is_found_however_it_is_written(rows, writings, around):
    row, text = writings
    with tempfile.TemporaryDirectory() as folder:
        table = [("氏名", "電話番号", "メール", "生年月日"), *rows, row]
        listed(Path(folder), as_csv(table), least_fields=4)
        (finding,) = inspector(Path(folder)).inspect(sent(f"{around.replace('+', '')}\n\n{text}\n"))
        assert finding.count >= 1
        content = (Path(folder) / "lists/default/customers.idx").read_bytes()
        values = {
            value for of in rows for cell in of for value in (cell, cell.replace("-", ""), cell.replace(" ", ""))
        }
        assert [value for value in values if value.encode() in content] == []


@given(st.sampled_from(FIELD_TYPES), st.text(max_size=200))
@settings(deadline=None)
def test_any_value_has_a_form_or_none(kind, value):
    assert isinstance(canonical(kind, value), str)
    assert canonical(kind, value) == canonical(kind, value.strip("　 "))


@given(st.text(alphabet="0123456789０９ -ー/.年月日@山丁目aA+()", max_size=300))
@settings(deadline=None)
def test_any_text_has_candidates_within_it(text):
    lengths, forms = frozenset(range(5, 25)), frozenset(("place", "lot", "number-first", "number-last"))
    wanted = Wanted(lengths, lengths, lengths, forms, emails=True, dates=True)
    assert all(0 <= place < len(text) and len(key) > 1 for place, key in spots(text, wanted))


@given(st.dates(min_value=date(1926, 12, 26), max_value=date(2100, 12, 31)))
def test_dates_and_eras_are_the_same_day(day):
    era, first = next(
        (era, first)
        for era, first, since in (("令和", 2018, "2019-05-01"), ("平成", 1988, "1989-01-08"), ("昭和", 1925, ""))
        if day.isoformat() >= since
    )
    written = f"{era}{day.year - first}年{day.month}月{day.day}日"
    assert date_of(written, day_first=False) == day.strftime("%Y%m%d")
