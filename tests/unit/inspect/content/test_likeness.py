import pytest
from support.written_mail import LISTS

from sekisho.inspect.content.likeness import Likenesses

LIKENESSES = Likenesses(LISTS)


@pytest.mark.parametrize(
    ("site", "genuine", "least"),
    [
        ("datah0use-jp.example", "datahouse-jp.example", 0.8),
        ("marurnaka.co.jp", "marunaka.co.jp", 0.75),  # one character off
        ("comrnerce.com", "commerce.com", 0.8),
        ("xn--pypal-4ve.com", "paypal.com", 0.8),  # a Cyrillic letter
        ("lighthouse-kougei.example", "lighthouse-kogei.example", 0.75),
        ("tokyoshoji.co.jp", "tokyo-shoji.co.jp", 0.6),
        ("tokyo-shoji-billing.com", "tokyo-shoji.co.jp", 0.4),
        ("yamanouekogyou.jp", "yamanoe-kogyo.jp", 0.5),
        ("acmefoods.top", "acmefoods.com", 0.4),
    ],
)
def test_look_alikes(site, genuine, least):
    assert LIKENESSES.between(site, genuine).confidence >= least


@pytest.mark.parametrize(
    ("site", "genuine"),
    [
        ("tokyo-shoji.co.jp", "tokyo-shoji.co.jp"),
        ("osaka-shoji.co.jp", "tokyo-shoji.co.jp"),
        ("mail1.example.com", "mail2.example.com"),
        ("server1.jp", "server2.jp"),
        ("gmai.com", "gmail.com"),  # free mail is nobody's company
        ("hotmail.com", "hotmall.com"),
        ("example.com", "example.co.jp"),
        ("datahouse.jp", "datah0use.jp"),  # the other one is the disguise
        ("abc.jp", "abd.jp"),
        ("", "abcdef.jp"),
        ("shojiki.jp", "shoji.jp"),
    ],
)
def test_others(site, genuine):
    assert LIKENESSES.between(site, genuine) is None


def test_another_suffix_alone_says_little():
    assert LIKENESSES.between("acmefoods.com", "acmefoods.co.jp").confidence < 0.2


def test_the_most_alike():
    site, like = LIKENESSES.first("acmef00ds.com", ["other.com", "acmefoods.net", "acmefoods.com"])
    assert site == "acmefoods.com"
    assert "characters that look like" in like.how
    assert LIKENESSES.first("acmef00ds.com", []) is None
