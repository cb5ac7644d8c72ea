from __future__ import annotations

import struct
from io import BytesIO

import olefile
from support.office import office_corpus

from sekisho.parse.unpack.office.properties import property_sets


def test_strings_as_olefile_reads_them():
    compared = 0
    for content in office_corpus().values():
        if not content.startswith(b"\xd0\xcf\x11\xe0"):
            continue
        with olefile.OleFileIO(BytesIO(content)) as file:
            if not file.exists("\x05SummaryInformation"):
                continue
            ours = property_sets(iter([file.openstream("\x05SummaryInformation").read()])).splitlines()
            for value in file.getproperties("\x05SummaryInformation").values():
                text = value.decode("cp1252", "replace").strip() if isinstance(value, bytes) else ""
                if text and text.isascii() and text.isprintable() and len(text) < 100:
                    assert text in ours
                    compared += 1
    assert compared > 30


def custom(name, value):
    """A property set with one named property (MS-OLEPS 2.17, 2.21)."""
    dictionary = struct.pack("<III", 1, 2, len(name) + 1) + name + b"\0"
    dictionary += bytes(-len(dictionary) % 4)
    codepage = struct.pack("<IHxx", 2, 932)
    text = struct.pack("<II", 0x1E, len(value) + 1) + value + b"\0"
    start = 8 + 3 * 8
    rows = struct.pack("<IIIIII", 0, start, 1, start + len(dictionary), 2, start + len(dictionary) + len(codepage))
    section = struct.pack("<II", 0, 3) + rows + dictionary + codepage + text
    return bytes(24) + struct.pack("<I", 1) + bytes(16) + struct.pack("<I", 48) + section


def test_custom_properties():
    stream = custom("分類".encode("cp932"), "社外秘".encode("cp932"))
    assert property_sets(iter([stream])) == "分類: 社外秘"


def test_cut_short():
    stream = custom(b"a", b"b")
    for cut in range(len(stream)):
        property_sets(iter([stream[:cut]]))
