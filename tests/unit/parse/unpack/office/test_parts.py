from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

import pytest
from support.opened_file import found, opening_of
from support.zips import by_hand, local, one, plain

from sekisho.parse.unpack.office.parts import Parts
from sekisho.parse.unpack.opening import CorruptError, OverLimitError, UnreadableError


def test_names_without_regard_to_case_and_separators():
    parts = Parts(opening_of(plain({"Word\\Document.xml": b"x", "folder/": b""})))
    assert parts.read("word/document.xml") == b"x"
    assert parts.names() == ["Word/Document.xml"]
    assert "WORD/DOCUMENT.XML" in parts
    assert parts.read("missing") == b""


def test_a_part_that_is_broken_keeps_the_others():
    content = bytearray(plain({"a": b"a" * 100, "b": b"b" * 100}, zipfile.ZIP_STORED))
    content[content.index(b"a" * 100) + 50] ^= 1
    parts = Parts(opening_of(bytes(content)))
    assert parts.read("b") == b"b" * 100
    parts.read("a")
    with pytest.raises(CorruptError, match="a"):
        parts.tell_broken()


def test_what_can_be_read_of_a_broken_part_is_given():
    content = plain({"a": b"a" * 100})
    wrong = content.replace(zlib.crc32(b"a" * 100).to_bytes(4, "little"), b"1234")
    parts = Parts(opening_of(wrong))
    assert parts.read("a") == b"a" * 100
    with pytest.raises(CorruptError):
        parts.tell_broken()


def test_rubbish_behind_the_package():
    assert Parts(opening_of(plain({"a": b"x"}) + b"x" * 70_000)).read("a") == b"x"


def test_without_a_directory_the_files_are_handed_on():
    opening = opening_of(plain({"a": b"x"})[:-30])
    with pytest.raises(CorruptError):
        Parts(opening)
    assert [(child.name, child.content) for child in opening.children] == [("a", b"x")]


def test_encrypted_and_unknown_methods_are_broken_parts():
    sealed = by_hand([(local(b"a", b"x" * 20, flags=1), b"a", {"packed": 20, "size": 20, "flags": 1})])
    strange = by_hand([(local(b"a", b"x" * 20, method=99), b"a", {"packed": 20, "size": 20, "method": 99})])
    for content in (sealed, strange):
        parts = Parts(opening_of(content))
        assert parts.read("a") == b""
        with pytest.raises(UnreadableError):
            parts.tell_broken()


def test_limits():
    with pytest.raises(OverLimitError, match="parts"):
        Parts(opening_of(plain({str(n): b"" for n in range(10_001)})))
    with pytest.raises(OverLimitError, match="parts"):
        Parts(opening_of(one() + b"PK\1\2" * 20_001))
    with pytest.raises(OverLimitError, match="unpacked"):
        Parts(opening_of(plain({"a": b"a" * 2000}), unpacked_bytes=1000)).read("a")


def test_what_is_read_twice_counts_once():
    opening = opening_of(plain({"a": b"a" * 600}), unpacked_bytes=1000)
    parts = Parts(opening)
    assert parts.read("a") == parts.read("A")


def test_same_names():
    out = BytesIO(plain({"a": b"1"}))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("A", b"2")
    opening = opening_of(out.getvalue())
    parts = Parts(opening)
    assert found(opening) == {"duplicate-part": "medium"}
    assert [parts.content(info) for _, info in parts.all] == [b"1", b"2"]


EMPTY = b"PK\5\6" + bytes(18)


@pytest.mark.parametrize("more", [EMPTY, EMPTY * 2, b"PK\5\6\0\0\0\0\1\0\1\0\x2e\0\0\0\0\0\0\0\0\0"])
def test_an_end_record_behind_the_true_one(more):
    """Programs that read from the front open such a document; ones that begin at the end see nothing in it."""
    opening = opening_of(plain({"word/document.xml": b"x"}) + more, "a.docx")
    assert Parts(opening).read("word/document.xml") == b"x"
    assert found(opening) == {"archive-anomaly": "high"}


def test_an_end_record_in_the_comment_of_the_true_one():
    content = plain({"word/document.xml": b"x"})[:-2] + len(EMPTY).to_bytes(2, "little") + EMPTY
    assert Parts(opening_of(content)).read("word/document.xml") == b"x"
