import contextlib
from functools import partial

import pytest
from tests.support import rars
from tests.support.archive_corpus import corpus, corpus_file
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

from sekisho.parse.unpack.archive import rar, slow_keys
from sekisho.parse.unpack.archive.archives import open_archive
from sekisho.parse.unpack.archive.rar_headers import MOST_BLOCKS
from sekisho.parse.unpack.opening import EncryptedError, Opening, OverLimitError, UnreadableError

TEXTS = {f"{name}.txt": f"This is from {name}.txt".encode() for name in "abcd"}
VERSIONS = [(rars.rar_4, rars.file_4), (rars.rar_5, rars.file_5)]
both = pytest.mark.parametrize(("make", "file"), VERSIONS, ids=["rar4", "rar5"])


opened = partial(opened_archive, "rar")


@pytest.mark.parametrize(
    "name",
    [
        "rar4_encrypted",
        "rar4_encrypted_filenames",
        "rar5_encrypted",
        "rar5_encrypted_filenames",
        "rar5_solid_encrypted",
        "rar5_solid_encrypted_filenames",
    ],
)
def test_public_archives(name):
    """What stands in them is the same in all; two of them have two passwords."""
    opening = opened(corpus_file(f"test_read_format_{name}.rar"), "wrong", "password", "password2")
    assert children(opening) == TEXTS
    assert found(opening) == {"password-in-mail": "medium"}
    assert all(child.secret for child in opening.children)


@pytest.mark.parametrize("name", ["data", "header", "partially"])
def test_public_archives_of_rar_3(name):
    opening = opened(corpus_file(f"test_read_format_rar_encryption_{name}.rar"), "password", "12345678")
    assert children(opening) == {f"{name}.txt": f"data of {name}.txt\n".encode() for name in ("foo", "bar")}


@pytest.mark.parametrize("name", ["rar4_solid_encrypted", "rar4_solid_encrypted_filenames"])
def test_solid_rar_4_is_decrypted_as_far_as_the_library_reads_it(name):
    opening = opened(corpus_file(f"test_read_format_{name}.rar"), "password", error=UnreadableError)
    assert children(opening) == {"a.txt": TEXTS["a.txt"]}


@pytest.mark.parametrize("version", ["rar4", "rar5"])
def test_one_of_two_passwords(version):
    content = corpus_file(f"test_read_format_{version}_encrypted.rar")
    opening = opened(content, "password", error=EncryptedError)
    assert sorted(children(opening)) == ["a.txt", "b.txt", "c.txt"]
    assert "d.txt" in all_text(opening)
    assert sorted(children(opened(content, "password2", error=EncryptedError))) == ["a.txt", "c.txt", "d.txt"]


def test_without_a_password_what_is_not_encrypted_is_read():
    for version in ("rar4", "rar5"):
        opening = opened(corpus_file(f"test_read_format_{version}_encrypted.rar"), "x", error=EncryptedError)
        assert children(opening) == {name: TEXTS[name] for name in ("a.txt", "c.txt")}
        assert all_text(opening).split() == ["b.txt", "d.txt", "a.txt", "c.txt"]
        assert not any(child.secret for child in opening.children)


@both
@pytest.mark.parametrize("headers", [None, "秘密"])
def test_opened(make, file, headers):
    content = make(file("資料.txt", b"hello" * 500, "秘密"), file("b", b"plain"), password=headers)
    opening = opened(content, "wrong", "秘密")
    assert children(opening) == {"資料.txt": b"hello" * 500, "b": b"plain"}
    assert found(opening) == {"password-in-mail": "medium"}


@both
@pytest.mark.parametrize("headers", [None, "secret"])
def test_no_password_fits(make, file, headers):
    content = make(file("請求書.pdf.exe", b"hello", "secret"), password=headers)
    for passwords in ((), ("wrong", "", "Secret")):
        opening = opened(content, *passwords, error=EncryptedError)
        assert opening.children == []
        assert ("disguised-program" in found(opening)) == (headers is None)
        assert "password-in-mail" not in found(opening)


@both
def test_nothing_is_done_to_an_archive_without_encryption(make, file):
    assert rar.unlock(opening_of(make(file("a", b"hello")), passwords=("x",))) is None


def test_a_file_of_rar_5_without_check_value_is_told_by_its_content():
    content = rars.rar_5(rars.file_5("a", b"hello", "secret", check=False))
    assert children(opened(content, "wrong", "secret")) == {"a": b"hello"}


