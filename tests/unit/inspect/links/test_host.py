import pytest

from sekisho.inspect.links.host import above, icann_suffix, read_host, to_unicode


@pytest.mark.parametrize(
    ("name", "site", "suffix", "label", "below"),
    [  # publicsuffix.org
        ("www.example.com", "example.com", "com", "example", "www"),
        ("a.b.example.co.jp", "example.co.jp", "co.jp", "example", "a.b"),
        ("example.city.kawasaki.jp", "city.kawasaki.jp", "kawasaki.jp", "city", "example"),
        ("me.github.io", "me.github.io", "github.io", "me", ""),
        ("co.jp", "", "co.jp", "", ""),
        ("localhost", "", "", "", ""),
        ("files.corp.internal", "", "", "", ""),
    ],
)
def test_site_and_suffix(name, site, suffix, label, below):
    host = read_host(name)
    assert (host.site, host.suffix, host.label, host.below) == (site, suffix, label, below)


def test_unicode_and_ip():
    assert read_host("xn--wgv71a119e.jp").unicode == "日本語.jp"
    assert str(read_host("192.0.2.1").ip) == "192.0.2.1"
    assert str(read_host("[2001:db8::1]").ip) == "2001:db8::1"
    assert read_host("1.2.3.example").ip is None


def test_too_long_for_a_name():
    assert read_host("a." * 200 + "com").site == ""


def test_small_ones():
    assert list(above("a.b.c")) == ["a.b.c", "b.c", "c"]
    assert icann_suffix("me.github.io") == "io"
    assert to_unicode("plain.example") == "plain.example"
