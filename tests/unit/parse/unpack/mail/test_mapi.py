import struct

import pytest
from support.opened_file import all_text, opening_of
from support.outlook import stored_rtf

from sekisho.parse.unpack.mail.mapi import (
    BINARY,
    INTEGER16,
    INTEGER32,
    OBJECT,
    STRING,
    STRING8,
    Cursor,
    Properties,
    attachment_name,
    tell_attachment,
    tell_message,
)
from sekisho.parse.unpack.opening import CorruptError


def properties(values, codepage=0):
    made = Properties(codepage)
    for (number, kind), value in values.items():
        made.add(number, kind, value)
    return made


def test_values_by_their_type():
    made = properties({
        (1, STRING): "件名\0rest".encode("utf-16-le"),
        (2, STRING8): "件名".encode("cp932") + b"\0rest",
        (3, BINARY): b"\1\2",
        (4, INTEGER32): struct.pack("<I", 932),
        (5, INTEGER16): struct.pack("<H", 7) + b"\xff\xff",
        (6, OBJECT): b"object",
        (7, STRING): "odd".encode("utf-16-le") + b"x",
    }, codepage=932)  # fmt: skip
    assert [made.text(n) for n in (1, 2, 3, 7, 99)] == ["件名", "件名", "", "odd", ""]
    assert [made.data(n) for n in (1, 3, 6, 99)] == [b"", b"\1\2", b"object", b""]
    assert [made.number(n) for n in (1, 4, 5, 99)] == [0, 932, 7, 0]


@pytest.mark.parametrize(
    ("first", "second"), [((STRING8, b"a"), (STRING, b"b\0")), ((STRING, b"b\0"), (STRING8, b"a"))]
)
def test_the_text_in_unicode_counts(first, second):
    made = Properties()
    made.add(1, *first)
    made.add(1, *second)
    assert made.text(1) == "b"


def test_the_code_page_of_a_message():
    made = properties({(0x3FDE, INTEGER32): struct.pack("<I", 65001)})
    made.settle()
    assert made.codepage == 65001
    made.add(0x3FFD, INTEGER32, struct.pack("<I", 932))
    made.settle()
    assert made.codepage == 932


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({0x3707: "long.xlsx", 0x3704: "LONG~1.XLS"}, "long.xlsx"),
        ({0x3704: "LONG~1.XLS", 0x3001: "shown"}, "LONG~1.XLS"),
        ({0x3001: "shown", 0x3703: ".doc"}, "shown.doc"),
        ({0x3001: "shown.DOC", 0x3703: ".doc"}, "shown.DOC"),
        ({}, "attachment 3"),
    ],
)
def test_names_of_attachments(values, name):
    made = properties({(n, STRING): text.encode("utf-16-le") for n, text in values.items()})
    assert attachment_name(made, 3) == name


def test_an_attached_message_without_a_name_ends_in_msg():
    made = properties({(0x3001, STRING): "Re: x".encode("utf-16-le"), (0x3705, INTEGER32): struct.pack("<I", 5)})
    assert attachment_name(made, 1) == "Re: x.msg"


def test_an_attachment_that_is_elsewhere_is_a_link():
    opening = opening_of(b"")
    made = properties({(0x370D, STRING): "https://files.example/a".encode("utf-16-le")})
    tell_attachment(opening, made, None, 1)
    assert ([link.url for link in opening.links], opening.children) == (["https://files.example/a"], [])


@pytest.mark.parametrize(
    ("html", "internet", "expected"),
    [
        ("<p>社外秘".encode("cp932"), 932, "社外秘"),
        ('<meta charset="euc-jp"><p>社外秘'.encode("euc-jp"), 0, "社外秘"),
        ("<p>社外秘".encode(), 0, "社外秘"),
    ],
)
def test_html_in_its_charset(html, internet, expected):
    opening = opening_of(b"")
    made = properties({(0x1013, BINARY): html, (0x3FDE, INTEGER32): struct.pack("<I", internet)})
    tell_message(opening, made, ())
    assert [text.text for text in opening.texts if text.place == "body"] == [expected]


def test_encapsulated_text_is_told_once():
    rtf = stored_rtf(rb"{\rtf1\ansi\fromtext hello}")
    opening = opening_of(b"")
    tell_message(opening, properties({(0x1000, STRING8): b"hello", (0x1009, BINARY): rtf}), ())
    assert all_text(opening).count("hello") == 1
    opening = opening_of(b"")
    tell_message(opening, properties({(0x1009, BINARY): rtf}), ())
    assert all_text(opening).count("hello") == 1


def test_the_cursor_stops_at_the_end():
    cursor = Cursor(memoryview(b"\1\0\2\0\0\0abcde"))
    assert (cursor.u16(), cursor.u32(), bytes(cursor.take(3))) == (1, 2, b"abc")
    cursor.skip_padding(3)
    assert bytes(cursor.take(1)) == b"e"
    cursor.skip_padding(1)
    for read in (cursor.u16, cursor.u32, lambda: cursor.take(1), lambda: cursor.take(0xFFFFFFFF)):
        with pytest.raises(CorruptError):
            read()
