import pytest

from sekisho.inspect.exact.addresses import address_of


@pytest.mark.parametrize(
    "written",
    [
        "東京都港区芝公園4-2-8", "港区芝公園４－２－８", "〒105-0011 東京都港区芝公園四丁目2番8号",
        "東京都港区芝公園4丁目2番8号 芝公園ビル3階",
        "東京都 港区 芝公園 4−2−8", "芝公園4の2の8", "芝公園4丁目2-8-301", "東京都港区芝公園4ー2ー8",
    ],
)  # fmt: skip
def test_one_place(written):
    assert address_of(written) == ("place", "公園|4-2-8")


@pytest.mark.parametrize(
    "written",
    ["1600 Amphitheatre Parkway, Mountain View, CA 94043", "1600 amphitheatre pkwy", "1600, AMPHITHEATRE PARKWAY"],
)
def test_one_street(written):
    assert address_of(written) == ("number-first", "1600|amphitheatre")


def test_other_forms():
    assert address_of("Hauptstraße 12, 10827 Berlin") == address_of("HAUPTSTRASSE 12")
    assert address_of("12 Rue de la Paix, Paris") == ("number-first", "12|paix")
    assert address_of("12 N. Main St") == ("number-first", "12|main")
    assert address_of("大字下和田123番地") == ("lot", "和田|123")


def test_other_numbers_are_other_places():
    assert address_of("港区芝公園4-2-8") != address_of("港区芝公園4-2-9")
    assert address_of("12 Main St") != address_of("13 Main St")


@pytest.mark.parametrize("written", ["", "東京都港区", "Springfield", "〒105-0011", "-", "1", "12 5th"])
def test_nothing_to_go_by(written):
    assert address_of(written) is None
