"""Objects and pictures inside compound files: packages with a file, equations, links to elsewhere, images."""

from __future__ import annotations

import ntpath
import re
import struct

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.unpack.office.ole_file import CompoundFile, Entry
from sekisho.parse.unpack.office.remote import tell_target
from sekisho.parse.unpack.opening import Opening

_URL_MONIKER = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b")
_FILE_MONIKER = bytes.fromhex("0303000000000000c000000000000046")
_EQUATION = frozenset(
    (bytes.fromhex("02ce020000000000c000000000000046"), bytes.fromhex("03ce020000000000c000000000000046"))
)
# Objects of known holes: MSCOMCTL, script monikers, HTML applications, Flash.
_BAD_CLASSES = {
    bytes.fromhex("4bf0d1bd8b85d111b16a00c0f0283628"): "a control with a known hole (ListView)",
    bytes.fromhex("b69041c78985d111b16a00c0f0283628"): "a control with a known hole (TreeView)",
    bytes.fromhex("96b5ef1e7c85d111b16a00c0f0283628"): "a control with a known hole (TabStrip)",
    bytes.fromhex("e0f56b994480504aadeb0b013914e99c"): "a control with a known hole (ListView)",
    bytes.fromhex("dc5f18917de08d41aca68eea1ecb8e9e"): "a control with a known hole (TreeView)",
    bytes.fromhex("6edb7cd26daecf1196b8444553540000"): "Flash",
    bytes.fromhex("61f95688400ad011a96b00c04fd705a2"): "a web browser",
    bytes.fromhex("d8f45030b598cf11bb8200aa00bdce0b"): "an HTML application",
    bytes.fromhex("aefd24aec60311d18b760080c744f389"): "a script host",
    bytes.fromhex("aefd24aec603d1118b760080c744f389"): "a script host",
}
_PROGRAM = re.compile(r"(?i)\.(?:exe|com|scr|pif|bat|cmd|js|jse|vbs|vbe|wsf|hta|ps1|lnk|cpl|msi|dll)$")
_COMMAND = re.compile(rb"(?i)cmd(?:\.exe)?[ /]|powershell|mshta|https?:|\\\\\w|\.exe|rundll32|WinExec|script:")
# A picture's record in Office's drawings (MS-ODRAW 2.2.23): kind, length; the picture begins some octets later.
_BLIP = re.compile(rb"[\x1a-\x1f\x29\x2a]\xf0([\x00-\xff]{4})", re.DOTALL)
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"BM", "bmp"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
)
_MOST_PICTURES = 200
_MOST_TEXT_BEFORE = 2048


def read_objects(opening: Opening, file: CompoundFile) -> None:
    """Hand on the files inside a compound file, and report what is dangerous by its class or its link."""
    _tell_classes(opening, file)
    for entry in file.streams:
        name = entry.name.lower()
        if name == "\x01ole10native":
            _native(opening, file, entry)
        elif name == "\x01ole":
            _tell_link(opening, file.content(entry))
        elif name == "equation native":
            _tell_equation(opening, file.content(entry), known_class=_class_of(file, entry) in _EQUATION)
        elif name in ("package", "contents") and entry.size > 4:
            opening.inner(name, file.content(entry))
        elif name in ("data", "pictures"):
            _pictures(opening, file.content(entry))


def _class_of(file: CompoundFile, entry: Entry) -> bytes:
    above = file.find(*entry.path[:-1]) if len(entry.path) > 1 else None
    return above.class_id if above else file.class_id


def _tell_classes(opening: Opening, file: CompoundFile) -> None:
    for entry in file.entries:
        if entry.class_id in _BAD_CLASSES:
            why = f"the document holds {_BAD_CLASSES[entry.class_id]}"
            opening.finding("attachment/exploit-object", Severity.HIGH, why)
        elif entry.class_id in _EQUATION and file.find(*entry.path, "Equation Native") is None:
            why = "an Equation Editor object without an equation, the shape of an exploit"
            opening.finding("attachment/exploit-object", Severity.HIGH, why)


def _tell_equation(opening: Opening, data: bytes, *, known_class: bool) -> None:
    """Old documents hold real formulas: a small one with a right header is only unusual (CVE-2017-11882)."""
    header = int.from_bytes(data[:2], "little")
    formula = data[28:]
    right = header == 28 and formula[:1] in (b"\x02", b"\x03") and len(data) < 4096 and not _COMMAND.search(data)
    long_font = re.search(rb"\x08[\x00-\xff]{2}[^\x00]{33,}", formula) is not None
    if not right or long_font:
        why = "an Equation Editor object whose content is no ordinary formula, the shape of an exploit"
        opening.finding("attachment/exploit-object", Severity.HIGH, why)
    elif known_class:
        opening.finding("attachment/exploit-object", Severity.MEDIUM, "a formula of the old Equation Editor")


