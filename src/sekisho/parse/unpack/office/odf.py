"""Opens OpenDocument packages (ISO/IEC 26300): odt, ods, odp, odg and their templates."""

from __future__ import annotations

import re

from lxml import etree
from msgspec import Struct, field

from sekisho.parse.unpack.office.fields import tell_dde, tell_formula
from sekisho.parse.unpack.office.markup import all_text, attribute, elements, local
from sekisho.parse.unpack.office.odf_crypto import open_encrypted_parts
from sekisho.parse.unpack.office.parts import Parts
from sekisho.parse.unpack.office.remote import tell_target
from sekisho.parse.unpack.office.vba import Module
from sekisho.parse.unpack.office.vba_judge import tell_macros
from sekisho.parse.unpack.opening import CorruptError, Opening

_STOPS = tuple(
    "{*}" + name
    for name in (
        "p", "h", "table-cell", "covered-table-cell", "table-row", "table", "page", "a", "annotation", "deletion",
        "event-listener", "dde-source", "dde-connection-decl", "object", "object-ole", "image", "plugin", "applet",
        "floating-frame", "section-source", "template", "header", "footer", "user-defined", "variable-set",
    )
)  # fmt: skip
_SPACES = {"tab": "\t", "line-break": "\n"}
_LOADED = {"object": "oleobject", "object-ole": "oleobject", "plugin": "oleobject", "applet": "oleobject",
           "floating-frame": "frame", "section-source": "subdocument", "template": "attachedtemplate",
           "image": "image"}  # fmt: skip
_SILENT = frozenset((
    "mimetype", "settings.xml", "manifest.rdf", "layout-cache", "manifest.xml", "script-lb.xml", "script-lc.xml",
    "current.xml",
))  # fmt: skip
_OUTSIDE = re.compile(r"(?i)^(?:[a-z][a-z0-9+.-]+:|\\\\|//)")
_BY_ITSELF = re.compile(r"(?i)load|open|new|start|view-created|focus|activat|layout")
_SPREADSHEET = re.compile(rb"<office:spreadsheet\b")
_LINK = "{http://www.w3.org/1999/xlink}href"


class _Content(Struct):
    """What a content part has said so far; events that start macros are gathered for their judgement."""

    opening: Opening
    by_sheet: bool
    place: str = ""
    pieces: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    styled: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    pages: int = 0


def open_odf(opening: Opening) -> None:
    """Text by place, links, macros, inner files. Raises as `Opening` says."""
    parts = Parts(opening)
    if open_encrypted_parts(opening, parts):
        return
    events: list[str] = []
    modules: list[Module] = []
    for name, info in parts.all:
        opening.budget.check_time()
        data = parts.content(info)
        try:
            _read_part(opening, name, data, events, modules)
        except CorruptError:
            parts.broken(name)
        parts.forget(info)
    tell_macros(opening, modules, automatic=events)
    parts.tell_broken()


def _read_part(opening: Opening, name: str, data: bytes, events: list[str], modules: list[Module]) -> None:
    base = name.rpartition("/")[2].lower()
    folder = name.lower().partition("/")[0]
    if base == "content.xml":
        events += read_content(opening, data)
    elif base == "styles.xml":
        events += read_content(opening, data, place="header")
    elif base == "meta.xml":
        opening.text(all_text(data, opening.budget), "properties")
    elif folder == "basic" and base.endswith((".xml", ".xba")) and base not in ("script-lb.xml", "script-lc.xml"):
        modules.append(Module(base, all_text(data, opening.budget)))
    elif folder == "scripts":
        modules.append(Module(base, data.decode("utf-8", "replace")))
    elif folder not in ("configurations2", "meta-inf", "thumbnails", "fonts") and base not in _SILENT and data:
        opening.inner(name.rpartition("/")[2], data)


def read_content(opening: Opening, data: bytes, place: str = "") -> list[str]:
    """Report the text of content.xml or styles.xml; the events that start a macro by themselves come back."""
    content = _Content(opening, _SPREADSHEET.search(data) is not None, place)
    try:
        for element in elements(data, _STOPS, opening.budget):
            _take(content, element, local(element))
    finally:
        opening.text("".join(content.pieces), place)
        opening.text("\n".join(content.deleted), "deleted")
        opening.text("\n".join(content.comments), "comments")
    return content.events


def _take(content: _Content, element: etree._Element, name: str) -> None:
    if name in ("p", "h"):
        _paragraph(content, element)
    elif name in ("table-cell", "covered-table-cell"):
        _cell(content, element)
    elif name == "table-row":
        if content.pieces and content.pieces[-1][-1:] in "\t\n":
            content.pieces[-1] = content.pieces[-1][:-1] + "\n"
    elif name == "table" and content.by_sheet:
        content.opening.text("".join(content.pieces), attribute(element, "name"))
        content.pieces = []
    elif name == "page":
        content.pages += 1
        content.opening.text("".join(content.pieces), f"slide {content.pages}")
        content.pieces = []
    else:
        _outside(content, element, name)


def _paragraph(content: _Content, element: etree._Element) -> None:
    for space in element.iter("{*}s", "{*}tab", "{*}line-break", "{*}ruby-text"):
        kind = local(space)
        count = attribute(space, "c")
        space.text = _SPACES.get(kind, " " * (min(int(count), 200) if count.isdecimal() else 1))
        if kind == "ruby-text":
            space.clear(keep_tail=True)
    text = "".join(str(piece) for piece in element.itertext())
    for link in element.iter("{*}a"):
        _link(content, link)
    above = element.getparent()
    kind = local(above) if above is not None else ""
    if kind == "annotation":
        content.comments.append(text)
    elif kind == "deletion":
        content.deleted.append(text)
    else:
        content.pieces.append(text + "\n")


def _link(content: _Content, element: etree._Element) -> None:
    target = element.get(_LINK) or ""
    text = "".join(str(piece) for piece in element.itertext())
    if target and not target.startswith("#"):
        tell_target(content.opening, "hyperlink", target, text=text)
    element.attrib.pop(_LINK, None)  # it ends after its paragraph, or before, and is told once


def _cell(content: _Content, element: etree._Element) -> None:
    if content.pieces and content.pieces[-1].endswith("\n"):
        content.pieces[-1] = content.pieces[-1][:-1] + "\t"
    value = attribute(element, "value")
    digits = value.partition(".")[0]
    if len(digits) >= 9 and digits.isdecimal():  # shown shortened, or with separators
        content.pieces.append(digits + "\t")
    formula = attribute(element, "formula")
    if formula:
        tell_formula(content.opening, formula)


def _outside(content: _Content, element: etree._Element, name: str) -> None:
    target = element.get(_LINK) or ""
    if name == "a":
        _link(content, element)
    elif name == "event-listener":
        event = attribute(element, "event-name")
        if _BY_ITSELF.search(event) and len(content.events) < 100:
            content.events.append(event)
    elif name in ("dde-source", "dde-connection-decl"):
        tell_dde(content.opening, f"{attribute(element, 'dde-application')} {attribute(element, 'dde-topic')}")
    elif name in _LOADED and _OUTSIDE.match(target):
        tell_target(content.opening, _LOADED[name], target)
