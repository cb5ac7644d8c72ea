import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import seven_zips
from tests.support.archive_corpus import corpus, corpus_file

from sekisho.parse.unpack.archive.library import Reader
from sekisho.parse.unpack.archive.seven_zip_headers import (
    AES,
    START,
    Coder,
    Content,
    Folder,
    contents,
    main_streams,
    next_header,
    read_streams,
    single,
    written,
)
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, UnreadableError

FILES = {"a.txt": b"hello " * 50, "資料.txt": b"world"}


def unpacked(archive):
    with Reader(archive, ("7zip",)) as reader:
        return {member.name: b"".join(reader.data()) for member in reader.members()}


def packed_of(content, streams):
    at, pieces = START + streams.position, []
    for size in streams.packed:
        pieces.append(content[at : at + size])
        at += size
    return pieces


def plain_header(content):
    """The whole header of an archive whose header is packed, by libarchive."""
    header = next_header(content)
    if header[0] == 1:
        return header
    streams, _ = read_streams(header)
    return unpacked(single(packed_of(content, streams), streams.folders[0]))["x"]


def test_what_py7zr_wrote():
    content = seven_zips.written(FILES, "secret")
    streams, rest = main_streams(plain_header(content))
    assert [coder.method for folder in streams.folders for coder in folder.coders].count(AES) == 1
    assert sum(streams.packed) < len(content)
    assert contents(rest, streams.folders) == [[Content(len(f), zlib.crc32(f)) for f in FILES.values()]]


@pytest.mark.parametrize("part", ["7zip_lzma", "7zip_bcj", "7zip_delta", "7zip_ppmd", "7zip_deflate.7z", "7zip_copy"])
def test_public_archives_written_anew_are_read_as_before(part):
    names = [path for path, _ in corpus(f"test_read_format_{part}") if ".7z" in path]
    assert names
    compared = 0
    for path, content in corpus(f"test_read_format_{part}"):
        try:
            before = unpacked(content)
        except (CorruptError, EncryptedError):
            continue
        streams, rest = main_streams(plain_header(content))
        assert unpacked(written(packed_of(content, streams), streams.folders, rest)) == before, path
        compared += 1
    assert compared


def test_an_archive_without_folders():
    content = corpus_file("test_read_format_7zip_empty_file.7z")
    streams, rest = main_streams(plain_header(content))
    assert not streams.folders
    assert unpacked(written([], [], rest)) == {"empty": b""}


def test_single():
    folder = Folder([Coder(b"\0")], [], [0], [5])
    assert unpacked(single([b"hello"], folder)) == {"x": b"hello"}
    assert seven_zips.read(single([b"hello"], folder)) == {"x": b"hello"}


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        (b"\x00", 0),
        (b"\x7f", 127),
        (b"\x80\x80", 128),
        (b"\xbf\xff", 16383),
        (b"\xc0\x00\x40", 16384),
        (b"\xe1\x02\x03\x04", 0x01040302),
        (b"\xff" + (1 << 40).to_bytes(8, "little"), 1 << 40),
        (b"\xfe" + (1 << 50).to_bytes(7, "little"), 1 << 50),
    ],
)
def test_numbers(octets, value):
    """7zFormat.txt, REAL_UINT64 and UINT64."""
    streams, _ = read_streams(b"\x01\x06" + octets + b"\x00\x00\x07\x0b\x00\x00\x0c\x00\x00")
    assert streams.position == value


def test_a_number_too_large():
    with pytest.raises(UnreadableError):
        read_streams(b"\x01\x06" + b"\xff" * 9)


def test_claims_of_many_folders_and_files():
    for octets in (
        b"\x06\x00\xff" + (1 << 40).to_bytes(8, "little"),
        b"\x07\x0b\xff" + (1 << 40).to_bytes(8, "little"),
    ):
        with pytest.raises(CorruptError):
            read_streams(b"\x01" + octets)
    folder = Folder([Coder(b"\0")], [], [0], [5])
    with pytest.raises(UnreadableError):
        contents(b"\x08\x0d\xff" + (1 << 40).to_bytes(8, "little"), [folder])


