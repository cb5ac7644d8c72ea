import pytest

from sekisho.inspect.exact.columns import Field, fields_of, looks_like_data


def types(headings, *rows, **given):
    return {field.name: field.type for field in fields_of(headings, rows, given)}


def test_a_japanese_list():
    headings = [
        "会員番号",
        "氏名",
        "フリガナ",
        "生年月日",
        "電話番号",
        "メールアドレス",
        "郵便番号",
        "住所",
        "会社名",
    ]
    row = [
        "0012345",
        "山田 太郎",
        "ヤマダ タロウ",
        "S50.4.1",
        "03-1234-5678",
        "t@example.jp",
        "105-0011",
        "港区芝公園4-2-8",
        "サンプル社",
    ]
    wanted = ["number", "name", "name", "date", "phone", "email", "number", "address", "text"]
    assert list(types(headings, row).values()) == wanted


def test_an_english_list():
    headings = [
        "Customer ID",
        "Full name",
        "Date of birth",
        "Phone",
        "E-mail",
        "Zip",
        "Street address",
        "Company name",
    ]
    row = [
        "C-10045",
        "Taro Yamada",
        "1975-04-01",
        "+1 212 555 0123",
        "t@example.com",
        "94043",
        "1600 Amphitheatre Pkwy",
        "Acme Ltd",
    ]
    wanted = ["number", "name", "date", "phone", "email", "number", "address", "text"]
    assert list(types(headings, row).values()) == wanted


def test_values_win_over_headings():
    assert types(["phone", "x", "y"], ["a@example.jp", "1975-04-01", "港区芝公園4-2-8"]) == {
        "phone": "email",
        "x": "date",
        "y": "address",
    }


@pytest.mark.parametrize(
    "headings", [("姓", "名"), ("Last name", "First name"), ("セイ", "メイ"), ("姓（カナ）", "名（カナ）")]
)
def test_surname_and_given_name_are_one(headings):
    (field,) = fields_of(headings, [["山田", "太郎"]], {})
    assert (field.type, field.sources) == ("name", (0, 1))
    assert field.canonical(["山田", "太郎"]) == "山田太郎"
    assert field.canonical(["山田", ""]) == field.canonical(["山田"]) == ""


def test_given_name_first():
    (field,) = fields_of(["名", "姓"], [["太郎", "山田"]], {})
    assert field.canonical(["太郎", "山田"]) == "山田太郎"


def test_what_is_said_counts():
    assert types(["a", "b", "c"], ["1", "2", "3"], a="number", b="ignore", c="surname") == {
        "a": "number",
        "c": "name",
    }


def test_names_without_a_heading():
    assert types(["a", "b"], ["山田 太郎", "営業 推進本部第一"], ["佐々木　花子", "x"]) == {"a": "name", "b": "text"}


def test_day_first():
    (field,) = fields_of(["date"], [["13/02/1975"], ["01/02/1975"]], {})
    assert field == Field("date", "date", (0,), day_first=True)


def test_looks_like_data():
    assert looks_like_data(["山田 太郎", "03-1234-5678"])
    assert looks_like_data(["a@example.jp"])
    assert looks_like_data(["1", "株式会社佐藤商事", "東京都港区芝公園1-2-8"])
    assert looks_like_data(["1", "佐藤 太郎", "株式会社佐藤商事"])
    assert looks_like_data(["1", "1600 Amphitheatre Parkway"])
    assert not looks_like_data(
        ["氏名 カナ", "担当 氏名", "会社 名称", "住所1", "住所 2", "Street 2", "2nd address", "会社名 和文"]
    )
    assert not looks_like_data(["氏名", "電話番号", "Address 1", "E-mail", "2nd phone"])
