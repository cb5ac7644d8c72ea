"""Opens documents that are one XML file: Word 2003, Excel 2003, flat packages, flat OpenDocument."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from sekisho.parse.unpack.document.text_file import open_text
from sekisho.parse.unpack.office.fields import tell_dde, tell_formula
from sekisho.parse.unpack.office.flow import read_flow
from sekisho.parse.unpack.office.markup import attribute, elements, local
from sekisho.parse.unpack.office.odf import read_content
from sekisho.parse.unpack.office.ole_file import MAGIC, CompoundFile
from sekisho.parse.unpack.office.remote import tell_target
from sekisho.parse.unpack.office.vba import form_strings, has_project, modules_of
from sekisho.parse.unpack.office.vba_judge import tell_macros
from sekisho.parse.unpack.opening import CorruptError, Opening

_OFFICE = re.compile(
    rb"<\?mso-application|<(?:\w+:)?(?:wordDocument|package)\b[^>]{0,4000}schemas\.microsoft\.com"
    rb"|<(?:\w+:)?Workbook\b[^>]{0,2000}office:spreadsheet|<office:document\b"
)
_LARGEST_OBJECT = 64_000_000
_BINARY = ("{*}binData", "{*}binaryData", "{*}binary-data", "{*}docOleData")


def open_flat_office(opening: Opening) -> None:
    """Text, links, fields, macros and files in an XML file of Office; any other XML is a text."""
    data = opening.content
    if not _OFFICE.search(data[:8192]):
        open_text(opening)
        return
    try:
        if b"<office:document" in data[:8192]:
            read_content(opening, data)
        elif b"office:spreadsheet" in data[:8192]:
            _sheets(opening, data)
        else:
            _tell_relations(opening, data)
            flow, broken = read_flow(opening, data)
            opening.text(flow.text)
            opening.text(flow.deleted, "deleted")
            if broken:
                raise broken
    finally:
        _binaries(opening, data)


def _tell_relations(opening: Opening, data: bytes) -> None:
    """Targets outside of a flat package, and the links of Word 2003."""
    for element in elements(data, ["{*}Relationship", "{*}hlink", "{*}attachedTemplate"], opening.budget):
        name = local(element)
        if name == "Relationship":
            if attribute(element, "TargetMode").lower() == "external":
                kind = attribute(element, "Type").rstrip("/").rpartition("/")[2]
                tell_target(opening, kind, attribute(element, "Target"))
        elif name == "hlink" and attribute(element, "dest"):
            text = "".join(t.text or "" for t in element.iter("{*}t"))
            tell_target(opening, "hyperlink", attribute(element, "dest"), text=text)
        elif name == "attachedTemplate" and attribute(element, "val"):
            tell_target(opening, "attachedtemplate", attribute(element, "val"))


def _sheets(opening: Opening, data: bytes) -> None:
    """Excel 2003: rows of each worksheet, formulas, and links to other programs."""
    lines: list[str] = []
    tags = ["{*}Row", "{*}Worksheet", "{*}SupBook", "{*}Cell", "{*}NamedRange"]
    for element in elements(data, tags, opening.budget, keep=True):
        name = local(element)
        if name == "Row":
            cells = ("".join(str(t) for t in cell.itertext()).strip() for cell in element.iterchildren("{*}Cell"))
            lines.append("\t".join(cell for cell in cells if cell))
            element.clear()
        elif name == "Worksheet":
            opening.text("\n".join(lines), attribute(element, "Name"))
            lines = []
            element.clear()
        elif name == "Cell":
            tell_formula(opening, attribute(element, "Formula"))
            if attribute(element, "HRef"):
                tell_target(opening, "hyperlink", attribute(element, "HRef"), text="".join(element.itertext()))
        elif name == "NamedRange":
            tell_formula(opening, attribute(element, "RefersTo"))
        elif element.find("{*}Topic") is not None or element.find("{*}DdeTopic") is not None:
            tell_dde(opening, " ".join(str(t).strip() for t in element.itertext())[:500])
    opening.text("\n".join(lines), "names")


def _binaries(opening: Opening, data: bytes) -> None:
    """Files kept as base64: macros are judged, others handed on."""
    try:
        for element in elements(data, _BINARY, opening.budget):
            name = attribute(element, "name") or "object"
            try:
                content = base64.b64decode("".join((element.text or "").split()))
            except (binascii.Error, ValueError):
                continue
            opening.budget.take_bytes(len(content))
            _binary(opening, name.rpartition("/")[2], content)
    except CorruptError:
        return


def _binary(opening: Opening, name: str, content: bytes) -> None:
    if content.startswith(b"ActiveMime"):
        content = active_mime(opening, content)
    if content.startswith(MAGIC):
        try:
            file = CompoundFile(content, opening.budget)
        except CorruptError:
            file = None
        if file and has_project(file):
            tell_macros(opening, modules_of(file, opening.budget), form_strings(file))
            return
        if file:
            _deflated_objects(opening, name, file)
    if content:
        opening.inner(name, content)


def _deflated_objects(opening: Opening, name: str, file: CompoundFile) -> None:
    """The objects in Word 2003's "oledata.mso": streams with four octets in front of a deflated compound file."""
    for entry in file.children(()):
        data = file.content(entry)
        if data[4:5] != b"\x78":
            continue
        try:
            plain = zlib.decompressobj().decompress(data[4:], _LARGEST_OBJECT)
        except zlib.error:
            continue
        if plain.startswith(MAGIC):
            opening.budget.take_bytes(len(plain))
            opening.inner(f"{name}{entry.name}", plain)


def active_mime(opening: Opening, content: bytes) -> bytes:
    """The compound file that Office deflates into an ActiveMime container ("editdata.mso"), b"" if there is none."""
    start = content.find(b"\x78", 0x20, 0x80)
    while 0 <= start < 0x80:
        try:
            unpacker = zlib.decompressobj()
            plain = unpacker.decompress(content[start:], _LARGEST_OBJECT)
        except zlib.error:
            start = content.find(b"\x78", start + 1, 0x80)
            continue
        opening.budget.take_bytes(len(plain))
        return plain
    return b""
