"""Names, and organizational domains by the list; its own vectors are in conformance/."""

import pytest

from sekisho.mailauth.organizational import dns_name, is_below, listed_domain


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Example.COM.", "example.com"),
        ("日本語.jp", "xn--wgv71a119e.jp"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("", ""), (".", ""), (".example.com", ""), ("a..b", ""), ("a b.example", ""), ("a\0.example", ""),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        ("a" * 64 + ".example", ""),
        ("a." * 127 + "b", ""),
        ("é" * 100_000, ""),
    ],
)  # fmt: skip
def test_names(name, expected):
    assert dns_name(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.b.example.co.jp", "example.co.jp"),  # RFC 7489 3.2
        ("co.jp", ""),
        ("user.github.io", "user.github.io"),  # of the part of private domains
        ("www.食狮.公司.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("x" * 300, ""),
    ],
)
def test_by_the_list(name, expected):
    assert listed_domain(name) == expected


def test_below():
    assert is_below("a.example.com", "example.com")
    assert is_below("example.com", "example.com")
    assert not is_below("badexample.com", "example.com")
