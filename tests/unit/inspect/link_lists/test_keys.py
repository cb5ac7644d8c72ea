import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.link_lists.keys import host_key, keys, page_key, prefix_key
from sekisho.inspect.links.url import normalise


def keys_of(url, **more):
    return [key.decode() for key in keys(normalise(url), **more)]


def test_host_and_above_then_paths_then_pages():
    assert keys_of("https://a.b.example.co.jp/x/y.html?q=1#top") == [
        "hexample.co.jp",
        "hb.example.co.jp",
        "ha.b.example.co.jp",
        "pexample.co.jp/x",
        "pexample.co.jp/x/y.html",
        "pb.example.co.jp/x",
        "pb.example.co.jp/x/y.html",
        "pa.b.example.co.jp/x",
        "pa.b.example.co.jp/x/y.html",
        "ua.b.example.co.jp/x/y.html",
        "ua.b.example.co.jp/x/y.html?q=1",
    ]


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://co.jp/", []),  # a registry's own name is in no list
        ("http://example.jp/", ["hexample.jp"]),
        ("http://a.github.io/", ["hgithub.io", "ha.github.io"]),  # a company's suffix may be
        ("http://192.0.2.7/", ["h192.0.2.7"]),
        ("http://0xc0.2.7/", ["h192.2.0.7"]),  # as a browser reads it
        ("http://[2001:db8::1]/", ["h2001:db8::1"]),
        ("http://intranet/", ["hintranet"]),
    ],
)
def test_hosts(url, hosts):
    assert keys_of(url, kinds=[b"h"]) == hosts


def test_a_port_is_another_place():
    assert keys_of("http://example.com:8080/x", kinds=[b"u", b"p"]) == ["pexample.com:8080/x", "uexample.com:8080/x"]
    assert keys_of("https://example.com:443/x", kinds=[b"u"]) == ["uexample.com/x"]


def test_the_path_itself_and_its_beginnings():
    assert keys_of("http://example.com/a/b/", kinds=[b"p"]) == ["pexample.com/a", "pexample.com/a/b"]
    assert keys_of("http://example.com/", kinds=[b"p"]) == []
    assert keys_of("http://example.com//", kinds=[b"p"]) == ["pexample.com"]


def test_an_address_without_host_has_none():
    assert keys_of("data:text/html,x") == []


def test_what_is_kept_is_what_is_looked_up():
    assert host_key("example.com") in keys(normalise("http://www.example.com/"))
    assert page_key("example.com", "/a", "") in keys(normalise("https://example.com/a?utm=1"))
    assert page_key("example.com", "/a", "q=1") not in keys(normalise("https://example.com/a?q=2"))
    assert prefix_key("example.com", "/a/") in keys(normalise("http://example.com/a/b"))
    assert prefix_key("example.com", "/a/") not in keys(normalise("http://example.com/ab"))


@given(st.text(max_size=60), st.text(max_size=60))
def test_bounded_whatever_the_address(host, path):
    address = normalise(f"http://{host}/{path}")
    if address is not None:
        assert len(list(keys(address))) <= 9 + 81 + 2


def test_deep_names_and_paths_are_bounded():
    url = f"http://{'a.' * 100}example.com/{'b/' * 1000}"
    found = keys_of(url)
    assert len(found) <= 9 + 81 + 2
    assert "hexample.com" in found
