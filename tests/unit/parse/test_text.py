import base64

import pytest

from sekisho.mail.message import Link
from sekisho.parse import parse


def part(body, *lines):
    head = "\r\n".join(["From: a@b.example", *lines, "", ""]).encode()
    return parse(head + (body if isinstance(body, bytes) else body.encode())).root


def test_line_ends_of_text_are_line_feeds():
    assert part("a\r\nb\r\n").text == "a\nb\n"


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("iso-2022-jp", "iso2022_jp"),
        ("shift_jis", "cp932"),
        ("euc-jp", "euc_jp"),
        ("utf-8", "utf-8"),
        ("utf-16", "utf-16"),
    ],
)
def test_charset_and_encoding(charset, codec):
    body = base64.encodebytes("請求書です".encode(codec))
    read = part(body, f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64")
    assert read.text == "請求書です"


def test_byte_order_mark_is_no_text():
    assert part(b"\xef\xbb\xbfx", "Content-Type: text/plain; charset=utf-8").text == "x"


def test_html_says_its_own_charset():
    body = '<meta http-equiv="Content-Type" content="text/html; charset=euc-jp"><p>日本'.encode("euc_jp")
    assert part(body, "Content-Type: text/html").visible_text == "日本"


def test_flowed():
    # RFC 3676 4.2: a blank before the line end joins; "-- " stays a line of its own
    assert part("a \r\nb\r\n-- \r\nc", "Content-Type: text/plain; format=flowed").visible_text == "a b\n-- \nc"
    assert (
        part("日 \r\n本", "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes").visible_text == "日本"
    )
    assert part("a \r\nb").visible_text == "a \nb"


def test_links():
    assert part("see http://a.example/").links == (Link("http://a.example/", "", "", "text"),)
    html = part("<a href='http://a.example/'>x</a>", "Content-Type: text/html")
    assert html.links == (Link("http://a.example/", "x", "", "href"),)


def test_what_is_no_text_has_none():
    image = part("x", "Content-Type: image/png")
    assert (image.text, image.visible_text, image.links, image.content) == ("", "", (), b"x")


def test_a_status_report_is_text():
    assert part("Action: failed\r\n", "Content-Type: message/delivery-status").text == "Action: failed\n"


def test_decoding_happens_once():
    html = part("<p>a", "Content-Type: text/html")
    assert html.text is html.text
    assert html.links is html.links


def test_text_outside_the_parts():
    root = part(
        "secret before\r\n--b\r\n\r\nx\r\n--b--\r\nsecret after\r\n", "Content-Type: multipart/mixed; boundary=b"
    )
    assert root.text.split("\n") == ["secret before", "secret after", ""]
