"""Disk images, written by hand as the specifications say."""

import struct

SECTOR = 512


def checksum(short):
    total = 0
    for octet in short:
        total = (total >> 1 | (total & 1) << 7) + octet & 0xFF
    return total


def directory_entry(short, attributes, first, size):
    return short.ljust(11) + struct.pack(
        "<BBBHHHHHHHI", attributes, 0, 0, 0, 0, 0, first >> 16, 0, 0, first & 0xFFFF, size
    )


def long_name_entries(name, short):
    """What VFAT puts before an entry: thirteen units each, the last first."""
    units = name.encode("utf-16-le") + b"\0\0"
    units += b"\xff" * (-len(units) % 26)
    pieces = [units[at : at + 26] for at in range(0, len(units), 26)]
    made = b""
    for number in range(len(pieces), 0, -1):
        piece, mark = pieces[number - 1], 0x40 if number == len(pieces) else 0
        made += struct.pack(
            "<B10sBBB12sH4s", number | mark, piece[:10], 0x0F, 0, checksum(short), piece[10:22], 0, piece[22:]
        )
    return made


class Fat:
    """A FAT volume of one-sector clusters: `bits` 12, 16 or 32. `tree` is names and contents, nested."""

    def __init__(self, bits, tree):
        self.bits = bits
        self.clusters = {12: 2000, 16: 6000, 32: 70_000}[bits]
        self.table = [0x0FFFFFF8, 0x0FFFFFFF]
        self.data = bytearray()
        self.shorts = 0
        self.root_entries = 0 if bits == 32 else 64
        if bits == 32:
            self.table.append(0x0FFFFFFF)
            self.data += bytes(SECTOR)
        self.root = self.directory(tree)
        if bits == 32:
            assert len(self.root) <= SECTOR
            self.data[: len(self.root)] = self.root

    def store(self, content):
        if not content:
            return 0
        first = len(self.table)
        count = -(-len(content) // SECTOR)
        self.table += [*range(first + 1, first + count), 0x0FFFFFFF]
        self.data += content + bytes(-len(content) % SECTOR)
        return first

    def directory(self, tree):
        made = b""
        for name, content in tree.items():
            if isinstance(name, bytes):
                short, before = name, b""
            else:
                self.shorts += 1
                short = b"F%07dX  " % self.shorts
                before = long_name_entries(name, short)
            is_directory = isinstance(content, dict)
            inner = self.directory(content) if is_directory else content
            first = self.store(inner + bytes(32) if is_directory else inner)
            made += before + directory_entry(
                short, 0x10 if is_directory else 0x20, first, 0 if is_directory else len(inner)
            )
        return made

    def packed_table(self):
        if self.bits == 32:
            return struct.pack(f"<{len(self.table)}I", *self.table)
        if self.bits == 16:
            return struct.pack(f"<{len(self.table)}H", *(n & 0xFFFF for n in self.table))
        pairs = [*(n & 0xFFF for n in self.table), 0]
        return b"".join((a | b << 12).to_bytes(3, "little") for a, b in zip(pairs[::2], pairs[1::2], strict=False))

    def image(self, *, whole=True):
        table_sectors = -(-(self.clusters + 2) * self.bits // 8 // SECTOR)
        reserved = 32 if self.bits == 32 else 1
        root = self.root_entries * 32
        total = reserved + 2 * table_sectors + root // SECTOR + self.clusters
        small = total if total < 65536 and self.bits != 32 else 0
        boot = b"\xeb\x3c\x90MSDOS5.0" + struct.pack(
            "<HBHBHHBHHHII", SECTOR, 1, reserved, 2, self.root_entries, small, 0xF8,
            0 if self.bits == 32 else table_sectors, 32, 64, 0, 0 if small else total,
        )  # fmt: skip
        if self.bits == 32:
            boot += struct.pack(
                "<IHHIHH12xBBBI11s8s", table_sectors, 0, 0, 2, 1, 6, 0x80, 0, 0x29, 1, b"X" * 11, b"FAT32   "
            )
        else:
            boot += struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 1, b"X" * 11, b"FAT%d   " % self.bits)
        made = boot.ljust(510, b"\0") + b"\x55\xaa" + bytes((reserved - 1) * SECTOR)
        made += self.packed_table().ljust(table_sectors * SECTOR, b"\0") * 2
        if self.bits != 32:
            made += self.root.ljust(root, b"\0")
        made += bytes(self.data)
        return made.ljust(total * SECTOR, b"\0") if whole else made


def mbr_entry(kind, start, count):
    return struct.pack("<B3xB3xII", 0, kind, start, count)


def with_table(*entries):
    """A sector with a partition table."""
    return (bytes(446) + b"".join(entries)).ljust(510, b"\0") + b"\x55\xaa"


def placed(size, **places):
    """So many sectors of zeros with octets at sectors: `s63=b"…"`."""
    made = bytearray(size * SECTOR)
    for key, octets in places.items():
        at = int(key[1:]) * SECTOR
        made[at : at + len(octets)] = octets
    return bytes(made)


def gpt(size, *partitions):
    """A disk with a GUID partition table; partitions are (first sector, octets)."""
    header = struct.pack(
        "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, size - 1, 34, size - 34, bytes(16), 2, 128, 128, 0
    )
    entries = b"".join(
        struct.pack("<16s16sQQQ72x", b"\x01" * 16, b"\x02" * 16, first, first + len(octets) // SECTOR - 1, 0)
        for first, octets in partitions
    )
    table = with_table(mbr_entry(0xEE, 1, size - 1))
    return placed(size, s0=table, s1=header, s2=entries, **{f"s{first}": octets for first, octets in partitions})


def vhd_footer(size, kind, data_at):
    return struct.pack(
        ">8sIIQIIIIQQII", b"conectix", 2, 0x10000, data_at, 0, 0, 0, 0, size, size, 0, kind
    ).ljust(SECTOR, b"\0")  # fmt: skip


def fixed_vhd(disk):
    return disk + vhd_footer(len(disk), 2, 0xFFFFFFFFFFFFFFFF)


def dynamic_vhd(disk, block=1 << 16):
    """Blocks of zeros are not stored; the others stand in reverse order."""
    footer = vhd_footer(len(disk), 3, SECTOR)
    count = -(-len(disk) // block)
    header = struct.pack(">8sQQIII", b"cxsparse", 0xFFFFFFFFFFFFFFFF, 1536, 0x10000, count, block).ljust(1024, b"\0")
    table_size = -(-count * 4 // SECTOR) * SECTOR
    at = 1536 + table_size
    places, body = [0xFFFFFFFF] * count, b""
    for number in reversed(range(count)):
        data = disk[number * block : (number + 1) * block].ljust(block, b"\0")
        if data.strip(b"\0"):
            places[number] = at // SECTOR
            body += b"\xff" * SECTOR + data
            at += SECTOR + block
    return footer + header + struct.pack(f">{count}I", *places).ljust(table_size, b"\xff") + body + footer


def vhdx(disk, block=1 << 20):
    """MS-VHDX: identifier, one region table, table of blocks, metadata, blocks; no log."""
    mib = 1 << 20
    regions = struct.pack("<4sIII", b"regi", 0, 2, 0)
    regions += bytes.fromhex("6677c22d23f600429d64115e9bfd4a08") + struct.pack("<QII", 1 * mib, mib, 1)
    regions += bytes.fromhex("06a27c8b90479a4bb8fe575f050f886e") + struct.pack("<QII", 2 * mib, mib, 1)
    items = {
        "3767a1ca36fa434db3b633f0aa44e76b": struct.pack("<II", block, 0),
        "2442a52f1bcd7648b2115dbed83bf4b8": struct.pack("<Q", len(disk)),
        "1dbf41816fa90947ba47f233a8faab5f": struct.pack("<I", 512),
    }
    metadata, values = struct.pack("<8sHH20x", b"metadata", 0, len(items)), b""
    for guid, value in items.items():
        metadata += bytes.fromhex(guid) + struct.pack("<IIII", 65536 + len(values), len(value), 0, 0)
        values += value
    table, blocks = [], b""
    for number in range(-(-len(disk) // block)):
        data = disk[number * block : (number + 1) * block].ljust(block, b"\0")
        table.append((3 * mib + len(blocks)) | 6 if data.strip(b"\0") else 0)
        blocks += data if data.strip(b"\0") else b""
    made = b"vhdxfile".ljust(192 * 1024, b"\0") + regions
    made = made.ljust(mib, b"\0") + struct.pack(f"<{len(table)}Q", *table)
    return (made.ljust(2 * mib, b"\0") + metadata.ljust(65536, b"\0") + values).ljust(3 * mib, b"\0") + blocks


def vmdk(disk, *, packed=None):
    """The sparse form with 64 KiB grains; `packed` is a function that deflates them."""
    grain, per_table = 128, 512
    grains = -(-len(disk) // (grain * SECTOR))
    directory_at, table_at, at = 2, 3, 3 + 4 * -(-grains // per_table)
    entries, body = [], b""
    for number in range(grains):
        data = disk[number * grain * SECTOR : (number + 1) * grain * SECTOR].ljust(grain * SECTOR, b"\0")
        if not data.strip(b"\0"):
            entries.append(0)
            continue
        if packed:
            deflated = packed(data)
            data = struct.pack("<QI", number * grain, len(deflated)) + deflated
            data += bytes(-len(data) % SECTOR)
        entries.append(at + len(body) // SECTOR)
        body += data
    entries += [0] * (-len(entries) % per_table)
    directory = struct.pack(f"<{len(entries) // per_table}I", *range(table_at, at, 4))
    header = struct.pack(
        "<4sIIQQQQIQQQ",
        b"KDMV",
        1,
        0x10003 if packed else 3,
        len(disk) // SECTOR,
        grain,
        0,
        0,
        per_table,
        0,
        directory_at,
        at,
    )
    return placed(at, s0=header, s2=directory, s3=struct.pack(f"<{len(entries)}I", *entries)) + body
