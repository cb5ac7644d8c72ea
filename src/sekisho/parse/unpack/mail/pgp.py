"""OpenPGP messages: encrypted ones are known as such, what is only signed or compressed is taken out (RFC 9580)."""

from __future__ import annotations

import bz2
import re
import zlib
from typing import TYPE_CHECKING

from sekisho.parse import transfer
from sekisho.parse.unpack.opening import CorruptError, EncryptedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.parse.unpack.opening import Opening

_ARMOUR = re.compile(rb"-----BEGIN PGP (MESSAGE|SIGNED MESSAGE|[A-Z ]{1,40}?)(?:, PART [0-9/]{1,9})?-----[^\n]*\n")
_CHECKSUM = re.compile(rb"^=[A-Za-z0-9+/]{4}[ \t]*\r?$", re.MULTILINE)
_BLANK = re.compile(rb"^[ \t]*\r?\n", re.MULTILINE)
_COMPRESSED, _MARKER, _LITERAL, _PADDING = 8, 10, 11, 21
_ENCRYPTED = frozenset((1, 3, 9, 18, 20))  # session keys; data under them
_SIGNATURES = frozenset((2, 4))
_CHUNK = 1 << 16
_MOST_PACKETS = 1000
_DEEPEST = 4
_MOST_PIECES = 300_000


def open_pgp(opening: Opening) -> None:
    """Hand on the literal data of a message that is not encrypted; keys and signatures are left alone.

    Raises EncryptedError, CorruptError.
    """
    content = opening.content
    armour = _ARMOUR.search(content, 0, 1 << 16)
    if armour is None:
        if content[:1] >= b"\x80":
            _packets(opening, content, 0)
        return
    if armour[1] != b"MESSAGE":
        return
    end = content.find(b"-----END PGP", armour.end())
    body = content[armour.end() : end if end >= 0 else len(content)]
    blank = _BLANK.search(body)
    body = body[blank.end() :] if blank else body
    checksum = _CHECKSUM.search(body)
    _packets(opening, transfer.base64(body[: checksum.start()] if checksum else body), 0)


def _packets(opening: Opening, data: bytes, level: int) -> None:
    if level > _DEEPEST:
        raise CorruptError("OpenPGP data compressed too often")
    at = 0
    for _ in range(_MOST_PACKETS):
        if at >= len(data):
            return
        opening.budget.check_time()
        tag, body, at = _packet(data, at)
        if tag in _ENCRYPTED:
            raise EncryptedError("OpenPGP encrypted message")
        if tag == _LITERAL:
            _literal(opening, body)
        elif tag == _COMPRESSED:
            _packets(opening, opening.budget.collect(_inflated(body), len(opening.content)), level + 1)
        elif tag not in _SIGNATURES and tag not in (_MARKER, _PADDING):
            return


def _packet(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and body of the packet at `at`, and where the next one begins (RFC 9580 4.2)."""
    first = data[at]
    if not first & 0x80:
        raise CorruptError("no OpenPGP packet")
    if first & 0x40:
        return (first & 63, *_new_body(data, at + 1))
    tag = first >> 2 & 15
    width = (1, 2, 4, 0)[first & 3]
    if not width:
        return tag, data[at + 1 :], len(data)
    length = int.from_bytes(data[at + 1 : at + 1 + width], "big")
    start = at + 1 + width
    return tag, data[start : start + length], start + length


def _new_body(data: bytes, at: int) -> tuple[bytes, int]:
    """A body in the newer format, which may come in pieces (RFC 9580 4.2.1)."""
    pieces: list[bytes] = []
    while at < len(data):
        if len(pieces) > _MOST_PIECES:
            raise CorruptError("OpenPGP packet in too many pieces")
        first = data[at]
        if first < 192:
            length, at = first, at + 1
        elif first < 224:
            length, at = ((first - 192) << 8) + int.from_bytes(data[at + 1 : at + 2], "big") + 192, at + 2
        elif first == 255:
            length, at = int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
        else:
            length, at = 1 << (first & 31), at + 1
        pieces.append(data[at : at + length])
        at += length
        if not 224 <= first < 255:
            break
    return b"".join(pieces), at


def _literal(opening: Opening, body: bytes) -> None:
    """Format, name, date, content (RFC 9580 5.9)."""
    if len(body) < 6:
        raise CorruptError("OpenPGP literal data is cut off")
    start = 2 + body[1]
    name = body[2:start].decode("utf-8", "replace")
    content = body[start + 4 :]
    opening.budget.take_bytes(len(content))
    opening.inner(name if name not in ("", "_CONSOLE") else _inner_name(opening.name), content)


def _inner_name(name: str) -> str:
    """Such as: "list.xlsx.gpg" holds list.xlsx."""
    stem, dot, extension = name.rpartition(".")
    return stem if dot and extension.lower() in ("pgp", "gpg", "asc") else "content"


def _inflated(body: bytes) -> Iterator[bytes]:
    """The data of a Compressed Data packet (RFC 9580 9.4)."""
    how = body[0] if body else 0
    if how == 0:
        yield body[1:]
        return
    stream = bz2.BZ2Decompressor() if how == 3 else zlib.decompressobj(-15 if how == 1 else 15)
    if how not in (1, 2, 3):
        raise CorruptError("OpenPGP data in an unknown compression")
    waiting = body[1:]
    try:
        while not stream.eof:
            chunk = stream.decompress(waiting, _CHUNK)
            waiting = b"" if isinstance(stream, bz2.BZ2Decompressor) else stream.unconsumed_tail
            if not chunk and not waiting:
                return
            yield chunk
    except (zlib.error, OSError, EOFError) as error:
        raise CorruptError("OpenPGP data is broken") from error
