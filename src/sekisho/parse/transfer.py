"""Content-Transfer-Encoding undone (RFC 2045 6), leniently: what is broken is skipped, nothing raises."""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp, a2b_uu
from typing import TYPE_CHECKING

from sekisho.mail.pieces import PIECE, cut, joined, line_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

IDENTITY = frozenset(("7bit", "8bit", "binary", ""))
_NAMES = {
    "base64": "base64",
    "quoted-printable": "quoted-printable",
    "uuencode": "uuencode",
    "x-uuencode": "uuencode",
    "x-uue": "uuencode",
    "uue": "uuencode",
    "7bit": "7bit",
    "8bit": "8bit",
    "binary": "binary",
    # What programs write by mistake and every mail program reads.
    "7-bit": "7bit",
    "7bits": "7bit",
    "8-bit": "8bit",
    "8bits": "8bit",
    "none": "7bit",
    "plain": "7bit",
    "base-64": "base64",
    "quotedprintable": "quoted-printable",
}
_TOKEN = re.compile(r"(?:[\s\"']|\([^()]*\))*+([^\s;\"'()]*)")
_NOT_BASE64 = bytes(c for c in range(256) if not (chr(c).isascii() and (chr(c).isalnum() or chr(c) in "+/=")))
_PADDING = re.compile(rb"=+")
_SOFT_BREAK = re.compile(rb"=[ \t]++(?=\r?\n|\Z)")
_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]+)\r?$", re.MULTILINE)


def encoding_of(value: str) -> tuple[str, bool]:
    """The transfer encoding a header value names, and whether it names it plainly.

    "base64 (comment)" and "Base64;" are ("base64", False); an unknown name is returned as it is, in lower case.
    A missing value is "7bit" (RFC 2045 6.1).
    """
    plain = value.strip().lower().encode("ascii", "replace").decode()
    if plain in _NAMES:
        return _NAMES[plain], True
    token = _TOKEN.match(plain)
    name = token[1] if token else ""
    return _NAMES.get(name, name or "7bit"), not plain


def decode(data: bytes, encoding: str) -> bytes:
    """`data` with the transfer encoding (as `encoding_of` names it) undone; unknown encodings change nothing."""
    if encoding == "base64":
        return base64(data)
    if encoding == "quoted-printable":
        return quoted_printable(data)
    if encoding == "uuencode":
        return uuencode(data)
    return data


def content(raw: bytes, start: int, end: int, encoding: str) -> bytes:
    """`decode(raw[start:end], encoding)`; what is long is neither copied whole nor decoded in one go."""
    if end - start > PIECE and encoding == "base64":
        with memoryview(raw) as whole, whole[start:end] as body:
            return joined(_base64_pieces(body))
    return decode(cut(raw, start, end), encoding)


def base64(data: bytes) -> bytes:
    """Base64 with rubbish between, wrong padding, or several padded runs one after the other (RFC 2045 6.8)."""
    return _base64(data) if len(data) <= PIECE else joined(_base64_pieces(data))


def _base64_pieces(data: bytes | memoryview) -> Iterator[bytes]:
    """What `_base64` makes of all of it, piece by piece. Characters that are not yet four wait for the next piece."""
    waiting = b""
    with memoryview(data) as whole:
        at = 0
        while at < len(whole):
            piece = bytes(whole[at : at + PIECE])
            # Where lines have a multiple of four characters, nothing waits.
            piece = piece[: piece.rfind(b"\n") + 1] or piece
            at += len(piece)
            decoded, waiting = _base64_piece(waiting, piece)
            yield decoded
    yield _run(waiting)


def _base64_piece(waiting: bytes, piece: bytes) -> tuple[bytes, bytes]:
    """What the characters that wait and a piece decode to, and the characters that wait then."""
    if not waiting and b"=" not in piece:
        try:
            return a2b_base64(piece), b""
        except Error:  # it does not end with four characters
            pass
    *runs, last = _PADDING.split(waiting + piece.translate(None, _NOT_BASE64))
    whole = len(last) // 4 * 4
    return b"".join([*(_run(run) for run in runs), a2b_base64(last[:whole])]), last[whole:]


def _base64(data: bytes) -> bytes:
    padding = data.find(b"=")
    if padding < 0 or not data[padding:].strip(b"= \t\r\n"):
        try:
            return a2b_base64(data)  # skips line ends by itself
        except Error:  # characters are missing
            pass
    data = data.translate(None, _NOT_BASE64).rstrip(b"=")
    if b"=" not in data:
        return _run(data)
    return b"".join(_run(run) for run in _PADDING.split(data))


def _run(run: bytes) -> bytes:
    """One run of base64 characters; a lone last one holds no octet."""
    rest = len(run) % 4
    if rest == 1:
        run = run[:-1]
    return a2b_base64(run + b"==" if rest > 1 else run)


def quoted_printable(data: bytes) -> bytes:
    """Quoted-printable; broken escapes stay as they are, blanks after a soft line break's "=" go (RFC 2045 6.7)."""
    return _quoted_printable(data) if len(data) <= PIECE else joined(map(_quoted_printable, line_pieces(data)))


def _quoted_printable(lines: bytes) -> bytes:
    """Whole lines: no escape goes from one to the next, but a soft line break, which ends with its line feed."""
    if b"= " in lines or b"=\t" in lines:
        lines = _SOFT_BREAK.sub(b"=", lines)
    return a2b_qp(lines)


def uuencode(data: bytes) -> bytes:
    """The first uuencoded file in `data`; `data` itself where there is none."""
    for _, content in uuencoded(data, limit=1):
        return content
    return data


def uuencoded(data: bytes, limit: int = 20) -> list[tuple[str, bytes]]:
    """Name and content of the uuencoded files in a text ("begin 644 name" … "end"), at most `limit`."""
    found: list[tuple[str, bytes]] = []
    at = 0
    while len(found) < limit and (begin := _BEGIN.search(data, at)):
        body = begin.end() + 1
        end = data.find(b"\nend", begin.end())
        at = len(data) if end < 0 else end
        coded = data[body:at]
        content = base64(coded) if begin[0].startswith(b"begin-") else _uu_lines(coded)
        if content:
            found.append((begin[1].decode("utf-8", "replace").strip(), content))
    return found


def _uu_lines(coded: bytes) -> bytes:
    """Uuencoded lines; a line that is none ends them, b"" when the first is none."""
    decoded = []
    for line in coded.splitlines():
        try:
            decoded.append(a2b_uu(line))
        except Error:
            # Some encoders write trailing garbage or cut blanks off: the length octet tells how much counts.
            size = ((line[0] - 32) & 63) if line else 0
            if not decoded or not size:
                break
            decoded.append(_uu_cut(line, size))
    return b"".join(decoded)


def _uu_cut(line: bytes, size: int) -> bytes:
    """One line of `size` octets with too many or too few characters; b"" where it is no such line."""
    wanted = 1 + (size + 2) // 3 * 4
    try:
        return a2b_uu(line[:wanted].ljust(wanted))
    except Error:
        return b""
