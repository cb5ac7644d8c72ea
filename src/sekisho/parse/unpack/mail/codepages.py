"""Windows code pages by number, and the codecs made ready that a confined process could no longer load."""

from __future__ import annotations

from encodings.aliases import aliases

from sekisho.parse import charsets

# What Outlook writes under a number, as a label that `charsets` reads the way mail programs do.
_LABELS = {
    708: "iso-8859-6",
    932: "shift_jis",
    936: "gbk",
    949: "euc-kr",
    950: "big5",
    1200: "utf-16le",
    1201: "utf-16be",
    10000: "macintosh",
    10001: "shift_jis",
    20866: "koi8-r",
    20932: "euc-jp",
    20949: "euc-kr",
    21866: "koi8-u",
    50220: "iso-2022-jp",
    50221: "iso-2022-jp",
    50222: "iso-2022-jp",
    51932: "euc-jp",
    51949: "euc-kr",
    54936: "gb18030",
    65001: "utf-8",
}


def label_of(codepage: int) -> str | None:
    """A charset label for a code page number; None where the number says nothing (0, 20127, unknown)."""
    if codepage in _LABELS:
        return _LABELS[codepage]
    if 28591 <= codepage <= 28606:
        return f"iso-8859-{codepage - 28590}"
    return f"cp{codepage}" if charsets.codec_of(f"cp{codepage}") else None


def decode(data: bytes, codepage: int) -> str:
    """Text of `data` under a code page; under one that says nothing the charset is detected. Never raises."""
    return charsets.decode(data, label_of(codepage))


def warm() -> None:
    """Load every codec of the standard library: decoding is all that a charset label can ask for."""
    for name in sorted({*aliases.values(), "cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_u"}):
        try:
            b"a".decode(name, "replace")
        except (LookupError, ValueError):
            continue  # a codec of another system, or one that is not for text
    charsets.detect("請求書".encode("cp932"))
