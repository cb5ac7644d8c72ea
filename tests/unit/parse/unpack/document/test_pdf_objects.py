from __future__ import annotations

import base64
import random
import time
import zlib

import pytest
from support.opened_file import opening_of

from sekisho.parse.unpack.document.pdf_objects import Name, Ref, Skeleton, decoded, read_value, text_string
from sekisho.parse.unpack.opening import OverLimitError


def budget(**limits):
    return opening_of(b"", **limits).budget


@pytest.mark.parametrize(
    ("written", "value"),
    [
        # ISO 32000-1 7.3.4.2, 7.3.4.3, 7.3.5: the examples of the standard
        (b"(These \\\ntwo strings \\\nare the same.)", b"These two strings are the same."),
        (b"(Strings may contain balanced parentheses () and\nspecial characters (*!&}^% and so on).)",
         b"Strings may contain balanced parentheses () and\nspecial characters (*!&}^% and so on)."),
        (b"(\\0053)", b"\x053"),
        (b"(\\053)", b"+"),
        (b"(\\53)", b"+"),
        (b"<901FA>", b"\x90\x1f\xa0"),
        (b"/A;Name_With-Various***Characters?", Name("A;Name_With-Various***Characters?")),
        (b"12 0 R", Ref(12)),
        (b"<</A[1 2 0 R(x)]/B<</C/D>>>>", {"A": [None, Ref(2), b"x"], "B": {"C": Name("D")}}),
        (b"% comment\n /N", Name("N")),
    ],
)  # fmt: skip
def test_values(written, value):
    assert read_value(written, 0)[0] == value


@pytest.mark.parametrize(
    "hostile", [b"[" * 100_000, b"<<" * 100_000, b"(" * 100_000, b"<</A " * 50_000, b"/" * 100_000]
)
def test_endless_values_end(hostile):
    started = time.process_time()
    read_value(hostile, 0)
    assert time.process_time() - started < 5


def test_filters_against_the_standard_library():
    data = random.Random(1).randbytes(1000) + b"\0" * 40
    chain = {"Filter": [Name("ASCII85Decode"), Name("FlateDecode")]}
    assert decoded(chain, base64.a85encode(zlib.compress(data), adobe=True), budget()) == data
    assert decoded({"Filter": Name("ASCIIHexDecode")}, data.hex().encode() + b">", budget()) == data
    assert decoded({"Filter": Name("RunLengthDecode")}, b"\x02abc\xfex\x80", budget()) == b"abcxxx"
    assert decoded({}, data, budget()) == data


def test_a_bomb_is_counted():
    bomb = zlib.compress(b"\0" * 50_000_000)
    with pytest.raises(OverLimitError, match="unpacked bytes"):
        decoded({"Filter": Name("FlateDecode")}, bomb, budget(unpacked_bytes=1_000_000))
    with pytest.raises(OverLimitError, match="ratio"):
        decoded({"Filter": Name("FlateDecode")}, bomb, budget())


def test_text_strings():
    assert text_string(b"\xfe\xff\x8a\xcb\x6c\x42") == "請求"
    assert text_string(b"\xff\xfe\xcb\x8a\x42\x6c") == "請求"
    assert text_string("\ufeff請求".encode()) == "請求"
    assert text_string(b"caf\xe9") == "café"


def test_a_skeleton_has_no_bodies_and_finds_objects():
    whole = b"1 0 obj<</Length 3>>stream\nabc\nendstream endobj 21 0 obj(x)endobj 1 0 obj(newer)endobj"
    skeleton = Skeleton(whole, budget())
    assert b"abc" not in skeleton.text
    assert skeleton.octets(Ref(1)) == b"newer"
    assert skeleton.octets(Ref(21)) == b"x"
    assert skeleton.octets(Ref(5)) == b""
    assert skeleton.body(0) == b"abc"
