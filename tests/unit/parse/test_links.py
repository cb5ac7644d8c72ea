import random

import pytest

from sekisho.parse import links
from sekisho.parse.links import MOST_LINKS, text_links


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see http://a.example/b?c=d#e.", ["http://a.example/b?c=d#e"]),
        ("(http://a.example/x_(y)) <http://c.example>", ["http://a.example/x_(y)", "http://c.example"]),
        ("詳しくはhttps://example.jp/p?a=1をご覧ください。", ["https://example.jp/p?a=1"]),
        ("http://a.example。またはhttp://b.example、", ["http://a.example", "http://b.example"]),
        ("「https://a.example/」", ["https://a.example/"]),
        ("https://a.exampleをクリック", ["https://a.example"]),
        ("http://日本語.example/x です", ["http://日本語.example/x"]),
        ("hxxps://evil[.]example/x", ["https://evil.example/x"]),
        ("hxxp[:]//evil[.]example", ["http://evil.example"]),
        ("evil[.]example[.]com/x", ["http://evil.example.com/x"]),
        ("www.a.example, WWW.B.example", ["www.a.example", "WWW.B.example"]),
        ("xwww.a.example a@www.b.example", []),
        ("HTTPS://A.example", ["https://A.example"]),
        ("http:\\\\a.example", ["http://a.example"]),
        ("ftp://f.example/x", ["ftp://f.example/x"]),
        ("http:/\\a.example, http:\\/b.example", ["http://a.example", "http://b.example"]),
        ("a//b c//d hxxps[:]//e.example//f", ["https://e.example//f"]),
        ("http://[2001:db8::1]/x", ["http://[2001:db8::1]/x"]),
        ("http:// x //a [.] www", []),
        ("", []),
    ],
)
def test_links(text, links):
    assert text_links(text) == links


def test_most_links():
    assert len(text_links("http://a.example " * (MOST_LINKS + 5))) == MOST_LINKS


@pytest.mark.parametrize("piece", ["http://", "www.", "a[.]", "a.", "(((", ")))", "hxxp[:]//", "[", "。"])
def test_nonsense_is_bounded(piece):
    text_links("http://x www. [.] " + piece * 100_000)


@pytest.mark.parametrize(
    ("expression", "signs", "pieces"),
    [
        (
            links._SCHEMED,
            links._SLASHES,
            ("http", "hxxps", "FTP", ":", "[:", "[:]", "/", "\\", "/\\", "//", "]", "a", " "),
        ),
        (links._WWW, links._WWWS, ("w", "W", "www", "wWw", ".", "[.]", "(.)", "a", "@", "-", " ")),
    ],
)
def test_going_from_sign_to_sign_finds_what_the_expression_finds(expression, signs, pieces):
    rng = random.Random(1)
    for _ in range(3000):
        text = "".join(rng.choices(pieces, k=rng.randrange(40)))
        expected = [match.span() for match in expression.finditer(text)]
        assert [match.span() for match in links._at_signs(expression, signs, text)] == expected
