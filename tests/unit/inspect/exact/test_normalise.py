import pytest

from sekisho.inspect.exact.normalise import FIELD_TYPES, canonical


# ITU-T E.164: the same subscriber, dialled from home and from abroad.
@pytest.mark.parametrize(
    "written",
    [
        "090-1234-5678", "09012345678", "０９０－１２３４－５６７８", "090 1234 5678", "(090)1234-5678",
        "+81-90-1234-5678", "+81 (0)90-1234-5678", "TEL: 090-1234-5678", "010-81-90-1234-5678",
        "0081 90 1234 5678", "81-90-1234-5678", "090.1234.5678", "電話：090ー1234ー5678",
    ],
)  # fmt: skip
def test_phone(written):
    assert canonical("phone", written) == "9012345678"


def test_phones_of_other_countries():
    assert (
        canonical("phone", "+1 212 555 0123")
        == canonical("phone", "(212) 555-0123")
        == canonical("phone", "1-212-555-0123")
    )
    assert canonical("phone", "+44 20 7946 0018") == canonical("phone", "020 7946 0018")
    assert canonical("phone", "+353 1 437 0000") == canonical("phone", "01 437 0000")


@pytest.mark.parametrize("written", ["", "0120", "none", "1234567", "090-1234-5678-9999-0000", "a@b.example"])
def test_no_phone(written):
    assert canonical("phone", written) == ""


def test_email():
    assert canonical("email", " <Taro.Yamada@Example.JP>") == "taro.yamada@example.jp"
    assert canonical("email", "ｔａｒｏ＠example.jp") == "taro@example.jp"
    assert canonical("email", "taro@localhost") == ""
    assert canonical("email", "taro") == ""


def test_number():
    assert canonical("number", "１２３４－５６７８") == canonical("number", "1234 5678") == "12345678"
    assert canonical("number", "〒060-0001") == canonical("number", "600001") == "600001"
    assert canonical("number", "ab-12345") == canonical("number", "AB12345") == "ab12345"
    assert [canonical("number", bad) for bad in ("", "1234", "0001234", "abcdef", "ab12c", "千二百三十四五六")] == [
        ""
    ] * 6


@pytest.mark.parametrize(
    "written",
    ["山田 太郎", "山田太郎", "山田　太郎様", "山田 太郎 殿", "山田・太郎", "山田太郎さん", " 山田\t太郎氏 "],
)
def test_japanese_name(written):
    assert canonical("name", written) == "山田太郎"


@pytest.mark.parametrize(
    "written",
    [
        "Taro Yamada",
        "YAMADA Taro",
        "Yamada, Taro",
        "Mr. Taro Yamada",
        "taro  yamada",
        "Ｔａｒｏ Ｙａｍａｄａ",
        "Taro K. Yamada",
    ],
)
def test_western_name(written):
    assert canonical("name", written) == "taro yamada"


def test_kana_are_not_each_other():
    assert canonical("name", "ﾔﾏﾀﾞ ﾀﾛｳ") == canonical("name", "ヤマダタロウ")
    assert canonical("name", "ヤマダタロウ") != canonical("name", "やまだたろう")


def test_short_names_tell_nothing():
    assert [canonical("name", name) for name in ("山田", "Taro", "林", "")] == [""] * 4
    assert canonical("name", "林 誠") == "林誠"


def test_text():
    assert canonical("text", "株式会社 サンプル") == canonical("text", "株式会社ｻﾝﾌﾟﾙ")
    assert canonical("text", "Acme Trading, Ltd.") == canonical("text", "ACME TRADING LTD")
    assert [canonical("text", short) for short in ("東京", "HR", "")] == [""] * 3


@pytest.mark.parametrize("kind", FIELD_TYPES)
@pytest.mark.parametrize(
    "odd",
    ["\ud800", "\0", "９" * 100_000, "＠" * 100_000, "山" * 100_000, "(" * 100_000, "a@" * 50_000, "1 " * 50_000],
)
def test_anything_has_a_form(kind, odd):
    assert len(canonical(kind, odd)) <= 1000
