import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import rars
from tests.support.archive_corpus import corpus_file
from tests.support.opened_file import EndingBudget, counted

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.archive import slow_keys
from sekisho.parse.unpack.archive.rar_4 import Rar4
from sekisho.parse.unpack.archive.rar_headers import MOST_BLOCKS
from sekisho.parse.unpack.archive.rar_members import Lock
from sekisho.parse.unpack.opening import Budget, OverLimitError


def rar(content, **limits):
    return Rar4(content, Budget(OpenLimits(**limits)))


def unpacked(archive):
    return rars.unpacked(archive, Rar4.formats)


def written(content, password=None):
    return rars.written(rar(content), content, password)


def test_what_is_made_here_is_an_archive():
    content = rars.rar_4(rars.file_4("a.txt", b"hello"), rars.file_4("b.txt", b"", large=True))
    assert unpacked(content) == [("a.txt", b"hello"), ("b.txt", b"")]


@pytest.mark.parametrize(
    "name",
    ["rar", "rar_compress_best", "rar_compress_normal", "rar_windows", "rar_unicode", "rar_subblock", "rar_noeof"],
)
def test_plain_archives_written_anew_are_read_as_before(name):
    content = corpus_file(f"test_read_format_{name}.rar")
    assert unpacked(content)
    assert unpacked(written(content)) == unpacked(content)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("salt", [b"", b"saltsalt"])
@pytest.mark.parametrize("headers", [None, "secret"])
@pytest.mark.parametrize("content", [b"x" * 15, b"y" * 16, b"z" * 100_001])
def test_decrypted(headers, salt, large, content):
    files = rars.file_4("a", content, "secret", salt=salt, large=large), rars.file_4("b", b"plain", large=large)
    archive = rars.rar_4(*files, password=headers, salts=(b"saltsalt", b"othersal"))
    assert unpacked(written(archive, "secret")) == [("a", content), ("b", b"plain")]


def test_members():
    content = rars.rar_4(
        rars.file_4("資料", b"hello", "x", salt=b"saltsalt"),
        rars.file_4("b", b"w", flags=0x12),
        rars.file_4("c", b"w", "x", version=20),
        flags=1,
    )
    contents = rar(content).contents()
    first, second, third = contents.members
    assert (first.name, first.size, first.packed, first.stored, first.solid, first.split) == (
        "資料", 5, 16, True, False, False,
    )  # fmt: skip
    assert first.lock == Lock(b"saltsalt")
    assert (second.lock, second.solid, second.split) == (None, True, True)
    assert (first.known, third.known) == (True, False)
    assert contents.several
    assert not contents.broken


def test_fits():
    version = rar(rars.rar_4(rars.file_4("a", b"hello")))
    assert version.fits(Lock(b"saltsalt"), "secret") is None
    assert version.fits(Lock(b"saltsalt"), "s" * 27) is None
    assert version.fits(Lock(b"saltsalt"), "s" * 28) is False


def test_opens_headers():
    version = rar(rars.rar_4(rars.file_4("a", b"hello"), password="secret"))
    contents = version.contents()
    assert contents.locked
    assert contents.members == []
    assert version.opens_headers(contents, "secret")
    assert not version.opens_headers(contents, "wrong")
    assert not version.opens_headers(contents, "s" * 28)


def test_a_salt_for_each_header_is_stopped_by_the_time(monkeypatch):
    salts = [struct.pack("<Q", number) for number in range(4)]
    content = rars.rar_4(*[rars.file_4("a", b"")] * 3, password="x", salts=salts)
    made = counted(monkeypatch, slow_keys, "rar_3_key")
    assert len(rar(content).contents("x").members) == 3
    assert [salt for _, salt in made] == salts
    made.clear()
    with pytest.raises(OverLimitError):
        Rar4(content, EndingBudget(lambda: len(made) >= 2)).contents("x")
    assert len(made) == 2


def test_time_ends_the_reading():
    with pytest.raises(OverLimitError):
        rar(rars.rar_4(rars.file_4("a", b"")), seconds=-1).contents()


def test_more_blocks_than_are_read():
    block = rars.header_4(0x7A, 0, b""), b""
    assert not rar(rars.rar_4(*[block] * (MOST_BLOCKS - 2))).contents().broken  # and the first and the last
    assert rar(rars.rar_4(*[block] * (MOST_BLOCKS - 1))).contents().broken


def test_cut_off_and_changed():
    for content, password in (
        (rars.rar_4(rars.file_4("a", b"hello", "x"), password="x"), "x"),
        (rars.rar_4(rars.file_4("a", b"hello", "x", large=True)), None),
    ):
        for at in range(7, len(content)):
            rar(content[:at]).contents(password)
            if password is None or at % 8 == 0:  # a changed salt costs a derivation
                rar(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]).contents(password)


@given(st.integers(0x70, 0x7F), st.integers(0, 0xFFFF), st.binary(max_size=60), st.one_of(st.none(), st.just("x")))
def test_any_headers_with_right_checksums(kind, flags, fields, password):
    if kind == 0x73:
        flags &= ~0x80  # what follows is not encrypted with anything
    content = rars.rar_4(rars.file_4("a", b"hello"), (rars.header_4(kind, flags, fields), b""), password=password)
    written(content, "x" if password else None)
