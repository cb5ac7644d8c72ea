import io
import subprocess
import sys
import tarfile

import pytest
from tests.support.archive_corpus import corpus_file

from sekisho.parse.unpack.archive import library
from sekisho.parse.unpack.archive.library import LibraryMissingError, Reader
from sekisho.parse.unpack.opening import CorruptError, EncryptedError


def made(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def read(content, *formats, **more):
    with Reader(content, formats, **more) as reader:
        return [(m.name, m.kind, b"".join(reader.data()) if m.kind == "file" else m.target) for m in reader.members()]


def test_members():
    assert read(made(("a", b"x"), ("資料.txt", b"y" * 3_000_000)), "tar") == [
        ("a", "file", b"x"),
        ("資料.txt", "file", b"y" * 3_000_000),
    ]


def test_no_other_format_than_asked_for():
    with pytest.raises(CorruptError):
        read(made(("a", b"x")), "7zip", "rar", "cab")
    with pytest.raises(CorruptError):
        read(b"#mtree\na type=file contents=/etc/passwd\n", "tar", "cpio")


def test_encryption_is_named():
    with pytest.raises(EncryptedError):
        read(corpus_file("test_read_format_7zip_encryption.7z"), "7zip")


def test_an_error_tells_no_address_of_the_process():
    with pytest.raises(CorruptError) as raised:
        read(corpus_file("test_read_format_rar_symlink_huge.rar"), "rar")
    assert str(raised.value) == "cannot be read on: the reason is not known"


def test_passphrase():
    content = corpus_file("test_read_format_zip_winzip_aes256.zip")
    assert all(data for _, kind, data in read(content, "zip", passphrase=b"password") if kind == "file")
    with pytest.raises(EncryptedError):
        read(content, "zip", passphrase=b"wrong")


def test_where_the_library_is_missing_the_module_loads_and_says_so():
    program = (
        "import ctypes.util, sys\n"
        "ctypes.util.find_library = lambda name: None\n"
        "from sekisho.parse.unpack.archive import library\n"
        "library.warm()\n"
        "try:\n"
        "    library.Reader(b'', ('tar',)).__enter__()\n"
        "except library.LibraryMissingError as error:\n"
        "    print(error)\n"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "libarchive is not installed" in out.stdout


def test_missing_named_error_is_raised(monkeypatch):
    monkeypatch.setattr(library, "ffi", None)
    with pytest.raises(LibraryMissingError):
        read(b"", "tar")


def test_japanese_names_are_read_where_no_file_can_be_opened(tmp_path):
    """What converts names is a file that the C library loads at first use."""
    archive = tmp_path / "a.lzh"
    archive.write_bytes(corpus_file("test_read_format_lha_filename_cp932.lzh"))
    program = (
        "import pathlib, resource, sys\n"
        "from sekisho.parse.unpack.archive import library\n"
        "library.warm()\n"
        "content = pathlib.Path(sys.argv[1]).read_bytes()\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\n"
        "with library.Reader(content, ('lha',)) as reader:\n"
        "    print([ascii(member.name) for member in reader.members()])\n"
    )
    out = subprocess.run([sys.executable, "-c", program, str(archive)], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str([ascii("漢字.txt"), ascii("表.txt")])


def test_warm():
    library.warm()
