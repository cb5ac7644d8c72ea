import bz2
import contextlib
import random
import shutil
import subprocess
import time
import zlib
from base64 import encodebytes

import pytest
from support.opened_file import NAMED_ERRORS, opened

from sekisho.parse.unpack.mail.pgp import open_pgp
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, OverLimitError

GPG = shutil.which("gpg")


def new(tag, body):
    """A packet in the current format (RFC 9580 4.2.1)."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def old(tag, body):
    """A packet in the legacy format (RFC 9580 4.2.2)."""
    return bytes([0x80 | tag << 2 | 1]) + len(body).to_bytes(2, "big") + body


def partial(tag, body):
    """A packet in pieces of 512 octets and a last one of less than 192 (RFC 9580 4.2.1.4)."""
    made = bytes([0xC0 | tag])
    while len(body) >= 512:
        made += bytes([224 + 9]) + body[:512]
        body = body[512:]
    return made + bytes([len(body)]) + body


def literal(content, name=b"list.xlsx"):
    return b"b" + bytes([len(name)]) + name + bytes(4) + content


def armoured(data, kind="MESSAGE"):
    return (
        f"-----BEGIN PGP {kind}-----\nVersion: 1\n\n".encode()
        + encodebytes(data)
        + f"=AbCd\n-----END PGP {kind}-----\n".encode()
    )


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


CONTENT = b"PK\x03\x04" + bytes(640)
SIGNED = new(4, bytes(13)) + new(11, literal(CONTENT)) + new(2, bytes(60))


@pytest.mark.parametrize(
    "data",
    [
        SIGNED,
        old(11, literal(CONTENT)),
        partial(11, literal(CONTENT)),
        old(8, b"\x01" + deflated(SIGNED)),
        new(8, b"\x02" + zlib.compress(SIGNED)),
        b"\xa3\x03" + bz2.compress(SIGNED),
        new(8, b"\x00" + SIGNED),
    ],
    ids=["signed", "legacy", "partial", "zip", "zlib", "bzip2 to the end", "stored"],
)
@pytest.mark.parametrize("wrap", [lambda data: data, armoured, lambda data: b"Hello\n\n" + armoured(data)])
def test_what_is_only_signed_or_compressed_is_taken_out(data, wrap):
    opening = opened(open_pgp, wrap(data), "list.xlsx.gpg")
    assert [(child.name, child.content) for child in opening.children] == [("list.xlsx", CONTENT)]


@pytest.mark.parametrize("tag", [1, 3, 9, 18, 20])
@pytest.mark.parametrize("wrap", [lambda data: data, armoured])
def test_what_is_encrypted(tag, wrap):
    with pytest.raises(EncryptedError):
        opened(open_pgp, wrap(new(tag, bytes(80))))


@pytest.mark.parametrize("kind", ["PUBLIC KEY BLOCK", "PRIVATE KEY BLOCK", "SIGNATURE", "SIGNED MESSAGE"])
def test_keys_and_signatures_are_left_alone(kind):
    opening = opened(open_pgp, armoured(new(6, bytes(80)), kind))
    assert (opening.children, opening.findings) == ([], [])


def test_a_file_without_a_name():
    opening = opened(open_pgp, new(11, literal(b"x", b"")), "報告.docx.pgp")
    assert opening.children[0].name == "報告.docx"


@pytest.mark.skipif(GPG is None, reason="gpg is not installed")
@pytest.mark.parametrize(
    "options", [[], ["--armor"], ["-z0"], ["--compress-algo", "bzip2"], ["--compress-algo", "zlib"]]
)
def test_what_gnupg_packs(tmp_path, options):
    content = CONTENT * 300
    (tmp_path / "list.xlsx").write_bytes(content)
    command = [
        GPG,
        "--homedir",
        tmp_path,
        "--batch",
        "--no-options",
        *options,
        "--output",
        "-",
        "--store",
        "list.xlsx",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    opening = opened(open_pgp, done.stdout, "a.gpg")
    assert [(child.name, child.content) for child in opening.children] == [("list.xlsx", content)]


def test_bombs_stop():
    bomb = new(8, b"\x03" + bz2.compress(bytes(60_000_000)))
    with pytest.raises(OverLimitError):
        opened(open_pgp, bomb)
    nested = SIGNED
    for _ in range(10):
        nested = new(8, b"\x02" + zlib.compress(nested))
    with pytest.raises(CorruptError):
        opened(open_pgp, nested)


def test_a_packet_in_millions_of_pieces_stops():
    started = time.monotonic()
    with pytest.raises(CorruptError):
        opened(open_pgp, b"\xcb" + b"\xe0x" * 5_000_000 + b"\x00")
    assert time.monotonic() - started < 2


def test_mutations_end_in_named_errors():
    chance = random.Random(4)
    for _ in range(500):
        data = bytearray(new(8, b"\x02" + zlib.compress(SIGNED)) if chance.random() < 0.5 else SIGNED)
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with contextlib.suppress(NAMED_ERRORS):
            opened(open_pgp, bytes(data))
