import pytest
from support.listed import KEY, as_csv, listed, people

from sekisho.inspect.exact.source import SourceError

HEADINGS = "氏名,電話番号,メール\n"
_PHONE = {"types": {"電話番号": "phone"}}


def test_the_head(tmp_path):
    text = "会員番号,氏名,電話番号,住所\nAB-00123,山田 太郎,03-1234-5678,港区芝公園4-2-8\n"
    text += "1234567,Taro Yamada,+81 90 1234 5678,12 Main St\n"
    head = listed(tmp_path, text, key_columns=("会員番号",), least_rows=7, least_fields=2).head
    assert [column.type for column in head.columns] == ["number", "name", "phone", "address"]
    assert head.lengths == {"c": (7,), "i": (7,), "p": (9, 10)}
    assert head.forms == ("number-first", "place")
    assert (head.cjk, head.words, head.rows, head.least_rows, head.least_fields, head.key_columns) == (
        True,
        True,
        2,
        7,
        2,
        (0,),
    )


def test_unusable_values_are_counted(tmp_path):
    text = HEADINGS + "山田 太郎,03-1234-5678,t@example.jp\n鈴木 花子,なし,h@example.jp\n佐藤,090-1234-5678,\n"
    assert listed(tmp_path, text).unreadable == {"氏名": (1, 4), "電話番号": (1, 3)}


@pytest.mark.parametrize(
    ("text", "plan", "told"),
    [
        ("山田 太郎,03-1234-5678\n", {}, "values, not headings"),
        ("1,佐藤 太郎,港区芝公園1-2-8\n2,鈴木 花子,新宿区西新宿2-3-4\n", {}, "values, not headings"),
        (HEADINGS, {}, "no rows"),
        ("氏名\n山田 太郎\n", {}, "two columns"),
        ("氏名,フリガナ\n山田 太郎,ヤマダ タロウ\n", {}, "two columns"),
        (HEADINGS + "山田 太郎,1,2\n", {"types": {"電話番号": "ignore"}, "key_columns": ("電話番号",)}, "is ignored"),
        (HEADINGS + "山田 太郎,1,2\n", {"types": {"住所": "address"}}, 'no column "住所"'),
        (HEADINGS + "山田 太郎,1,2\n", {"key_columns": ("id",)}, 'no column "id"'),
        (HEADINGS + "山田 太郎,1,x@example.jp\n鈴木 花子,2,y\n", _PHONE, r'csv:2: column "電話番号": 2 of 2'),
    ],
)  # fmt: skip
def test_what_makes_no_list(tmp_path, text, plan, told):
    with pytest.raises(SourceError, match=told):
        listed(tmp_path, text, **plan)


def test_errors_hold_no_value(tmp_path):
    with pytest.raises(SourceError) as error:
        listed(tmp_path, HEADINGS + "山田 太郎,geheim,x\n", types={"電話番号": "phone"})
    assert "geheim" not in str(error.value)


def test_the_file_holds_no_value(tmp_path):
    rows = list(people(300))
    listed(tmp_path, as_csv(rows))
    content = (tmp_path / "lists/default/customers.idx").read_bytes()
    cells = [cell for row in rows[1:] for cell in row]
    parts = {
        part
        for cell in cells
        for part in (cell, cell.replace(" ", ""), cell.replace("-", ""), *cell.split(), cell[:4])
    }
    assert [part for part in parts if len(part.encode()) >= 6 and part.encode() in content] == []


def test_the_same_values_look_different_under_another_key(tmp_path):
    text = as_csv(people(300))
    listed(tmp_path, text, "a")
    listed(tmp_path, text, "b", key=bytes(32))
    listed(tmp_path, text, "c", key=KEY)
    entries = {name: _entries(tmp_path / f"lists/default/{name}.idx") for name in "abc"}
    assert entries["a"] == entries["c"]
    assert not entries["a"] & entries["b"]


def _entries(path):
    """The parts of hashes that the file holds, from its end on."""
    content = path.read_bytes()[-8 * 900 :]
    return {content[at + 4 : at + 8] for at in range(0, len(content), 8)}
