from __future__ import annotations

import struct
from io import BytesIO

import olefile
import pytest
from support.office import compound, corpus, office_corpus
from support.opened_file import opening_of

from sekisho.parse.unpack.office.ole_file import MAGIC, CompoundFile
from sekisho.parse.unpack.opening import CorruptError, OverLimitError


def read(content, **limits):
    return CompoundFile(content, opening_of(b"", **limits).budget)


def test_every_stream_as_olefile_reads_it():
    compared = 0
    for name, content in office_corpus().items():
        if not content.startswith(MAGIC):
            continue
        ours = read(content)
        with olefile.OleFileIO(BytesIO(content)) as theirs:
            for path in theirs.listdir():
                assert ours.read(*path) == theirs.openstream(path).read(), (name, path)
                compared += 1
            assert {e.path for e in ours.streams} == {tuple(p) for p in theirs.listdir()}, name
    assert compared > 200


def test_names_without_regard_to_case():
    assert read(compound({"Macros/VBA/dir": b"x"})).read("MACROS", "vba", "DIR") == b"x"


def test_large_and_small_streams():
    streams = {"a": b"a" * 63, "b": b"b" * 4095, "c": b"c" * 4096, "d/e": b"e" * 100_000}
    file = read(compound(streams))
    assert {"/".join(e.path): file.content(e) for e in file.streams} == streams


def test_a_chain_that_comes_back():
    content = bytearray(compound({"a": b"a" * 100_000}))
    fat = struct.unpack_from("<I", content, 76)[0]
    struct.pack_into("<I", content, (fat + 1) * 512, 0)  # the first sector follows itself
    file = read(bytes(content))
    assert len(file.read("a")) <= len(content)


def test_allocation_sectors_that_come_back():
    content = bytearray(corpus("msodde/harmless-clean.doc"))
    struct.pack_into("<II", content, 68, 0, 0xFFFFFFFF)  # the DIFAT begins in a sector full of its own number
    struct.pack_into("<I", content, 512 + 508, 0)
    read(bytes(content))


def test_impossible_sector_sizes():
    content = bytearray(compound({"a": b"a"}))
    struct.pack_into("<H", content, 30, 31)
    with pytest.raises(CorruptError):
        read(bytes(content))


def test_a_tree_that_comes_back():
    content = bytearray(compound({"a": b"1", "b": b"2"}))
    for at in range(0, len(content) - 128, 128):
        if content[at : at + 2] in (b"a\0", b"b\0") and content[at + 66] == 2:
            struct.pack_into("<II", content, at + 68, 1, 2)
    assert len(read(bytes(content)).streams) == 2


def test_streams_count_in_the_budget():
    file = read(compound({"a": b"a" * 5000}), unpacked_bytes=4000)
    with pytest.raises(OverLimitError):
        file.read("a")


def test_what_is_read_twice_counts_once():
    file = read(compound({"a": b"a" * 5000}), unpacked_bytes=6000)
    assert file.read("a") == file.read("a")
