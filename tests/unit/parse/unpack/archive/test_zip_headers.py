import itertools
import zlib

import pytest
from tests.support import zips

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.archive.zip_directory import read_directory
from sekisho.parse.unpack.archive.zip_headers import hidden_members, members_by_headers
from sekisho.parse.unpack.opening import Budget, OverLimitError


def budget(**limits):
    return Budget(OpenLimits(**limits))


def data_of(content, entries):
    return [(e.name, content[e.data : e.data + e.packed]) for e in entries]


def hidden(content):
    return data_of(content, hidden_members(content, read_directory(content, budget()), budget()))


def by_headers(content, **limits):
    return data_of(content, members_by_headers(content, budget(**limits)))


def streamed(name, content, *, method=8, mark=b"PK\7\x08"):
    """A member whose sizes follow it."""
    data = zips.deflate(content) if method else content
    sizes = b"".join(n.to_bytes(4, "little") for n in (zlib.crc32(content), len(data), len(content)))
    return zips.local(name, data, method=method, flags=8, packed=0) + mark + sizes


def shown_with(before=b"", between=b"", behind=b""):
    """A zip with one listed member, and octets where the directory does not say anything about them."""
    octets = zips.local(b"a.txt", b"hello")
    directory = zips.central(b"a.txt", len(before), packed=5, size=5)
    start = len(before + octets + between)
    return before + octets + between + directory + zips.end(1, len(directory), start) + behind


EVIL = zips.local(b"evil.exe", b"MZ")


@pytest.mark.parametrize("place", ["before", "between", "behind"])
@pytest.mark.parametrize("octets", [EVIL, b"x" * 70_000 + EVIL + b"x", b"PK\3\4" + bytes(26) + EVIL])
def test_hidden_members(place, octets):
    assert hidden(shown_with(**{place: octets})) == [("evil.exe", b"MZ")]


def test_a_hidden_member_whose_sizes_follow():
    assert hidden(shown_with(streamed(b"evil.exe", b"MZ" * 50))) == [("evil.exe", zips.deflate(b"MZ" * 50))]


def test_nothing_is_hidden_in_an_ordinary_zip():
    assert hidden(zips.plain({"a.zip": zips.plain({"b": b"x"}), "c": b"y"}, 0)) == []


def test_a_member_without_end_hides_none_behind_it():
    """Its header claims four gigabytes."""
    swallowing = zips.local(b"a", b"", packed=0xFFFFFFF0)
    assert hidden(shown_with(behind=swallowing + EVIL)) == [("evil.exe", b"MZ")]
    assert ("evil.exe", b"MZ") in by_headers(swallowing + EVIL)


@pytest.mark.parametrize("mark", [b"PK\7\x08", b""])
def test_members_whose_sizes_follow(mark):
    content = streamed(b"a", b"hello " * 50, mark=mark) + streamed(b"b", b"PK\3\4" * 10, mark=mark) + EVIL
    entries = members_by_headers(content, budget())
    assert [(e.name, e.size, e.crc) for e in entries[:2]] == [
        ("a", 300, zlib.crc32(b"hello " * 50)),
        ("b", 40, zlib.crc32(b"PK\3\4" * 10)),
    ]
    assert [e.name for e in entries] == ["a", "b", "evil.exe"]


def test_stored_members_whose_sizes_follow():
    content = streamed(b"a", b"hello", method=0) + EVIL
    assert by_headers(content) == [("a", b"hello"), ("evil.exe", b"MZ")]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_the_last_one_is_cut_off(cut):
    content = (zips.local(b"a", b"hello") + zips.local(b"b", b"x" * 60))[:-cut]
    assert by_headers(content) == [("a", b"hello"), ("b", b"x" * (60 - cut))]


def test_too_many():
    with pytest.raises(OverLimitError):
        members_by_headers(EVIL * 11, budget(files=10))


@pytest.mark.timeout(20)
def test_bounds():
    with pytest.raises(OverLimitError):
        by_headers(b"PK\3\4" * 500_000)
    with pytest.raises(OverLimitError):
        by_headers(streamed(b"a", bytes(50_000_000)), unpacked_bytes=10_000_000)


def test_changed_octets_raise_named_errors_only():
    content = streamed(b"a", b"hello " * 20) + zips.local(b"b", b"x" * 20) + EVIL
    for at, value in itertools.product(range(len(content)), (0, 0xFF)):
        changed = content[:at] + bytes([value]) + content[at + 1 :]
        assert len(by_headers(changed)) <= 10
