"""Charset labels and the decoding of text under them, right or wrong. Nothing here raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from chardetng_py import detect as guess

# The label a message gives → the codec that reads what mail programs really write under it: Windows' superset
# of each national set. Labels are compared without "-", "_", ":" and "." (RFC 2978 2.3 lets them be any of these).
_CODECS = {
    "utf_8": "utf8 unicode11utf8 utf8n xutf8 cp65001 utf8mb4 utfx8",
    "ascii": "usascii ascii ansix341968 iso646us us iso646 646 ansix34 cp367",
    "cp1252": "iso88591 latin1 l1 iso885911987 cp819 windows1252 cp1252 ansi xansi isolatin1 8859 88591 ibm819",
    "cp932": "shiftjis sjis xsjis mskanji csshiftjis windows31j cswindows31j cp932 ms932 xmscp932 shiftjisx0213",
    "eucjp": "eucjp xeucjp eucjpms cp51932 cseucpkdfmtjapanese ujis eucjis2004 euc xeuc",
    "iso2022jp": "iso2022jp csiso2022jp cp50220 cp50221 cp50222 iso2022jpms iso2022jp1 iso2022jp2 iso2022jp3 "
    "iso2022jpext jis iso2022jp2004",
    "gb18030": "gb2312 gbk gb18030 cp936 ms936 gb231280 csgb2312 xgbk windows936 chinese euccn xeuccn gb",
    "big5": "big5 cnbig5 csbig5 xxbig5 cp950 big5hkscs big5eten windows950",
    "cp949": "ksc56011987 ksc5601 euckr ksc56011989 cp949 ms949 uhc windows949 cseuckr korean xwindows949",
    "iso2022_kr": "iso2022kr csiso2022kr",
    "hz": "hzgb2312 hz",
    "utf_16": "utf16 unicode ucs2 iso10646ucs2 csunicode",
    "utf_16_le": "utf16le unicodefeff",
    "utf_16_be": "utf16be unicodefffe",
    "utf_32": "utf32 ucs4 iso10646ucs4",
    "utf_32_le": "utf32le",
    "utf_32_be": "utf32be",
    "cp874": "tis620 windows874 iso885911 cp874 dos874",
    "koi8_r": "koi8r koi8 koi cskoi8r",
    "koi8_u": "koi8u koi8ru",
    "mac_roman": "macintosh macroman mac xmacroman csmacintosh",
    "mac_cyrillic": "xmaccyrillic maccyrillic xmacukrainian",
    "cp1254": "iso88599 latin5 l5 windows1254 cp1254 turkish",
}
# The octets these labels name are what is written under them; "windows-1250" and "IBM866" name code pages.
_SAME = """iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_10 iso8859_13 iso8859_14
iso8859_15 iso8859_16 cp1250 cp1251 cp1253 cp1255 cp1256 cp1257 cp1258 cp437 cp850 cp852 cp855 cp857 cp858
cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp737 cp775 cp720"""
_LABELS = {label: codec for codec, labels in _CODECS.items() for label in labels.split()}
for _codec in _SAME.split():
    _bare = _codec.replace("_", "")
    _LABELS[_bare] = _codec
    if _bare.startswith("cp"):
        _LABELS["windows" + _bare[2:]] = _LABELS["ibm" + _bare[2:]] = _codec
for _latin, _codec in {"2": "2", "3": "3", "4": "4", "6": "10", "7": "13", "8": "14", "9": "15", "10": "16"}.items():
    _LABELS["latin" + _latin] = _LABELS["l" + _latin] = "iso8859_" + _codec
for _label in ("iso88598i", "iso88598e"):
    _LABELS[_label] = "iso8859_8"

UTF_7 = "utf-7"  # refused: ASCII that means something else to one reader than to another
_LABELS.update(dict.fromkeys(("utf7", "unicode11utf7", "csunicode11utf7", "xunicode20utf7", "unicode20utf7"), UTF_7))

_PUNCTUATION = str.maketrans("", "", "-_:. \t\"'")
_SAMPLE = 8192  # octets shown to the detector; it needs about 0.1 ms for each thousand
_ESCAPE = re.compile(rb"\x1b(\$\([@ABD]|\$[@AB]|\([A-Z]|&@\x1b\$B)")
_TWO_OCTETS = frozenset((b"$B", b"$@", b"$(@", b"$(B", b"&@\x1b$B"))
_JIS = re.compile(rb"\x1b(?:\$[@B(]|\([IJ])")
_PAIRS = re.compile(rb"(?:[\x21-\x7e]{2})+")
_EUC = re.compile(rb"((?:[\xa1-\xfe]{2})+)|((?:\x8e[\xa1-\xdf])+)|((?:\x8f[\xa1-\xfe]{2})+)")


def codec_of(label: str) -> str | None:
    """The name of our codec for a charset label, or None where the label says nothing ("x-unknown")."""
    return _LABELS.get(label.translate(_PUNCTUATION).lower()) if len(label) < 80 else None


def decode(data: bytes, label: str | None) -> str:
    """Text of `data` under a charset label as people see it. A missing or unknown label is detected.

    What has no character becomes U+FFFD. Under UTF-7 the octets are read as ASCII (`message/utf-7`).
    """
    codec = codec_of(label) if label else None
    if codec is None or codec == "ascii":
        return detect(data)
    if codec == "utf_8":
        return data.decode("utf-8", "replace")
    special = _SPECIAL.get(codec)
    return special(data) if special else data.decode(codec, "replace")


def detect(data: bytes) -> str:
    """Text of `data` where nothing true is said about its charset: ASCII or JIS, UTF-8, else a guess."""
    if data.isascii():
        return iso_2022_jp(data) if b"\x1b" in data and _JIS.search(data) else data.decode("ascii")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return decode(data, _guess(data))


def _guess(data: bytes) -> str:
    """A charset label for octets that are not UTF-8, as a Japanese browser would guess it; never ASCII."""
    if len(data) > _SAMPLE:
        first = next(re.finditer(rb"[\x80-\xff]", data)).start()
        data = data[max(0, first - 64) : first + _SAMPLE]
    label = guess(data, tld=b"jp", allow_utf8=True)
    return label if codec_of(label) not in (None, "ascii") else "windows-1252"


# The second octet of Shift_JIS depends on the row's parity, so both readings are made and one chosen with a mask:
# whole runs at a time, at the speed of bytes.translate.
_LEAD = bytes(((c & 0x7F) - 0x21) // 2 + (0x81 if (c & 0x7F) < 0x5F else 0xC1) if 0x21 <= (c & 0x7F) <= 0x7E else 0x80
              for c in range(256))  # fmt: skip
_ODD_ROW = bytes(0xFF if c & 1 else 0 for c in range(256))
_TRAIL_ODD = bytes(((c & 0x7F) + (0x1F if (c & 0x7F) < 0x60 else 0x20)) & 0xFF for c in range(256))
_TRAIL_EVEN = bytes(((c & 0x7F) + 0x7E) & 0xFF for c in range(256))


def _pairs(run: bytes) -> str:
    """JIS X 0208 pairs, with or without the high bit, as CP932 reads them (so with NEC's and IBM's characters)."""
    rows, cells = run[::2], run[1::2]
    size = len(cells)
    mask = int.from_bytes(rows.translate(_ODD_ROW), "big")
    odd = int.from_bytes(cells.translate(_TRAIL_ODD), "big") & mask
    even = int.from_bytes(cells.translate(_TRAIL_EVEN), "big") & ~mask
    shifted = bytearray(size * 2)
    shifted[::2] = rows.translate(_LEAD)
    shifted[1::2] = (odd | even).to_bytes(size, "big")
    return shifted.decode("cp932", "replace")


def _pairs_or_controls(segment: bytes) -> str:
    """A two-byte stretch of ISO-2022-JP, in which line ends and blanks still are themselves."""
    if _PAIRS.fullmatch(segment):
        return _pairs(segment)
    shown: list[str] = []
    at = 0
    for run in _PAIRS.finditer(segment):
        shown += (segment[at : run.start()].decode("cp932", "replace"), _pairs(run[0]))
        at = run.end()
    return "".join((*shown, segment[at:].decode("cp932", "replace")))


def _all_pairs(segments: Sequence[bytes]) -> Sequence[str]:
    """Each of these two-byte stretches; read together where they are pairs and nothing else, as is usual."""
    joined = b"".join(segments)
    if _PAIRS.fullmatch(joined) and not any(len(segment) % 2 for segment in segments):
        text = _pairs(joined)
        if 2 * len(text) == len(joined):  # no octet became a character of its own
            ends = list(accumulate(len(segment) // 2 for segment in segments))
            return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return [_pairs_or_controls(segment) for segment in segments]


def _kana(segment: bytes) -> str:
    """Half-width katakana in seven bits."""
    return bytes(c | 0x80 if 0x21 <= c <= 0x5F else c for c in segment).decode("cp932", "replace")


def _supplement(segment: bytes) -> str:
    """JIS X 0212 in seven bits."""
    trimmed = segment[: len(segment) // 2 * 2]
    return b"".join(b"\x8f" + bytes((a | 0x80, b | 0x80)) for a, b in zip(trimmed[::2], trimmed[1::2], strict=True)
                    ).decode("euc_jp", "replace")  # fmt: skip


def iso_2022_jp(data: bytes) -> str:
    """ISO-2022-JP (RFC 1468) with what Outlook and old terminals add: NEC ①㈱, IBM 髙, half-width kana."""
    pieces = _ESCAPE.split(data)
    segments = [(escape, segment) for escape, segment in zip(pieces[1::2], pieces[2::2], strict=True) if segment]
    pairs = iter(_all_pairs([segment for escape, segment in segments if escape in _TWO_OCTETS]))
    shown = [pieces[0].decode("cp932", "replace")]
    for escape, segment in segments:
        if escape in _TWO_OCTETS:
            shown.append(next(pairs))
        elif escape == b"(I":
            shown.append(_kana(segment))
        elif escape == b"$(D":
            shown.append(_supplement(segment))
        else:
            shown.append(segment.decode("cp932", "replace"))
    return "".join(shown)


def euc_jp(data: bytes) -> str:
    """EUC-JP with NEC's and IBM's characters, mapped as CP932 maps them."""
    shown: list[str] = []
    at = 0
    for run in _EUC.finditer(data):
        shown.append(data[at : run.start()].decode("ascii", "replace"))
        if run[1]:
            shown.append(_pairs(run[1]))
        elif run[2]:
            shown.append(run[2][1::2].decode("cp932", "replace"))
        else:
            shown.append(run[3].decode("euc_jp", "replace"))
        at = run.end()
    return "".join((*shown, data[at:].decode("ascii", "replace")))


def big5(data: bytes) -> str:
    """Big5 as Windows writes it, with Hong Kong's characters where those are used."""
    try:
        return data.decode("cp950")
    except UnicodeDecodeError:
        return data.decode("big5hkscs", "replace")


def _refused(data: bytes) -> str:
    """UTF-7, left undecoded."""
    return data.decode("ascii", "replace")


_SPECIAL = {
    "iso2022jp": iso_2022_jp,
    "eucjp": euc_jp,
    "big5": big5,
    UTF_7: _refused,
}
