"""Messages from wherever they lie, in a stable order; what cannot be read is said."""

import bz2
import gzip
import io
import lzma
import mailbox
import os
import sys
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from sekisho.cli.sources import Source, Unreadable, messages, wire_form

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ONE = b"From: a@example.com\r\nSubject: one\r\n\r\n1\r\n"
TWO = b"From: a@example.com\nSubject: two\n\n2\n"
COMPRESS = {"tar": bytes, "tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}
COMPRESS |= {"tar.zst": zstd.compress, "tgz": gzip.compress, "txz": lzma.compress, "tzst": zstd.compress}


def read(path):
    """(path, index, data) of the messages, and the texts of what could not be read."""
    found = list(messages(str(path)))
    good = [(source.path, source.index, source.data) for source in found if isinstance(source, Source)]
    return good, [str(source) for source in found if isinstance(source, Unreadable)]


def tar_of(*members):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return archive.getvalue()


def test_a_file_that_was_asked_for_is_a_message_whatever_it_is_called(tmp_path):
    (tmp_path / "x.dat").write_bytes(b"no header at all")
    assert read(tmp_path / "x.dat") == ([(str(tmp_path / "x.dat"), 0, b"no header at all")], [])


def test_an_empty_file_is_an_empty_message(tmp_path):
    (tmp_path / "x.eml").touch()
    assert read(tmp_path / "x.eml")[0] == [(str(tmp_path / "x.eml"), 0, b"")]


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ONE)))
    assert read("-") == ([("-", 0, ONE)], [])


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_an_mbox_is_cut_where_the_standard_library_cuts_it(tmp_path, newline):
    lines = [
        b"From a@example.com Tue Nov 24 10:00:00 2026", b"Subject: 1", b"", b">From quoted", b"",
        b"From a@example.com Tue Nov 24 10:00:01 2026", b"Subject: 2", b"", b"a line", b"",
        b"From a@example.com Tue Nov 24 10:00:02 2026", b"Subject: 3", b"", b"1", b"", b"", b"2", b"",
    ]  # fmt: skip
    file = tmp_path / "box"
    file.write_bytes(newline.join(lines) + newline)
    good, bad = read(file)
    assert bad == []
    assert [index for _, index, _ in good] == [0, 1, 2]
    box = mailbox.mbox(file, create=False)
    expected = [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118 - a mailbox is no dict
    box.close()
    # the standard library leaves out the blank line in front of the next "From "
    assert [data.replace(b"\r\n", b"\n").strip() for _, _, data in good] == [
        data.replace(b"\r\n", b"\n").strip() for data in expected
    ]


def test_no_message_begins_in_the_middle_of_a_paragraph(tmp_path):
    """Lenient writers leave "From " in a text as it is; a message's own follows an empty line (RFC 4155 A)."""
    (tmp_path / "box").write_bytes(b"From a Tue Nov 24 10:00:00 2026\nSubject: 1\n\nline\nFrom here on\n")
    assert len(read(tmp_path / "box")[0]) == 1


def test_a_directory_is_read_in_order_and_notes_are_passed_over(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.eml").write_bytes(TWO)
    (tmp_path / "a.eml").write_bytes(ONE)
    (tmp_path / "noname").write_bytes(ONE)
    (tmp_path / "from").write_bytes(b"From a@example.com Tue Nov 24 10:00:00 2026\n" + TWO)
    (tmp_path / "notes").write_bytes(b"these are just my notes: about mail\n")
    (tmp_path / "z.tar").write_bytes(tar_of(("in.eml", ONE), ("readme", b"look inside\n")))
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.eml")  # nobody writes: must not be waited for
    good, bad = read(tmp_path)
    assert bad == []
    assert [(path.removeprefix(f"{tmp_path}/"), data) for path, _, data in good] == [
        ("a.eml", ONE),
        ("from", TWO),
        ("noname", ONE),
        ("z.tar/in.eml", ONE),
        ("b/2.eml", TWO),
    ]


def test_a_maildir_with_its_folders(tmp_path):
    box = mailbox.Maildir(tmp_path / "box")
    names = [box.add(ONE), box.add_folder("Sent").add(TWO)]
    (tmp_path / "box" / "dovecot.index").write_bytes(b"Looks: like mail\n")
    (tmp_path / "box" / "tmp" / "half").write_bytes(ONE)
    good, bad = read(tmp_path / "box")
    assert bad == []
    assert [path.rpartition("/")[2] for path, _, _ in good] == names


@pytest.mark.parametrize("suffix", COMPRESS)
def test_archives(tmp_path, suffix):
    file = tmp_path / f"mail.{suffix}"
    file.write_bytes(COMPRESS[suffix](tar_of(("a/1.eml", ONE), ("a/2", TWO), ("a/picture.png", b"\x89PNG"))))
    assert read(file) == ([(f"{file}/a/1.eml", 0, ONE), (f"{file}/a/2", 0, TWO)], [])


def test_an_archive_with_the_wrong_suffix_is_read_by_what_it_is(tmp_path):
    file = tmp_path / "mail.tar.gz"
    file.write_bytes(lzma.compress(tar_of(("1.eml", ONE))))
    assert read(file) == ([(f"{file}/1.eml", 0, ONE)], [])


def test_links_and_folders_in_an_archive_are_no_messages(tmp_path):
    with tarfile.open(tmp_path / "mail.tar", "w") as tar:
        for name, kind in (("folder", tarfile.DIRTYPE), ("link.eml", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    good, bad = read(tmp_path / "mail.tar")
    assert bad == []
    assert all(data == b"" for _, _, data in good)


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"])
@pytest.mark.parametrize("damage", ["empty", "junk", "cut"])
def test_a_damaged_archive_is_said_to_be_so(tmp_path, suffix, damage):
    whole = COMPRESS[suffix](tar_of(*((f"{n}.eml", ONE + os.urandom(40000).hex().encode()) for n in range(3))))
    data = {"empty": b"", "junk": b"no archive, sorry", "cut": whole[: len(whole) // 2]}[damage]
    file = tmp_path / f"mail.{suffix}"
    file.write_bytes(data)
    good, bad = read(file)
    assert len(good) < 3
    assert len(bad) == 1
    assert bad[0].startswith(f"{file}: ")


@pytest.mark.parametrize("magic", [b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"])
def test_a_broken_stream_behind_a_good_start(tmp_path, magic):
    file = tmp_path / "mail.tar"
    file.write_bytes(magic + b"\xaa" * 100)
    good, bad = read(file)
    assert good == []
    assert len(bad) == 1


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_checksum_that_is_wrong_is_said(tmp_path, suffix):
    """The message comes out, altered; the stream's own checksum tells (RFC 1952 2.3.1)."""
    data = bytearray(COMPRESS[suffix](tar_of(("1.eml", ONE))))
    if suffix == "tar.gz":
        data[-6] ^= 1  # CRC32
    elif suffix == "tar.bz2":
        data[-2] ^= 1  # the stream's CRC
    else:
        data[-30] ^= 1  # the index
    (tmp_path / f"mail.{suffix}").write_bytes(data)
    assert len(read(tmp_path / f"mail.{suffix}")[1]) == 1


def test_a_damaged_header_in_the_middle_does_not_end_the_archive_in_silence(tmp_path):
    data = bytearray(tar_of(("1.eml", ONE), ("2.eml", ONE), ("3.eml", ONE)))
    data[2 * 512 + 148 : 2 * 512 + 154] = b"777777"  # the second header's checksum
    (tmp_path / "mail.tar").write_bytes(data)
    good, bad = read(tmp_path / "mail.tar")
    assert len(good) == 1
    assert len(bad) == 1


def test_a_path_that_is_not_there(tmp_path):
    assert read(tmp_path / "none") == ([], [f"{tmp_path}/none: No such file or directory"])
    assert len(read(tmp_path / "none.tar")[1]) == 1


@contextmanager
def nobody():
    """Without root's rights to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_is_said_and_the_rest_goes_on():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "closed").mkdir(mode=0o000)
        (folder / "secret.eml").write_bytes(ONE)
        (folder / "secret.eml").chmod(0o000)
        (folder / "z.eml").write_bytes(TWO)
        with nobody():
            good, bad = read(folder)
            below, above = read(folder / "closed" / "x.eml")
        (folder / "closed").chmod(0o755)
    assert [data for _, _, data in good] == [TWO]
    assert sorted(bad) == [f"{folder}/closed: Permission denied", f"{folder}/secret.eml: Permission denied"]
    assert (below, above) == ([], [f"{folder}/closed/x.eml: Permission denied"])


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"a: b\n\nc\n", b"a: b\r\n\r\nc\r\n"), (b"a: b\r\n\r\nc\r\n", b"a: b\r\n\r\nc\r\n"), (b"", b"")],
)
def test_wire_form(data, expected):
    assert wire_form(data) == expected


def test_a_mixture_of_line_ends_stays_as_it_is():
    """A lone line feed in a message with CRLF is a finding; mending it here would hide it."""
    assert wire_form(b"a: b\r\n\r\nc\nd\r\n") == b"a: b\r\n\r\nc\nd\r\n"
