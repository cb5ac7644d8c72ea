import pytest

from sekisho.inspect.links.lists import Brand
from sekisho.inspect.links.mismatch import mismatch, named
from sekisho.inspect.links.names import index
from sekisho.inspect.links.url import normalise

NAMES = index([Brand(("paypal",), (), ("paypal.com", "paypal.me"))], own=["example.co.jp"], partners=[])


def sureness(text, target, inner=None, kind=""):
    sign = mismatch(text, normalise(target), normalise(inner) if inner else None, kind, NAMES)
    return sign.confidence if sign else 0


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("https://www.paypal.com/signin", "http://evil.test-site.com/"),
        ("  www.paypal.com ", "http://evil.test-site.com/"),
        ("Please open https://portal.example.co.jp/a now", "https://evil.test-site.com/"),
        ("paypal.com/verify", "https://bit.ly/abc"),
        ("https://other.example.net/", "http://8.8.8.8/a"),
    ],
)
def test_probable(text, target):
    assert sureness(text, target) >= 0.75


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("https://other.example.net/", "https://evil.test-site.com/"),
        ("PayPal.com", "https://shop.example.com/"),  # a company's name
        ("https://www.paypal.com/", "https://click.example.com/x"),  # counts clicks
        ("example.net", "https://example.org/"),
    ],
)
def test_possible_only(text, target):
    assert 0 < sureness(text, target) < 0.75


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("https://www.paypal.com/", "https://paypal.com/x"),
        ("https://www.paypal.com/", "https://paypal.me/x"),  # the same owner
        ("Click here", "https://evil.test-site.com/"),
        ("report.zip", "https://share.example.com/1"),
        ("main.py", "https://share.example.com/1"),
        ("anna@example.co.jp", "https://evil.test-site.com/"),
        ("Version 1.2.3", "https://example.com/"),
        ("https://www.paypal.com/", "mailto:a@evil.example.com"),
        ("", "https://example.com/"),
    ],
)
def test_nothing(text, target):
    assert sureness(text, target) == 0


def test_redirectors():
    guard = "https://eu.safelinks.protection.outlook.com/?url=x"
    assert sureness("https://www.paypal.com/", guard, "https://www.paypal.com/", "guard") == 0
    assert sureness("https://www.paypal.com/", "https://u1.ct.sendgrid.net/ls/click", None, "track") < 0.5


def test_named():
    assert named("see https://example.com/a。").host.ascii == "example.com"
    assert named("x" * 400 + "https://example.com") is None
