import contextlib
import os
import random
from functools import partial

import py7zr
import pytest
from tests.support import seven_zips
from tests.support.archive_corpus import corpus_file
from tests.support.opened_file import (
    NAMED_ERRORS,
    EndingBudget,
    all_text,
    children,
    counted,
    found,
    opened_archive,
    opening_of,
)

from sekisho.parse.unpack.archive import seven_zip, slow_keys
from sekisho.parse.unpack.archive.archives import open_archive
from sekisho.parse.unpack.opening import EncryptedError, Opening, OverLimitError

# The same noise each time: py7zr's PPMd writes a few in a hundred so that itself cannot read them (py7zr issue 733).
NOISE = random.Random(1).randbytes(70_000)
FILES = {"a.txt": b"hello " * 5000, "資料/b.bin": NOISE, "empty": b""}
AES = seven_zips.AES
HAND = seven_zips.folder


opened = partial(opened_archive, "7z")


@pytest.mark.parametrize("header_encryption", [False, True])
@pytest.mark.parametrize(
    "filters",
    [
        None,
        [{"id": py7zr.FILTER_LZMA}, AES],
        [{"id": py7zr.FILTER_LZMA2, "preset": 1}, AES],
        [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA2, "preset": 1}, AES],
        [{"id": py7zr.FILTER_DELTA}, {"id": py7zr.FILTER_LZMA2, "preset": 1}, AES],
        [{"id": py7zr.FILTER_BZIP2}, AES],
        [{"id": py7zr.FILTER_DEFLATE}, AES],
        [{"id": py7zr.FILTER_COPY}, AES],
        [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 24}, AES],
        [AES],
    ],
)
def test_what_py7zr_encrypts(filters, header_encryption):
    content = seven_zips.written(FILES, "秘密のパス", filters, header_encryption=header_encryption)
    opening = opened(content, "wrong", "秘密のパス")
    assert children(opening) == FILES
    assert found(opening) == {"password-in-mail": "medium"}
    assert all(child.secret for child in opening.children)
    assert opening.opened_by_password


@pytest.mark.parametrize("header_encryption", [False, True])
def test_no_password_fits(header_encryption):
    content = seven_zips.written(FILES, "secret", header_encryption=header_encryption)
    for passwords in ((), ("wrong", "", "Secret", "secret ")):
        opening = opened(content, *passwords, error=EncryptedError)
        assert {n: c for n, c in children(opening).items() if c} == {}
        assert "password-in-mail" not in found(opening)


@pytest.mark.parametrize("name", ["encryption", "encryption_header", "encryption_partially"])
def test_public_archives(name):
    content = corpus_file(f"test_read_format_7zip_{name}.7z")
    files = children(opened(content, "password", "12345678"))
    assert set(files.values()) == {b"foo\n"}
    assert len(files) == 1 + (name == "encryption_partially")


def test_made_by_hand_is_what_py7zr_reads():
    content = seven_zips.by_hand(HAND("a", b"hello", "x"), HAND("b", b"world", "x", salt=b"salt"))
    assert seven_zips.read(content, "x") == {"a": b"hello", "b": b"world"}


@pytest.mark.parametrize("power", [0, 6, 19, 63])
def test_rounds_and_salt(power):
    folder = HAND("a", b"hello", "x", power=power, salt=b"salty")
    assert children(opened(seven_zips.by_hand(folder), "y", "x")) == {"a": b"hello"}


def test_two_passwords_in_one_archive():
    content = seven_zips.by_hand(HAND("a", b"hello", "x"), HAND("b", b"world", "y"), HAND("c", b"plain"))
    assert children(opened(content, "z", "y", "x")) == {"a": b"hello", "b": b"world", "c": b"plain"}
    opening = opened(content, "z", "y", error=EncryptedError)
    assert children(opening) == {"b": b"world", "c": b"plain"}
    assert found(opening) == {"password-in-mail": "medium"}


def test_only_the_list_of_files_is_encrypted():
    content = seven_zips.by_hand(HAND("a", b"hello"), encrypted=("x", 4))
    assert children(opened(content, "x")) == {"a": b"hello"}


