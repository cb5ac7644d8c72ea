"""Files that are two things at once: one to the filter, another to the program that opens them.

Only a second nature that a program really finds counts: a zip by its end record, a web page or script by standing
where a browser or interpreter looks, an archive by its signature right behind the end of an image.
"""

from __future__ import annotations

import re
import struct

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.opening import Opening

_RULE = "attachment/polyglot"
_ZIP_END = b"PK\5\6"
_ZIP_SEARCHED = 1 << 20  # from the end; programs look further up than the 65,535 octets of a comment
_OFFICE = ("docx", "docm", "dotx", "dotm", "xlsx", "xlsm", "xlsb", "xltx", "xltm", "xlam", "pptx", "pptm", "ppsx",
           "ppsm", "potx", "potm", "odt", "ods", "odp", "odg", "vsdx")  # fmt: skip
_ZIP_BASED = frozenset(("zip", "jar", "apk", *_OFFICE))
_IMAGES = frozenset(("png", "jpeg", "gif", "bmp", "tiff", "webp", "ico", "heic"))
# Not containers and mail, where a zip at the end is the last file in them.
_NO_CONTAINERS = _IMAGES | {"audio", "video", "font", "html", "svg", "xml", "csv", "text", "unknown", "emf", "wmf"}
_APPENDED = (
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"MSCF\0\0\0\0", "cabinet"),
    (b"MZ", "Windows program"),
    (b"\x7fELF", "Linux program"),
    (b"%PDF-", "PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office document"),
)
_ACTIVE_TEXT = re.compile(
    rb"<script[\s>]|<iframe[\s>]|<hta:application|<\?php\s|<svg[^>]{1,200}\bon\w{3,20}=|<body[^>]{0,200}\bonload="
    rb"|<%@?\s*(?:page|eval|execute)",
    re.IGNORECASE,
)
_HTML_TEXT = re.compile(rb"<!doctype html|<html[\s>]|<body[\s>]", re.IGNORECASE)
_PROGRAM_NAME = re.compile(
    rb"\.(?:exe|scr|com|pif|bat|cmd|ps1|vbs|vbe|js|jse|wsf|hta|msi|cpl|jar|dll|lnk|class|dex|so)$", re.IGNORECASE
)
_PARSED = 8_000_000  # octets looked through for text in comments
_MOST_CHUNKS = 5_000
_MOST_NAMES = 500


def look_for_second_nature(opening: Opening) -> None:
    """Tell `attachment/polyglot`: high where the second nature is a page, script or has a program, else medium."""
    kind, content = opening.kind, opening.content
    if len(content) < 64:
        return
    if kind in _ZIP_BASED:
        _prefixed_zip(opening)
        return
    if kind in _IMAGES:
        _image(opening)
    elif kind == "pdf":
        _pdf(opening)
    if kind in _NO_CONTAINERS:
        _with_zip(opening)


def _image(opening: Opening) -> None:
    content, kind = opening.content, opening.kind
    end = image_end(content, kind)
    tail = content[end:] if end else b""
    for magic, name in _APPENDED:
        if tail.lstrip(b"\0\r\n")[: len(magic)] == magic and len(tail) > 64:
            opening.finding(_RULE, _gravity(name), f"{kind} image with a {name} behind it")
            _open_too(opening, tail)
            return
    spots = [tail[:_PARSED], *_comments(content, kind, opening)]
    for spot in spots:
        if _ACTIVE_TEXT.search(spot):
            opening.finding(_RULE, Severity.HIGH, f"{kind} image with a web page or script in it")
            return
    if any(_HTML_TEXT.search(spot) for spot in spots):
        opening.finding(_RULE, Severity.MEDIUM, f"{kind} image with HTML in it")
    elif kind == "gif" and re.match(rb"GIF8[79]a(?:/\*|=)", content):
        opening.finding(_RULE, Severity.HIGH, "GIF image that is also JavaScript")
    elif kind == "bmp" and re.match(rb"BM(?:/\*|=)", content):
        opening.finding(_RULE, Severity.HIGH, "BMP image that is also JavaScript")


