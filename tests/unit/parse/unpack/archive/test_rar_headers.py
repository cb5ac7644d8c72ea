import pytest
from tests.support import rars
from tests.support.archive_corpus import corpus, corpus_file

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.archive.rar_headers import MOST_BLOCKS, read_headers
from sekisho.parse.unpack.opening import Budget, CorruptError


def headers(content):
    return read_headers(content, Budget(OpenLimits()))


@pytest.mark.parametrize("version", ["rar4", "rar5"])
def test_some_files_are_encrypted(version):
    found = headers(corpus_file(f"test_read_format_{version}_encrypted.rar"))
    assert found.names == ["a.txt", "b.txt", "c.txt", "d.txt"]
    assert found.encrypted == ["b.txt", "d.txt"]
    assert not found.locked


@pytest.mark.parametrize("version", ["rar4", "rar5"])
@pytest.mark.parametrize("kind", ["", "solid_"])
def test_encrypted_names(version, kind):
    found = headers(corpus_file(f"test_read_format_{version}_{kind}encrypted_filenames.rar"))
    assert found.locked
    assert found.names == []


def test_names():
    assert headers(corpus_file("test_read_format_rar.rar")).names[:2] == ["test.txt", "testlink"]
    assert headers(corpus_file("test_read_format_rar5_unicode.rar")).names[0] == "👋🌎.txt"


@pytest.mark.parametrize(
    "name", ["test_rar_multivolume_single_file.part2.rar", "test_read_format_rar5_multiarchive.part03.rar"]
)
def test_volumes(name):
    assert headers(corpus_file(name)).several


@pytest.mark.parametrize(
    ("make", "service"), [(rars.rar_4, rars.header_4(0x7A, 0, b"")), (rars.rar_5, rars.header_5(3, b""))]
)
def test_more_blocks_than_are_read(make, service):
    assert not headers(make(*[(service, b"")] * (MOST_BLOCKS - 2))).unread  # and the first and the last
    assert headers(make(*[(service, b"")] * (MOST_BLOCKS - 1))).unread


def test_no_rar():
    with pytest.raises(CorruptError):
        headers(b"Rar!\x1a\x07\x05")


def test_cut_off_and_changed():
    for path, content in corpus("encrypted"):
        if ".rar" in path:
            for at in range(8, len(content)):
                headers(content[:at])
                headers(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])


def test_names_of_all_public_archives_are_those_that_libarchive_reads(tmp_path):
    """A second implementation: where libarchive reads an archive to its end, the names are the same."""
    library = pytest.importorskip("libarchive")
    compared = 0
    for path, content in corpus("test_read_format_rar"):
        try:
            with library.memory_reader(content) as archive:
                names = [(entry.pathname or "").rstrip("/") for entry in archive]
        except library.exception.ArchiveError:
            continue
        if all(name and name.isascii() for name in names) and "part" not in path:
            ours = headers(content).names
            compared += [n.replace("\\", "/").rstrip("/") for n in ours] == names
    assert compared >= 10
