"""Zips made by hand, right and wrong: the standard library writes only right ones."""

import io
import struct
import zipfile
import zlib

import pyzipper


def plain(files, compression=zipfile.ZIP_DEFLATED):
    """A zip of these names and contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def aes(files, password, compression=zipfile.ZIP_DEFLATED, bits=256):
    """A zip with AES, by pyzipper."""
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", compression=compression, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password)
        archive.setencryption(pyzipper.WZ_AES, nbits=bits)
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def deflate(content):
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return engine.compress(content) + engine.flush()


def local(name, data, *, size=None, crc=0, method=0, flags=0, packed=None, extra=b""):
    """A local header with its data."""
    packed = len(data) if packed is None else packed
    size = packed if size is None else size
    head = struct.pack(
        "<4sHHHHHIIIHH", b"PK\3\4", 20, flags, method, 0, 0x21, crc, packed, size, len(name), len(extra)
    )
    return head + name + extra + data


def central(name, offset, *, packed, size, crc=0, method=0, flags=0, extra=b"", mode=0):
    """An entry of the directory."""
    return (
        struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 0x31E, 20, flags, method, 0, 0x21, crc, packed, size, len(name),
                    len(extra), 0, 0, 0, mode << 16, offset) + name + extra
    )  # fmt: skip


def end(count, size, offset, comment=b""):
    """The end record."""
    return struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, size, offset, len(comment)) + comment


def by_hand(members, *, claimed=None):
    """A zip of (local octets, name, keywords of `central`); `claimed` is the count in the end record."""
    body, directory = b"", b""
    for octets, name, more in members:
        directory += central(name, len(body), **more)
        body += octets
    return body + directory + end(len(members) if claimed is None else claimed, len(directory), len(body))


def one(name=b"a.txt", content=b"hello", *, local_name=None, **more):
    """One stored member; the local header may call it otherwise."""
    crc = zlib.crc32(content)
    octets = local(name if local_name is None else local_name, content, crc=crc)
    return by_hand([(octets, name, {"packed": len(content), "size": len(content), "crc": crc, **more})])


def overlapping(count, size):
    """Every member quotes the headers of those after it: one kernel, unpacked `count` times (Fifield 2019)."""
    zeros = bytes(size)
    kernel, crc = deflate(zeros), zlib.crc32(zeros)
    names = [b"%04d" % n for n in range(count)]
    body = local(names[-1], kernel, size=size, crc=crc, method=8)
    members = [(names[-1], len(body), len(kernel), size, crc)]
    content = zeros
    for name in reversed(names[:-1]):
        quoted = members[0]
        head = body[: 30 + len(quoted[0])]
        content = head + content
        data = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF)
        packed = len(data) + len(head) + members[0][2]
        crc = zlib.crc32(content)
        body = local(name, data, size=len(content), crc=crc, method=8, packed=packed) + body
        members.insert(0, (name, len(body), packed, len(content), crc))
    directory = b"".join(
        central(name, len(body) - behind, packed=packed, size=size, crc=crc, method=8)
        for name, behind, packed, size, crc in members
    )
    return body + directory + end(count, len(directory), len(body))


def zip_crypto(files, password):
    """A zip with the old encryption, stored; the standard library reads it back."""
    members = []
    for name, content in files.items():
        crc = zlib.crc32(content)
        keys = _Keys(password)
        sealed = bytes(keys.seal(octet) for octet in bytes(range(11)) + bytes([crc >> 24]) + content)
        octets = local(name.encode(), sealed, size=len(content), crc=crc, flags=1)
        more = {"packed": len(sealed), "size": len(content), "crc": crc, "flags": 1}
        members.append((octets, name.encode(), more))
    return by_hand(members)


class _Keys:
    """APPNOTE 6.1.5, with the checksum by zlib."""

    def __init__(self, password):
        self.one, self.two, self.three = 0x12345678, 0x23456789, 0x34567890
        for octet in password:
            self._update(octet)

    def _update(self, octet):
        self.one = zlib.crc32(bytes([octet]), self.one ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
        self.two = ((self.two + (self.one & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        self.three = zlib.crc32(bytes([self.two >> 24]), self.three ^ 0xFFFFFFFF) ^ 0xFFFFFFFF

    def seal(self, octet):
        mixed = self.three | 2
        sealed = octet ^ (mixed * (mixed ^ 1) >> 8 & 0xFF)
        self._update(octet)
        return sealed


def quine():
    """A zip that holds itself, but for its checksum.

    A deflate program of literal and repeat blocks that prints itself with what stands before and behind it, after
    the idea in "Zip Files All The Way Down" (Cox 2010).
    """
    name = b"quine-quine-quine-quine-qu.zip"  # so long that repeating the header takes five octets as all others do
    packed = size = 0
    for _ in range(2):  # the sizes are part of what is printed, but do not change its length
        head = local(name, b"", size=size, packed=packed, method=8)
        directory = central(name, 0, packed=packed, size=size, method=8)
        tail = directory + end(1, len(directory), len(head) + packed)
        program = _self_printing(head, tail)
        packed, size = len(program), len(head + program + tail)
    return head + program + tail


def _self_printing(head, tail):
    one, four, none, lead = _literal(5), _literal(20), _literal(0), _literal(len(head) + 5)
    again = _octets(_block(_match(len(head) + 5, len(head) + 5)) + _block(""))
    same = _octets(_block(_match(10, 20) + _match(10, 20)))
    last = _octets(_block(_match(4 + len(tail), 4 + len(tail)), final="1"))
    assert (len(again), len(same), len(last)) == (5, 5, 4)
    behind = same + none + none + _literal(len(last + tail))
    return (
        lead + head + lead + again + one + again + one + one + four + again + one + one + four
        + same + four + same + four + same + four + same + four + behind + behind + last + tail + last
    )  # fmt: skip


def _literal(size):
    """The head of a stored block (RFC 1951 3.2.4)."""
    return struct.pack("<BHH", 0, size, size ^ 0xFFFF)


def _block(symbols, final="0"):
    """The bits of a block with fixed codes (RFC 1951 3.2.6), in their order in the stream."""
    return final + "10" + symbols + "0000000"


def _match(length, distance):
    """The bits of a match: the largest code below, and extra bits from the least (RFC 1951 3.2.5)."""
    bits = ""
    for value, bases, width, first in ((length, _LENGTHS, 7, 1), (distance, _DISTANCES, 5, 0)):
        code, (base, extra) = next((n, b) for n, b in reversed(list(enumerate(bases))) if b[0] <= value)
        bits += format(code + first, f"0{width}b") + format(value - base, f"0{extra}b")[::-1][:extra]
    return bits


def _bases(first, run, start):
    """Smallest values and numbers of extra bits: `run` codes for each number of bits."""
    bases, value = [], start
    for code in range(first):
        extra = max(0, code // run - 1)
        bases.append((value, extra))
        value += 1 << extra
    return bases


_LENGTHS = _bases(24, 4, 3)
_DISTANCES = _bases(30, 2, 1)


def _octets(bits):
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
