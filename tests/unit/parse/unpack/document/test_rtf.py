from __future__ import annotations

import io
import random
import struct
import tarfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from support.opened_file import NAMED_ERRORS, all_text, found, opened, opening_of, urls

from sekisho.parse.unpack.document import rtf
from sekisho.parse.unpack.opening import CorruptError, OverLimitError

FILES = Path("../shared/data/attachments/files.tar.xz")
HEAD = rb"{\rtf1\ansi\ansicpg932\deff0{\fonttbl{\f0\fnil\fcharset128 MS Gothic;}{\f1\fswiss\fcharset0 Arial;}}"


def hexed(text: str, codec: str = "cp932") -> bytes:
    return b"".join(b"\\'%02x" % octet for octet in text.encode(codec))


def counted(octets: bytes) -> bytes:
    return struct.pack("<I", len(octets)) + octets


def ole1(name: bytes, data: bytes, sort: int = 2) -> bytes:
    """An OLE 1.0 object ([MS-OLEDS] 2.2.5)."""
    head = struct.pack("<II", 0x501, sort) + counted(name + b"\0") + counted(b"") + counted(b"")
    return head + (counted(data) if sort == 2 else b"")


def package(name: bytes, data: bytes) -> bytes:
    path = b"C:\\Users\\x\\" + name + b"\0"
    return b"\2\0" + name + b"\0" + path + struct.pack("<I", 0x30000) + counted(path) + counted(data)


def with_object(octets: bytes, *, more: bytes = rb"\objemb", head: bytes = HEAD) -> bytes:
    digits = octets.hex().encode()
    lines = b"\r\n".join(digits[n : n + 128] for n in range(0, len(digits), 128))
    return head + rb"\pard See below.\par{\object" + more + rb"{\*\objclass Package}{\*\objdata " + lines + b"}}}"


def test_japanese_in_its_three_spellings():
    body = (
        rb"\f0 "
        + hexed("請求書")
        + rb"\par\uc2\u26666\'8e\'52\u30000\'93\'63{\f1 caf\'e9}\par"
        + "添付".encode("cp932")
        + b"}"
    )
    opening = opened(rtf.open_rtf, HEAD + body)
    assert all_text(opening).split("\n") == ["請求書", chr(26666) + chr(30000) + "café", "添付"]


def test_surrogates_and_negative_numbers():
    opening = opened(rtf.open_rtf, rb"{\rtf1\ansi\uc1 \u-10179?\u-8694?\u-1000?x}")
    assert all_text(opening) == "\U0001f60a" + chr(65536 - 1000) + "x"


def test_hidden_text_is_text_and_tables_of_fonts_are_not():
    body = rb"{\stylesheet{\s0 Normal;}}{\info{\title Plan}}{\*\unknown secret}\v hidden\v0 {\header top}}"
    opening = opened(rtf.open_rtf, HEAD + body)
    assert {t.place: t.text.strip() for t in opening.texts} == {"": "hidden", "properties": "Plan", "header": "top"}


def test_links_of_fields_and_of_text():
    field = rb'{\field{\*\fldinst{HYPERLINK "https://a.example/x"}}{\fldrslt click}} or https://b.example/y}'
    opening = opened(rtf.open_rtf, HEAD + field)
    assert urls(opening) == ["https://b.example/y", "https://a.example/x"]
    assert "click" in all_text(opening)
    assert "HYPERLINK" not in all_text(opening)


def test_a_packaged_file_is_handed_on():
    opening = opened(rtf.open_rtf, with_object(ole1(b"Package", package(b"invoice.exe", b"MZ\x90\0" * 20))))
    assert [(c.name, c.content) for c in opening.children] == [("invoice.exe", b"MZ\x90\0" * 20)]
    assert found(opening) == {"rtf-object": "medium"}


def test_a_compound_file_is_handed_on():
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    opening = opened(rtf.open_rtf, with_object(ole1(b"Word.Document.8", data)))
    assert [c.content for c in opening.children] == [data]
    assert found(opening) == {"rtf-object": "medium"}


def test_object_data_with_rubbish_inside_is_decoded():
    octets = ole1(b"Package", package(b"a.js", b"x" * 60)).hex()
    noisy = "".join(c + random.Random(n).choice(["", "\n", " ", r"\par ", r"{\*\x y}"]) for n, c in enumerate(octets))
    noisy = noisy.replace(r"{\*\x y}", r"{\*\x}")
    content = HEAD + rb"{\object\objemb{\*\objdata " + noisy.encode() + b"}}}"
    assert [c.name for c in opened(rtf.open_rtf, content).children] == ["a.js"]


