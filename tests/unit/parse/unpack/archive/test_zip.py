import io
import os
import zipfile
import zlib

import pytest
from tests.support import zips
from tests.support.archive_corpus import corpus, corpus_file
from tests.support.opened_file import all_text, children, found, opening_of

from sekisho.mail.opened import Attachment, OpenLimits, OpenRequest
from sekisho.parse.unpack.archive.zip import open_zip
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, OverLimitError
from sekisho.parse.unpack.run import unpack


def opened(content, name="a.zip", *, error=None, passwords=(), **limits):
    opening = opening_of(content, name, passwords=passwords, **limits)
    if error:
        with pytest.raises(error):
            open_zip(opening)
    else:
        open_zip(opening)
    return opening


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_contents_as_the_standard_library_wrote_them(method):
    files = {"a/b.txt": b"hello " * 1000, "資料.bin": os.urandom(3_000_000), "empty": b""}
    opening = opened(zips.plain(files, method))
    assert children(opening) == files
    assert found(opening) == {}
    assert all_text(opening) == "a/b.txt\n資料.bin\nempty"


@pytest.mark.parametrize(
    "method", ["ppmd8", "zstd_multi", "xz_multi", "lzma_multi", "bzip2_multi", "zstd", "7z_lzma"]
)
def test_other_methods(method):
    """The checksums in the archive say that all was read right."""
    path, content = corpus(f"test_read_format_zip_{method}.zip")[0]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [i.filename for i in archive.infolist() if not i.is_dir() and i.external_attr >> 28 != 0xA]
    opening = opened(content, path)
    assert list(children(opening)) == names
    assert "corrupt" not in found(opening)


def test_japanese_names_without_a_charset():
    opening = opened(corpus_file("test_read_format_zip_filename_cp932.zip"))
    assert list(children(opening)) == ["表だよ/一覧表.txt", "表だよ/漢字.txt"]


def test_folders_are_no_files():
    assert children(opened(zips.plain({"a/": b"", "a/b": b"x"}))) == {"a/b": b"x"}


def test_links_are_named_and_not_followed():
    opening = opened(zips.one(b"a/link", b"../../etc/passwd", mode=0o120777))
    assert opening.children == []
    assert found(opening) == {"archive-anomaly": "medium"}


def test_wrong_checksum_is_told_and_the_content_looked_into():
    content = zips.one(content=b"hello").replace(b"hello", b"hallo", 1)
    opening = opened(content)
    assert found(opening) == {"corrupt": "medium"}
    assert children(opening) == {"a.txt": b"hallo"}


def test_one_broken_member_does_not_hide_the_next():
    good, bad = zips.deflate(b"good"), b"\xff" * 20
    members = [
        (
            zips.local(n, d, size=4, method=8, crc=zlib.crc32(b"good")),
            n,
            {"packed": len(d), "size": 4, "method": 8, "crc": zlib.crc32(b"good")},
        )
        for n, d in ((b"bad", bad), (b"good", good))
    ]
    opening = opened(zips.by_hand(members))
    assert children(opening) == {"good": b"good"}
    assert found(opening) == {"unreadable": "medium"}


@pytest.mark.parametrize("content", [b"PK\3\4", b"PK\3\4" + bytes(100), b"PK\5\6" + bytes(10)])
def test_no_zip(content):
    opened(content, error=CorruptError)


@pytest.mark.parametrize("size", [1, 70_000, 3_000_000])
def test_rubbish_behind_it(size):
    """Other programs look further up than the 64 KiB of a comment."""
    opening = opened(zips.plain({"a.txt": b"hello"}) + b"x" * size)
    assert children(opening) == {"a.txt": b"hello"}
    assert found(opening) == {"archive-anomaly": "low"}


def test_rubbish_with_an_end_record_behind_it():
    for fake in (zips.end(0, 0, 0), zips.end(1, 46, 0), zips.end(7, 0xFFFF, 0)):
        content = zips.plain({"a.txt": b"hello"}) + b"x" * 70_000 + fake
        told = unpack(OpenRequest((Attachment("1", "a.zip", "", content),)))
        assert "a.txt" in {f.path.rpartition("/")[2] for f in told.files}


