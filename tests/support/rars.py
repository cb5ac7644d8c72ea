"""RAR archives made by hand, not compressed, encrypted as RAR does it: nothing free writes them.

Keys by plain loops, after RARLAB's "RAR 5.0 archive format" and "technote.txt".
"""

import hashlib
import hmac
import struct
import zlib
from functools import cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sekisho.parse.unpack.archive.library import Reader

RAR_5 = b"Rar!\x1a\x07\x01\0"
RAR_4 = b"Rar!\x1a\x07\0"
SALT = bytes(range(16))
VECTOR = bytes(range(100, 116))
POWER = 4


def seal(key, vector, plain):
    """AES in CBC mode, padded with zeros."""
    engine = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return engine.update(plain + bytes(-len(plain) % 16))


def vint(value):
    octets = b""
    while value > 127:
        octets, value = octets + bytes([value & 127 | 128]), value >> 7
    return octets + bytes([value])


def checked(block):
    """A header of RAR 5 with size and checksum in front."""
    sized = vint(len(block)) + block
    return zlib.crc32(sized).to_bytes(4, "little") + sized


def header_5(kind, fields, *, extra=b"", data=None, flags=0):
    flags |= bool(extra) | 2 * (data is not None)
    sizes = (vint(len(extra)) if extra else b"") + (b"" if data is None else vint(len(data)))
    return checked(vint(kind) + vint(flags) + sizes + fields + extra)


@cache
def pbkdf2(password, salt, rounds):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)


def check_of(password, salt=SALT, power=POWER):
    """Eight octets of PBKDF2 with 32 rounds more, and the start of their hash."""
    words = struct.unpack("<4Q", pbkdf2(password, salt, (1 << power) + 32))
    value = (words[0] ^ words[1] ^ words[2] ^ words[3]).to_bytes(8, "little")
    return value + hashlib.sha256(value).digest()[:4]


def tweaked_crc(content, password, salt=SALT, power=POWER):
    key = pbkdf2(password, salt, (1 << power) + 16)
    made = hmac.digest(key, zlib.crc32(content).to_bytes(4, "little"), "sha256")
    value = 0
    for word in struct.unpack("<8I", made):
        value ^= word
    return value


def encryption_5(password, *, power=POWER, check=True, tweaked=False, version=0):
    """The encryption record of a file."""
    record = vint(1) + vint(version) + vint(check | 2 * tweaked) + bytes([power]) + SALT + VECTOR
    if check:
        record += check_of(password, power=min(power, POWER))
    return vint(len(record)) + record


def file_5(name, content, password=None, *, check=True, tweaked=False, flags=0, solid=False, kind=2, **more):
    """Header and data of a stored file; kind 3 is a comment and the like."""
    data, extra, crc = content, b"", zlib.crc32(content)
    if password is not None:
        data = seal(pbkdf2(password, SALT, 1 << POWER), VECTOR, content)
        extra = encryption_5(password, check=check, tweaked=tweaked, **more)
        crc = tweaked_crc(content, password) if tweaked else crc
    raw = name.encode()
    fields = vint(4) + vint(len(content)) + vint(0) + crc.to_bytes(4, "little")
    fields += vint(64 * solid) + vint(1) + vint(len(raw)) + raw
    return header_5(kind, fields, extra=extra, data=data, flags=flags), data


def rar_5(*files, password=None, check=True, power=POWER, main=b"\0", end=True, version=0):
    """An archive of what `file_5` gives; with a password its headers are encrypted."""
    blocks = [(header_5(1, main), b""), *files]
    if end:
        blocks.append((header_5(5, b"\0"), b""))
    if password is None:
        return RAR_5 + b"".join(head + data for head, data in blocks)
    fields = vint(version) + vint(check) + bytes([power]) + SALT + (check_of(password, power=power) if check else b"")
    key = pbkdf2(password, SALT, 1 << power)
    sealed = (VECTOR + seal(key, VECTOR, head) + data for head, data in blocks)
    return RAR_5 + header_5(4, fields) + b"".join(sealed)


@cache
def key_4(password, salt):
    """Key and first block by a loop over all rounds."""
    seed, digest, vector = password.encode("utf-16-le") + salt, hashlib.sha1(), b""
    for number in range(1 << 18):
        digest.update(seed + number.to_bytes(4, "little")[:3])
        if number % (1 << 14) == 0:
            vector += digest.copy().digest()[19:]
    return struct.pack(">4I", *struct.unpack("<4I", digest.digest()[:16])), vector


def header_4(kind, flags, fields):
    block = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    return (zlib.crc32(block) & 0xFFFF).to_bytes(2, "little") + block


def file_4(name, content, password=None, *, flags=0, salt=SALT[:8], large=False, version=29):
    """Header and data of a stored file."""
    data, raw, flags = content, name.encode("cp932"), flags | 0x8000
    if password is not None:
        data, flags = seal(*key_4(password, salt or b""), content), flags | 4 | 0x400 * bool(salt)
    fields = struct.pack(
        "<IIBIIBBHI", len(data), len(content), 2, zlib.crc32(content), 0, version, 0x30, len(raw), 0x20
    )
    if large:
        fields, flags = fields + bytes(8), flags | 0x100
    fields += raw + (salt if flags & 0x400 else b"")
    return header_4(0x74, flags, fields), data


def rar_4(*files, password=None, flags=0, salts=(SALT[:8],), end=True):
    """An archive of what `file_4` gives; with a password its headers are encrypted, with these salts in turn."""
    main = header_4(0x73, flags | 0x80 * (password is not None), bytes(6))
    blocks = [*files, (header_4(0x7B, 0x4000, b""), b"")] if end else files
    if password is None:
        return RAR_4 + main + b"".join(head + data for head, data in blocks)
    sealed = b""
    for number, (head, data) in enumerate(blocks):
        salt = salts[number % len(salts)]
        sealed += salt + seal(*key_4(password, salt), head) + data
    return RAR_4 + main + sealed


def unpacked(archive, formats):
    """Names and contents, by libarchive."""
    with Reader(archive, formats) as reader:
        return [
            (member.name, b"".join(reader.data()) if member.kind == "file" else b"") for member in reader.members()
        ]


def written(version, content, password=None):
    """The archive that the parts make which `version` reads from `content`, decrypted."""
    contents = version.contents(password)
    pieces = [contents.front]
    for member in contents.members:
        data = content[member.start : member.start + member.packed]
        if member.lock:
            data = version.decrypted(member, member.lock, password)
        pieces += version.head(member, len(data)), data
    return b"".join((*pieces, contents.back))
