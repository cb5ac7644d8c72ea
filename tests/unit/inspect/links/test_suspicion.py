import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.links.lists import load_lists
from sekisho.inspect.links.lookalikes import Lookalikes
from sekisho.inspect.links.sign import Sign
from sekisho.inspect.links.suspicion import combined, weak_host_signs, weak_path_signs
from sekisho.inspect.links.url import normalise
from sekisho.mail.finding import Severity

LIKES = Lookalikes(load_lists(shipped("lists")))


def sign(points, why="why"):
    return Sign("link/x", Severity.LOW, 0.3, why, points)


def weak(written):
    address = normalise(written)
    return [*weak_host_signs(address.host, LIKES), *weak_path_signs(address, address.host, LIKES)]


@pytest.mark.parametrize(
    ("points", "severity"),
    [
        ([], None),
        ([1.0], None),
        ([3.0], None),  # one sign is not several
        ([1.0, 0.5], None),
        ([1.0, 1.0], Severity.MEDIUM),
        ([1.0, 1.0, 0.5], Severity.MEDIUM),
        ([1.0, 1.0, 1.0], Severity.HIGH),
    ],
)
def test_combined(points, severity):
    found = combined([sign(p, f"reason {p} {i}") for i, p in enumerate(points)])
    assert (found.severity if found else None) is severity


def test_combined_says_why():
    assert combined([sign(1, "one"), sign(1, "two"), sign(1, "two")]).why == "one; two"


@pytest.mark.parametrize(
    "written",
    ["https://gfdxc7k2.oimkxnq.cn/", "http://ygxqjrngdx.duckdns.org/", "http://qzxkvt.top/wp-content/a/login.php"],
)
def test_several_signs(written):
    assert combined(weak(written)).severity is Severity.HIGH


@pytest.mark.parametrize(
    "written",
    [
        "https://www.example.co.jp/news/2024/01.html",
        "https://github.com/owner/name/login",
        "https://shop.example.top/",
        "https://example.com/account/update?mail=a@example.com",
        "https://a.b.c.d.example.com/",
    ],
)
def test_ordinary(written):
    assert combined(weak(written)) is None


def test_brand_in_path():
    assert "link/brand-in-path" in {s.rule for s in weak("http://example.com/netflix/login.php")}
    assert "link/brand-in-path" not in {s.rule for s in weak("https://www.netflix.com/paypal")}
    assert "link/brand-in-path" not in {s.rule for s in weak("https://example.com/apple/pie")}
