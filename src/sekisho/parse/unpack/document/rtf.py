"""RTF: text, links and embedded objects, and the shapes of known exploits. Object data is decoded as Word does it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from sekisho.mail.finding import Severity
from sekisho.parse import charsets, said
from sekisho.parse.links import text_links
from sekisho.parse.unpack.document.rtf_reader import Reader
from sekisho.parse.unpack.office.fields import tell_field
from sekisho.parse.unpack.office.remote import tell_target
from sekisho.parse.unpack.opening import CorruptError, Opening

_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER = re.compile(rb"\A[\s\0\xef\xbb\xbf]*+\{\s*+\\rt(f\d?)?")


def open_rtf(opening: Opening) -> None:
    """Tell of an RTF file's text, links, fields and embedded objects. Raises OverLimitError, CorruptError."""
    reader = Reader(opening)
    try:
        reader.read()
    finally:
        for place, pieces in reader.texts.items():
            _tell_text("".join(pieces), place, opening)
    _fields(reader, opening)
    _objects(reader, opening)
    _header(reader, opening)


def _tell_text(text: str, place: str, opening: Opening) -> None:
    opening.text(text, place)
    for address in text_links(text):
        opening.link(address, origin="text")


def _fields(reader: Reader, opening: Opening) -> None:
    """Hyperlinks, files that are fetched and commands in fields; a template from elsewhere."""
    for field in reader.fields:
        tell_field(opening, field.strip())
    for template in reader.templates:
        tell_target(opening, "attachedtemplate", template)


def _header(reader: Reader, opening: Opening) -> None:
    header = _HEADER.match(opening.content)
    broken = header is None or not header[1] or len(header[1]) < 2
    if reader.objects and broken:
        why = "the header is cut short, as only attackers write it, and there is an embedded object"
        opening.finding("attachment/exploit-shape", Severity.HIGH, why)
    if reader.overlong and reader.objects:
        opening.finding(
            "attachment/exploit-shape", Severity.HIGH, "control words far too long, and an embedded object"
        )
    if header is None:
        raise CorruptError("no RTF header")


def _objects(reader: Reader, opening: Opening) -> None:
    """Embedded objects: what they are, and the files in them."""
    by_itself = b"objupdate" in reader.seen
    for octets in reader.objects:
        opening.budget.check_time()
        name, data = ole1(octets)
        name = name or _class_inside(octets)
        if b"objlink" in reader.seen and not data:
            opening.finding("attachment/rtf-object", Severity.MEDIUM, f"links an object {said.object_class(name)}")
        elif octets.strip(b"\0"):
            opening.finding("attachment/rtf-object", Severity.MEDIUM, f"carries an object {said.object_class(name)}")
        if shape := _exploit(name, data or octets, by_itself=by_itself):
            opening.finding("attachment/exploit-shape", Severity.HIGH, shape)
        for inner_name, content in _files(name, data or octets):
            opening.budget.take_bytes(len(content))
            opening.inner(inner_name, content)


_EXPLOITED = re.compile(rb"(?i)equation\.\d|ole2link|otkloadr\.|mscomctllib\.")
_RUBBISH = 4096
_EQUATION_ID = bytes.fromhex("02ce020000000000c000000000000046")
_LINK_ID = bytes.fromhex("0003000000000000c000000000000046")
_URL_MONIKER = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b")
_SCRIPT_MONIKER = bytes.fromhex("b5d1b506ef0bd21194e600c04f8ef034")
_FILE_MONIKER = bytes.fromhex("0303000000000000c000000000000046")


def _class_inside(octets: bytes) -> str:
    """A class known from exploits in data that is no object as it stands, or "".

    Word passes over more rubbish in front of an object than we do; an odd number of digits of it shifts the octets.
    """
    start = octets[:_RUBBISH]
    for shown in (start, bytes.fromhex(f"0{start.hex()}0")):
        if found := _EXPLOITED.search(shown):
            return found[0].decode("latin-1")
    return ""


def _exploit(name: str, data: bytes, *, by_itself: bool) -> str:
    """The shape of a known way to run code when an RTF file is opened, in words, or ""."""
    lower = name.lower()
    if lower.startswith("equation") or _EQUATION_ID in data or b"E\0q\0u\0a\0t\0i\0o\0n\0" in data:
        return "an object for the old Equation Editor, which has no use but to be exploited (CVE-2017-11882)"
    if lower.startswith("ole2link") or _LINK_ID in data:
        for moniker in (_URL_MONIKER, _SCRIPT_MONIKER):
            if moniker in data:
                return "a linked object that fetches an address (CVE-2017-0199)"
        if by_itself and (_FILE_MONIKER in data or lower.startswith("ole2link")):
            return "a linked object that is updated as soon as the file is opened"
    if lower.startswith(("mscomctllib", "otkloadr", "forms.html")):
        return f"an object {said.object_class(name)}, known from exploits"
    return ""


def ole1(octets: bytes) -> tuple[str, bytes]:
    """Class name and native data of an embedded OLE 1.0 object ([MS-OLEDS] 2.2.5). ("", b"") where it is none."""
    try:
        _version, sort, length = struct.unpack_from("<III", octets)
        at = 12
        if sort not in (1, 2, 5) or length > 1000:
            return "", b""
        name = octets[at : at + length].rstrip(b"\0").decode("latin-1")
        at += length
        for _ in range(2):  # topic and item name
            (length,) = struct.unpack_from("<I", octets, at)
            at += 4 + length
        if sort == 1:
            return name, b""
        (size,) = struct.unpack_from("<I", octets, at)
        return name, octets[at + 4 : at + 4 + size]
    except struct.error:
        return "", b""


def _files(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files in an object: of a package the file itself, else the compound file or the picture."""
    if name.lower().startswith("package") and not data.startswith(_OLE2):
        yield package(data)
        return
    at = data.find(_OLE2)
    if at >= 0:
        yield f"{name or 'object'}.ole", data[at:]
    elif data.strip(b"\0") and len(data) > 16:
        yield name or "object", data


def package(data: bytes) -> tuple[str, bytes]:
    r"""Name and content of a packaged file (the stream "\x01Ole10Native" without its length). Never raises."""
    label_end = data.find(b"\0", 2)
    path_end = data.find(b"\0", label_end + 1)
    if not 0 < label_end < path_end or path_end > 4096:
        return "package", data
    label = charsets.detect(data[2:label_end])
    try:
        kind, length = struct.unpack_from("<II", data, path_end + 1)
        at = path_end + 9
        if kind != 0x00030000:
            return label or "package", data[at:]
        at += length
        (size,) = struct.unpack_from("<I", data, at)
    except struct.error:
        return label or "package", data
    return label or "package", data[at + 4 : at + 4 + size]
