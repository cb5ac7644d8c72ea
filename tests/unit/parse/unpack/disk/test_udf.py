import contextlib
import random
import shutil
import struct
import subprocess
import time

import pytest
from support.opened_file import NAMED_ERRORS, opened, opening_of

from sekisho.parse.unpack.disk.image import open_udf
from sekisho.parse.unpack.opening import CorruptError

BLOCK = 2048
START = 270  # of the partition
BIG = bytes(range(256)) * 40


def tagged(identifier, body):
    """A descriptor with its tag (ECMA-167 3/7.2)."""
    tag = bytearray(struct.pack("<HHBBHHHI", identifier, 2, 0, 0, 1, 0, len(body), 0))
    tag[4] = sum(tag) & 0xFF
    return bytes(tag) + body


def long_ad(block, length=BLOCK, reference=0):
    return struct.pack("<IIH6x", length, block, reference)


def file_entry(kind, size, form, descriptors, *, extended=False):
    """ECMA-167 4/14.9 and 4/14.17, with extended attributes of eight octets."""
    icb = struct.pack("<IHHHBB6sH", 0, 4, 0, 1, 0, kind, b"", form)
    body = icb + bytes(20) + struct.pack("<Q", size)
    body += bytes(216 - 8 - 16 - len(body) if extended else 176 - 8 - 16 - len(body))
    body += struct.pack("<II", 8, len(descriptors)) + bytes(8) + descriptors
    return tagged(266 if extended else 261, body)


def identifier(name, block, traits=0):
    """ECMA-167 4/14.4."""
    raw = b"\x10" + name.encode("utf-16-be") if name else b""
    body = struct.pack("<HBB", 1, traits, len(raw)) + long_ad(block) + struct.pack("<H", 0) + raw
    return tagged(257, body + bytes(-(len(body) + 16) % 4))


def image(blocks, size=420):
    """A volume whose partition has these blocks; the root directory is in block 1."""
    partition = struct.pack("<IHH32s128sIII", 0, 0, 0, b"+NSR03", b"", 1, START, 100)
    partition = tagged(5, partition.ljust(496, b"\0"))
    logical = bytes(4 + 64 + 128) + struct.pack("<I", BLOCK) + bytes(32) + long_ad(0)
    logical += struct.pack("<II", 6, 1) + bytes(32 + 128 + 8) + struct.pack("<BBHH", 1, 6, 1, 0)
    logical = tagged(6, logical.ljust(496, b"\0"))
    file_set = (bytes(384) + long_ad(1)).ljust(496, b"\0")
    made = bytearray(size * BLOCK)
    places = {
        16: b"\0BEA01\1", 17: b"\0NSR03\1", 18: b"\0TEA01\1", 257: partition, 258: logical,
        259: tagged(8, bytes(496)), 256: tagged(2, struct.pack("<II", 3 * BLOCK, 257).ljust(496, b"\0")),
        START: tagged(256, file_set), **{START + n: content for n, content in blocks.items()},
    }  # fmt: skip
    for place, content in places.items():
        made[place * BLOCK : place * BLOCK + len(content)] = content
    return bytes(made)


def directory(*entries):
    content = identifier("", 1, 8) + b"".join(entries)
    return file_entry(4, len(content), 3, content)


BLOCKS = {
    1: directory(identifier("請求書.txt", 2), identifier("フォルダー", 3), identifier("gone", 2, 4)),
    2: file_entry(5, 5, 3, b"hello"),
    3: directory(identifier("a.exe", 4), identifier("b.bin", 20), identifier("back", 1)),
    4: file_entry(5, len(BIG), 0, struct.pack("<IIII", 4096, 6, len(BIG) - 4096, 10), extended=True),
    6: BIG[:4096],
    10: BIG[4096:],
    20: file_entry(5, 6000, 1, long_ad(22, 2048) + long_ad(0, 2048 | 2 << 30) + long_ad(24, 1904)),
    22: b"x" * 2048,
    24: b"y" * 1904,
}
EXPECTED = {
    "請求書.txt": b"hello",
    "フォルダー/a.exe": BIG,
    "フォルダー/b.bin": b"x" * 2048 + bytes(2048) + b"y" * 1904,
}


def files(opening):
    return {child.name: child.content for child in opening.children}


def test_files_in_all_forms_of_allocation():
    assert files(opened(open_udf, image(BLOCKS))) == EXPECTED


@pytest.mark.skipif(not shutil.which("genisoimage"), reason="genisoimage is not installed")
def test_what_genisoimage_makes(tmp_path):
    for path, content in EXPECTED.items():
        target = tmp_path / "tree" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    command = ["genisoimage", "-quiet", "-udf", "-input-charset", "utf-8", "-o", "made", "tree"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    made = bytearray((tmp_path / "made").read_bytes())
    for sector in range(16, 40):
        if made[sector * BLOCK + 1 : sector * BLOCK + 6] == b"CD001":
            made[sector * BLOCK : (sector + 1) * BLOCK] = bytes(BLOCK)
    assert files(opened(open_udf, bytes(made))) == EXPECTED


def test_what_is_missing_is_corrupt_and_the_rest_is_told():
    opening = opening_of(image({n: block for n, block in BLOCKS.items() if n != 2}))
    with pytest.raises(CorruptError):
        open_udf(opening)
    assert sorted(files(opening)) == sorted(list(EXPECTED)[1:])


@pytest.mark.parametrize("missing", [256, 257, 258, START])
def test_a_volume_without_a_descriptor_is_corrupt(missing):
    content = bytearray(image(BLOCKS))
    content[missing * BLOCK : missing * BLOCK + 16] = bytes(16)
    with pytest.raises(CorruptError):
        opened(open_udf, bytes(content))


def test_descriptors_that_go_on_for_ever_end():
    chain = tagged(258, struct.pack("<II", 0, 8) + struct.pack("<II", 2048 | 3 << 30, 30))
    blocks = BLOCKS | {2: file_entry(5, 1 << 40, 0, struct.pack("<II", 2048 | 3 << 30, 30)), 30: chain}
    started = time.monotonic()
    with contextlib.suppress(*NAMED_ERRORS):
        opened(open_udf, image(blocks))
    assert time.monotonic() - started < 5


def test_mutations_end_in_named_errors_and_in_time():
    whole = image(BLOCKS)
    places = [n for n, octet in enumerate(whole) if octet and n < 275 * BLOCK]
    chance = random.Random(12)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 4, 20))):
            at = chance.choice(places)
            data[at] = chance.choice((0, 1, 0xFF, chance.randrange(256)))
            head = at // BLOCK * BLOCK  # a tag with the right checksum, so that what is behind it is read
            data[head + 4] = sum(data[head : head + 4] + data[head + 5 : head + 16]) & 0xFF
        started = time.monotonic()
        with contextlib.suppress(*NAMED_ERRORS):
            opened(open_udf, bytes(data))
        assert time.monotonic() - started < 5
