"""HTML text that a reader does not see. Which styles hide: CSS 2.2 9.2.4, 11.2, 15.7, 16.1."""

from __future__ import annotations

import time

import pytest

from sekisho.parse.hidden import apart
from sekisho.parse.html import Page


def split(html):
    return apart(html, Page(html))


@pytest.mark.parametrize(
    "style",
    [
        "display:none", "DISPLAY : NONE !important", "visibility: hidden", "font-size:0", "font-size: 0px",
        "font-size:1px",
        "color:red;opacity:0", "mso-hide:all", "max-height: 0px; overflow: hidden", "text-indent:-9999px",
    ],
)  # fmt: skip
def test_hidden_by_style(style):
    assert split(f'<p>Seen</p><div style="{style}">Not seen</div><p>too</p>') == ("Seen\ntoo", "Not seen")


@pytest.mark.parametrize(
    "style",
    [
        "display:block", "font-size:0.9em", "font-size:10px", "font-size:12px", "opacity:0.8", "max-height:0.5em",
        "text-indent:-1em",
        "font-size:100%",
    ],
)  # fmt: skip
def test_what_is_small_or_shifted_is_still_seen(style):
    assert split(f'<div style="{style}">Seen</div>')[1] == ""


def test_attributes_hide_as_well():
    assert split("<p hidden>a</p><p>b</p>") == ("b", "a")
    assert split('<font size="0">a</font><p>b</p>') == ("b", "a")


def test_nested_hiding_ends_with_the_outermost():
    html = '<div style="display:none">a <span style="font-size:0">b</span> c</div><p>d</p>'
    seen, hidden = split(html)
    assert seen == "d"
    assert hidden.split() == ["a", "b", "c"]


def test_nothing_hidden_is_the_page_itself():
    html = "<p>Hello <b>World</b></p>"
    assert split(html) == (Page(html).visible, "")


def test_private_characters_of_the_sender_are_no_marks():
    for one in range(0xE000, 0xE0FF):
        html = f'<p style="display:none">a&#{one + 1};c</p><p>&#x{one:X};b</p>'
        assert split(html) == (f"{chr(one)}b", f"a{chr(one + 1)}c")
    assert split('<p style="display:none">a\ue001c</p><p>\ue000b</p>') == ("\ue000b", "a\ue001c")


def test_a_text_of_all_private_characters_is_shown_whole():
    every = "".join(map(chr, range(0xE000, 0xF900)))
    assert split(f'<p style="display:none">a</p><p>{every}</p>') == (f"a\n{every}", "")


@pytest.mark.parametrize(
    "piece", ['<div style="display:none">', '<p style="font-size:0">x</p>', "display:none", "<i hidden>"]
)
def test_hostile_html_takes_bounded_time(piece):
    html = piece * 30_000
    page = Page(html)
    before = time.process_time()
    apart(html, page)
    assert time.process_time() - before < 3.0
