import struct

import pytest

from sekisho.mail.finding import Severity
from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.active.onenote import open_onenote
from sekisho.parse.unpack.opening import Budget, CorruptError, Opening, OverLimitError

# {7B5C52E4-D88C-4DA7-AEB1-5378D02996D3} (MS-ONESTORE 2.3.1)
HEADER = bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(1008)
# {BDE316E7-2665-4511-A4C4-8D4D0B7A9EAC} and {71FBA722-0F79-4A0B-BB13-899256426B24} (MS-ONESTORE 2.6.13)
START, END = bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac"), bytes.fromhex("22a7fb71790f0b4abb13899256426b24")


def embedded(content):
    padding = bytes(-len(content) % 8)
    return START + struct.pack("<QIQ", len(content), 0, 0) + content + padding + END


def opened(content, **limits):
    opening = Opening(content, "a.one", budget=Budget(OpenLimits(**limits)))
    open_onenote(opening)
    return opening


def test_embedded_files_with_their_names():
    names = "\0\0" + "invoice.bat\0\0\0" + "photo.png\0\0\0" + "Please open the document 請求書を開く\0\0"
    opening = opened(
        HEADER + names.encode("utf-16-le") + embedded(b"@echo off") + embedded(b"\x89PNG...") + bytes(50)
    )
    assert [(c.name, c.content) for c in opening.children] == [
        ("invoice.bat", b"@echo off"),
        ("photo.png", b"\x89PNG..."),
    ]
    assert "Please open the document" in opening.texts[0].text
    assert "請求書を開く" in opening.texts[0].text
    assert [(f.rule, f.severity) for f in opening.findings] == [("attachment/onenote", Severity.MEDIUM)]


def test_without_names():
    assert [c.name for c in opened(HEADER + embedded(b"abc") * 2).children] == ["embedded-1", "embedded-2"]


def test_section_without_files_is_nothing_to_tell():
    opening = opened(HEADER + bytes(2000))
    assert (opening.findings, opening.children) == ([], [])


def test_a_length_beyond_the_end_is_cut_there():
    broken = START + struct.pack("<QIQ", 1 << 60, 0, 0) + b"abc"
    assert [c.content for c in opened(HEADER + broken).children] == [b"abc"]


@pytest.mark.parametrize("end", [len(START), len(START) + 8, len(START) + 19])
def test_cut_short(end):
    assert opened(HEADER + embedded(b"abc")[:end]).children == []


def test_empty_section_is_corrupt():
    with pytest.raises(CorruptError):
        opened(HEADER[:100])


def test_limits():
    with pytest.raises(OverLimitError):
        opened(HEADER + embedded(b"abc") * 20, files=10)
    with pytest.raises(OverLimitError):
        opened(HEADER + embedded(bytes(1000)) * 20, unpacked_bytes=10_000)
