import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.links.lists import load_lists
from sekisho.inspect.links.lookalikes import Lookalikes
from sekisho.inspect.links.url import normalise

LIKES = Lookalikes(load_lists(shipped("lists")), ["yamanoue-kogyo.jp", "xyz.co.jp"], ["tokyo-shoji.co.jp"])


def find(host, likes=LIKES):
    return likes.find(normalise(f"http://{host}/").host)


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("paypal.com.evil.example.com", "paypal.com"),  # the whole domain in front
        ("www.amazon.co.jp.abc123.top", "amazon.com"),
        ("smbc-card.com.abc.cn", "smbc.co.jp"),
        ("pаypal.com", "paypal.com"),  # a Cyrillic letter
        ("rnicrosoft-login.com", "microsoft.com"),
        ("paypa1.com", "paypal.com"),
        ("paypal-login.com", "paypal.com"),  # a word more
        ("secure-rakuten-update.net", "rakuten.co.jp"),
        ("accountamazonverify.com", "amazon.com"),
        ("amazon.top", "amazon.com"),  # another suffix
        ("amazonn-jp.top", "amazon.com"),  # one character more
        ("yamanoue-kougyo.jp", "yamanoue-kogyo.jp"),  # the tenant's own
        ("yamanoue-kogyo.jp.evil.top", "yamanoue-kogyo.jp"),
        ("tokyo-shojl.co.jp", "tokyo-shoji.co.jp"),
        ("tokyo-shoij.co.jp", "tokyo-shoji.co.jp"),
        ("docs-netflix.vercel.app", "netflix.com"),  # on free hosting
    ],
)
def test_probable(host, site):
    found = find(host)
    assert found.name.site == site
    assert found.confidence >= 0.75, found


@pytest.mark.parametrize(
    "host", ["paypai.com", "epos-card.com", "amazon-tcp.com", "yamanoue-kogyo.com", "rakuten.example.com"]
)
def test_possible_only(host):
    assert 0 < find(host).confidence < 0.75


@pytest.mark.parametrize(
    "host",
    [
        "paypal.com",
        "www.paypal.de",
        "amazon.co.jp",
        "aws.amazon.com",
        "smbc-card.com",
        "www.yamanoue-kogyo.jp",
        "yamanoue-kogyo.cybozu.com",
        "pineapple.com",
        "orange.fr",
        "finance.example.com",
        "mobile.example.de",
        "cloud.example.com",
        "line-up.com",
        "xyy.co.jp",  # a short name needs exactness
        "www.apple.com.edgekey.net",
        "localhost",
        "192.0.2.1",
        "docs.google.com",
        "example.github.io",
    ],
)
def test_honest(host):
    assert find(host) is None


def test_cheap_and_dynamic():
    assert LIKES.cheap(normalise("http://a.top").host)
    assert LIKES.cheap(normalise("http://a.vercel.app").host)
    assert not LIKES.cheap(normalise("http://a.co.jp").host)
    assert LIKES.dynamic(normalise("http://abc.duckdns.org").host)


def test_hostile_labels_are_bounded():
    for label in ("-".join(["paypal"] * 9), "login" * 12, "a" * 63, "pay1" * 15):
        find(f"{label}.{label}.{label}.com")