def test_neither_check_value_nor_checksum_of_the_content():
    content = rars.rar_5(rars.file_5("a", b"hello", "secret", check=False, tweaked=True))
    assert opened(content, "secret", error=EncryptedError).children == []


def test_a_tiny_file_of_rar_4_tells_no_password():
    """One of 256 words fits one octet: it is believed where another file tells."""
    tiny, other = rars.file_4("a", b"x", "right"), rars.file_4("b", b"hello", "right")
    words = [f"w{number}" for number in range(600)]
    key = next(w for w in words if slow_keys.decrypt(*slow_keys.rar_3_key(w, rars.SALT[:8]), tiny[1])[:1] == b"x")
    assert opened(rars.rar_4(tiny), key, error=EncryptedError).children == []
    assert children(opened(rars.rar_4(tiny, other), key, "right")) == {"a": b"x", "b": b"hello"}


def test_large_files_of_rar_4_are_told_by_the_fastest(monkeypatch):
    monkeypatch.setattr(rar, "_SMALL", 0)
    files = rars.file_4("a", b"a" * 5000, "x"), rars.file_4("b", b"bbbb", "x"), rars.file_4("c", b"c" * 9, "y")
    opening = opened(rars.rar_4(*files), "y", "x", error=EncryptedError)
    assert children(opening) == {"a": b"a" * 5000, "b": b"bbbb"}
    assert "c" in all_text(opening)
    assert found(opening) == {"password-in-mail": "medium"}


def test_what_follows_a_closed_file_in_a_solid_archive_stays_closed():
    content = rars.rar_5(
        rars.file_5("a", b"a"),
        rars.file_5("b", b"b", "x", solid=True),
        rars.file_5("c", b"c", solid=True),
        rars.file_5("d", b"d"),
    )
    opening = opened(content, error=EncryptedError)
    assert children(opening) == {"a": b"a", "d": b"d"}
    assert all_text(opening).split()[:2] == ["b", "c"]


def test_old_ciphers_are_not_tried():
    opening = opened(rars.rar_4(rars.file_4("a", b"hello", "x", version=20)), "x", error=EncryptedError)
    assert opening.children == []


def test_one_part_of_several():
    opening = opened(rars.rar_5(rars.file_5("a", b"hello", "x", flags=16), main=b"\1"), "x")
    assert found(opening) == {"unreadable": "medium", "password-in-mail": "medium"}


def test_headers_that_end_in_garbage():
    content = rars.rar_5(rars.file_5("a", b"hello", "x"), end=False) + b"garbage garbage garbage"
    opening = opened(content, "x")
    assert children(opening) == {"a": b"hello"}
    assert found(opening) == {"unreadable": "medium", "password-in-mail": "medium"}


# A header that claims more octets than there are.
LONG = [b"\0\0\x74\0\x80\xff\xff", b"\0\0\0\0" + rars.vint(1 << 20) + b"\x02\0"]


@pytest.mark.parametrize("garbage", [*LONG, bytes(40), b"garbage garbage garbage"])
@pytest.mark.parametrize(("make", "file"), VERSIONS)
def test_without_encryption_headers_that_end_in_garbage(make, file, garbage):
    """The library takes some of it for the end, and what another program finds behind it was not looked into."""
    content = make(file("a", b"hello"), end=False) + garbage + b"".join(file("b.exe", b"MZ"))
    opening = opening_of(content)
    opening.kind = "rar"
    with contextlib.suppress(UnreadableError):
        open_archive(opening)
        assert found(opening) == {"unreadable": "medium"}
    assert children(opening) == {"a": b"hello"}


def test_without_an_end_block_nothing_is_left():
    """As old programs write them."""
    opening = opened(rars.rar_4(rars.file_4("a", b"hello"), end=False))
    assert children(opening) == {"a": b"hello"}
    assert found(opening) == {}


def test_a_file_that_the_library_passes_over_is_told():
    opening = opened(rars.rar_5(rars.file_5("a", b"hello"), end=False))
    assert children(opening) == {"a": b"hello"} or found(opening) == {"unreadable": "medium"}


SERVICE = {"rar4": (rars.header_4(0x7A, 0, b""), b""), "rar5": (rars.header_5(3, b""), b"")}


