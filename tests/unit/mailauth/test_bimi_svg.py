"""Logos: what SVG Tiny PS forbids."""

import gzip
import zlib

import pytest

from sekisho.mailauth.bimi_svg import MOST_OCTETS, check_svg, plain_svg

GOOD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<svg version="1.2" baseProfile="tiny-ps" viewBox="0 0 100 100"'
    ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><title>Example</title>'
    '<defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs><!-- a circle -->'
    '<circle cx="50" cy="50" r="40" fill="url(#g)"/></svg>'
)


def codes(svg):
    data = svg.encode() if isinstance(svg, str) else svg
    return {problem.code for problem in check_svg(data)}


def test_good():
    assert check_svg(GOOD.encode()) == ()
    assert check_svg(gzip.compress(GOOD.encode())) == ()
    assert check_svg(GOOD.replace("UTF-8", "UTF-16").encode("utf-16")) == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('baseProfile="tiny-ps"', 'baseProfile="tiny"', "profile"),
        ('baseProfile="tiny-ps"', "", "profile"),
        ('version="1.2"', 'version="1.1"', "version"),
        ("<title>Example</title>", "", "no-title"),
        ("<title>Example</title>", "<title> </title>", "no-title"),
        ("Example", "x" * 65, "long-title"),
        ('viewBox="0 0 100 100"', "", "no-view-box"),
        ('viewBox="0 0 100 100"', 'viewBox="0 0 100"', "no-view-box"),
        ('viewBox="0 0 100 100"', 'viewBox="0 0 a b"', "no-view-box"),
        ('viewBox="0 0 100 100"', 'viewBox="0 0 100 90"', "not-square"),
        ('viewBox="0 0 100 100"', 'viewBox="0 0 0 0"', "not-square"),
        ("<svg ", '<svg x="1" ', "root-position"),
        ("<circle", "<script>1</script><circle", "forbidden-element"),
        ("<circle", '<image xlink:href="data:image/png;base64,"/><circle', "forbidden-element"),
        ("<circle", "<foreignObject/><circle", "forbidden-element"),
        ("<circle", '<animate attributeName="x"/><circle', "forbidden-element"),
        ("<circle", '<a xlink:href="https://example.com/"/><circle', "external-reference"),
        ("<circle", '<use xlink:href="https://example.com/x.svg#a"/><circle', "external-reference"),
        ("<circle", '<use href="x.svg"/><circle', "external-reference"),
        ("<circle", '<circle onclick="1"/><circle', "event-attribute"),
        ("url(#g)", "url(https://example.com/g)", "external-reference"),
        ("url(#g)", "URL ( 'x.svg#g')", "external-reference"),
        ("<circle", "<style>@import 'x.css';</style><circle", "external-reference"),
        ("<circle", "<style>a{fill:url(x)}</style><circle", "external-reference"),
        ("<svg ", '<?xml-stylesheet href="x.css"?><svg ', "external-reference"),
        ("<svg ", '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd"><svg ', "doctype"),
        ('xmlns="http://www.w3.org/2000/svg"', 'xmlns="http://www.w3.org/other"', "not-svg"),
        ("</svg>", "", "not-svg"),
    ],
)
def test_problems(old, new, code):
    svg = GOOD.replace(old, new)
    assert svg != GOOD
    assert code in codes(svg)


def test_what_refers_inside_is_fine():
    assert codes(GOOD.replace("<circle", '<use xlink:href="#a"/><circle fill="url( \'#g\' )"/><circle')) == set()


def test_empty():
    assert codes(GOOD[: GOOD.index("<defs")] + "</svg>") == {"empty"}


def test_size():
    assert codes(GOOD.replace("<circle", f"<!-- {'x' * 33_000} --><circle")) == {"size"}
    assert codes(b" " * (MOST_OCTETS + 1)) == {"too-large"}
    assert codes(gzip.compress(GOOD.encode() + b" " * MOST_OCTETS)) == {"too-large"}


def test_entities_are_not_expanded():
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = GOOD.replace("<svg ", f'<!DOCTYPE svg [<!ENTITY e0 "x">{levels}]><svg ').replace("Example", "&e11;")
    assert codes(bomb) & {"doctype", "not-svg"}
    file = GOOD.replace("<svg ", '<!DOCTYPE svg [<!ENTITY f SYSTEM "file:///etc/hostname">]><svg ')
    assert "doctype" in codes(file.replace("<circle", "<desc>&f;</desc><circle"))


def test_nested_deeply():
    assert codes(GOOD.replace("<circle", "<g>" * 100_000 + "<circle")) == {"not-svg"}


def test_blanks_without_an_end():
    """Each blank could be in one of two places of the pattern: it would take hours."""
    assert codes(GOOD.replace("url(#g)", f"url({' ' * 900_000}#g)")) == {"size"}


def test_many_problems_are_cut():
    many = "".join(f'<circle on{number}="x"/>' for number in range(5000))
    assert len(check_svg(GOOD.replace("<circle", many + "<circle").encode())) == 50


def test_no_picture():
    for data in (b"", b"<", b"\x1f\x8b", b"\x1f\x8b" + b"x" * 50, b"\0" * 100, b"<html/>", b"\xff\xfe<"):
        assert codes(data) == {"not-svg"}


def test_gzip_without_an_end():
    assert plain_svg(gzip.compress(GOOD.encode())[:-8]).decode() == GOOD
    bomb = zlib.compressobj(wbits=31)
    assert len(plain_svg(bomb.compress(b"\0" * 50_000_000) + bomb.flush())) == MOST_OCTETS + 1