def _native(opening: Opening, file: CompoundFile, entry: Entry) -> None:
    data = file.content(entry)
    name, content = native_file(data)
    opening.budget.take_bytes(len(content))
    if content:
        opening.inner(name or "object", content)
    elif _PROGRAM.search(name):
        opening.finding(
            "attachment/remote-object", Severity.HIGH, f"an object that starts a program: {said.command(name)}"
        )
    if _class_of(file, entry) in _EQUATION:
        why = "an Equation Editor object that holds something else, the shape of an exploit"
        opening.finding("attachment/exploit-object", Severity.HIGH, why)


def native_file(data: bytes) -> tuple[str, bytes]:
    """Name and content of an Ole10Native stream (MS-OLEDS 2.3.6, and the package that Windows writes in it).

    What does not have the package's form comes back whole, without a name.
    """
    body = data[4:]
    if body[:2] != b"\x02\x00":
        return "", body
    label, at = _terminated(body, 2)
    source, at = _terminated(body, at)
    if body[at + 2 : at + 4] == b"\1\0":  # a link: nothing but the path of a file that is there already
        return _decode(source), b""
    at += 4  # two words: 0 and 3, for an embedded file
    length = int.from_bytes(body[at : at + 4], "little")
    temporary = body[at + 4 : at + 4 + length] if length < _MOST_TEXT_BEFORE else b""
    at += 4 + len(temporary)
    size = int.from_bytes(body[at : at + 4], "little")
    content = body[at + 4 : at + 4 + size]
    name = _wide_name(body[at + 4 + size :]) or _decode(label) or _decode(source) or _decode(temporary)
    if not content:
        return name, b"" if label or source else body
    return ntpath.basename(name.rstrip("\\/")) or name, content


def _terminated(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\0", at, at + _MOST_TEXT_BEFORE)
    return (data[at:end], end + 1) if end >= 0 else (b"", at)


def _wide_name(tail: bytes) -> str:
    """The second of three names in UTF-16 that follow the content: temporary path, label, source."""
    at = 0
    names = []
    for _ in range(3):
        length = int.from_bytes(tail[at : at + 4], "little")
        if not 0 < length < _MOST_TEXT_BEFORE or at + 4 + 2 * length > len(tail):
            break
        names.append(tail[at + 4 : at + 4 + 2 * length].decode("utf-16-le", "replace").rstrip("\0"))
        at += 4 + 2 * length
    return names[1] if len(names) > 1 else ""


def _decode(octets: bytes) -> str:
    octets = octets.rstrip(b"\0")
    try:
        return octets.decode("cp932")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _tell_link(opening: Opening, data: bytes) -> None:
    """The Ole stream of a linked object (MS-OLEDS 2.3.3); a URL in it is fetched on opening."""
    for target in link_targets(data):
        tell_target(opening, "oleobject", target)


def link_targets(data: bytes) -> list[str]:
    """The addresses of the URL and file monikers in a link (MS-OSHARED 2.3.7)."""
    found = []
    at = data.find(_URL_MONIKER)
    if at >= 0:
        found.append(
            data[at + 20 : at + 20 + 2 * _MOST_TEXT_BEFORE].decode("utf-16-le", "replace").partition("\0")[0]
        )
    at = data.find(_FILE_MONIKER)
    if at >= 0 and at + 22 < len(data):
        (length,) = struct.unpack_from("<I", data, at + 18)
        found.append(_decode(data[at + 22 : at + 22 + min(length, _MOST_TEXT_BEFORE)]))
    return [target for target in found if target]


def _pictures(opening: Opening, data: bytes) -> None:
    """Bitmaps of a drawing, for what is written in them."""
    at = 0
    for number in range(_MOST_PICTURES):
        found = _BLIP.search(data, at)
        if found is None:
            return
        length = int.from_bytes(found.group(1), "little")
        record = data[found.end() : found.end() + length]
        start = min((i for sign, _ in _SIGNATURES if (i := record.find(sign, 0, 60)) >= 0), default=-1)
        if 16 < length <= len(record) and start >= 0:
            ending = next(kind for sign, kind in _SIGNATURES if record.startswith(sign, start))
            opening.budget.take_bytes(len(record))
            opening.inner(f"image{number + 1}.{ending}", record[start:])
            at = found.end() + length
        else:
            at = found.end()
