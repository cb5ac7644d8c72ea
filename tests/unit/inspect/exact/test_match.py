import random
import time

import pytest
from support.listed import KEY, listed

from sekisho.inspect.exact.lists import ExactLists
from sekisho.inspect.exact.match import TYPE_OF_TAG, WINDOW, Hit, TooLongError, rows_in
from sekisho.inspect.exact.spots import spots

TEXT = """氏名,フリガナ,電話番号,FAX,メール
山田 太郎,ヤマダ タロウ,03-1234-5678,03-1234-5678,t@example.jp
鈴木 花子,スズキ ハナコ,090-1111-2222,,h@example.jp
"""


@pytest.fixture(name="of")
def _of(tmp_path):
    listed(tmp_path, TEXT)
    return ExactLists.open(tmp_path / "lists", KEY)[0].of("default")[0]


def rows(text, of, seconds=60.0):
    hits = []
    for place, key in spots(text, of.wanted):
        low, high = of.table.find(of.hash_of(key))
        if low < high:
            hits.append(Hit(place, of.hash_of(key), low, high, TYPE_OF_TAG[key[0]]))
    hits.sort(key=lambda hit: hit.place)
    return {row.number: row.fields for row in rows_in(text, hits, of, time.monotonic() + seconds).found}


def test_fields_of_a_row(of):
    assert rows("山田太郎 0312345678 t@example.jp", of) == {0: 3}
    assert rows("t@example.jp 090-1111-2222", of) == {}
    assert rows("t@example.jp 090-1111-2222 h@example.jp 03-1234-5678", of) == {0: 2, 1: 2}
    assert rows("", of) == {}


def test_one_value_is_one_field(of):
    """A telephone number in two columns, and a number that stands twice."""
    assert rows("03-1234-5678 and 03-1234-5678", of) == {}
    assert rows("03-1234-5678 and 03-1234-5678, t@example.jp t@example.jp", of) == {0: 2}


def test_a_name_and_its_kana_are_one_field(of):
    assert rows("山田太郎（ヤマダタロウ）03-1234-5678 t@example.jp", of) == {0: 3}


def test_what_is_far_apart_is_not_together(of):
    assert rows("03-1234-5678" + "x" * (WINDOW - 50) + " t@example.jp", of) == {0: 2}
    assert rows("03-1234-5678" + "x" * (WINDOW + 50) + " t@example.jp", of) == {}
    assert rows("03-1234-5678" + "x" * (WINDOW + 50) + " t@example.jp 03-1234-5678", of) == {0: 2}


def test_time_is_bounded(of):
    with pytest.raises(TooLongError):
        rows("03-1234-5678 t@example.jp 山田太郎 山田太 山田太 " * 1000, of, seconds=-1.0)


@pytest.mark.parametrize("times", [1, 45, 46, 47, 60, 500])
@pytest.mark.parametrize("first", [True, False])
def test_a_value_that_is_repeated_hides_nothing(of, times, first):
    """The rest of its row, before or after the repetitions and far from most of them."""
    row, many = "山田太郎 03-1234-5678 t@example.jp", "\n".join(["03-1234-5678"] * times)
    apart = "\n" + "x " * WINDOW
    assert rows(row + apart + many if first else many + apart + row, of) == {0: 3}


def test_many_other_values_around_a_row_hide_nothing(of):
    other = "鈴木花子" * 40
    assert rows(f"03-1234-5678 {other} 山田太郎 t@example.jp", of) == {0: 3}


def test_fields_are_those_of_the_best_stretch(of):
    """Against all stretches of the text, looked at one by one."""
    chance = random.Random(5)
    values = {0: "03-1234-5678", 1: "t@example.jp", 2: "山田太郎"}
    for _ in range(60):
        text, places = "", {column: [] for column in values}
        for _ in range(chance.randrange(2, 40)):
            text += "。" * chance.choice((1, 30, 400, 900))
            column = chance.choice((0, 0, 0, 0, 1, 2))
            places[column].append(len(text))
            text += values[column] + " "
        starts = [place for found in places.values() for place in found]
        told = [[any(s <= p <= s + WINDOW for p in found) for found in places.values()] for s in starts]
        best = max(map(sum, told))
        # A name is only looked for where it makes three fields.
        assert rows(text, of).get(0, 1) == (best if best > 2 else max(sum(near[:2]) for near in told) or 1)
