import random
import time

import pytest
from support.opened_file import opening_of

from sekisho.parse.unpack.mail.ber import EXPLICIT_0, OBJECT_ID, SEQUENCE, Value, child, end_of, octet_pieces
from sekisho.parse.unpack.opening import CorruptError


def value(data):
    return Value(memoryview(data), 0, len(data))


def octets(data):
    return b"".join(octet_pieces(value(data), opening_of(b"").budget))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # X.690 8.7.3.2 has the constructed form; the others are the same octets in other lengths (X.690 8.1.3).
        (bytes.fromhex("0403414243"), b"ABC"),
        (bytes.fromhex("048103414243"), b"ABC"),
        (bytes.fromhex("2480040141040242430000"), b"ABC"),
        (bytes.fromhex("2407040141040242 43".replace(" ", "")), b"ABC"),
        (bytes.fromhex("24802480040141000024050403424344 0000".replace(" ", "")), b"ABCD"),
        (bytes.fromhex("0400"), b""),
        (bytes.fromhex("24800000"), b""),
    ],
)
def test_octet_strings_in_all_forms(data, expected):
    assert octets(data) == expected


def test_children_with_and_without_lengths():
    data = bytes.fromhex("308006022a0330800201050000a0800401 7a0000".replace(" ", "") + "0000")
    outer = value(data)
    assert [inner.tag for inner in outer] == [OBJECT_ID, SEQUENCE, EXPLICIT_0]
    assert bytes(child(outer, OBJECT_ID).contents) == bytes.fromhex("2a03")
    assert child(outer, 0x31) is None
    assert end_of(outer) == len(data)


def whole(data):
    end_of(value(data))
    return octets(data)


@pytest.mark.parametrize("data", ["", "30", "3089010101010101010101", "0482ff", "2480", "24800401"])
def test_what_is_cut_off_is_corrupt(data):
    with pytest.raises(CorruptError):
        whole(bytes.fromhex(data))


def test_many_levels_take_no_time():
    data = b"\x24\x80" * 90_000 + b"\x04\x01x" + b"\0\0" * 90_000
    started = time.monotonic()
    assert end_of(value(data)) == len(data)
    with pytest.raises(CorruptError):
        octets(data)
    assert time.monotonic() - started < 2


def test_millions_of_values_before_an_end_mark_are_not_stepped_over():
    data = b"\x31\x80" + b"\x05\x00" * 5_000_000 + b"\0\0"
    started = time.monotonic()
    with pytest.raises(CorruptError):
        end_of(value(data))
    assert time.monotonic() - started < 2


def test_random_octets_end():
    chance = random.Random(1)
    for _ in range(2000):
        data = bytes(chance.choice((0x24, 0x30, 0x80, 0x04, 0, 1, 2, 0xFF)) for _ in range(60))
        try:
            list(value(data))
            octets(data)
        except CorruptError:
            pass
