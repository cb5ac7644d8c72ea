import pytest

from sekisho.inspect.links.host import read_host
from sekisho.inspect.links.lists import Brand
from sekisho.inspect.links.names import index, one_left_out

NAMES = index(
    [
        Brand(("paypal",), ("pp",), ("paypal.com", "paypal.*", "paypalobjects.com")),
        Brand(("smbccard",), (), ("smbc-card.com",)),
    ],
    own=["example.co.jp", "日本物産.jp", "192.0.2.1"],
    partners=["tokyo-shoji.jp"],
)


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("www.paypal.com", "paypal.com"),
        ("paypal.de", "paypal.com"),
        ("www.paypal.co.jp", "paypal.com"),
        ("paypal.top", ""),
        ("paypal.com.evil.example", ""),
        ("mail.example.co.jp", "example.co.jp"),
        ("example.com", ""),
        ("www.tokyo-shoji.jp", "tokyo-shoji.jp"),
    ],
)
def test_owner(host, owner):
    assert NAMES.owner(read_host(host)) == owner


def test_index():
    assert NAMES.exact["example"].whose == "own"
    assert NAMES.exact["日本物産"].whose == "own"
    assert NAMES.exact["tokyoshoji"].whose == "partner"
    assert NAMES.exact["pp"].weak
    assert "pp" not in NAMES.blurred
    assert NAMES.embedded["smbc.card.com"].text == "smbccard"


def test_the_tenant_comes_first():
    names = index([Brand(("example",), (), ("example.org",))], own=["example.co.jp"], partners=["example.net"])
    assert (names.exact["example"].whose, names.exact["example"].site) == ("own", "example.co.jp")


def test_one_left_out():
    assert set(one_left_out("abc")) == {"abc", "bc", "ac", "ab"}
