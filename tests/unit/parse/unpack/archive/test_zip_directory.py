import struct
import zlib

import pytest
from tests.support import zips
from tests.support.archive_corpus import corpus_file
from tests.support.opened_file import opening_of

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.archive.zip_directory import extra_fields, read_directory
from sekisho.parse.unpack.opening import Budget, CorruptError, EncryptedError, OverLimitError


def read(content, **limits):
    return read_directory(content, Budget(OpenLimits(**limits)))


def told(content):
    return [(grave, why) for grave, why, _ in read(content).anomalies]


def test_ordinary():
    found = read(zips.plain({"a/b.txt": b"x" * 100, "c.txt": b"y"}))
    assert [(e.name, e.size, e.method) for e in found.entries] == [("a/b.txt", 100, 8), ("c.txt", 1, 8)]
    assert found.anomalies == []
    assert found.start == 0


@pytest.mark.parametrize(
    ("raw", "flags"), [("資料.txt".encode("cp932"), 0), ("資料.txt".encode(), 0x800), ("資料.txt".encode(), 0)]
)
def test_japanese_names(raw, flags):
    assert read(zips.one(raw, flags=flags)).entries[0].name == "資料.txt"


def test_unicode_path_field_counts_only_for_this_name():
    for checked, name in ((b"x.txt", "資料.txt"), (b"y.txt", "x.txt")):
        data = b"\x01" + struct.pack("<I", zlib.crc32(checked)) + "資料.txt".encode()
        extra = struct.pack("<HH", 0x7075, len(data)) + data
        assert read(zips.one(b"x.txt", extra=extra)).entries[0].name == name


def test_end_record_behind_a_comment_that_looks_like_one():
    content = zips.one()
    content = content[:-22] + zips.end(1, 51, len(content) - 22 - 51, b"PK\5\6" + bytes(10))
    assert len(read(content).entries) == 1


EMPTY = b"PK\5\6" + bytes(18)
OFF = b"PK\5\6" + bytes(4) + struct.pack("<HHIIH", 1, 1, 46, 0, 0)  # tells of a directory that is not there


@pytest.mark.parametrize("more", [EMPTY, EMPTY * 3, OFF, EMPTY + OFF, b"\r\n" + EMPTY])
def test_an_end_record_behind_the_true_one(more):
    """Readers that begin at the front take the first, others the last: what has files in it is looked at."""
    content = zips.plain({"a.txt": b"x", "b.txt": b"y"})
    found = read(content + more)
    assert [e.name for e in found.entries] == ["a.txt", "b.txt"]
    assert (found.start, found.end) == (0, len(content))
    assert (True, "another end record stands behind that of the zip") in told(content + more)


def test_an_end_record_in_the_comment_of_the_true_one():
    content = zips.plain({"a.txt": b"x"})[:-2] + struct.pack("<H", len(EMPTY)) + EMPTY
    assert [e.name for e in read(content).entries] == ["a.txt"]
    assert told(content) == [(True, "another end record stands behind that of the zip")]


def test_an_empty_zip_is_empty():
    assert read(EMPTY).entries == []


def test_the_time_is_looked_at_between_end_records():
    with pytest.raises(OverLimitError):
        read(zips.plain({"a": b"x"}) + EMPTY, seconds=-1.0)


@pytest.mark.parametrize("cut", range(1, 100, 3))
def test_cut_off(cut):
    with pytest.raises(CorruptError):
        read(zips.one()[:-cut])


def test_ten_million_entries_are_refused_before_the_directory_is_read():
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 10**7, 10**7, 46, 4)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 50, 1)
    content = b"PK\3\4" + bytes(46) + record + locator + zips.end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    with pytest.raises(OverLimitError, match="10000000"):
        read(content)


def test_more_entries_than_claimed_are_refused_too():
    content = zips.one()
    entry = zips.central(b"a", 0, packed=5, size=5)
    many = content[:40] + entry * 3000 + zips.end(1, len(entry) * 3000, 40)
    with pytest.raises(OverLimitError):
        read(many)


def test_a_wrong_count_is_told():
    assert [
        grave
        for grave, _ in told(zips.by_hand([(zips.local(b"a", b"x"), b"a", {"packed": 1, "size": 1})], claimed=7))
    ] == [False]


def test_zip64_sizes():
    extra = struct.pack("<HHQQ", 1, 16, 5, 5)
    octets = zips.local(b"a", b"hello", size=0xFFFFFFFF, packed=0xFFFFFFFF, extra=extra)
    found = read(zips.by_hand([(octets, b"a", {"packed": 0xFFFFFFFF, "size": 0xFFFFFFFF, "extra": extra})]))
    assert (found.entries[0].size, found.entries[0].packed, found.anomalies) == (5, 5, [])


def test_zip64_lies():
    extra = struct.pack("<HHQQ", 1, 16, 2**62, 2**62)
    content = zips.by_hand(
        [(zips.local(b"a", b"hello"), b"a", {"packed": 0xFFFFFFFF, "size": 0xFFFFFFFF, "extra": extra})]
    )
    assert told(content) == [(True, "a member that does not fit into the file")]


def test_an_encrypted_directory():
    with pytest.raises(EncryptedError):
        read(corpus_file("test_read_format_zip_encryption_header.zip"))


def test_overlapping_members():
    assert (True, "members that share their octets") in told(zips.overlapping(20, 1000))


def test_another_name_in_the_local_header():
    assert [grave for grave, _ in told(zips.one(b"a.txt", local_name=b"a.exe"))] == [True]
    assert [grave for grave, _ in told(zips.one(b"a.txt", local_name=b"b.txt"))] == [False]


def test_another_method_in_the_local_header():
    octets = zips.local(b"a", b"hello", method=8)
    assert [grave for grave, _ in told(zips.by_hand([(octets, b"a", {"packed": 5, "size": 5})]))] == [True]


def test_other_sizes_in_the_local_header():
    octets = zips.local(b"a", b"hello", packed=4)
    assert [grave for grave, _ in told(zips.by_hand([(octets, b"a", {"packed": 5, "size": 5})]))] == [True]


def test_a_member_that_is_elsewhere():
    content = zips.one()
    assert told(content[:4] + b"X" + content[4:]) != []


def test_octets_before_the_zip():
    found = read(b"\0" * 100 + zips.one())
    assert (found.start, found.entries[0].offset, len(found.anomalies)) == (100, 100, 1)


@pytest.mark.parametrize("extra", [b"\1", b"\1\0\xff\xff", b"\1\0\0\0" * 10, b""])
def test_broken_extra_fields(extra):
    assert len(list(extra_fields(extra))) <= 10


def test_mutated_zips_raise_named_errors_only():
    content = zips.plain({"a.txt": b"hello" * 20, "b/": b"", "c": b"x"})
    for at in range(len(content)):
        for value in (0, 0xFF):
            changed = content[:at] + bytes([value]) + content[at + 1 :]
            try:
                read_directory(changed, opening_of(b"").budget)
            except (CorruptError, OverLimitError):
                continue
