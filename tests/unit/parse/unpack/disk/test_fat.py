import contextlib
import os
import random
import shutil
import struct
import subprocess
import time

import pytest
from support.disks import Fat
from support.opened_file import NAMED_ERRORS, opening_of

from sekisho.parse.unpack.disk.fat import FatVolume, is_fat
from sekisho.parse.unpack.disk.virtual_disk import RawDisk
from sekisho.parse.unpack.opening import CorruptError, OverLimitError

BIG = bytes(range(256)) * 50
TREE = {
    "請求書 2026年11月分（控え）.xlsx": b"PK" * 700,
    b"README  TXT": b"hello",
    "フォルダー": {"中": {"長い名前のファイル.exe": BIG}, "empty.txt": b""},
    "😀.txt": b"smile",
}
EXPECTED = {
    "請求書 2026年11月分（控え）.xlsx": b"PK" * 700,
    "README.TXT": b"hello",
    "フォルダー/中/長い名前のファイル.exe": BIG,
    "フォルダー/empty.txt": b"",
    "😀.txt": b"smile",
}
TOOLS = shutil.which("mkfs.fat") and shutil.which("mcopy")


def files(image, **limits):
    opening = opening_of(image, **limits)
    try:
        FatVolume(RawDisk(image), opening.budget).tell(opening)
    finally:
        found = {child.name: child.content for child in opening.children}
    return found


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_files_directories_and_long_names(bits):
    assert files(Fat(bits, TREE).image()) == EXPECTED


@pytest.mark.skipif(not TOOLS, reason="mkfs.fat (dosfstools) or mcopy (mtools) is not installed")
@pytest.mark.parametrize("bits", [12, 16, 32])
def test_what_mkfs_and_mcopy_make(tmp_path, bits):
    tree = tmp_path / "tree"
    for path, content in EXPECTED.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate({12: 2_000_000, 16: 20_000_000, 32: 40_000_000}[bits])
    subprocess.run(["mkfs.fat", "-F", str(bits), "-s", "1", image], check=True, capture_output=True)
    command = ["mcopy", "-s", "-i", image, *tree.iterdir(), "::/"]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
    # mtools cannot write names beyond the first 65,536 characters.
    assert {n: c for n, c in files(image.read_bytes()).items() if c != b"smile"} == {
        n: c for n, c in EXPECTED.items() if c != b"smile"
    }


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("請求書".encode("cp932") + b"  TXT", "請求書.TXT"),
        (b"\x05bcdefghijk", b"\xe5b".decode("cp932") + "cdefgh.ijk"),
        (b"NOEXT      ", "NOEXT"),
    ],
)
def test_short_names(short, name):
    assert list(files(Fat(12, {short: b"x"}).image())) == [name]


def test_a_long_name_that_belongs_to_another_entry_is_not_taken():
    fat = Fat(12, {"long.txt": b"x"})
    fat.root = fat.root[:32] + b"OTHER   EXE" + fat.root[43:]
    assert list(files(fat.image())) == ["OTHER.EXE"]


def test_deleted_files_and_labels_are_left_out():
    fat = Fat(12, {b"GONE    TXT": b"x", b"KEPT    TXT": b"y"})
    label = b"LABEL      " + b"\x08" + bytes(20)
    fat.root = b"\xe5" + fat.root[1:32] + label + fat.root[32:]
    assert files(fat.image()) == {"KEPT.TXT": b"y"}


def test_a_chain_that_ends_too_early_is_corrupt_and_what_is_there_is_told():
    fat = Fat(16, {b"A       BIN": BIG, b"B       BIN": b"y"})
    fat.table[4] = 0x0FFFFFFF
    opening = opening_of(b"")
    with pytest.raises(CorruptError):
        FatVolume(RawDisk(fat.image()), opening.budget).tell(opening)
    assert {c.name: len(c.content) for c in opening.children} == {"A.BIN": 3 * 512, "B.BIN": 1}


def test_loops_end():
    fat = Fat(16, {"d": {"e": {b"A       BIN": BIG}}})
    for at in range(2, len(fat.table)):
        fat.table[at] = at  # every chain comes back to itself
    started = time.monotonic()
    with contextlib.suppress(*NAMED_ERRORS):
        files(fat.image())
    assert time.monotonic() - started < 5


def test_a_directory_that_holds_itself_is_read_once():
    fat = Fat(16, {})
    first = fat.store(bytes(512))
    entry = b"LOOP       " + struct.pack("<B8xH4xHI", 0x10, 0, first, 0)
    fat.data[:64] = entry + b"A       TXT" + struct.pack("<B8xH4xHI", 0x20, 0, 0, 0)
    fat.root = entry
    assert list(files(fat.image())) == ["LOOP/A.TXT"]


def test_cross_linked_files_are_counted_every_time():
    fat = Fat(16, {b"A       BIN": bytes(1_000_000)})
    entry = fat.root[:32]
    fat.root = b"".join(b"A%06d BIN" % n + entry[11:] for n in range(60))
    with pytest.raises(OverLimitError):
        files(fat.image(), unpacked_bytes=5_000_000)


def test_a_size_that_is_not_there_costs_nothing():
    fat = Fat(32, {b"A       BIN": b"x"})
    fat.root = fat.root[:28] + b"\xff\xff\xff\xff" + fat.root[32:]
    fat.data[: len(fat.root)] = fat.root
    opening = opening_of(b"")
    with pytest.raises(CorruptError):
        FatVolume(RawDisk(fat.image()), opening.budget).tell(opening)
    assert len(opening.children[0].content) == 512


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_mutations_end_in_named_errors_and_in_time(bits):
    image = Fat(bits, TREE).image(whole=False)
    places = [n for n, octet in enumerate(image) if octet]
    chance = random.Random(bits)
    for _ in range(150):
        data = bytearray(image)
        for _ in range(chance.choice((1, 4, 20))):
            data[chance.choice(places)] = chance.choice((0, 1, 0xFF, 0x10, chance.randrange(256)))
        started = time.monotonic()
        with contextlib.suppress(*NAMED_ERRORS):
            files(bytes(data))
        assert time.monotonic() - started < 5


def test_other_sectors_are_no_fat():
    assert not is_fat(b"")
    assert not is_fat(bytes(512))
    assert not is_fat(b"\xff" * 512)
