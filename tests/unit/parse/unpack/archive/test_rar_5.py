import contextlib
import zlib
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import rars
from tests.support.archive_corpus import corpus_file
from tests.support.opened_file import EndingBudget, counted

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.archive import slow_keys
from sekisho.parse.unpack.archive.rar_5 import Rar5
from sekisho.parse.unpack.archive.rar_headers import MOST_BLOCKS
from sekisho.parse.unpack.archive.rar_members import Lock
from sekisho.parse.unpack.opening import Budget, CorruptError, OverLimitError, UnreadableError


def rar(content, **limits):
    return Rar5(content, Budget(OpenLimits(**limits)))


def unpacked(archive):
    return rars.unpacked(archive, Rar5.formats)


def written(content, password=None):
    return rars.written(rar(content), content, password)


def test_what_is_made_here_is_an_archive():
    content = rars.rar_5(rars.file_5("a.txt", b"hello"), rars.file_5("資料.txt", b""))
    assert unpacked(content) == [("a.txt", b"hello"), ("資料.txt", b"")]


@pytest.mark.parametrize(
    "name",
    [
        "stored",
        "compressed",
        "multiple_files",
        "multiple_files_solid",
        "solid",
        "unicode",
        "symlink",
        "fileattr",
        "owner",
        "arm",
        "win32",
        "stored_manyfiles",
        "blake2",
        "zip_in_rar",
        "hardlink",
        "extra_field_version",
    ],
)
def test_plain_archives_written_anew_are_read_as_before(name):
    content = corpus_file(f"test_read_format_rar5_{name}.rar")
    assert unpacked(content)
    assert unpacked(written(content)) == unpacked(content)


@pytest.mark.parametrize("tweaked", [False, True])
@pytest.mark.parametrize("headers", [None, "secret"])
@pytest.mark.parametrize("content", [b"", b"x" * 15, b"y" * 16, b"z" * 100_001])
def test_decrypted(headers, tweaked, content):
    files = rars.file_5("a", content, "secret", tweaked=tweaked), rars.file_5("b", b"plain")
    archive = rars.rar_5(*files, password=headers)
    assert unpacked(written(archive, "secret")) == [("a", content), ("b", b"plain")]


def test_a_checksum_of_the_content_is_kept():
    head, data = rars.file_5("a", b"hello", "secret")
    member = rar(rars.rar_5((head, data))).contents().members[0]
    assert member.crc == zlib.crc32(b"hello")
    assert rar(rars.rar_5(rars.file_5("a", b"hello", "secret", tweaked=True))).contents().members[0].crc is None


def test_members():
    content = rars.rar_5(rars.file_5("資料", b"hello", "x"), rars.file_5("b", b"w", solid=True, flags=16), main=b"\1")
    contents = rar(content).contents()
    first, second = contents.members
    assert (first.name, first.size, first.packed, first.stored, first.solid, first.split) == (
        "資料", 5, 16, True, False, False,
    )  # fmt: skip
    assert first.lock == Lock(rars.SALT, rars.POWER, rars.check_of("x")[:8], rars.VECTOR)
    assert (second.lock, second.solid, second.split) == (None, True, True)
    assert contents.several
    assert not contents.broken


def test_fits():
    version = rar(rars.rar_5(rars.file_5("a", b"hello", "secret")))
    lock = version.contents().members[0].lock
    assert version.fits(lock, "secret") is True
    assert version.fits(lock, "Secret") is False
    assert version.fits(Lock(rars.SALT, rars.POWER), "secret") is None
    assert version.fits(Lock(rars.SALT, 21, b"x" * 8), "secret") is False


@pytest.mark.parametrize("check", [False, True])
def test_opens_headers(check):
    version = rar(rars.rar_5(password="secret", check=check))
    contents = version.contents()
    assert contents.locked
    assert contents.members == []
    assert version.opens_headers(contents, "secret")
    assert not version.opens_headers(contents, "wrong")


def test_a_check_value_that_is_broken_itself_is_not_asked():
    head, data = rars.file_5("a", b"hello", "x")
    broken = head.replace(rars.check_of("x"), rars.check_of("x")[:8] + b"1234")[4:]
    content = rars.rar_5((zlib.crc32(broken).to_bytes(4, "little") + broken, data))
    assert rar(content).contents().members[0].lock.check == b""


def test_a_file_encrypted_by_another_version():
    content = rars.rar_5(rars.file_5("a", b"hello", "x", version=1), rars.file_5("b", b"world", "x"))
    first, second = rar(content).contents().members
    assert (first.name, first.known, bool(first.lock)) == ("a", False, True)
    assert (second.name, second.known) == ("b", True)


def test_headers_encrypted_by_another_version():
    with pytest.raises(UnreadableError):
        rar(rars.rar_5(rars.file_5("a", b"hello"), password="x", version=1)).contents()


def test_padding_behind_compressed_data_is_cut():
    """libarchive 3.6 reads it as another block."""
    content = corpus_file("test_read_format_rar5_solid_encrypted_filenames.rar")
    files = unpacked(written(content, "password"))
    assert files == [(f"{name}.txt", f"This is from {name}.txt".encode()) for name in "abcd"]


def test_time_ends_the_reading():
    with pytest.raises(OverLimitError):
        rar(rars.rar_5(rars.file_5("a", b"")), seconds=-1).contents()


@pytest.mark.parametrize("derivation", ["rar_5_check", "rar_5_key"])
def test_a_salt_for_each_file_is_stopped_by_the_time(derivation, monkeypatch):
    made = counted(monkeypatch, slow_keys, derivation)
    content = rars.rar_5(rars.file_5("a", b"hello", "x"))
    version = Rar5(content, EndingBudget(lambda: len(made) >= 2))
    member = version.contents().members[0]
    locks = [Lock(bytes([number]) * 16, rars.POWER, b"x" * 8, rars.VECTOR) for number in range(4)]
    derive = version.fits if derivation == "rar_5_check" else partial(version.decrypted, member)
    with pytest.raises(OverLimitError):
        [derive(lock, "x") for lock in locks]
    assert len(made) == 2


def test_more_blocks_than_are_read():
    block = rars.header_5(3, b""), b""
    assert not rar(rars.rar_5(*[block] * (MOST_BLOCKS - 2))).contents().broken  # and the first and the last
    assert rar(rars.rar_5(*[block] * (MOST_BLOCKS - 1))).contents().broken


def test_cut_off_and_changed():
    for content in (
        rars.rar_5(rars.file_5("a", b"hello", "x"), password="x"),
        rars.rar_5(rars.file_5("a", b"hello", "x", tweaked=True)),
    ):
        for at in range(8, len(content)):
            for changed in (content[:at], content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]):
                with contextlib.suppress(CorruptError):
                    rar(changed).contents("x")


@given(
    st.integers(0, 6),
    st.integers(0, 255),
    st.binary(max_size=60),
    st.binary(max_size=60),
    st.one_of(st.none(), st.just("x")),
)
def test_any_headers_with_right_checksums(kind, flags, fields, extra, password):
    header = rars.header_5(kind, fields, extra=extra, flags=flags), b""
    content = rars.rar_5(rars.file_5("a", b"hello"), header, password=password)
    with contextlib.suppress(CorruptError):
        written(content, "x")
