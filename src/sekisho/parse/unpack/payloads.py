"""Files written as text inside scripts: base64, hexadecimal, lists of numbers, percent escapes."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error, unhexlify
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from sekisho.parse.unpack.opening import Budget

_SMALLEST = 32  # octets of a file
SHORTEST = 400  # characters of a text that can be a file
MOST = 60
_JOINTS = re.compile(r"[\"'`]\s{0,200}[+,]\s{0,200}[\"'`]|\\\r?\n")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{400,}={0,2}")
# Only behind what opens a list, so that no list is begun twice.
_NUMBERS = re.compile(
    r"(?<=[\[({:=\"'`])\s{0,40}((?:(?:0x[0-9A-Fa-f]{1,2}|-?\d{1,3})\s{0,40},\s{0,40}){200,}+(?:0x[0-9A-Fa-f]{1,2}|-?\d{1,3})?)"
)
_NUMBER = re.compile(r"0x[0-9A-Fa-f]{1,2}|-?\d{1,3}")
_ESCAPES = re.compile(r"(?:\\x[0-9A-Fa-f]{2}){200,}|(?:%[0-9A-Fa-f]{2}|[A-Za-z0-9 .,;:_=/()-]){20,}")
_HEX = re.compile(r"[0-9A-Fa-f]+\Z")
_DATA = re.compile(r"data:([a-z]+/[\w.+-]{1,80}|)((?:;[\w=\"-]{1,40}){0,5}),", re.IGNORECASE)
_SAFE = ("image/png", "image/jp", "image/gif", "image/webp", "image/bmp", "image/x-icon", "image/vnd", "image/avif",
         "font/", "application/font", "application/x-font", "application/vnd.ms-fontobject", "audio/", "video/",
         "text/css", "application/json")  # fmt: skip
# What can be a file that somebody would smuggle, by its first octets.
_MAGIC = {
    b"MZ": "exe", b"PK\x03\x04": "zip", b"Rar!": "rar", b"7z\xbc\xaf": "7z", b"\x7fELF": "elf", b"MSCF": "cab",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole", b"L\0\0\0\x01\x14\x02\0": "lnk", b"%PDF-": "pdf", b"{\\rt": "rtf",
    b"\xca\xfe\xba\xbe": "class", b"\x1f\x8b\x08": "gzip", b"ITSF": "chm", b"\xe4\x52\x5c\x7b": "onenote",
}  # fmt: skip
_PAGE = re.compile(
    rb"\A[\s\xef\xbb\xbf]{0,200}<(?:!doctype|html|head|body|script|form|svg|div|iframe|meta|\?xml)\b", re.IGNORECASE
)
_ISO_AT = 32_769
EXTENSIONS = {"exe": "exe", "class": "class", "ole": "doc", "page": "html", "iso": "iso"}


class Payload(Struct, frozen=True):
    """A file in a text. `kind` is "exe", "zip", "page" (HTML) or "" if unknown; `written` its length there."""

    kind: str
    content: bytes
    written: int


def payload_kind(content: bytes) -> str:
    """What a decoded payload is, or "" for nothing that matters. gzip is nothing: reports pack data so."""
    for magic, kind in _MAGIC.items():
        if content.startswith(magic):
            return "" if kind == "gzip" else kind
    if _PAGE.match(content):
        return "page"
    return "iso" if content[_ISO_AT : _ISO_AT + 5] == b"CD001" else ""


def in_script(script: str, budget: Budget) -> Iterator[Payload]:
    """The payloads in a script, decoded and counted. Raises OverLimitError."""
    joined = _JOINTS.sub("", script)
    for number, match in enumerate(_BASE64.finditer(joined)):
        if number >= MOST:
            break
        if (content := decoded_text(match[0], budget)) is not None:
            yield Payload(payload_kind(content), content, len(match[0]))
    for number, match in enumerate(_NUMBERS.finditer(script)):
        if number >= MOST:
            break
        budget.take_bytes(len(match[0]))
        content = bytes(int(word, 0) & 0xFF for word in _NUMBER.findall(match[0]) if not _octal(word))
        yield Payload(payload_kind(content), content, len(match[0]))
    for number, match in enumerate(_ESCAPES.finditer(joined)):
        if number >= MOST:
            break
        if match[0].count("%") + match[0].count("\\x") >= 50:
            budget.take_bytes(len(match[0]))
            content = unquote_to_bytes(match[0].replace("\\x", "%"))
            yield Payload(payload_kind(content), content, len(match[0]))


def _octal(word: str) -> bool:
    """Whether Python would not read it ("010")."""
    return len(word) > 1 and word[0] == "0" and word[1] != "x"


def decoded_text(written: str, budget: Budget) -> bytes | None:
    """The octets that a base64 or hexadecimal text stands for; None where it is neither."""
    budget.check_time()
    budget.take_bytes(len(written))
    if _HEX.match(written):
        return unhexlify(written[: len(written) & ~1])
    plain = written.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain[: len(plain) & ~3] if len(plain) % 4 == 1 else plain + "=" * (-len(plain) % 4))
    except (Error, ValueError):
        return None


def in_data_urls(html: str, budget: Budget) -> Iterator[tuple[str, Payload]]:
    """The content of "data:" addresses with its media type, but for pictures, fonts, sound and films (RFC 2397)."""
    at = 0
    for number in range(2000):
        match = _DATA.search(html, at)
        if match is None:
            return
        if number % 100 == 0:
            budget.check_time()
        at = match.end()
        media = match[1].lower()
        if media.startswith(_SAFE):
            continue
        at = _data_end(html, at)
        written = unescape(html[match.end() : at])
        octets = unquote_to_bytes(written)
        if ";base64" in match[2].lower():
            octets = decoded_text("".join(octets.decode("latin-1").split()), budget) or b""
        if len(octets) > _SMALLEST:
            yield media, Payload(payload_kind(octets), octets, len(written))


_DATA_END = re.compile(r"[\"'<>)`]|\s(?=[A-Za-z-]{1,30}=)")


def _data_end(html: str, start: int) -> int:
    end = _DATA_END.search(html, start)
    return end.start() if end else len(html)
