from __future__ import annotations

import struct
from io import BytesIO

import olefile
import pytest
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


def with_titles(*sections):
    """A property set of sections, each of (title, place of the dictionary or None)."""
    stream = bytes(24) + struct.pack("<I", len(sections))
    at = len(stream) + 20 * len(sections)
    bodies = b""
    for title, dictionary in sections:
        entries = [] if dictionary is None else [(0, dictionary)]
        entries.append((2, 8 + 8 * (len(entries) + 1)))
        body = struct.pack("<II", 0, len(entries)) + b"".join(struct.pack("<II", *entry) for entry in entries)
        stream += bytes(16) + struct.pack("<I", at + len(bodies))
        bodies += body + struct.pack("<II", 0x1E, len(title)) + title
    return stream + bodies


@pytest.mark.parametrize("place", [None, 0xFFFFFFF0, 45, 1 << 20])
def test_a_dictionary_elsewhere_hides_nothing(place):
    assert property_sets(iter([with_titles((b"secret", place))])) == "secret"


def test_a_broken_section_does_not_hide_the_next():
    stream = with_titles((b"one", None), (b"two", None))
    broken = stream[:44] + struct.pack("<I", 0xFFFFFFF0) + stream[48:]
    assert property_sets(iter([broken])) == "two"


def test_cut_short():
    stream = custom(b"a", b"b")
    for cut in range(len(stream)):
        property_sets(iter([stream[:cut]]))
