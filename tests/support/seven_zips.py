"""7z archives by py7zr, and by hand what it does not make."""

import hashlib
import io
import zlib

import py7zr
from tests.support.rars import VECTOR, seal

AES = {"id": py7zr.FILTER_CRYPTO_AES256_SHA256}


def written(files, password=None, filters=None, *, header_encryption=False):
    """An archive of these names and contents, in one folder."""
    out = io.BytesIO()
    with py7zr.SevenZipFile(
        out, "w", password=password, filters=filters, header_encryption=header_encryption
    ) as made:
        for name, content in files.items():
            made.writestr(content, name)
    return out.getvalue()


def read(content, password=None):
    """Names and contents, by py7zr."""
    factory = py7zr.io.BytesIOFactory(1 << 30)
    with py7zr.SevenZipFile(io.BytesIO(content), password=password) as archive:
        archive.extractall(factory=factory)
    return {name: made.read() for name, made in factory.products.items()}


def key(password, salt, power):
    if power == 63:
        return (salt + password.encode("utf-16-le")).ljust(32, b"\0")[:32]
    digest = hashlib.sha256()
    for number in range(1 << power):
        digest.update(salt + password.encode("utf-16-le") + number.to_bytes(8, "little"))
    return digest.digest()


def number(value):
    return bytes([value]) if value < 128 else b"\xff" + value.to_bytes(8, "little")


def whole(packed, header):
    start = len(packed).to_bytes(8, "little") + len(header).to_bytes(8, "little")
    start += zlib.crc32(header).to_bytes(4, "little")
    return b"7z\xbc\xaf\x27\x1c\0\4" + zlib.crc32(start).to_bytes(4, "little") + start + packed + header


def by_hand(*folders, encrypted=None):
    """An archive of `folder`s of one file each; `encrypted` is the same of the list of files: password, power."""
    packed = b"".join(sealed for _, sealed, _, _ in folders)
    names = b"".join(name.encode("utf-16-le") + b"\0\0" for name, _, _, _ in folders)
    header = b"\x01\x04" + _streams(folders, 0) + b"\x08\x00\x00"
    header += b"\x05" + number(len(folders)) + b"\x11" + number(len(names) + 1) + b"\0" + names + b"\0\0"
    if encrypted:
        sealed = folder("", header, *encrypted)
        header = b"\x17" + _streams([sealed], len(packed)) + b"\x00"
        packed += sealed[1]
    return whole(packed, header)


def in_one_folder(files, password, power=4):
    """An archive of one folder that holds these names and contents, each with its checksum."""
    content = b"".join(files.values())
    sealed = folder("", content, password, power)
    names = b"".join(name.encode("utf-16-le") + b"\0\0" for name in files)
    sizes = [number(len(file)) for file in files.values()][:-1]
    checksums = (zlib.crc32(file).to_bytes(4, "little") for file in files.values())
    header = b"\x01\x04" + _streams([sealed], 0)
    header += b"".join((b"\x08\x0d", number(len(files)), b"\x09", *sizes, b"\x0a\x01", *checksums, b"\0\0"))
    header += b"\x05" + number(len(files)) + b"\x11" + number(len(names) + 1) + b"\0" + names + b"\0\0"
    return whole(sealed[1], header)


def folder(name, content, password=None, power=4, *, salt=b"", properties=None):
    """Name, packed octets, description and content of a folder that is not compressed."""
    if password is None:
        return name, content, b"\x01\x01\x00", content
    if properties is None:
        properties = bytes([0xC0 if salt else 0x40, 0x0F]) if not salt else bytes([0xC0, (len(salt) - 1) << 4 | 15])
        properties = bytes([properties[0] | power, properties[1]]) + salt + VECTOR
    sealed = seal(key(password, salt, power if power <= 19 or power == 63 else 4), VECTOR, content)
    return name, sealed, b"\x01\x24\x06\xf1\x07\x01" + number(len(properties)) + properties, content


def _streams(folders, position):
    return b"".join((
        b"\x06", number(position), number(len(folders)), b"\x09", *(number(len(f[1])) for f in folders), b"\x00",
        b"\x07\x0b", number(len(folders)), b"\0", *(f[2] for f in folders), b"\x0c",
        *(number(len(f[3])) for f in folders), b"\x0a\x01",
        *(zlib.crc32(f[3]).to_bytes(4, "little") for f in folders), b"\x00",
    ))  # fmt: skip
