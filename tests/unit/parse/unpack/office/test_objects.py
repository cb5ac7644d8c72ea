from __future__ import annotations

import struct

import pytest
from support.office import compound
from support.opened_file import opened

from sekisho.parse.unpack.office.objects import link_targets, native_file
from sekisho.parse.unpack.office.ole import open_ole


def native(label, source, content, *, wide=(), temporary=b"C:\\Temp\\x"):
    body = b"\2\0" + label + b"\0" + source + b"\0" + b"\0\0\3\0"
    body += struct.pack("<I", len(temporary) + 1) + temporary + b"\0" + struct.pack("<I", len(content)) + content
    for name in wide:
        body += struct.pack("<I", len(name)) + name.encode("utf-16-le")
    return struct.pack("<I", len(body)) + body


def test_a_package():
    assert native_file(native(b"a.txt", b"C:\\x\\a.txt", b"content")) == ("a.txt", b"content")


def test_the_wide_name_counts():
    names = ("C:\\Temp\\請求書.exe", "請求書.exe", "C:\\請求書.exe")
    assert native_file(native(b"?????.exe", b"", b"MZ", wide=names)) == ("請求書.exe", b"MZ")


def test_a_name_in_cp932():
    assert native_file(native("請求書.js".encode("cp932"), b"", b"x"))[0] == "請求書.js"


def test_only_the_last_of_a_path():
    assert native_file(native(b"..\\..\\Startup\\a.bat", b"", b"x"))[0] == "a.bat"


def test_a_link_holds_nothing():
    body = b"\2\0calc.exe\0C:\\Windows\\calc.exe\0\0\0\1\0\1\0rest\0"
    assert native_file(struct.pack("<I", len(body)) + body) == ("C:\\Windows\\calc.exe", b"")


def test_another_form_comes_whole():
    assert native_file(b"\5\0\0\0hello") == ("", b"hello")


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_cut_short(cut):
    native_file(native(b"a.txt", b"C:\\x\\a.txt", b"content" * 4)[:cut])


def test_links():
    url = "https://e.example/a".encode("utf-16-le") + b"\0\0"
    moniker = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b") + struct.pack("<I", len(url)) + url
    assert link_targets(b"xx" + moniker) == ["https://e.example/a"]
    path = b"\\\\server\\a.doc\0"
    moniker = bytes.fromhex("0303000000000000c000000000000046") + b"\0\0" + struct.pack("<I", len(path)) + path
    assert link_targets(moniker) == ["\\\\server\\a.doc"]


def test_pictures():
    png = b"\x89PNG\r\n\x1a\n" + b"x" * 100
    record = b"\0\x6e\x1e\xf0" + struct.pack("<I", 17 + len(png)) + bytes(16) + b"\xff" + png
    opening = opened(open_ole, compound({"Data": b"y" * 30 + record + record}))
    assert [(child.name, child.content) for child in opening.children] == [("image1.png", png), ("image2.png", png)]