@pytest.mark.parametrize("name", [b"Equation.3", b"eQuATiOn.2"])
def test_equation_editor(name):
    assert found(opened(rtf.open_rtf, with_object(ole1(name, b"\1" * 40))))["exploit-shape"] == "high"


@pytest.mark.parametrize("rubbish", ["abf7c0355488", "abf7c035548"])
def test_equation_editor_behind_rubbish(rubbish):
    """Readers differ in which groups and control words inside object data they pass over: seen in real attacks."""
    data = rubbish + ole1(b"eQuATiOn.3", b"\x1c\0").hex()
    document = HEAD + rb"{\object\objemb{\*\objdata " + data.encode() + b"}}}"
    assert found(opened(rtf.open_rtf, document))["exploit-shape"] == "high"


def test_a_linked_object_that_fetches():
    moniker = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b")
    content = with_object(
        ole1(b"OLE2Link", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99 + moniker), more=rb"\objautlink\objupdate"
    )
    assert found(opened(rtf.open_rtf, content))["exploit-shape"] == "high"


def test_a_cut_header_counts_with_an_object_only():
    cut = with_object(ole1(b"Package", package(b"a.txt", b"abc")), head=rb"{\rt ")
    assert found(opened(rtf.open_rtf, cut))["exploit-shape"] == "high"
    assert found(opened(rtf.open_rtf, rb"{\rtf hello}")) == {}


def test_a_template_from_the_web():
    template = rb"{\*\template https://t.example/a.dotm}words}"
    opening = opened(rtf.open_rtf, HEAD + template)
    assert found(opening) == {"remote-template": "high"}
    assert urls(opening) == ["https://t.example/a.dotm"]
    local = opened(rtf.open_rtf, HEAD + rb"{\*\template C:\\Users\\me\\Normal.dotm}words}")
    assert found(local) == {}


def test_a_field_that_starts_a_program():
    field = rb'{\field{\*\fldinst DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "/k calc.exe"}{\fldrslt x}}}'
    assert found(opened(rtf.open_rtf, HEAD + field)) == {"dde": "high"}


def test_real_exploits():
    if not FILES.exists():
        pytest.skip(f"{FILES} is not there")
    with tarfile.open(FILES) as archive:
        equation = archive.extractfile("oletools/rtfobj/issue_251.rtf").read()
        packed = archive.extractfile("oletools/rtfobj/issue_185.rtf.zip").read()
    cut = zipfile.ZipFile(io.BytesIO(packed)).read("issue_185.rtf", pwd=b"infected-test")
    assert found(opened(rtf.open_rtf, equation)) == {"exploit-shape": "high", "rtf-object": "medium"}
    assert found(opened(rtf.open_rtf, cut)) == {"exploit-shape": "high", "rtf-object": "medium"}


def test_what_is_not_rtf_is_corrupt():
    with pytest.raises(CorruptError):
        opened(rtf.open_rtf, b"plain words")


def test_depth_and_time_are_bounded():
    with pytest.raises(OverLimitError):
        opened(rtf.open_rtf, rb"{\rtf1" + b"{" * 1_000_000)
    started = time.process_time()
    for hostile in (rb"{\rtf1" + rb"\'" * 500_000, rb"{\rtf1" + rb"\u1 " * 500_000, rb"{\rtf1" + b"{}" * 500_000,
                    rb"{\rtf1" + b"\\a" * 500_000, rb"{\rtf1\bin99999999999999 x", rb"{\rtf\bin-5 x}"):  # fmt: skip
        with suppress(*NAMED_ERRORS):
            opened(rtf.open_rtf, hostile)
    assert time.process_time() - started < 30


def test_mutated_files_raise_only_the_named_errors():
    source = random.Random(11)
    seeds = [
        with_object(ole1(b"Package", package(b"a.exe", b"MZ" * 30))),
        HEAD + rb'{\field{\*\fldinst{HYPERLINK "https://a.example/x"}}{\fldrslt click}}' + hexed("請求書") + b"}",
        with_object(ole1(b"OLE2Link", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9), more=rb"\objupdate"),
    ]
    for round_ in range(1500):
        octets = bytearray(seeds[round_ % 3])
        for _ in range(source.randrange(1, 20)):
            at = source.randrange(len(octets))
            kind = source.randrange(3)
            if kind == 0:
                octets[at] = source.choice(b"{}\\'09af \r\n" + bytes([source.randrange(256)]))
            elif kind == 1:
                del octets[at : at + source.randrange(1, 40)]
            else:
                octets[at:at] = octets[: source.randrange(1, 60)]
        with suppress(*NAMED_ERRORS):
            rtf.open_rtf(opening_of(bytes(octets) or b"x"))
