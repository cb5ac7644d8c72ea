"""Header values as people see them: encoded words (RFC 2047), raw 8-bit and raw ISO-2022-JP text."""

from __future__ import annotations

import re
from binascii import Error, a2b_qp

from sekisho.parse import charsets
from sekisho.parse.transfer import base64

# RFC 2047 2, read leniently: any length, blanks inside, up to four "?" in the text. Every alternative stops at a
# "?", so a start that fails has looked at a bounded number of segments and the whole stays linear.
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?((?:[^?]*+(?:(?<!=)\?(?!=)[^?]*+){0,4}+))\?=")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=\s]")
_Word = tuple[str, str, str]


def header_text(value: str) -> str:
    """A header value, as unfolded octets (over 127 as surrogates), in the characters a reader sees.

    Adjacent encoded words of one charset are joined before decoding, so that a character split between two of
    them is whole (RFC 2047 6.2 lets white space between them go). Broken encoded words stay as they are.
    """
    if "=?" not in value:
        return value if value.isascii() and "\x1b" not in value else _plain(value)
    shown: list[str] = []
    pending: list[_Word] = []
    at = 0
    for match in _WORD.finditer(value):
        between = value[at : match.start()]
        word = (match[1].partition("*")[0].lower(), match[2].lower(), match[3])  # RFC 2231 5: "*" and a language
        sound = word[1] == "q" or not _NOT_BASE64.search(word[2])
        adjacent = sound and pending and not between.strip()
        if pending and not (adjacent and pending[0][0] == word[0]):
            shown.append(_flush(pending))
            pending = []
        if not adjacent:
            shown.append(_plain(between))
        if sound:
            pending.append(word)
        else:
            shown.append(_plain(match[0]))
        at = match.end()
    return "".join((*shown, _flush(pending), _plain(value[at:])))


def _flush(words: list[_Word]) -> str:
    """Adjacent words of one charset, decoded as one run of octets."""
    if not words:
        return ""
    octets: list[bytes] = []
    carried = ""  # base64 cut in the middle of a group of four goes on in the next word
    for _, encoding, text in words:
        if encoding == "q":
            octets += (base64(carried.encode()), _q(text))
            carried = ""
            continue
        carried += "".join(text.split())
        if not len(carried) % 4 or carried.endswith("="):
            octets.append(base64(carried.encode()))
            carried = ""
    octets.append(base64(carried.encode()))
    return charsets.decode(b"".join(octets), words[0][0])


def _q(text: str) -> bytes:
    """The "Q" encoding (RFC 2047 4.2)."""
    try:
        return a2b_qp(text.encode("utf-8", "surrogateescape"), header=True)
    except Error:
        return text.encode("utf-8", "surrogateescape")


def _plain(text: str) -> str:
    """Text outside encoded words: ASCII, or raw octets whose charset nobody declared."""
    if text.isascii() and "\x1b" not in text:
        return text
    return charsets.detect(text.encode("utf-8", "surrogateescape"))
