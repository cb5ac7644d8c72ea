"""S/MIME wrappers: what is signed or compressed is taken out (RFC 5652, RFC 3274, RFC 8551)."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from sekisho.parse import transfer
from sekisho.parse.unpack.mail.ber import EXPLICIT_0, OBJECT_ID, SEQUENCE, Value, child, octet_pieces
from sekisho.parse.unpack.opening import CorruptError, EncryptedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.parse.unpack.opening import Opening

_CMS = bytes.fromhex("2a864886f70d0107")  # 1.2.840.113549.1.7
_SMIME_TYPES = bytes.fromhex("2a864886f70d01091001")  # 1.2.840.113549.1.9.16.1
_SIGNED, _DIGESTED = _CMS + b"\x02", _CMS + b"\x05"
_ENCRYPTED = frozenset((_CMS + b"\x03", _CMS + b"\x04", _CMS + b"\x06", _SMIME_TYPES + b"\x17"))
_COMPRESSED = _SMIME_TYPES + b"\x09"
_ARMOUR = re.compile(rb"-----BEGIN [A-Z0-9 ]{1,30}-----")
_CHUNK = 1 << 16


def open_smime(opening: Opening) -> None:
    """Hand on what is signed or compressed. A detached signature (.p7s) has nothing inside.

    Raises EncryptedError for enveloped data, CorruptError.
    """
    data = _binary(opening.content)
    outer = Value(memoryview(data), 0, len(data))
    kind = child(outer, OBJECT_ID)
    wrapped = child(outer, EXPLICIT_0)
    if outer.tag != SEQUENCE or kind is None:
        raise CorruptError("no S/MIME content")
    name = bytes(kind.contents)
    if name in _ENCRYPTED:
        raise EncryptedError("S/MIME encrypted message")
    if name not in (_SIGNED, _DIGESTED, _COMPRESSED) or wrapped is None:
        return
    content = _content(wrapped)
    if content is None:
        return
    pieces = octet_pieces(content, opening.budget)
    stream = zlib.decompressobj()
    chunks = _inflated(stream, pieces) if name == _COMPRESSED else pieces
    inside = opening.budget.collect(chunks, len(data))
    opening.inner(_inner_name(opening.name), inside, declared="message/rfc822")
    if name == _COMPRESSED and not stream.eof:
        raise CorruptError("compressed S/MIME content is cut off")


def _binary(content: bytes) -> bytes:
    """The octets, where the file is base64 or in PEM's armour."""
    if content[:1] == b"\x30":
        return content
    armour = _ARMOUR.search(content, 0, 4096)
    body = content[armour.end() : content.find(b"-----END", armour.end()) % (len(content) + 1)] if armour else content
    decoded = transfer.base64(body)
    return decoded if decoded[:1] == b"\x30" else content


def _content(wrapped: Value) -> Value | None:
    """EncapsulatedContentInfo's content (RFC 5652 5.2): the first sequence in SignedData that begins with a type.

    In CompressedData a sequence with the algorithm comes before it, which has no content.
    """
    body = child(wrapped, SEQUENCE)
    if body is None:
        raise CorruptError("S/MIME content without data")
    for number, value in enumerate(body):
        if number > 5:
            break
        if value.tag == SEQUENCE and (content := child(value, EXPLICIT_0, after=1)):
            return next(iter(content), None)
    return None


def _inflated(stream: zlib._Decompress, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """RFC 3274 2: zlib's format."""
    for piece in pieces:
        waiting = piece
        while waiting and not stream.eof:
            try:
                yield stream.decompress(waiting, _CHUNK)
            except zlib.error as error:
                raise CorruptError("compressed S/MIME content is broken") from error
            waiting = stream.unconsumed_tail


def _inner_name(name: str) -> str:
    """Such as: "contract.pdf.p7m" holds contract.pdf; "smime.p7m" a message."""
    stem, dot, extension = name.rpartition(".")
    if dot and extension.lower() in ("p7m", "p7s", "p7z") and "." in stem.strip("."):
        return stem
    return "smime.eml"