def test_lists_encrypted_in_each_other_end():
    content = seven_zips.by_hand(HAND("a", b"hello"), encrypted=("x", 4))
    for _ in range(6):
        header = content[32 + int.from_bytes(content[12:20], "little") :]
        sealed = HAND("", header, "x")
        packed = content[32 : -len(header)]
        content = seven_zips.whole(packed + sealed[1], b"\x17" + seven_zips._streams([sealed], len(packed)) + b"\0")
    opening = opening_of(content, passwords=("x",))
    assert seven_zip.unlock(opening) is None


@pytest.mark.parametrize("power", [25, 40, 62])
def test_a_key_that_takes_too_long_is_not_made(power, monkeypatch):
    monkeypatch.setattr(slow_keys, "_Rows", lambda *_: pytest.fail("a key is made"))
    opening = opened(seven_zips.by_hand(HAND("a", b"hello", "x", power=power)), "x", error=EncryptedError)
    assert opening.children == []


def test_time_ends_the_search(monkeypatch):
    """Even in the middle of a key: a million rounds are hashed between two looks at the clock."""
    made, used = (counted(monkeypatch, slow_keys, name) for name in ("seven_zip_key", "decrypt"))
    content = seven_zips.by_hand(HAND("a", b"hello", "x", power=20))
    budget, words = EndingBudget(lambda: len(made) >= 3), tuple(f"word{n}" for n in range(200))
    with pytest.raises(OverLimitError):
        seven_zip.unlock(Opening(content, "a.7z", budget=budget, passwords=words))
    assert (len(made), len(used)) == (3, 2)


def test_a_list_of_files_that_is_too_large_is_left_to_the_library(monkeypatch):
    read = counted(monkeypatch, seven_zip, "main_streams")
    content = seven_zips.by_hand(HAND("n" * 4_000_000, b"hello", "x"))
    assert seven_zip.unlock(opening_of(content, passwords=("x",))) is None
    assert not read
    assert opened(content, "x", error=EncryptedError).children == []


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_an_empty_file_tells_no_password(name):
    files = {"a": b"", "b": b"", "c": b"", name: b"secret program" * 20}
    content = seven_zips.in_one_folder(files, "right")
    assert seven_zips.read(content, "right") == files
    opening = opened(content, "wrong", "right")
    assert children(opening) == files
    assert found(opening) == {"password-in-mail": "medium"}


def mistaken(sealed, start):
    """A wrong password under which what is sealed begins like this, as one of 256 does for each octet."""
    for number in range(100_000):
        key = seven_zips.key(f"wrong {number}", b"", 0)
        if slow_keys.decrypt(key, seven_zips.VECTOR, sealed[:16]).startswith(start):
            return f"wrong {number}"
    raise AssertionError


@pytest.mark.parametrize("tiny", [b"x", b"xy"])
@pytest.mark.parametrize("more", [b"secret program" * 20, b"z"])
def test_a_tiny_file_tells_no_password_alone(tiny, more):
    files = {"a": tiny, "b": more}
    content = seven_zips.in_one_folder(files, "right", 0)
    word = mistaken(content[32:], tiny)
    assert opened(content, word, error=EncryptedError).children == []
    assert children(opened(content, word, "right")) == files


def test_of_a_tiny_file_alone_the_octets_behind_it_tell():
    content = seven_zips.by_hand(HAND("a", b"x", "right", 0))
    assert seven_zips.read(content, "right") == {"a": b"x"}
    word = mistaken(content[32:], b"x")
    assert opened(content, word, error=EncryptedError).children == []
    assert children(opened(content, word, "right")) == {"a": b"x"}


def test_a_tiny_file_of_a_whole_block_of_tiny_files():
    files = {chr(97 + number): bytes([number]) for number in range(16)}
    content = seven_zips.in_one_folder(files, "right", 0)
    assert children(opened(content, mistaken(content[32:], b"\0"), "right")) == files


def test_a_tiny_packed_file():
    content = seven_zips.written({"a": b"x"}, "right")
    assert children(opened(content, *(f"wrong {number}" for number in range(50)), "right")) == {"a": b"x"}


def test_a_broken_file_may_have_another_password():
    content = bytearray(seven_zips.by_hand(HAND("a", b"hello", "x"), HAND("b", b"w" * 100, "x")))
    content[32 + 16 + 50] ^= 1
    opening = opened(bytes(content), "x", error=EncryptedError)
    assert children(opening) == {"a": b"hello"}
    assert all_text(opening).split() == ["a", "b"]