@pytest.mark.parametrize("headers", [None, "x"])
@pytest.mark.parametrize(
    ("make", "file", "service"), [(*VERSIONS[0], SERVICE["rar4"]), (*VERSIONS[1], SERVICE["rar5"])]
)
def test_what_follows_more_blocks_than_are_read_is_told(make, file, service, headers):
    content = make(file("a", b"hello", "x"), *[service] * MOST_BLOCKS, file("b.exe", b"MZ"), password=headers)
    opening = opened(content, "x")
    assert children(opening) == {"a": b"hello"}
    assert found(opening) == {"unreadable": "medium", "password-in-mail": "medium"}


def test_nothing_is_encrypted_among_the_blocks_that_are_read():
    """libarchive hands on what is encrypted but not compressed as it is, and says nothing."""
    comments = [rars.file_5("CMT", b"", kind=3)] * MOST_BLOCKS
    content = rars.rar_5(rars.file_5("a", b"hello"), *comments, rars.file_5("b", b"world", "x"))
    opening = opened(content, "x")
    assert children(opening)["a"] == b"hello"
    assert found(opening) == {"unreadable": "medium"}


def test_one_file_of_another_encryption_does_not_close_the_others():
    content = rars.rar_5(
        rars.file_5("a", b"hello", "x", version=7), rars.file_5("b", b"world"), rars.file_5("c", b"!", "x")
    )
    opening = opened(content, "x", error=EncryptedError)
    assert children(opening) == {"b": b"world", "c": b"!"}
    assert all_text(opening).split() == ["a", "b", "c"]
    assert found(opening) == {"password-in-mail": "medium"}


@pytest.mark.parametrize("power", [21, 24, 63, 255])
def test_a_key_that_takes_too_long_is_not_made(power, monkeypatch):
    monkeypatch.setattr(slow_keys, "_pbkdf2", lambda *_: pytest.fail("a key is made"))
    content = rars.rar_5(rars.file_5("a", b"hello", "x", power=power))
    assert opened(content, "x", error=EncryptedError).children == []


def ending(content, *passwords, calls, most):
    """An opening whose time is over with this many calls."""
    return Opening(content, "a.rar", budget=EndingBudget(lambda: len(calls) >= most), passwords=passwords)


def test_time_ends_the_search(monkeypatch):
    made = counted(monkeypatch, slow_keys, "rar_5_check")
    content = rars.rar_5(rars.file_5("a", b"hello", "x"))
    with pytest.raises(OverLimitError):
        rar.unlock(ending(content, *(f"word{n}" for n in range(200)), calls=made, most=3))
    assert len(made) == 3


def test_time_ends_the_writing_of_files(monkeypatch):
    made = counted(monkeypatch, slow_keys, "rar_5_key")
    content = rars.rar_5(rars.file_5("a", b"hello", "x"), rars.file_5("b", b"world"))
    with pytest.raises(OverLimitError):
        rar.unlock(ending(content, "x", calls=made, most=1))


def test_time_ends_the_reading_of_a_file_that_tells_the_password(monkeypatch):
    made = counted(monkeypatch, slow_keys, "rar_3_key")
    content = rars.rar_4(rars.file_4("a", b"hello", "x"))
    with pytest.raises(OverLimitError):
        rar.unlock(ending(content, "x", calls=made, most=1))


def test_a_broken_file_of_rar_4_may_have_another_password():
    head, data = rars.file_4("b", b"b" * 100, "x")
    content = bytearray(rars.rar_4(rars.file_4("a", b"a" * 100, "x"), (head, data)))
    content[content.index(head) + len(head) + 50] ^= 1
    assert children(opened(bytes(content), "x", error=EncryptedError)) == {"a": b"a" * 100}


def test_a_broken_file_of_rar_5_has_the_right_password():
    content = bytearray(corpus_file("test_read_format_rar5_encrypted_filenames.rar"))
    content[190] ^= 1
    opening = opened(bytes(content), "password")
    assert sorted(children(opening)) == ["b.txt", "c.txt", "d.txt"]
    assert found(opening) == {"unreadable": "medium", "password-in-mail": "medium"}


@pytest.mark.timeout(120)
def test_cut_off_and_changed():
    archives = [content for path, content in corpus("crypt") if ".rar" in path and "rar4_s" not in path]
    for content in archives:
        for at in range(8, len(content), 23):
            for changed in (content[:at], content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]):
                opening = opening_of(changed, passwords=("password",))
                opening.kind = "rar"
                with contextlib.suppress(NAMED_ERRORS):
                    open_archive(opening)
