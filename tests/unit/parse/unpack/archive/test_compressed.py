import bz2
import gzip
import io
import lzma
import tarfile

import pytest
from backports import zstd
from tests.support.archive_corpus import corpus_file
from tests.support.opened_file import found, opening_of

from sekisho.mail.opened import Attachment, OpenLimits, OpenRequest
from sekisho.parse.unpack.archive.compressed import open_compressed, open_uuencoded
from sekisho.parse.unpack.kinds import kind_of
from sekisho.parse.unpack.opening import CorruptError, OverLimitError, UnreadableError
from sekisho.parse.unpack.run import unpack


def opened(content, name, *, error=None, step=open_compressed, **limits):
    opening = opening_of(content, name, **limits)
    opening.kind = kind_of(content, name)
    if error:
        with pytest.raises(error):
            step(opening)
    else:
        step(opening)
    return [(child.name, child.content) for child in opening.children]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_what_was_compressed(compress):
    assert opened(compress(b"hello"), "a.txt.gz") == [("a.txt", b"hello")]


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("a.tgz", "a.tar"),
        ("a.tar.xz", "a.tar"),
        ("a.TXZ", "a.tar"),
        ("a.svgz", "a.svg"),
        ("a", "a (unpacked)"),
        ("list.2024", "list.2024 (unpacked)"),
    ],
)
def test_names(name, inside):
    assert opened(bz2.compress(b"x"), name)[0][0] == inside


def test_the_name_in_a_gzip():
    out = io.BytesIO()
    with gzip.GzipFile("invoice.pdf.exe", "w", fileobj=out) as made:
        made.write(b"x")
    assert opened(out.getvalue(), "a.gz")[0][0] == "invoice.pdf.exe"


@pytest.mark.parametrize(
    "name",
    ["test_compat_lz4_1.tar.lz4", "test_compat_lz4_3.tar.lz4", "test_compat_lzip_1.tlz", "test_compat_mac-1.tar.Z"],
)
def test_by_the_library(name):
    ((inside, content),) = opened(corpus_file(name), name)
    assert inside.endswith(".tar")
    assert kind_of(content, "") == "tar"


def test_a_tar_inside_is_opened_through_the_driver():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("資料.txt"))
    answer = unpack(OpenRequest((Attachment("1", "a.tar.gz", "", out.getvalue()),)))
    assert [f.path for f in answer.files] == ["a.tar.gz", "a.tar.gz/a.tar", "a.tar.gz/a.tar/資料.txt"]
    assert answer.findings == ()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_bombs(compress):
    opened(compress(bytes(100_000_000)), "a.gz", error=OverLimitError)


def test_cut_off_is_corrupt_and_the_start_is_looked_into():
    whole = bytes(range(256)) * 2000
    ((_, content),) = opened(gzip.compress(whole, 1)[:-100], "a.gz", error=CorruptError)
    assert whole.startswith(content)


@pytest.mark.parametrize(
    ("compress", "at"), [(gzip.compress, -6), (bz2.compress, -3), (lzma.compress, -25)], ids=["gzip", "bzip2", "xz"]
)
def test_a_wrong_checksum_is_corrupt_and_the_content_looked_into(compress, at):
    packed = bytearray(compress(b"MZ" * 100))
    packed[at] ^= 0x10
    answer = unpack(OpenRequest((Attachment("1", "a.exe.gz", "", bytes(packed)),)))
    assert [(f.path, f.size) for f in answer.files] == [("a.exe.gz", len(packed)), ("a.exe.gz/a.exe", 200)]
    assert ("attachment/corrupt", "a.exe.gz") in {(f.rule, f.path) for f in answer.findings}


def test_what_no_reader_here_can_take_is_unreadable():
    packed = lzma.compress(b"hello", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 256 << 20, "preset": 0}])
    opened(packed, "a.xz", error=UnreadableError)
    opened(b"\x1f\x8b\x08\0" + b"\xff" * 30, "a.gz", error=UnreadableError)


def test_two_octets_that_are_nothing():
    assert opened(b"\x1f\x9d", "a.Z", error=CorruptError) == []


def test_gzip_in_gzip_ends():
    content = b"x"
    for _ in range(50):
        content = gzip.compress(content)
    answer = unpack(OpenRequest((Attachment("1", "a.gz", "", content),)))
    assert len(answer.files) == OpenLimits().depth + 2
    assert {f.rule for f in answer.findings} == {"attachment/over-limit"}


def test_uuencoded_files_in_a_text():
    """The octets of "Cat" as in the description of the encoding (POSIX.1-2017, uuencode)."""
    text = b"hello\n\nbegin 644 cat.txt\n#0V%T\n`\nend\n\nbegin-base64 644 b.txt\nQ2F0\n====\nbegin of nothing\n"
    assert opened(text, "a.txt", step=open_uuencoded) == [("cat.txt", b"Cat"), ("b.txt", b"Cat")]


@pytest.mark.parametrize(
    "text", [b"begin 644 a\n" * 5000, b"begin 644 a", b"begin 644 a\n\xff\xff\xff", b"begin-base64 644 a\n!!!"]
)
def test_broken_uuencoded_texts(text):
    opening = opening_of(text, "a.txt")
    open_uuencoded(opening)
    assert found(opening) == {}
