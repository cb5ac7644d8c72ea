"""Which kind of zip-based file a zip is: its list of names and one or two small members tell."""

from __future__ import annotations

import re
import struct
import zlib
from typing import Final

_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_CENTRAL: Final = b"PK\x01\x02"
_MOST_ENDS: Final = 1_000  # with more, the list of names is read as if it were not there
_SEARCHED: Final = 1 << 24  # from the end, as far as it is looked for when the zip is opened
_MOST_DIRECTORY: Final = 64 * 1024
_MOST_TYPES: Final = 256 * 1024
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL_SIZE: Final = 46

# The type of the main part (ECMA-376 part 2, content types; [MS-OFFMACRO2] for the forms with macros).
_MAIN_PARTS: Final = {
    b"openxmlformats-officedocument.wordprocessingml.document": "docx",
    b"openxmlformats-officedocument.wordprocessingml.template": "dotx",
    b"openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    b"openxmlformats-officedocument.spreadsheetml.template": "xltx",
    b"openxmlformats-officedocument.presentationml.presentation": "pptx",
    b"openxmlformats-officedocument.presentationml.slideshow": "ppsx",
    b"openxmlformats-officedocument.presentationml.template": "potx",
    b"ms-word.document.macroenabled": "docm",
    b"ms-word.template.macroenabledtemplate": "dotm",
    b"ms-excel.sheet.macroenabled": "xlsm",
    b"ms-excel.sheet.binary.macroenabled": "xlsb",
    b"ms-excel.template.macroenabled": "xltm",
    b"ms-excel.addin.macroenabled": "xlam",
    b"ms-powerpoint.presentation.macroenabled": "pptm",
    b"ms-powerpoint.slideshow.macroenabled": "ppsm",
    b"ms-powerpoint.template.macroenabled": "potm",
    b"ms-powerpoint.addin.macroenabled": "pptm",
    b"ms-visio.drawing": "vsdx",
    b"ms-visio.drawing.macroenabled": "vsdx",
    b"ms-visio.stencil": "vsdx",
    b"ms-visio.stencil.macroenabled": "vsdx",
    b"ms-visio.template": "vsdx",
    b"ms-visio.template.macroenabled": "vsdx",
}
_MAIN: Final = re.compile(rb"application/vnd\.([a-z0-9.\-]{4,80})\.main(?:\+xml)?[\"']", re.IGNORECASE)
# OpenDocument 1.3 part 2, 3.3: the member `mimetype` is the first one, stored.
_OPEN_DOCUMENT: Final = (
    (b"application/vnd.oasis.opendocument.text", "odt"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "ods"),
    (b"application/vnd.oasis.opendocument.presentation", "odp"),
    (b"application/vnd.oasis.opendocument.graphics", "odg"),
)


def zip_kind(content: bytes) -> str:
    """The kind of a file that is a zip: an office format, a program format, or "zip"."""
    first, data = _first_member(content)
    if first == b"mimetype":
        return _open_document(content[data : data + 80])
    names = _directory(content)
    if b"[Content_Types].xml" in names or first == b"[Content_Types].xml":
        return _office(content, names) or ("appx" if b"AppxManifest.xml" in names else "zip")
    return _program(names) or "zip"


def _first_member(content: bytes) -> tuple[bytes, int]:
    at = content.find(b"PK\x03\x04", 0, 64 * 1024)
    return _name_and_data(content, at)


def _name_and_data(content: bytes, at: int) -> tuple[bytes, int]:
    """The name in the local header at `at` and where its data begin."""
    if at < 0 or len(content) < at + _LOCAL.size:
        return b"", 0
    fields = _LOCAL.unpack_from(content, at)
    name, extra = fields[9], fields[10]
    start = at + _LOCAL.size
    return content[start : start + name], start + name + extra


def _directory(content: bytes) -> bytes:
    """The first 64 KiB of the central directory, or of the whole file where there is none."""
    end = _true_end(content)
    if end < 0 or len(content) < end + _END_SIZE:
        return content[:_MOST_DIRECTORY]
    start = _start(content, end)
    return content[start : min(end, start + _MOST_DIRECTORY)]


def _true_end(content: bytes) -> int:
    """Where the last end record is that has a directory, else the last one; -1 for none."""
    lowest = max(0, len(content) - _SEARCHED)
    end = last = content.rfind(_END, lowest)
    for _ in range(_MOST_ENDS):
        if end < 0:
            break
        if content.startswith(_CENTRAL, _start(content, end)):
            return end
        end = content.rfind(_END, lowest, end)
    return last


def _start(content: bytes, end: int) -> int:
    """Where the directory begins, counted back from its end: right with octets before the zip."""
    if len(content) < end + _END_SIZE:
        return len(content)
    size, offset = struct.unpack_from("<II", content, end + 12)
    return int(end - size if size <= end else offset)


def _open_document(mimetype: bytes) -> str:
    return next((kind for start, kind in _OPEN_DOCUMENT if mimetype.startswith(start)), "zip")


def _office(content: bytes, names: bytes) -> str:
    for main in _MAIN.findall(_content_types(content)):
        kind = _MAIN_PARTS.get(main.lower())
        if kind:
            return kind
    return _by_folder(names)


def _by_folder(names: bytes) -> str:
    """What the folders tell where the list of types cannot be read or does not name a known main part."""
    macros = b"vbaProject" in names
    for folder, plain, with_macros in (
        (b"word/", "docx", "docm"),
        (b"xl/", "xlsx", "xlsm"),
        (b"ppt/", "pptx", "pptm"),
    ):
        if folder in names:
            return with_macros if macros else plain
    return "vsdx" if b"visio/" in names else ""


def _content_types(content: bytes) -> bytes:
    """The first 256 KiB of the list of types, b"" where it is encrypted or broken."""
    at = content.find(b"[Content_Types].xml") - _LOCAL.size
    if at < 0 or content[at : at + 4] != b"PK\x03\x04":
        return b""
    flags, method = struct.unpack_from("<HH", content, at + 6)
    _, start = _name_and_data(content, at)
    if flags & 1:
        return b""
    if method == 0:
        return content[start : start + _MOST_TYPES]
    return _inflate(content[start : start + _MOST_TYPES]) if method == zlib.DEFLATED else b""


def _inflate(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, _MOST_TYPES)
    except zlib.error:
        return b""


def _program(names: bytes) -> str:
    if b"AndroidManifest.xml" in names:
        return "apk"
    if b"META-INF/MANIFEST.MF" in names or b".class" in names:
        return "jar"
    return "appx" if b"AppxManifest.xml" in names else ""
