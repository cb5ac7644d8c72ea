import contextlib
import random
import struct
import zlib

import pytest
from support.disks import dynamic_vhd, fixed_vhd, placed, vhdx, vmdk
from support.opened_file import NAMED_ERRORS, opening_of

from sekisho.parse.unpack.disk import virtual_disk
from sekisho.parse.unpack.disk.virtual_disk import RawDisk, Slice
from sekisho.parse.unpack.opening import CorruptError, OverLimitError

DISK = placed(12_000, s0=b"first", s300=b"\x01" * 300_000, s7000=bytes(range(256)) * 100, s11990=b"last")


def deflated(data):
    return zlib.compress(data)


def budget():
    return opening_of(b"").budget


IMAGES = {
    "fixed": lambda: virtual_disk.vhd(fixed_vhd(DISK)),
    "dynamic": lambda: virtual_disk.vhd(dynamic_vhd(DISK)),
    "vhdx": lambda: virtual_disk.vhdx(vhdx(DISK)),
    "vmdk": lambda: virtual_disk.vmdk(vmdk(DISK), budget()),
    "packed vmdk": lambda: virtual_disk.vmdk(vmdk(DISK, packed=deflated), budget()),
}


@pytest.mark.parametrize("image", IMAGES)
def test_every_place_reads_as_on_the_disk(image):
    disk = IMAGES[image]()
    chance = random.Random(0)
    assert disk.read(0, disk.size) == DISK[: disk.size]
    assert DISK[disk.size :].strip(b"\0") == b""
    for _ in range(200):
        at, count = chance.randrange(disk.size), chance.randrange(200_000)
        assert disk.read(at, count) == DISK[at : min(at + count, disk.size)]


def test_slices():
    disk = Slice(RawDisk(b"0123456789"), 4, 100)
    assert (disk.size, disk.read(0, 3), disk.read(4, 99), disk.read(6, 1), disk.read(9, 9)) == (
        6,
        b"456",
        b"89",
        b"",
        b"",
    )
    assert Slice(RawDisk(b"0123456789"), 20, 5).size == 0


def test_a_size_of_terabytes_is_not_laid_out():
    image = bytearray(dynamic_vhd(DISK))
    image[40:56] = image[-472:-456] = struct.pack(">QQ", 1 << 46, 1 << 46)
    disk = virtual_disk.vhd(bytes(image))
    assert disk.read(0, 5) == b"first"
    assert disk.size < len(DISK) + (1 << 16)


def test_a_table_of_millions_of_blocks_is_corrupt():
    image = bytearray(dynamic_vhd(bytes(512), block=512).ljust(20_000_000, b"\1")) + dynamic_vhd(bytes(512))[-512:]
    image[512 + 28 : 512 + 32] = struct.pack(">I", 5_000_000)
    with pytest.raises(CorruptError):
        virtual_disk.vhd(bytes(image))


def test_a_grain_that_says_more_than_it_is_counts():
    image = vmdk(placed(2000, s0=b"x"), packed=lambda data: zlib.compress(bytes(50_000_000)))
    disk = virtual_disk.vmdk(image, opening_of(b"", unpacked_bytes=10_000).budget)
    with pytest.raises(OverLimitError):
        disk.read(0, 10)


def test_other_forms_of_vmware_are_told_apart():
    assert virtual_disk.vmdk(b"# Disk DescriptorFile\n".ljust(600), budget()) is None
    assert virtual_disk.vmdk(b"COWD".ljust(600), budget()) is None


@pytest.mark.parametrize("read", [virtual_disk.vhd, virtual_disk.vhdx])
@pytest.mark.parametrize("content", [b"", b"conectix", b"vhdxfile", b"conectix" + bytes(504), bytes(300_000)])
def test_what_is_cut_off_is_corrupt(read, content):
    with pytest.raises(CorruptError):
        read(content)


@pytest.mark.parametrize("made", [dynamic_vhd, vhdx, vmdk, lambda disk: vmdk(disk, packed=deflated)])
def test_mutations_end_in_named_errors(made):
    image = made(placed(3000, s0=b"first", s900=b"x" * 3000))
    places = [n for n, octet in enumerate(image) if octet][:3000]
    chance = random.Random(6)
    for _ in range(200):
        data = bytearray(image)
        for _ in range(chance.choice((1, 4))):
            data[chance.choice(places)] = chance.choice((0, 1, 0xFF, chance.randrange(256)))
        with contextlib.suppress(*NAMED_ERRORS):
            reader = {b"vhdx": virtual_disk.vhdx, b"KDMV": lambda c: virtual_disk.vmdk(c, budget())}
            disk = reader.get(image[:4], virtual_disk.vhd)(bytes(data))
            for at in (0, 1 << 16, 900 * 512, 1 << 40):
                if disk is not None:
                    disk.read(at, 70_000)