def _pdf(opening: Opening) -> None:
    """A PDF may begin within its first 1024 octets, and a reader looks for its end near the end of the file."""
    content = opening.content
    start = content.find(b"%PDF-", 0, 1100)
    head = content[: max(start, 0)]
    if start > 0 and head.startswith(
        (b"MZ", b"\x7fELF", b"GIF8", b"\xff\xd8\xff", b"\x89PNG", b"Rar!", b"7z\xbc\xaf")
    ):
        opening.finding(_RULE, Severity.HIGH, "PDF behind the beginning of another file")
    elif start > 0 and (_ACTIVE_TEXT.search(head) or head.startswith(b"#!") or b"/*" in head):
        opening.finding(_RULE, Severity.HIGH, "PDF behind a web page or script")
    end = content.rfind(b"%%EOF")
    tail = content[end + 5 :] if end >= 0 else b""
    if len(tail) < 64:
        return
    if _ACTIVE_TEXT.search(tail[:_PARSED]):
        opening.finding(_RULE, Severity.HIGH, "PDF with a web page or script behind its end")
        return
    for magic, name in _APPENDED:
        if tail.lstrip(b"\0\r\n ")[: len(magic)] == magic:
            opening.finding(_RULE, _gravity(name), f"PDF with a {name} behind it")
            _open_too(opening, tail)
            return
    _with_zip(opening, least=end)


def _with_zip(opening: Opening, least: int = 0) -> None:
    """A zip at the end of something else; `least` is where its first entry may begin at the earliest."""
    found = zip_names(opening.content)
    if found is None:
        return
    start, names = found
    if start < max(least, 1) or not names:
        return
    active = any(_PROGRAM_NAME.search(n) for n in names)
    severity = Severity.HIGH if active else Severity.MEDIUM
    opening.finding(_RULE, severity, f"{opening.kind} that is also a zip of {len(names)} files")
    _open_too(opening, opening.content[start:])


def _open_too(opening: Opening, second: bytes) -> None:
    """Hand on the second nature as a file of its own, so that it is looked into like any other."""
    second = second.lstrip(b"\0\r\n ")
    opening.budget.take_bytes(len(second))
    opening.inner("second nature", second)


def _prefixed_zip(opening: Opening) -> None:
    """A zip that begins with something else; one that begins with a program is of kind exe: self-extracting."""
    content = opening.content
    at = content.find(b"PK\3\4", 0, _PARSED)
    head = content[: max(at, 0)]
    if len(head) > 4 and not head.startswith((b"PK", b"Cr24", b"MZ")):
        active = bool(_ACTIVE_TEXT.search(head)) or head.startswith((b"#!", b"%PDF-"))
        opening.finding(_RULE, Severity.HIGH if active else Severity.MEDIUM, "zip with something else in front")


def zip_names(content: bytes) -> tuple[int, list[bytes]] | None:
    """Where the first entry of a zip at the end of `content` begins, and the names, at most 500; None where none is.

    Follows the end record to the directory and the directory to the entries, as unzip does (APPNOTE 4.3).
    """
    end = content.rfind(_ZIP_END, max(0, len(content) - _ZIP_SEARCHED))
    if end < 0 or end + 22 > len(content):
        return None
    count, size, offset, comment = struct.unpack_from("<HIIH", content, end + 10)
    directory = end - size
    shift = directory - offset  # what stands in front of the zip and is not counted in its offsets
    if not count or directory < 0 or shift < 0 or comment > len(content) - end - 22:
        return None
    names: list[bytes] = []
    first = len(content)
    at = directory
    for _ in range(min(count, _MOST_NAMES)):
        if content[at : at + 4] != b"PK\1\2" or at + 46 > end:
            return None
        lengths = struct.unpack_from("<HHH", content, at + 28)
        (local,) = struct.unpack_from("<I", content, at + 42)
        if content[shift + local : shift + local + 4] != b"PK\3\4":
            return None
        first = min(first, shift + local)
        names.append(content[at + 46 : at + 46 + lengths[0]])
        at += 46 + sum(lengths)
    return first, names


