import bz2
import gzip
import lzma
import os
import zlib

import pytest
from backports import zstd

from sekisho.parse.unpack.archive import streams
from sekisho.parse.unpack.opening import CorruptError, UnreadableError

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
    assert all(len(piece) <= streams.PIECE for piece in pieces)


@pytest.mark.parametrize(("stream", "compress"), _FORMATS)
def test_cut_off(stream, compress):
    with pytest.raises(CorruptError):
        b"".join(stream(compress(_CONTENT)[:-20]))


def before_error(stream, packed, error=CorruptError):
    """What comes out before the error, which has to come."""
    whole = bytearray()
    with pytest.raises(error):  # noqa: PT012 - what came before the error is the subject
        for piece in stream(packed):
            whole += piece
    return bytes(whole)


_CHECKED = [
    (streams.gunzipped, gzip.compress, -6),
    (streams.gunzipped, gzip.compress, -1),
    (streams.bunzipped, bz2.compress, -3),
    (streams.unxzed, lzma.compress, -2),
    (streams.unxzed, lzma.compress, -25),
    (streams.unzstded, lambda c: zstd.compress(c, options={zstd.CompressionParameter.checksum_flag: 1}), -1),
]


@pytest.mark.parametrize(("stream", "compress", "at"), _CHECKED)
@pytest.mark.parametrize("content", [b"x", b"hello " * 10, _CONTENT])
def test_a_wrong_checksum_behind_the_content(stream, compress, at, content):
    packed = bytearray(compress(content))
    packed[at] ^= 0x10
    assert before_error(stream, bytes(packed)) == content


@pytest.mark.parametrize(("stream", "compress"), _FORMATS)
def test_what_came_out_before_the_cut(stream, compress):
    """Of deflate nearly all; the others give whole blocks only."""
    content = os.urandom(2_000_000)
    whole = before_error(stream, compress(content)[:-20])
    assert content.startswith(whole)
    assert len(whole) > (1_999_000 if stream in {streams.inflated, streams.gunzipped} else 500_000)


def test_what_came_out_before_a_block_that_is_none():
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    begun = engine.compress(b"hello " * 100) + engine.flush(zlib.Z_FULL_FLUSH)
    assert len(before_error(streams.inflated, begun + b"\xff" * 10)) >= 599


def test_what_needs_too_much_is_not_broken():
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 256 << 20, "preset": 0}]
    packed = lzma.compress(b"hello", filters=filters)
    assert before_error(streams.unxzed, lzma.compress(b"one ") + packed, UnreadableError) == b"one "
    window = {zstd.CompressionParameter.window_log: 30, zstd.CompressionParameter.enable_long_distance_matching: 1}
    engine = zstd.ZstdCompressor(options=window)
    packed = engine.compress(os.urandom(1000)) + engine.flush()
    assert before_error(streams.unzstded, packed, UnreadableError) == b""


def test_a_gzip_of_another_method():
    assert before_error(streams.gunzipped, b"\x1f\x8b\x07" + bytes(20), UnreadableError) == b""


def test_the_fields_of_a_gzip_header():
    """RFC 1952 2.3: an extra field, a name, a comment and a checksum of the header."""
    body = gzip.compress(b"hello")[10:]
    packed = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\x00abc" + b"name\0" + b"comment\0" + b"\x12\x34" + body
    assert b"".join(streams.gunzipped(packed + bytes(1000) + packed)) == b"hellohello"


@pytest.mark.timeout(20)
def test_many_streams_take_no_time():
    content = gzip.compress(b"") * 100_000
    assert b"".join(streams.gunzipped(content)) == b""


def test_where_a_deflate_stream_ends():
    packed, pieces = deflate(_CONTENT), []

    def end():
        end = yield from streams.inflated_size(b"abc" + packed + b"PK", 3)
        pieces.append(end)

    pieces[:0] = end()
    *content, at = pieces
    assert (b"".join(content), at) == (_CONTENT, 3 + len(packed))


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
    assert b"".join(streams.unzstded(b"\x50\x2a\x4d\x18\xff\xff\xff\xff")) == b""


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
