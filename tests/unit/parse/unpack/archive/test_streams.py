import bz2
import gzip
import lzma
import os
import zlib

import pytest
from backports import zstd

from sekisho.parse.unpack.archive import streams
from sekisho.parse.unpack.opening import CorruptError

_CONTENT = os.urandom(1_200_000) + b"again " * 200_000


def deflate(content):
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return engine.compress(content) + engine.flush()


_FORMATS = [
    (streams.inflated, deflate),
    (streams.gunzipped, gzip.compress),
    (streams.bunzipped, bz2.compress),
    (streams.unxzed, lzma.compress),
    (streams.unlzmaed, lambda c: lzma.compress(c, lzma.FORMAT_ALONE)),
    (streams.unzstded, zstd.compress),
]


@pytest.mark.parametrize(("stream", "compress"), _FORMATS)
@pytest.mark.parametrize("content", [b"", b"x", _CONTENT])
def test_what_was_compressed(stream, compress, content):
    pieces = list(stream(compress(content)))
    assert b"".join(pieces) == content
    assert all(0 < len(piece) <= streams.PIECE for piece in pieces)


@pytest.mark.parametrize(("stream", "compress"), _FORMATS)
def test_cut_off(stream, compress):
    with pytest.raises(CorruptError):
        b"".join(stream(compress(_CONTENT)[:-20]))


@pytest.mark.parametrize(("stream", "compress"), _FORMATS)
def test_changed_octets(stream, compress):
    packed = bytearray(compress(b"hello " * 5000))
    for at in range(0, len(packed), 3):
        changed = packed.copy()
        changed[at] ^= 0xFF
        try:
            assert (
                len(b"".join(piece for piece, _ in zip(stream(bytes(changed)), range(50), strict=False)))
                <= 50 * streams.PIECE
            )
        except CorruptError:
            continue


@pytest.mark.parametrize(
    ("stream", "compress"), [f for f in _FORMATS if f[0] not in {streams.inflated, streams.unlzmaed}]
)
def test_several_streams_in_a_row(stream, compress):
    assert b"".join(stream(compress(b"one ") + compress(b"two"))) == b"one two"


def test_skippable_frames():
    skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    assert b"".join(streams.unzstded(skipped + zstd.compress(b"x") + skipped)) == b"x"
    assert list(streams.unzstded(b"\x50\x2a\x4d\x18\xff\xff\xff\xff")) == []


def test_a_bomb_comes_in_pieces():
    bomb = gzip.compress(bytes(50_000_000))
    assert len(next(streams.gunzipped(bomb))) == streams.PIECE


def test_a_dictionary_of_four_gigabytes_is_refused():
    with pytest.raises(CorruptError):
        list(streams.unlzmaed(b"\x5d\xff\xff\xff\xff" + b"\xff" * 8 + bytes(100)))


def test_lzma_in_a_zip_with_broken_properties():
    for packed in (b"", b"\x09\x14\x05\x00", b"\x09\x14\xff\xff" + bytes(30)):
        with pytest.raises(CorruptError):
            list(streams.unlzma_zipped(packed, 5))


def test_warm():
    streams.warm()
