import random
import re

import pytest

from sekisho.parse.html import Page, is_flat_enough, squeezed


@pytest.mark.parametrize(
    ("html", "visible"),
    [
        ("<p>one<p>two", "one\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<b>pass</b>word", "password"),
        ("pass<!-- x -->word", "password"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<ul><li>a<li>b</ul>c", "a\nb\nc"),
        ("a\n  b\r\nc", "a b c"),
        ("<pre>a\n b</pre>c", "a\nb\nc"),
        ("a&nbsp;b &lt;c&gt; &#x65E5;&#26412;", "a b <c> 日本"),
        ("<head><title>t</title><style>s{}</style></head><script>x()</script><body>b</body>", "b"),
        ("<body>a<template>t</template><style>s</style>b", "ab"),
        ('<img alt="Pay now" src=x>', "Pay now"),
        ("plain text", "plain text"),
        ("", ""),
    ],
)
def test_visible_text(html, visible):
    assert Page(html).visible == visible


def test_links_and_what_a_reader_sees_of_them():
    page = Page(
        '<a href=" http://a.example/?x=1&amp;y=2 ">click <b>here</b></a>'
        '<a href="http://b.example"><img alt="Logo"></a>'
        '<img src="cid:1"><form action="http://f.example"></form><iframe src="http://i.example"></iframe>'
        '<meta http-equiv="Refresh" content="0; URL=http://r.example"><table background="http://g.example"></table>'
        "<area href='http://z.example'><p>http://t.example, http://b.example"
    )
    assert sorted(page.links) == sorted(
        [
            ("http://a.example/?x=1&y=2", "click here", "href"),
            ("http://b.example", "Logo", "href"),
            ("cid:1", "", "src"),
            ("http://f.example", "", "form"),
            ("http://i.example", "", "src"),
            ("http://r.example", "", "other"),
            ("http://g.example", "", "src"),
            ("http://z.example", "", "href"),
            ("http://t.example", "", "text"),
        ]
    )


def test_base():
    page = Page('<base href="http://b.example/x/"><a href="y">z</a><a href="mailto:a@b.example">m</a>')
    assert [link[0] for link in page.links] == ["http://b.example/x/", "http://b.example/x/y", "mailto:a@b.example"]


def test_line_ends_and_tabs_inside_an_address_are_dropped_as_browsers_do():
    assert Page('<a href="ht\ntp://a.\texample">x</a>').links[0][0] == "http://a.example"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 5_000 + "deep",
        "</div>" * 5_000 + "<div>" * 5_000 + "deep",
        "<div></zz>" * 5_000 + "deep",
        "<x>" * 100_000 + "deep",
        "<p>" + "".join(f"<b a={i}>" for i in range(400)) + "</p>" + "<p>x</p>" * 5_000 + "deep",
    ],
)
def test_what_would_exhaust_a_tree_builder_is_read_flatly(html):
    assert not is_flat_enough(html)
    page = Page(html + '<script>no</script><a href="http://a.example/">l</a>&amp;')
    assert page.visible.endswith("deepl&")
    assert ("http://a.example/", "", "href") in page.links


def test_a_long_honest_page_is_read_as_a_tree():
    rows = "<tr><td><p>x<td><a href=http://a.example>y</a><br></tr>" * 2_000
    assert is_flat_enough(f"<html><body><table>{rows}</table>")


@pytest.mark.parametrize(
    "piece", ["<a", "<!--", "<script>", "<pre>", "<", "&", "<a href=", "\0", "<td>", "<svg><desc>"]
)
def test_nonsense_is_bounded(piece):
    Page(piece * 100_000)


def test_white_space_runs_together_as_by_two_expressions():
    rng = random.Random(7)
    for _ in range(5000):
        text = "".join(rng.choices(" \n\t\xa0\r\f\vab", k=rng.randrange(14)))
        assert squeezed(text) == re.sub(r" ?\n[ \n]*", "\n", re.sub(r"[ \t\r\f\v\xa0]+", " ", text)).strip()