def image_end(content: bytes, kind: str) -> int:
    """The offset behind an image's own data; 0 where it cannot be told."""
    if kind == "png":
        at = content.rfind(b"IEND\xae\x42\x60\x82")
        return at + 8 if at > 0 else 0
    if kind == "gif":
        return _gif_end(content)
    if kind == "jpeg":
        return _jpeg_end(content)
    if kind in ("bmp", "webp"):
        at = 2 if kind == "bmp" else 4
        size = int.from_bytes(content[at : at + 4], "little") + (8 if kind == "webp" else 0)
        return size if 32 < size <= len(content) else 0
    return 0


def _jpeg_end(content: bytes) -> int:
    """Behind the first image; cameras put previews and video behind it, which begin with other marks."""
    at = 2
    for _ in range(_MOST_CHUNKS):
        if content[at : at + 1] != b"\xff" or at + 4 > len(content):
            return 0
        mark = content[at + 1]
        if mark == 0xDA:
            break
        at += 2 if 0xD0 <= mark <= 0xD8 or mark == 0xFF else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    else:
        return 0
    end = content.find(b"\xff\xd9", at)
    return end + 2 if end >= 0 else 0


def _gif_end(content: bytes) -> int:
    """Behind the trailer, following the blocks (GIF89a, Appendix B)."""
    for kind, at, size in _gif_blocks(content):
        if kind == 0x3B:
            return at + size
    return 0


def _gif_blocks(content: bytes) -> list[tuple[int, int, int]]:
    """Label, offset and size of each block: 0x3B the trailer, 0xFE a comment, 0x2C an image, others extensions."""
    flags = content[10]
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    blocks: list[tuple[int, int, int]] = []
    while at < len(content) and len(blocks) < _MOST_CHUNKS:
        start, mark = at, content[at]
        if mark == 0x3B:
            blocks.append((mark, start, 1))
            break
        if mark == 0x2C and at + 10 < len(content):
            local = content[at + 9]
            at += 11 + (3 << ((local & 7) + 1) if local & 0x80 else 0)
        elif mark == 0x21 and at + 1 < len(content):
            mark = content[at + 1]
            at += 2
        else:
            break
        while at < len(content) and content[at]:
            at += content[at] + 1
        at += 1
        blocks.append((mark, start, at - start))
    return blocks


def _comments(content: bytes, kind: str, opening: Opening) -> list[bytes]:
    """The places of an image where free text may stand."""
    opening.budget.check_time()
    if kind == "gif":
        return [content[at : at + size] for label, at, size in _gif_blocks(content) if label in (0xFE, 0xFF)][:100]
    if kind == "jpeg":
        return _jpeg_comments(content)
    if kind == "png":
        return _png_texts(content)
    return []


def _jpeg_comments(content: bytes) -> list[bytes]:
    """Comment and application segments before the image data."""
    at, found = 2, []
    for _ in range(_MOST_CHUNKS):
        if content[at : at + 1] != b"\xff" or at + 4 > len(content) or content[at + 1] == 0xDA:
            break
        size = int.from_bytes(content[at + 2 : at + 4], "big")
        if content[at + 1] == 0xFE or 0xE0 <= content[at + 1] <= 0xEF:
            found.append(content[at + 4 : at + 2 + size])
        at += 2 + size
    return found


def _png_texts(content: bytes) -> list[bytes]:
    at, found = 8, []
    for _ in range(_MOST_CHUNKS):
        size = int.from_bytes(content[at : at + 4], "big")
        if at + 8 > len(content):
            break
        if content[at + 4 : at + 8] in (b"tEXt", b"iTXt"):
            found.append(content[at + 8 : at + 8 + size])
        at += size + 12
    return found


def _gravity(name: str) -> Severity:
    """An archive behind an image may be a joke among hobbyists; a program never is."""
    return Severity.HIGH if "program" in name else Severity.MEDIUM