def streams_of(count, folder, ins, outs):
    """The header's part on `count` such folders, all of whose ins but those that are bound are packed."""
    many, packed = seven_zips.number(count), count * (ins - outs + 1)
    sizes = b"\x0c" + b"\x01" * (outs * count)
    return b"".join((
        b"\x01\x06\x00", seven_zips.number(packed), b"\x09", b"\x01" * packed, b"\x00",
        b"\x07\x0b", many, b"\x00", folder * count, sizes, b"\x00",
    ))  # fmt: skip


def test_folders_of_many_steps():
    """What is said in a few octets and takes a hundred times as much once it is read."""
    bound = b"".join(seven_zips.number(n) * 2 for n in range(1023))
    folder = b"\x20" + b"\x11\x00\x20\x20" * 32 + bound
    assert len(read_streams(streams_of(19, folder, 1024, 1024))[0].folders) == 19
    with pytest.raises(UnreadableError):
        read_streams(streams_of(20, folder, 1024, 1024))


def test_folders_of_many_steps_that_read_nothing():
    folder = b"\x20" + b"\x10\x00\x00" * 31 + b"\x01\x00"
    with pytest.raises(UnreadableError):
        read_streams(streams_of(1000, folder, 1, 1))


def test_a_folder_for_each_of_many_programs():
    """The steps of 7-Zip's BCJ2, each stream encrypted: eleven ins, of which four are packed."""
    bound = bytes(n for pair in ((0, 1), (1, 2), (2, 3), (4, 4), (5, 5), (6, 6), (3, 7)) for n in pair)
    folder = (
        b"\x08\x14\x03\x03\x01\x1b\x04\x01"
        + b"\x03\x03\x01\x01" * 3
        + b"\x04\x06\xf1\x07\x01" * 4
        + bound
        + bytes((7, 8, 9, 10))
    )
    assert len(read_streams(streams_of(1800, folder, 11, 8))[0].folders) == 1800


def test_files_that_are_not_empty():
    folder = Folder([Coder(b"\0")], [], [0], [30], None)
    crcs = b"\x0a\x01" + b"".join(n.to_bytes(4, "little") for n in range(1, 9))
    rest = b"\x08\x0d\x03\x03\x02\x09" + bytes((0, 10, 0, 0, 0)) + crcs + b"\0"
    assert contents(rest, [folder, folder, folder]) == [
        [Content(10, 2), Content(20, 3)],
        [Content(30, 6)],
        [Content(30, 8)],
    ]


def test_several_files_have_their_checksums_among_those_of_files():
    folder = Folder([Coder(b"\0")], [], [0], [30], 7)
    rest = b"\x08\x0d\x02\x01\x00\x09\x0a\x0a\x01" + (1).to_bytes(4, "little") + (2).to_bytes(4, "little") + b"\0"
    assert contents(rest, [folder, folder, folder]) == [[Content(10, 1), Content(20, 2)], [Content(30, 7)], []]


def test_two_steps_that_read_the_same_are_refused():
    folder = b"\x03\x01\x00\x01\x00\x01\x00" + b"\x00\x00\x00\x01"
    with pytest.raises(CorruptError):
        read_streams(b"\x01\x06\x00\x01\x09\x05\x00\x07\x0b\x01\x00" + folder + b"\x0c\x05\x05\x05\x00")


def test_cut_off_and_changed():
    for header in (plain_header(seven_zips.written(FILES, "secret")), next_header(seven_zips.written(FILES))):
        for at in range(1, len(header)):
            for changed in (header[:at], header[:at] + bytes([header[at] ^ 0xFF]) + header[at + 1 :]):
                try:
                    streams, rest = main_streams(changed) if changed[0] == 1 else read_streams(changed)
                    if isinstance(rest, bytes):
                        contents(rest, streams.folders)
                        written([b""] * len(streams.packed), streams.folders, rest)
                except CorruptError:
                    pass


@given(st.binary(max_size=200))
def test_any_octets(octets):
    try:
        streams, rest = main_streams(b"\x01\x04" + octets)
        contents(rest, streams.folders)
    except CorruptError:
        pass
