import contextlib
import random
import shutil
import subprocess
import time
import zlib

import pytest
from support.disks import Fat, dynamic_vhd, fixed_vhd, gpt, mbr_entry, placed, vhdx, vmdk, with_table
from support.opened_file import NAMED_ERRORS, found, opened, opening_of

from sekisho.mail.opened import Attachment, OpenRequest
from sekisho.parse.unpack.disk import image as disk
from sekisho.parse.unpack.run import unpack

FIRST = Fat(12, {"一.txt": b"1"}).image()
SECOND = Fat(16, {"二": {"b.exe": b"MZ" + bytes(100)}}).image()
SECTORS = [len(image) // 512 for image in (FIRST, SECOND)]
SIZE = 20_000


def partitioned():
    """Two FAT volumes and NTFS, the latter two in an extended partition."""
    extended, second = 5000, 5000 + 63 + SECTORS[1] + 100
    return placed(
        SIZE,
        s0=with_table(mbr_entry(1, 63, SECTORS[0]), mbr_entry(5, extended, 12_000)),
        s63=FIRST,
        s5000=with_table(mbr_entry(6, 63, SECTORS[1]), mbr_entry(5, second - extended, 2000)),
        s5063=SECOND,
        **{f"s{second}": with_table(mbr_entry(7, 63, 1000)), f"s{second + 63}": b"\xeb\x52\x90NTFS    "},
    )


def names(opening):
    return [child.name for child in opening.children]


@pytest.mark.parametrize(
    ("step", "image"),
    [
        (disk.open_disk, partitioned),
        (disk.open_vhd, lambda: fixed_vhd(partitioned())),
        (disk.open_vhd, lambda: dynamic_vhd(partitioned())),
        (disk.open_vhdx, lambda: vhdx(partitioned())),
        (disk.open_vmdk, lambda: vmdk(partitioned())),
        (disk.open_vmdk, lambda: vmdk(partitioned(), packed=zlib.compress)),
    ],
)
def test_files_of_all_partitions(step, image):
    opening = opened(step, image(), "image")
    assert names(opening) == ["partition 1/一.txt", "partition 2/二/b.exe"]
    assert [(f.rule, f.path) for f in opening.findings] == [("attachment/unreadable", "image/partition 3")]


def test_a_guid_partition_table():
    opening = opened(disk.open_disk, gpt(SIZE, (100, FIRST), (6000, SECOND)))
    assert names(opening) == ["partition 1/一.txt", "partition 2/二/b.exe"]


def test_an_image_without_partitions():
    assert names(opened(disk.open_disk, FIRST)) == ["一.txt"]


@pytest.mark.parametrize(
    "places",
    [
        {"s0": b"\xeb\x52\x90NTFS    "},
        {"s0": b"\xeb\x76\x90EXFAT   "},
        {"s2": bytes(56) + b"\x53\xef"},
        {"s5": b"rubbish"},
    ],
)
def test_a_file_system_that_is_not_read_is_a_finding(places):
    assert found(opened(disk.open_disk, placed(100, **places))) == {"unreadable": "medium"}


def test_a_chain_of_partition_tables_that_comes_back_ends():
    loop = with_table(mbr_entry(5, 0, 100), mbr_entry(1, 4000, 10))
    image = placed(200, s0=with_table(mbr_entry(5, 10, 100)), s10=loop)
    started = time.monotonic()
    opened(disk.open_disk, image)
    assert time.monotonic() - started < 1


def test_a_broken_partition_does_not_hide_the_next():
    broken = bytearray(FIRST)
    broken[512 + 512 * 6 : 512 * 20] = bytes(512 * 13)
    opening = opening_of(gpt(SIZE, (100, bytes(broken)), (6000, SECOND)))
    with contextlib.suppress(*NAMED_ERRORS):
        disk.open_disk(opening)
    assert "partition 2/二/b.exe" in names(opening)


def test_every_image_is_a_finding_once_and_its_files_are_opened():
    seen = unpack(OpenRequest((Attachment("1", "a.img", "", SECOND), Attachment("2", "a.txt", "", b"hello"))))
    assert [(f.rule, f.severity.word, f.path) for f in seen.findings if f.rule == "attachment/disk-image"] == [
        ("attachment/disk-image", "medium", "a.img")
    ]
    assert [(file.path, file.kind) for file in seen.files] == [
        ("a.img", "disk"),
        ("a.img/二/b.exe", "exe"),
        ("a.txt", "text"),
    ]


def test_images_that_are_only_known():
    assert found(opened(disk.open_other_image, b"koly")) == {"unreadable": "medium"}
    assert found(opened(disk.open_vmdk, b"# Disk DescriptorFile")) == {"unreadable": "medium"}


@pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img (qemu-utils) is not installed")
@pytest.mark.parametrize(
    ("step", "options"),
    [
        (disk.open_vhd, ["vpc", "-o", "subformat=fixed"]),
        (disk.open_vhd, ["vpc", "-o", "subformat=dynamic"]),
        (disk.open_vhdx, ["vhdx"]),
        (disk.open_vmdk, ["vmdk"]),
        (disk.open_vmdk, ["vmdk", "-o", "subformat=streamOptimized"]),
    ],
)
def test_what_qemu_makes(tmp_path, step, options):
    (tmp_path / "raw").write_bytes(partitioned())
    command = ["qemu-img", "convert", "-f", "raw", "-O", *options, "raw", "made"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    opening = opened(step, (tmp_path / "made").read_bytes())
    assert names(opening) == ["partition 1/一.txt", "partition 2/二/b.exe"]


def test_mutations_end_in_named_errors_and_in_time():
    image = partitioned()
    places = [n for n, octet in enumerate(image) if octet]
    chance = random.Random(8)
    for _ in range(60):
        data = bytearray(image)
        for _ in range(chance.choice((1, 4, 20))):
            data[chance.choice(places)] = chance.randrange(256)
        started = time.monotonic()
        with contextlib.suppress(*NAMED_ERRORS):
            opened(disk.open_disk, bytes(data))
        assert time.monotonic() - started < 5
