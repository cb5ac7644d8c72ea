"""Expected values are what browsers do (WHATWG URL), or the sentence of the standard that is quoted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.inspect.links.url import names_host, normalise


@pytest.mark.parametrize(
    ("written", "href"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTP:\\\\Example.COM\\a", "http://example.com/a"),
        ("ht\ntps://exam\tple.com/a", "https://example.com/a"),  # "Remove all ASCII tab or newline from input"
        ("  https://example.com/ ", "https://example.com/"),
        ("http:/example.com", "http://example.com/"),
        ("//example.com/a", "http://example.com/a"),
        ("www.example.co.jp/a?b#c", "http://www.example.co.jp/a?b#c"),
        ("example.com:8080/x", "http://example.com:8080/x"),
        ("hxxps://evil[.]example.com/a", "https://evil.example.com/a"),
        ("hXXp://evil(.)example.com", "http://evil.example.com/"),
        ("http://%65xample.com/", "http://example.com/"),
        ("http://ｅｘａｍｐｌｅ。ｃｏｍ/", "http://example.com/"),
        ("http://日本語.jp/", "http://xn--wgv71a119e.jp/"),
        ("http://exam\u00adple.com/", "http://example.com/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://3232235777/", "http://192.168.1.1/"),
        ("http://0300.0250.0.1/", "http://192.168.0.1/"),
        ("http://[::ffff:1.2.3.4]/", "http://[::ffff:102:304]/"),
        ("\\\\files.example.com\\share\\a.xlsx", "file://files.example.com/share/a.xlsx"),
        ("http://example.com/\ud800", "http://example.com/%EF%BF%BD"),
        ("http://user:secret@example.com:81/", "http://user:secret@example.com:81/"),
    ],
)
def test_reads_as_a_browser_does(written, href):
    assert normalise(written).href == href


@pytest.mark.parametrize(
    "written",
    ["", "#top", "/a/b", "a.txt", "hello", "http://", "http://1.2.3.4.5/", "http://a b/", "http://%00.com/"],
)
def test_what_a_browser_cannot_open_is_none(written):
    assert normalise(written) is None


def test_parts():
    address = normalise("https://anna:pw@WWW.Example.co.jp.:8443/a/b.html?x=1#y")
    assert (address.scheme, address.port, address.user) == ("https", 8443, "anna:pw")
    assert (address.host.ascii, address.host.site, address.host.suffix) == (
        "www.example.co.jp",
        "example.co.jp",
        "co.jp",
    )
    assert (address.path, address.query, address.written_host) == ("/a/b.html", "x=1", "WWW.Example.co.jp.:8443")


def test_addresses_without_host():
    for written, scheme in [
        ("mailto:a@example.com", "mailto"),
        ("javascript:alert(1)", "javascript"),
        ("tel:1", "tel"),
    ]:
        assert (normalise(written).scheme, normalise(written).host) == (scheme, None)


@pytest.mark.parametrize("text", ["example.com", "www.anything", "日本語.jp", "example.co.jp/a", "a.b.c.github.io"])
def test_texts_that_name_a_host(text):
    assert names_host(text)


@pytest.mark.parametrize(
    "text", ["report.xlsx", "Hello world.", "v1.2.3", "a@example.com", ".com", "example.", "e.g."]
)
def test_texts_that_do_not(text):
    assert not names_host(text)


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_never_raises(text):
    normalise(text)
    normalise(f"http://{text}")


@pytest.mark.parametrize(
    "text", ["http://" + "a." * 100_000, "www." * 50_000, "http://" + "%41" * 50_000, "\ud800.com"]
)
def test_hostile_sizes_and_characters(text):
    normalise(text)