@pytest.mark.parametrize("properties", [b"", b"\x44", b"\xff\xff", b"\x44\x0f" + bytes(3), b"\x44" * 80])
def test_broken_properties(properties):
    content = seven_zips.by_hand(HAND("a", b"hello", "x", properties=properties))
    opening = opened(content, "x", error=EncryptedError)
    assert opening.children == []


def test_a_bomb_behind_a_password_meets_the_limits():
    content = seven_zips.written({"a": bytes(100_000_000)}, "x")
    opened(content, "x", error=OverLimitError)


def test_a_large_file_is_not_unpacked_twice(monkeypatch):
    content = seven_zips.written(
        {"a": os.urandom(1_000_000) * 12}, "x", [{"id": py7zr.FILTER_LZMA2, "preset": 1}, AES]
    )
    pieces = []
    real = seven_zip._unpacked

    def counted(*given):
        for piece in real(*given):
            pieces.append(len(piece))
            yield piece

    monkeypatch.setattr(seven_zip, "_unpacked", counted)
    assert len(children(opened(content, "x"))["a"]) == 12_000_000
    assert sum(pieces) < 6_000_000


def test_cut_off_and_changed():
    for content in (
        seven_zips.by_hand(HAND("a", b"hello", "x", power=0), HAND("b", b"world", "x"), encrypted=("x", 0)),
        seven_zips.by_hand(HAND("a", b"hello", "x", power=0), HAND("b", b"world", "x", salt=b"salt")),
    ):
        for at in range(len(content)):
            for changed in (content[:at], content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]):
                opening = opening_of(changed, passwords=("w", "x"))
                opening.kind = "7z"
                with contextlib.suppress(NAMED_ERRORS):
                    open_archive(opening)


ZSTD = {"id": py7zr.FILTER_ZSTD}


@pytest.mark.parametrize("filters", [[ZSTD], [{"id": py7zr.FILTER_X86}, ZSTD], [{"id": py7zr.FILTER_ARM}, ZSTD]])
def test_zstd(filters):
    assert children(opened(seven_zips.written(FILES, filters=filters))) == FILES


@pytest.mark.parametrize("header_encryption", [False, True])
def test_zstd_behind_a_password(header_encryption):
    content = seven_zips.written(FILES, "秘密", [ZSTD, AES], header_encryption=header_encryption)
    opening = opened(content, "wrong", "秘密")
    assert children(opening) == FILES
    assert found(opening) == {"password-in-mail": "medium"}
    assert opened(content, "wrong", error=EncryptedError).children == []
    assert opened(content, error=EncryptedError).children == []


@pytest.mark.parametrize("name", ["zstd", "zstd_bcj", "zstd_nobcj", "solid_zstd"])
def test_public_archives_with_zstd(name):
    opening = opened(corpus_file(f"test_read_format_7zip_{name}.7z"))
    assert opening.children
    assert found(opening) == {}


def test_zstd_that_is_broken_gives_what_comes_before():
    content = bytearray(seven_zips.written({"a": os.urandom(500_000)}, filters=[ZSTD]))
    whole = children(opened(bytes(content)))["a"]
    content[300_000] ^= 1
    opening = opened(bytes(content))
    assert set(found(opening)) <= {"unreadable", "corrupt"}
    assert found(opening)
    assert opening.children == [] or whole.startswith(children(opening)["a"][:100_000])


def test_a_bomb_in_zstd_meets_the_limits():
    content = seven_zips.written({"a": bytes(200_000_000)}, filters=[ZSTD])
    assert len(content) < 50_000
    opened(content, error=OverLimitError)


def test_unreadable_method_behind_a_password():
    """A method that libarchive 3.6 does not know (LZ4, by 7-Zip-zstd): no password can be known to be right."""
    sealed = HAND("a", b"hello", "x")[1]
    coders = b"\x02\x24\x06\xf1\x07\x01\x12\x44\x0f" + seven_zips.VECTOR + b"\x04\x04\xf7\x11\x04\x01\x00"
    header = (
        b"\x01\x04\x06\x00\x01\x09\x10\x00\x07\x0b\x01\x00" + coders + b"\x0c\x05\x05\x0a\x01"
        + bytes(4) + b"\x00\x08\x00\x00\x05\x01\x11\x05\x00a\0\0\0\0\0"
    )  # fmt: skip
    opening = opened(seven_zips.whole(sealed, header), "x", error=EncryptedError)
    assert opening.children == []
    assert found(opening) == {}
