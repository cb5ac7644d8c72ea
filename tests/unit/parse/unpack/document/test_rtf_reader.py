from __future__ import annotations

import pytest
from support.opened_file import opening_of

from sekisho.parse.unpack.document.rtf_reader import Reader


def read(content: bytes) -> Reader:
    reader = Reader(opening_of(content))
    reader.read()
    return reader


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (rb"{\rtf1\ansi a\par b}", "a\nb"),
        (rb"{\rtf1\ansi a\{b\}\\c\~d\_e}", "a{b}\\c\u00a0d-e"),
        (rb"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8}", "При"),
        (rb"{\rtf1\ansi{\uc3\u8364abc}d}", "€d"),
        (rb"{\rtf1\ansi{\uc0\u8364}d}", "€d"),
        (rb"{\rtf1\ansi a\bin3 }}}b}", "ab"),
        (rb"{\rtf1\ansi\emdash\lquote x\rquote}", "\u2014\u2018x\u2019"),
    ],
)
def test_text(content, text):
    assert "".join(read(content).texts[""]) == text


def test_the_charset_of_a_font_holds_inside_its_group():
    content = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}{\f7\fcharset128 M;}}\'e9{\f7 \'8e\'52}\'e9}"
    assert "".join(read(content).texts[""]) == "é山é"


def test_octets_in_binary_are_object_data_too():
    reader = read(b"{\\rtf1{\\*\\objdata 0102\\bin3 \x03{\x04 05}}")
    assert reader.objects == [b"\x01\x02\x03{\x04\x05"]


def test_an_object_that_is_cut_off_is_kept():
    assert read(rb"{\rtf1{\object{\*\objdata 01020304").objects == [b"\1\2\3\4"]