@pytest.mark.parametrize("cut", [1, 22, 60, 100])
def test_without_a_directory(cut):
    files = {"a.txt": b"hello", "b/c.exe": b"MZ" * 100}
    opening = opened(zips.plain(files)[:-cut])
    assert children(opening) == files
    assert found(opening) == {"corrupt": "medium"}


def test_cut_off_within_a_member():
    """7-Zip's volumes and other halves of files: the rest is elsewhere."""
    content = os.urandom(1000)
    opening = opened(zips.plain({"a": b"x", "b": content})[:700])
    assert content.startswith(children(opening)["b"])
    assert len(children(opening)["b"]) > 500
    assert found(opening) == {"corrupt": "medium", "unreadable": "medium"}


def test_part_of_several():
    """APPNOTE 8.5.4: the first of several parts begins with the mark of a descriptor."""
    content = zips.plain({"a": b"x", "b": b"y"})
    opening = opened(content[:-18] + b"\x01\0\x01\0" + content[-14:])
    assert children(opening) == {"a": b"x", "b": b"y"}
    assert found(opening) == {"unreadable": "medium"}


@pytest.mark.parametrize("method", [1, 6, 9, 96, 99])
def test_an_unknown_method_is_not_looked_into(method):
    opening = opened(zips.one(b"invoice.pdf.exe", method=method))
    assert found(opening)["unreadable"] == "medium"
    assert found(opening)["disguised-program"] == "critical"
    assert "corrupt" not in found(opening)


def test_what_came_out_of_a_broken_member_is_looked_into():
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = engine.compress(b"hello " * 100) + engine.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 10
    octets = zips.local(b"a", data, size=600, method=8)
    opening = opened(zips.by_hand([(octets, b"a", {"packed": len(data), "size": 600, "method": 8})]))
    assert children(opening)["a"][:599] == (b"hello " * 100)[:599]
    assert found(opening) == {"corrupt": "medium"}


def test_members_outside_the_directory_are_opened_and_grave():
    hidden = zips.local(b"evil.txt", b"hidden")
    shown = zips.local(b"a.txt", b"hello", crc=0x3610A686)
    directory = zips.central(b"a.txt", len(hidden), packed=5, size=5, crc=0x3610A686)
    opening = opened(hidden + shown + directory + zips.end(1, len(directory), len(hidden + shown)))
    assert children(opening)["evil.txt"] == b"hidden"
    assert found(opening)["archive-anomaly"] == "high"


def test_two_archives_in_a_row_are_both_opened():
    first, second = zips.plain({"first.txt": b"1"}), zips.plain({"second.txt": b"2"})
    opening = opened(first + second)
    assert children(opening) == {"second.txt": b"2", "first of two archives.zip": first}
    assert found(opening)["archive-anomaly"] == "high"


def test_another_extension_in_the_local_header_is_grave():
    assert found(opened(zips.one(b"a.txt", local_name=b"a.exe")))["archive-anomaly"] == "high"


def test_a_blank_picture_is_no_bomb():
    """A 24-bit screenshot of an empty page, 1920 by 1200, shrinks to a thousandth."""
    picture = (
        b"BM"
        + (54 + 1920 * 1200 * 3).to_bytes(4, "little")
        + bytes(4)
        + b"\x36\0\0\0"
        + b"\xff" * (40 + 1920 * 1200 * 3)
    )
    assert found(opened(zips.plain({"page.bmp": picture}))) == {}


