from __future__ import annotations

import random
import struct

import pytest

from sekisho.parse.unpack.office.formula import formula_text


def text(value, version=8):
    if version == 12:
        return b"\x17" + struct.pack("<H", len(value)) + value.encode("utf-16-le")
    return b"\x17" + bytes([len(value)]) + (b"\0" if version == 8 else b"") + value.encode()


def function(identity, count):
    return b"\x42" + bytes([count]) + struct.pack("<H", identity)


@pytest.mark.parametrize("version", [5, 8, 12])
def test_functions(version):
    # numbers from MS-XLS 2.5.198.17 (Ftab) and 2.5.198.4 (Cetab)
    assert formula_text(text("calc", version) + function(110, 1), version) == 'EXEC("calc")'
    assert formula_text(function(0x8000 | 118, 0), version) == "ALERT()"
    halves = text("ca", version) + text("lc", version) + b"\x08" + function(110, 1)
    assert formula_text(halves, version) == 'EXEC("ca"&"lc")'
    assert formula_text(b"\x1e\x41\0" + b"\x41\x6f\0", version) == "CHAR(65)"


@pytest.mark.parametrize(("version", "size"), [(5, 3), (8, 4), (12, 6)])
def test_references_are_passed_over(version, size):
    assert formula_text(b"\x44" + bytes(size) + text("x", version) + b"\x08", version) == 'REF&"x"'


def test_names():
    assert formula_text(b"\x23\1\0\0\0" + function(255, 1), 8, lambda _link, n: ("", "go")[n]) == "go()"


def test_what_is_unknown_ends_it():
    assert formula_text(text("a") + b"\x1f", 8) == '"a"'
    assert formula_text(text("a") + b"\x00\x00", 8) == '"a"'


def test_long_ones_stay_bounded():
    doubled = b"".join(text("x" * 200) + b"\x08" for _ in range(4000))
    assert len(formula_text(text("a") + doubled, 8)) <= 32_768


def test_any_octets():
    rng = random.Random(5)
    for _ in range(3000):
        formula_text(rng.randbytes(rng.randrange(40)), rng.choice((5, 8, 12)))
