import pytest
from support.written_mail import written

from sekisho.inspect.content.asks import asks, has_title


@pytest.mark.parametrize(
    ("text", "money", "pressing"),
    [
        ("Please process the wire transfer right away.", True, True),
        ("The invoice is attached.", True, False),
        ("本日中に送金をお願いします。", True, True),
        ("今、席にいますか。", False, True),
        ("Are you at your desk?", False, True),
        ("The meeting is on Friday.", False, False),
        ("会議は金曜です。", False, False),
    ],
)
def test_asks(text, money, pressing):
    found = asks(written(text))
    assert (found.money, found.pressing) == (money, pressing)


def test_the_subject_counts():
    assert asks(written("hello", Subject="Payment")).money


@pytest.mark.parametrize("name", ["Jane Doe, CEO", "代表取締役 大槻", "社長", "Managing Director"])
def test_titles(name):
    assert has_title(name)


@pytest.mark.parametrize("name", ["Jane Doe", "Oceon Ltd", "経理部", ""])
def test_no_titles(name):
    assert not has_title(name)
