from __future__ import annotations

import struct

import pytest
from support.office import compound
from support.opened_file import found, opened

from sekisho.parse.unpack.office.ole import open_ole
from sekisho.parse.unpack.opening import CorruptError


def document(pieces, lengths, *, template="", prc=b""):
    """A document whose pieces lie scattered; `lengths` are those of text, notes, headers, macros, comments."""
    stream = bytearray(0x400)
    struct.pack_into("<HH", stream, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", stream, 0x0A, 0x0200)
    struct.pack_into(f"<{len(lengths)}I", stream, 0x4C, *lengths)
    places, position = [0], 0
    descriptors = b""
    for text, wide in pieces:
        octets = text.encode("utf-16-le") if wide else text.encode("cp1252")
        at = len(stream) if wide else len(stream) * 2 | 0x40000000
        descriptors += struct.pack("<HIH", 0, at, 0)
        stream += octets + b"between the pieces"
        position += len(text)
        places.append(position)
    plc = struct.pack(f"<{len(places)}I", *places) + descriptors
    clx = prc + b"\2" + struct.pack("<I", len(plc)) + plc
    associated = struct.pack("<HHH", 0xFFFF, 18, 0) + struct.pack("<H", 0)
    associated += struct.pack("<H", len(template)) + template.encode("utf-16-le") + bytes(32)
    struct.pack_into("<IIII", stream, 0x19A, len(clx), len(associated), 0, len(clx))
    return compound({"WordDocument": bytes(stream), "1Table": clx + associated})


def texts(opening):
    return {text.place: text.text for text in opening.texts}


def test_pieces_of_a_fast_save():
    content = document([("first ", False), ("山田", True), (" last\r", False)], [14])
    assert texts(opened(open_ole, content)) == {"": "first 山田 last\n"}


def test_properties_before_the_pieces():
    content = document([("text\r", False)], [5], prc=b"\1\3\0abc\1\1\0x")
    assert texts(opened(open_ole, content)) == {"": "text\n"}


def test_places():
    content = document([("body\rfoot\rhead\rnote\r", False)], [5, 5, 5, 0, 5])
    assert texts(opened(open_ole, content)) == {
        "": "body\n", "footnotes": "foot\n", "header": "head\n", "comments": "note\n"
    }  # fmt: skip


def test_tables():
    assert texts(opened(open_ole, document([("a\7b\7\7c\r", False)], [7]))) == {"": "a\tb\t\tc\n"}


def test_a_template_from_the_network():
    content = document([("x\r", False)], [2], template="http://evil.example/t.dot")
    assert found(opened(open_ole, content)) == {"remote-template": "high"}
    assert found(opened(open_ole, document([("x\r", False)], [2], template="Normal.dot"))) == {}


def test_word_95_in_japanese():
    text = "山田太郎\r".encode("cp932")
    stream = bytearray(0x300) + text
    struct.pack_into("<HH", stream, 0, 0xA5DC, 0x65)
    struct.pack_into("<II", stream, 0x18, 0x300, 0x300 + len(text))
    assert texts(opened(open_ole, compound({"WordDocument": bytes(stream)}))) == {"": "山田太郎\n"}


def test_without_text():
    for stream in (b"x" * 600, b"\xec\xa5\xc1\0" + bytes(2000)):
        with pytest.raises(CorruptError):
            opened(open_ole, compound({"WordDocument": stream}))


def test_pieces_that_claim_too_much():
    content = document([("a" * 100, False)] * 3, [0xFFFFFFF0, 0xFFFFFFF0])
    assert texts(opened(open_ole, content)) == {"": "a" * 300}