class TestPasswords:
    words = (*(f"word{n}" for n in range(100)), "Pass1234")

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
    def test_aes(self, method):
        files = {"見積.txt": b"hello" * 100, "b.bin": os.urandom(200_000)}
        opening = opened(zips.aes(files, b"Pass1234", method), passwords=self.words)
        assert children(opening) == files
        assert opening.opened_by_password
        assert found(opening) == {"password-in-mail": "medium"}
        assert all(child.secret for child in opening.children)

    def test_zip_crypto_small_and_large(self):
        files = {"a.txt": b"hello", "b.bin": os.urandom(70_000)}
        opening = opened(zips.zip_crypto(files, b"Pass1234"), passwords=self.words)
        assert children(opening) == files
        assert found(opening) == {"password-in-mail": "medium"}

    def test_japanese_password_in_the_code_page_of_windows(self):
        content = zips.zip_crypto({"a.txt": b"hello"}, "合言葉".encode("cp932"))
        assert children(opened(content, passwords=("合言葉",))) == {"a.txt": b"hello"}

    @pytest.mark.parametrize(
        ("name", "password"),
        [
            ("winzip_aes128", "password"),
            ("winzip_aes256_stored", "password"),
            ("traditional_encryption_data", "12345678"),
        ],
    )
    def test_public_archives(self, name, password):
        opening = opened(corpus_file(f"test_read_format_zip_{name}.zip"), passwords=("x", password))
        assert found(opening) == {"password-in-mail": "medium"}
        assert opening.children

    @pytest.mark.parametrize("make", [zips.aes, zips.zip_crypto])
    def test_no_password_fits(self, make):
        opening = opened(
            make({"請求書.pdf.exe": b"MZ", "b": b""}, b"other"), passwords=self.words, error=EncryptedError
        )
        assert opening.children == []
        assert not opening.opened_by_password
        assert all_text(opening) == "請求書.pdf.exe\nb"
        assert found(opening)["disguised-program"] == "critical"
        assert opening.findings[0].path == "a.zip/請求書.pdf.exe"

    def test_plain_members_next_to_closed_ones_are_opened(self):
        out = io.BytesIO(zips.aes({"closed": b"x"}, b"other"))
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("open", "y")
        assert children(opened(out.getvalue(), error=EncryptedError)) == {"open": b"y"}

    def test_through_the_driver(self):
        """The file inside goes back with its octets for the virus scanner, the password appears nowhere."""
        content = zips.aes({"a.txt": b"hello"}, b"Pass1234")
        told = unpack(OpenRequest((Attachment("1", "a.zip", "", content),), self.words))
        assert [(f.path, f.content, f.encrypted) for f in told.files] == [
            ("a.zip", b"", False),
            ("a.zip/a.txt", b"hello", False),
        ]
        assert "Pass1234" not in repr(told)


class TestBombs:
    """Each ends at a limit, which is a finding; that none runs long is the business of pytest's time limit."""

    pytestmark = pytest.mark.timeout(20)

    @staticmethod
    def told(content, **limits):
        answer = unpack(OpenRequest((Attachment("1", "a.zip", "", content),), limits=OpenLimits(**limits)))
        return answer, {f.rule for f in answer.findings if f.severity.word in {"high", "critical"}}

    def test_ratio(self):
        opened(zips.plain({"a": bytes(50_000_000)}), error=OverLimitError)

    def test_overlapping(self):
        _, rules = self.told(zips.overlapping(300, 300_000), unpacked_bytes=20_000_000)
        assert rules == {"attachment/over-limit", "attachment/archive-anomaly"}

    def test_nested_wide(self):
        content = zips.plain({"0": bytes(20_000_000)})
        for _ in range(5):
            content = zips.plain({f"{n}.zip": content for n in range(16)})
        answer, rules = self.told(content)
        assert rules == {"attachment/over-limit"}
        assert sum(f.size for f in answer.files) < 300_000_000

    def test_nested_deep(self):
        content = b"x"
        for _ in range(40):
            content = zips.plain({"a.zip": content})
        answer, rules = self.told(content)
        assert rules == {"attachment/over-limit"}
        assert len(answer.files) == OpenLimits().depth + 2

    def test_quine(self):
        content = zips.quine()
        assert children(opened(content)) == {"quine-quine-quine-quine-qu.zip": content}
        answer, rules = self.told(content)
        assert rules == {"attachment/over-limit"}
        assert len(answer.files) == OpenLimits().depth + 2

    def test_many_files(self):
        _, rules = self.told(zips.plain({str(n): b"" for n in range(2001)}, 0))
        assert rules == {"attachment/over-limit"}
        answer, rules = self.told(zips.plain({str(n): b"" for n in range(1900)}, 0))
        assert (len(answer.files), rules) == (1901, set())

    def test_output_of_all_together(self):
        content = zips.plain({str(n): os.urandom(1000) * 100 for n in range(50)})
        _, rules = self.told(content, unpacked_bytes=1_000_000)
        assert rules == {"attachment/over-limit"}

    def test_no_time_left(self):
        answer, rules = self.told(zips.plain({"a": b"x"}), seconds=0)
        assert rules == {"attachment/over-limit"}
        assert len(answer.files) == 1
