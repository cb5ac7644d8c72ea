from __future__ import annotations

import struct

import pytest
from support.opened_file import opening_of

from sekisho.parse.unpack.office.biff import Strings, rk_number, shared_strings, short_string, wide_string

HEAD = struct.pack("<II", 1, 2)


def read(*blocks):
    return shared_strings(Strings(list(blocks)), opening_of(b"").budget)


def test_narrow_and_wide():
    assert read(HEAD + b"\2\0\0ab" + b"\2\0\1" + "山田".encode("utf-16-le")) == ["ab", "山田"]


def test_formatting_and_readings_are_left_out():
    rich = b"\2\0\x0d" + b"\1\0" + struct.pack("<I", 6) + "山田".encode("utf-16-le") + bytes(4) + b"xxxxxx"
    assert read(HEAD + rich + b"\1\0\0z") == ["山田", "z"]


def test_over_two_records_with_another_width():
    # MS-XLS 2.5.293: the rest of the characters begins with a new octet of flags
    assert read(HEAD + b"\4\0\0ab", b"\1" + "山田".encode("utf-16-le") + b"\1\0\0z") == ["ab山田", "z"]


def test_cut_short():
    assert read(HEAD + b"\xff\xff\1a\0") == ["a"]
    assert read(b"") == []


@pytest.mark.parametrize(
    ("packed", "number"),
    # MS-XLS 2.5.217: integer or the high bits of a float, times 1 or 1/100
    [(0x3FF00000, 1.0), (1234 << 2 | 2, 1234), (1234 << 2 | 3, 12.34), (0xFFFFFFFE, -1), (0x405EDD2D, 1.2345)],
)  # fmt: skip
def test_rk(packed, number):
    assert rk_number(packed) == pytest.approx(number, rel=1e-4)


def test_strings_of_old_workbooks():
    assert wide_string([struct.pack("<H", 4) + "山田".encode("cp932")], 5, 932) == "山田"
    assert short_string(b"\4" + "山田".encode("cp932"), 5, 932) == "山田"
    assert short_string(b"\2\1" + "山田".encode("utf-16-le"), 8, 932) == "山田"
