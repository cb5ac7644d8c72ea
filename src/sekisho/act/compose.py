"""The smallest pieces of a message that we write ourselves: a header field, a text, a multipart."""

from __future__ import annotations

import re
from base64 import b64encode, encodebytes
from binascii import b2a_qp
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLUMNS = 78  # RFC 5322 2.1.1: should
_LINE = 998  # RFC 5322 2.1.1: must
_WORD_OCTETS = 36  # of text in one encoded word: 60 columns, under the 75 of RFC 2047 2 and beside a name
_NAME = re.compile(r"[!-9;-~]{1,200}")
_FOLD = re.compile(r"\r\n(?=[ \t])")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_WORDS = re.compile(r"[ \t]+|[^ \t]+")
_ADDRESS_WORDS = re.compile(
    r'[ \t]+|"(?:[^"\\]|\\.)*(?:"|\\?$)|<[^<>]*>?|[>@,:;()\[\]\\]|[^ \t"<>@,:;()\[\]\\]+', re.DOTALL
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_NOT_ASCII = bytes(range(128, 256))
_NEWLINE = re.compile(r"\r\n|\r|\n")
_ADDRESS_FIELDS = frozenset(
    ("from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-to", "resent-cc")
)


class FieldError(ValueError):
    """A header field that cannot be written: a bad name, a control character, a word over 998 octets."""


def header_field(name: str, value: str) -> bytes:
    """One header field with CRLF, folded at white space to 78 columns where the words allow it.

    `value` may be folded with CRLF and white space; any other control character is refused. Characters outside
    ASCII become encoded words (RFC 2047) in UTF-8: in address fields only display names and comments can hold them.
    Raises FieldError. Linear in the length.
    """
    if not _NAME.fullmatch(name):
        raise FieldError("a header field needs a name of printable ASCII without a colon")
    value = _FOLD.sub("", value).strip(" \t")
    if _FORBIDDEN.search(value):
        raise FieldError(f"the value of {name} holds a control character or a line break that is no folding")
    if not value.isascii():
        value = _encoded(name.lower(), _utf8(name, value))
    return _folded(name, value)


def _utf8(name: str, value: str) -> str:
    # Raw octets of a parsed header arrive as surrogates; other lone surrogates are no text at all.
    try:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError as error:
        raise FieldError(f"the value of {name} is not text") from error


def _folded(name: str, value: str) -> bytes:
    lines = []
    line = f"{name}:"
    room = False  # nothing but the name yet: a first line of its own would be legal but is often shown wrongly
    for word in re.findall(r"[ \t]*[^ \t]+", " " + value):
        if room and len(line) + len(word) > _COLUMNS:
            lines.append(line)
            line = word
        else:
            line += word
        room = True
    lines.append(line if value else line + " ")
    if max(map(len, lines)) > _LINE:
        raise FieldError(f"the value of {name} cannot be folded to lines of {_LINE} octets")
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def _encoded(key: str, value: str) -> str:
    if key.startswith("content-") and key != "content-description":
        raise FieldError(f"{key} takes no characters outside ASCII")
    if key not in _ADDRESS_FIELDS:
        return _with_encoded_runs(_WORDS.findall(value))
    words = _ADDRESS_WORDS.findall(value)
    for before, word in pairwise(["", *words]):
        if not word.isascii() and (word.startswith("<") or before == "@"):
            raise FieldError(f"an address outside ASCII cannot stand in {key} without SMTPUTF8")
    return _with_encoded_runs([word if word.isascii() else _phrase(word) for word in words], apart=True)


def _with_encoded_runs(words: Iterable[str], *, apart: bool = False) -> str:
    """Encode the words outside ASCII; blanks are words too.

    `apart` puts a blank between an encoded word and what it would otherwise touch (RFC 2047 5, rule 3).
    """
    out: list[str] = []
    touching = was_encoded = False
    for word in _runs(words):
        encoded = not word.isascii()
        if apart and touching and (encoded or was_encoded) and not _is_blank(word):
            out.append(" ")
        out += _encoded_words(word) if encoded else (word,)
        touching, was_encoded = not _is_blank(word), encoded
    return "".join(out)


def _runs(words: Iterable[str]) -> Iterable[str]:
    """The words, but neighbours outside ASCII as one with the blanks between them, which encoding would lose."""
    runs: list[list[str]] = []
    for word in words:
        if not word.isascii() and len(runs) > 1 and _is_blank(runs[-1][0]) and not runs[-2][0].isascii():
            gap = runs.pop()
            runs[-1] += (*gap, word)
        else:
            runs.append([word])
    return ("".join(run) for run in runs)


def _is_blank(word: str) -> bool:
    return not word.strip(" \t")


def _phrase(token: str) -> str:
    if not token.startswith('"'):
        return token
    return _QUOTED_PAIR.sub(r"\1", token[1:].removesuffix('"'))


def _encoded_words(text: str) -> Iterable[str]:
    """The encoded words of a text with a blank between each two, cut between characters (RFC 2047 5)."""
    chunk, gap = b"", ""
    for character in text:
        octets = character.encode()
        if len(chunk) + len(octets) > _WORD_OCTETS:
            yield f"{gap}=?utf-8?b?{b64encode(chunk).decode()}?="
            chunk, gap = b"", " "
        chunk += octets
    yield f"{gap}=?utf-8?b?{b64encode(chunk).decode()}?="


def text_entity(text: str, content_type: str = "text/plain") -> tuple[bytes, bytes]:
    """The content header fields and the encoded body of a text: UTF-8, CRLF, always ended by CRLF.

    Quoted-printable where most of it is ASCII, else base64; always base64 where a line would begin like a boundary.
    Source: RFC 2045 6.7, 6.8.
    """
    data = (_NEWLINE.sub("\r\n", text)).encode("utf-8", "replace")
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    encoding, body = "quoted-printable", b""
    if len(data) - len(data.translate(None, _NOT_ASCII)) <= len(data) // 6:
        body = b2a_qp(data, istext=True)
    if not body or body.startswith(b"--") or b"\n--" in body:
        encoding, body = "base64", encodebytes(data).replace(b"\n", b"\r\n")
    fields = header_field("Content-Type", f"{content_type}; charset=utf-8")
    return fields + header_field("Content-Transfer-Encoding", encoding), body


def boundary_for(seed: str, *contents: bytes) -> str:
    """A multipart boundary made from `seed` (an id) that occurs in none of the contents. RFC 2046 5.1.1."""
    base = "=_" + re.sub(r"[^A-Za-z0-9.-]", "", seed)[:40]
    number, boundary = 0, base
    while any(boundary.encode() in content for content in contents):
        number += 1
        boundary = f"{base}.{number}"
    return boundary


def multipart(boundary: str, entities: Iterable[bytes]) -> bytes:
    """The body of a multipart; each entity is its header, an empty line and its body. RFC 2046 5.1.1."""
    line = b"--" + boundary.encode()
    return b"".join(line + b"\r\n" + entity + b"\r\n" for entity in entities) + line + b"--\r\n"
