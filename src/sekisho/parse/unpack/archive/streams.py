"""Decompression in pieces of at most a megabyte, for `Budget.collect`; broken data raise CorruptError."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Iterator
from typing import Final, Protocol

from sekisho.parse.unpack.opening import CorruptError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE: Final = 1 << 20
_MOST_MEMORY: Final = 128 << 20  # for the dictionary of xz and lzma, which may claim 4 GiB
_MOST_WINDOW: Final = 27  # bits: 128 MiB, what zstd's own tool takes
_FILTER_SIZE: Final = 5  # LZMA1 properties
_ERRORS: Final = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError, ValueError)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def inflated(packed: bytes, *, window: int = -zlib.MAX_WBITS) -> Iterator[bytes]:
    """The pieces of a deflate stream (RFC 1951), by default without a wrapper. Raises CorruptError."""
    engine = zlib.decompressobj(window)
    try:
        piece = engine.decompress(packed, PIECE)
        while piece:
            yield piece
            piece = engine.decompress(engine.unconsumed_tail, PIECE)
    except zlib.error as error:
        raise CorruptError("broken compressed data") from error
    if not engine.eof:
        raise CorruptError("the compressed data are cut off")


def gunzipped(packed: bytes) -> Iterator[bytes]:
    """The pieces of all members of a gzip file (RFC 1952 2.2); what follows the last one is ignored."""
    while packed.startswith(b"\x1f\x8b"):
        engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            piece = engine.decompress(packed, PIECE)
            while piece:
                yield piece
                piece = engine.decompress(engine.unconsumed_tail, PIECE)
        except zlib.error as error:
            raise CorruptError("broken gzip data") from error
        if not engine.eof:
            raise CorruptError("the gzip data are cut off")
        packed = engine.unused_data.lstrip(b"\0")


def _pieces(engine: _Decompressor, packed: bytes) -> Iterator[bytes]:
    try:
        piece = engine.decompress(packed, PIECE)
        while piece:
            yield piece
            if engine.eof:
                return
            piece = engine.decompress(b"", PIECE)
    except _ERRORS as error:
        raise CorruptError("broken compressed data") from error
    if not engine.eof:
        raise CorruptError("the compressed data are cut off")


def bunzipped(packed: bytes) -> Iterator[bytes]:
    """The pieces of all streams of a bzip2 file."""
    while packed.startswith(b"BZh"):
        engine = bz2.BZ2Decompressor()
        yield from _pieces(engine, packed)
        packed = engine.unused_data


def unxzed(packed: bytes) -> Iterator[bytes]:
    """The pieces of all streams of an xz file (The .xz File Format 2)."""
    while packed.startswith(b"\xfd7zXZ\0"):
        engine = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)
        yield from _pieces(engine, packed)
        packed = engine.unused_data.lstrip(b"\0")


def unlzmaed(packed: bytes) -> Iterator[bytes]:
    """The pieces of an old .lzma file."""
    yield from _pieces(lzma.LZMADecompressor(lzma.FORMAT_ALONE, _MOST_MEMORY), packed)


def unzstded(packed: bytes) -> Iterator[bytes]:
    """The pieces of all frames of a Zstandard file (RFC 8878 3); skippable frames are skipped."""
    limits: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _MOST_WINDOW}
    while len(packed) >= 8:
        if packed[1:4] == b"\x2a\x4d\x18" and packed[0] >> 4 == 5:
            packed = packed[8 + int.from_bytes(packed[4:8], "little") :]
            continue
        if not packed.startswith(b"\x28\xb5\x2f\xfd"):
            return
        engine = zstd.ZstdDecompressor(options=limits)
        yield from _pieces(engine, packed)
        packed = engine.unused_data


def unlzma_zipped(packed: bytes, size: int) -> Iterator[bytes]:
    """The pieces of a zip member of method 14: two octets version, two length, properties (APPNOTE 5.8.8)."""
    length = int.from_bytes(packed[2:4], "little")
    if length != _FILTER_SIZE or len(packed) < 4 + length:
        raise CorruptError("broken LZMA properties")
    header = packed[4 : 4 + length] + size.to_bytes(8, "little")
    yield from _pieces(lzma.LZMADecompressor(lzma.FORMAT_ALONE, _MOST_MEMORY), header + packed[4 + length :])


def stored(packed: bytes) -> Iterator[bytes]:
    """Octets that are not compressed."""
    for at in range(0, len(packed), PIECE):
        yield packed[at : at + PIECE]


def warm() -> None:
    """Use each decompressor once, so that nothing is loaded later."""
    for stream in (
        gunzipped(zlib.compress(b"x", wbits=zlib.MAX_WBITS | 16)),
        bunzipped(bz2.compress(b"x")),
        unxzed(lzma.compress(b"x")),
        unzstded(zstd.compress(b"x")),
    ):
        b"".join(stream)
