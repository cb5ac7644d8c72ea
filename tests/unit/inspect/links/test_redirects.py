import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.links.lists import load_lists
from sekisho.inspect.links.redirects import inner, redirector_of
from sekisho.inspect.links.url import normalise

KNOWN = load_lists(shipped("lists")).redirectors


def look(written):
    address = normalise(written)
    redirector = redirector_of(address, KNOWN)
    found = inner(address, redirector)
    return redirector.kind if redirector else "", found.href if found else ""


@pytest.mark.parametrize(
    ("written", "kind", "href"),
    [
        (
            "https://www.google.com/url?sa=t&url=https%3A%2F%2Fevil.example.com%2Fa&x=1",
            "open",
            "https://evil.example.com/a",
        ),
        ("https://www.google.co.jp/url?q=http://evil.example.com", "open", "http://evil.example.com/"),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.com%2F", "open", "https://example.com/"),
        (
            "https://jpn01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.com%2Fa&data=05",
            "guard",
            "https://example.com/a",
        ),
        ("https://urldefense.com/v3/__https://example.com/a__;!!x!y$", "guard", "https://example.com/a"),
        (
            "https://urldefense.proofpoint.com/v2/url?u=https-3A__example.com_a-5Fb&d=Dw",
            "guard",
            "https://example.com/a_b",
        ),
        ("https://click.example.org/go?target=https%3A%2F%2Fexample.com%2F", "", "https://example.com/"),
        ("https://us1.list-manage.com/track/click?u=abc", "track", ""),
        ("https://www.google.com/search?q=http://example.com", "open", ""),
        ("https://login.example.com/?next=https://www.example.com/a", "", ""),  # the same site
        ("https://example.com/", "", ""),
    ],
)
def test_inner(written, kind, href):
    assert look(written) == (kind, href)


def test_many_parameters_are_bounded():
    assert look("http://example.org/?" + "a=1&" * 100_000 + "u=http://example.com/") == ("", "")
