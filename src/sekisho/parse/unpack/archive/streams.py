"""Decompression in pieces of at most a megabyte, for `Budget.collect`.

Broken data raise CorruptError, and UnreadableError where another program may read on, after all that came out before.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Final, Protocol

from sekisho.parse.unpack.opening import CorruptError, UnreadableError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE: Final = 1 << 20
_SLICE: Final = 1 << 12  # octets given to a decompressor at once: what it leaves over is copied
_MOST_MEMORY: Final = 128 << 20  # for the dictionary of xz and lzma, which may claim 4 GiB
_MOST_WINDOW: Final = 27  # bits: 128 MiB, what zstd's own tool takes
_FILTER_SIZE: Final = 5  # LZMA1 properties
_GZIP: Final = b"\x1f\x8b"
_GZIP_HEADER: Final = 10
_CHECKSUM, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16  # flags of a gzip header
_ERRORS: Final = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError, ValueError)
# What the libraries say where the data are not broken, but need more than they may have or can do.
_BEYOND: Final = ("memory", "unsupported")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Inflater:
    """zlib's decompressor for deflate without a wrapper (RFC 1951), with the methods of the others."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(-zlib.MAX_WBITS)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._engine.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._engine.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._engine.unused_data

    def decompress(self, data: bytes, max_length: int = PIECE) -> bytes:
        piece = self._engine.decompress(self._engine.unconsumed_tail + data, max_length)
        self._full = len(piece) == max_length
        return piece


def inflated(packed: bytes) -> Iterator[bytes]:
    """The pieces of a deflate stream (RFC 1951) without a wrapper."""
    yield from _stream(_Inflater, packed, 0)


def inflated_size(packed: bytes, at: int) -> Generator[bytes, None, int]:
    """The pieces of the deflate stream that begins at `at`; returns where it ends."""
    return (yield from _stream(_Inflater, packed, at))


def gunzipped(packed: bytes) -> Iterator[bytes]:
    """The pieces of all members of a gzip file (RFC 1952 2.2); what follows the last one is ignored.

    A wrong checksum or size is an error behind the member's content.
    """
    at = 0
    while packed.startswith(_GZIP, at):
        checksum = size = 0
        stream = _stream(_Inflater, packed, _behind_header(packed, at))
        while True:
            try:
                piece = next(stream)
            except StopIteration as end:
                at = end.value
                break
            checksum, size = zlib.crc32(piece, checksum), size + len(piece)
            yield piece
        if len(packed) < at + 8:
            raise CorruptError("the gzip data are cut off")
        if packed[at : at + 8] != checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little"):
            raise CorruptError("size or checksum are not as the gzip file says")
        at = _behind_zeros(packed, at + 8)


def _behind_header(packed: bytes, at: int) -> int:
    """Where the deflate stream of the gzip member at `at` begins (RFC 1952 2.3)."""
    header = packed[at : at + _GZIP_HEADER]
    if len(header) < _GZIP_HEADER:
        raise CorruptError("the gzip data are cut off")
    if header[2] != zlib.DEFLATED:
        raise UnreadableError(f"gzip data compressed by method {header[2]}, for which there is no reader")
    flags, at = header[3], at + _GZIP_HEADER
    if flags & _EXTRA:
        at += 2 + int.from_bytes(packed[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            at = packed.find(b"\0", at) + 1 or len(packed)
    return at + 2 if flags & _CHECKSUM else at


def _behind_zeros(packed: bytes, at: int) -> int:
    """Where padding ends: tapes and other writers fill up with zeros."""
    while packed.startswith(b"\0", at):
        piece = packed[at : at + PIECE]
        at += len(piece) - len(piece.lstrip(b"\0"))
    return at


def _stream(make: Callable[[], _Decompressor], packed: bytes, at: int) -> Generator[bytes, None, int]:
    """The pieces of the one stream that begins at `at`; returns where it ends."""
    done, given = 0, at
    calls = _calls(make(), packed, at)
    try:
        while True:
            given, piece = next(calls)
            done += len(piece)
            yield piece
    except StopIteration as end:
        return int(end.value)
    except _ERRORS as error:
        yield from _behind(done, _calls(make(), packed, at, given - _SLICE, done))
        if any(word in str(error).lower() for word in _BEYOND):
            raise UnreadableError(f"compressed data that need too much: {error}") from error
        raise CorruptError("broken compressed data") from error


def _calls(
    engine: _Decompressor, packed: bytes, at: int, careful: int = sys.maxsize, known: int = 0
) -> Generator[tuple[int, bytes], None, int]:
    """How much the decompressor was given, and the piece it made of it, call by call.

    One that fails gives nothing of what it made in the same call. So from the octet `careful` on, it is given and
    asked for a single octet at a time, as soon as it has made the `known` ones.
    """
    while not engine.eof:
        data = b""
        if engine.needs_input:
            data = packed[at : at + (_SLICE if at < careful else 1)]
            at += len(data)
            if not data:
                raise CorruptError("the compressed data are cut off")
        piece = engine.decompress(data, PIECE if at <= careful else min(PIECE, max(1, known - 1)))
        known -= len(piece)
        yield at, piece
    return at - len(engine.unused_data)


def _behind(known: int, calls: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    """What the calls give behind the first `known` octets, until one fails."""
    rest = bytearray()
    try:
        for _, piece in calls:
            rest += piece[known:]
            known = max(0, known - len(piece))
            if known:
                yield b""  # so that the time is looked at
    except _ERRORS:
        pass
    yield bytes(rest)


def bunzipped(packed: bytes) -> Iterator[bytes]:
    """The pieces of all streams of a bzip2 file."""
    at = 0
    while packed.startswith(b"BZh", at):
        at = yield from _stream(bz2.BZ2Decompressor, packed, at)


def unxzed(packed: bytes) -> Iterator[bytes]:
    """The pieces of all streams of an xz file (The .xz File Format 2)."""
    at = 0
    while packed.startswith(b"\xfd7zXZ\0", at):
        at = yield from _stream(_xz, packed, at)
        at = _behind_zeros(packed, at)


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)


def _lzma() -> _Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_ALONE, _MOST_MEMORY)


def _zstd() -> _Decompressor:
    limits: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _MOST_WINDOW}
    return zstd.ZstdDecompressor(options=limits)


def unlzmaed(packed: bytes) -> Iterator[bytes]:
    """The pieces of an old .lzma file."""
    yield from _stream(_lzma, packed, 0)


def unzstded(packed: bytes) -> Iterator[bytes]:
    """The pieces of all frames of a Zstandard file (RFC 8878 3); skippable frames are skipped."""
    at = 0
    while len(packed) >= at + 8:
        if packed[at + 1 : at + 4] == b"\x2a\x4d\x18" and packed[at] >> 4 == 5:
            at += 8 + int.from_bytes(packed[at + 4 : at + 8], "little")
            yield b""
            continue
        if not packed.startswith(b"\x28\xb5\x2f\xfd", at):
            return
        at = yield from _stream(_zstd, packed, at)


def unlzma_zipped(packed: bytes, size: int) -> Iterator[bytes]:
    """The pieces of a zip member of method 14: two octets version, two length, properties (APPNOTE 5.8.8)."""
    length = int.from_bytes(packed[2:4], "little")
    if length != _FILTER_SIZE or len(packed) < 4 + length:
        raise CorruptError("broken LZMA properties")
    header = packed[4 : 4 + length] + size.to_bytes(8, "little")
    yield from _stream(_lzma, header + packed[4 + length :], 0)


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
