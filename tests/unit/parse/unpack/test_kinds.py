"""Kinds by content, against public files whose names tell their type and what the standard library writes."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import time
import zipfile
import zlib

import pytest
from tests.support.archive_corpus import corpus

from sekisho.parse.unpack.kinds import KINDS, PROGRAMS, kind_of

# Extension → kinds its files in the corpus may have: encrypted documents are another kind, templates share one.
_BY_EXTENSION = {
    **{
        e: {e, "encrypted-office"}
        for e in [
            "docx",
            "docm",
            "dotx",
            "dotm",
            "xlsx",
            "xlsm",
            "xlsb",
            "xltx",
            "xltm",
            "xlam",
            "pptx",
            "pptm",
            "ppsx",
            "ppsm",
            "potx",
            "potm",
            "odt",
            "ods",
            "odp",
            "pdf",
            "rtf",
            "xls",
            "doc",
            "ppt",
            "slk",
        ]
    },
    "dot": {"doc"},
    "xla": {"xls"},
    "xlt": {"xls"},
    "pot": {"ppt"},
    "pps": {"ppt"},
    "xml": {"xml"},
    "csv": {"csv"},
    "zip": {"zip", "jar"},
    "zipx": {"zip"},
    "jar": {"jar", "zip"},
    "rar": {"rar"},
    "cab": {"cab"},
    "lzh": {"lha"},
    "xar": {"xar"},
    "rpm": {"rpm"},
    "ar": {"ar"},
    "z": {"compress"},
    "lz4": {"lz4"},
    "zst": {"zstd"},
    "txz": {"xz"},
    "tgz": {"gzip"},
    "tbz": {"bzip2"},
    "lzo": {"lzop"},
    "xps": {"zip"},
}
# Broken on purpose in their first octets, or of another kind than their name says.
_OTHERWISE = {
    "test_read_format_7zip_issue2765.7z": "elf",
    "test_read_format_7zip_malformed3.7z": "elf",
    "test_read_format_tar_V_negative_size.tar": "unknown",
    "test_read_format_tar_empty_with_gnulabel.tar": "unknown",
}


def test_public_files_are_what_their_names_say():
    wrong = []
    for path, content in corpus():
        name = path.rsplit("/", 1)[-1]
        extension = name.rsplit(".", 1)[-1].lower()
        wanted = _BY_EXTENSION.get(
            extension, {"7z"} if extension == "7z" else {"tar"} if extension == "tar" else None
        )
        if name in _OTHERWISE:
            wanted = {_OTHERWISE[name]}
        if wanted and kind_of(content, "") not in wanted and kind_of(content, name) not in wanted:
            wrong.append((name, kind_of(content, name)))
    assert wrong == []


def test_kinds_do_not_need_the_name_unless_they_are_text():
    for path, content in corpus("oletools"):
        name = path.rsplit("/", 1)[-1]
        if not name.endswith((".csv", ".txt")):
            assert kind_of(content, "") == kind_of(content, name), name


def _tar():
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("a"))
    return made.getvalue()


def _zip(*names):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (gzip.compress(b"x", mtime=0), "gzip"),
        (bz2.compress(b"x"), "bzip2"),
        (lzma.compress(b"x"), "xz"),
        (bz2.compress(b""), "bzip2"),
        (b"LRZI\0\6" + bytes(40), "archive"),
        (b"GRZipII\0" + bytes(40), "archive"),
        (lzma.compress(b"x", lzma.FORMAT_ALONE), "lzma"),
        (_tar(), "tar"),
        (_zip("a.txt"), "zip"),
        (_zip(), "zip"),
        (_zip("META-INF/MANIFEST.MF"), "jar"),
        (_zip("AndroidManifest.xml", "META-INF/MANIFEST.MF"), "apk"),
        (b"MZ" + bytes(62), "exe"),
        (b"MZ is a text about executables, and long enough to be one" * 3, "text"),
        (b"\x7fELF" + bytes(60), "elf"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(20), "class"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(20), "macho"),
        (b"L\0\0\0\x01\x14\x02\0" + bytes(68), "lnk"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "heic"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "video"),
        (b"\x01\0\0\0" + bytes(36) + b" EMF" + bytes(40), "emf"),
        (b"\x30\x82\x01\0\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "p7m"),
        (bytes(7) + b"**ACE**" + bytes(40), "ace"),
        (b"\x1b\x00-lh5-" + bytes(40), "lha"),
        (b"\x60\xea\x2a\0\x22\x0b\x01\x0b\x10\0\x02" + bytes(40), "arj"),
        (b"ITSF\x03\0\0\0", "chm"),
        (b"junk\n%PDF-1.4\n1 0 obj\n", "pdf"),
        (b"A file that begins with %PDF- is a PDF\n", "text"),
        (b"", "unknown"),
        (bytes(100), "unknown"),
        (b"\x00\x01\x02\x03" * 50, "unknown"),
        (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", "onenote"),
    ],
)
def test_by_content(content, kind):
    assert kind_of(content, "") == kind
    assert kind in KINDS


def _at(offset, octets, size=40_000):
    return bytes(offset) + octets + bytes(size - offset - len(octets))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (_at(0x8001, b"CD001"), "iso"),
        (_at(0x8801, b"NSR02"), "udf"),
        (_at(0x8001, b"BEA01"), "udf"),
        (_at(3, b"NTFS    "), "disk"),
        (_at(82, b"FAT32   "), "disk"),
        (_at(512, b"EFI PART"), "disk"),
        (_at(0x438, b"\x53\xef"), "disk"),
        (bytes(40_000) + b"conectix" + bytes(504), "vhd"),
        (bytes(40_000) + b"koly" + bytes(508), "dmg"),
        (b"vhdxfile" + bytes(40), "vhdx"),
        (b"MSWIM\0\0\0" + bytes(40), "wim"),
    ],
)
def test_disks(content, kind):
    assert kind_of(content, "x.pdf") == kind


def test_partition_table():
    entry = struct.pack("<B3sB3sII", 0x80, b"\0\0\0", 7, b"\0\0\0", 63, 1000)
    assert kind_of(bytes(446) + entry + bytes(48) + b"\x55\xaa" + bytes(512), "") == "disk"
    assert kind_of(bytes(510) + b"\x55\xaa" + bytes(512), "") == "unknown"


def test_a_program_in_the_unused_start_of_a_disc_image():
    image = b"MZ" + bytes(0x7FFF) + b"CD001" + bytes(4000)
    assert kind_of(image, "") == "iso"


def test_every_kind_is_listed():
    assert PROGRAMS < KINDS
    assert {kind_of(content, path) for path, content in corpus()} <= KINDS


def test_is_quick_and_bounded():
    """On a large file of each sort not slower than on its start: only a bounded part is read."""
    for start in (
        b"<html>" + b"<p>" * 1000,
        b"PK\x03\x04" + bytes(100),
        b"a text " * 1000,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    ):
        large = start + b"a" * 20_000_000
        before = time.process_time()
        kind_of(large, "a.bin")
        assert time.process_time() - before < 0.2


def test_random_octets_never_raise():
    seed = zlib.crc32(b"kinds")
    for start in (
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"<?xml",
        b"\x60\xea",
        b"From ",
        b"\x1f\x8b",
        b"BM",
        b"[",
        b"MZ",
    ):
        for size in range(120):
            seed = seed * 1103515245 + 12345 & 0x7FFFFFFF
            assert kind_of(start + seed.to_bytes(4, "little") * (size // 4) + bytes(size % 4), "a") in KINDS
