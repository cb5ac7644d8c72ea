"""Opens Office Open XML packages (ECMA-376): docx, xlsx, pptx, vsdx and their macro, template and binary forms."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable

from msgspec import Struct, field

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.unpack.office.biff12 import read_binary_comments, read_binary_link, read_binary_workbook
from sekisho.parse.unpack.office.flow import read_flow
from sekisho.parse.unpack.office.markup import all_text, attribute, elements
from sekisho.parse.unpack.office.ole_file import MAGIC, CompoundFile
from sekisho.parse.unpack.office.parts import Parts
from sekisho.parse.unpack.office.properties import read_properties
from sekisho.parse.unpack.office.relations import Relations
from sekisho.parse.unpack.office.sheets import read_external_link, read_lost_sheet, read_workbook
from sekisho.parse.unpack.office.vba import form_strings, has_project, modules_of
from sekisho.parse.unpack.office.vba_judge import tell_macros
from sekisho.parse.unpack.opening import CorruptError, Opening

# Parts that say how things look, or repeat what is said elsewhere.
_SILENT = frozenset((
    "theme", "themeoverride", "styles", "styleswitheffects", "fonttable", "websettings", "numbering", "presprops",
    "viewprops", "tablestyles", "calcchain", "printersettings", "font", "thumbnail", "sheetmetadata", "table",
    "pivotcachedefinition", "pivotcacherecords", "pivottable", "chartstyle", "chartcolorstyle", "digital-signature",
    "diagramlayout", "diagramquickstyle", "diagramcolors", "diagramdrawing", "commentauthors", "wordvbadata",
    "customxmlprops", "person", "commentsextended", "commentsids", "commentsextensible", "stylesheet",
    "rdrichvaluetypes", "rdrichvaluestructure",
    "powerpivotdata", "model", "xlbinaryindex", "ctrlprop", "slideupdateinfo", "tags", "usershapes", "media", "video",
    "audio",
))  # fmt: skip
_SHEET_PARTS = frozenset((
    "worksheet", "sharedstrings", "chartsheet", "dialogsheet", "xlmacrosheet", "xlintlmacrosheet",
))  # fmt: skip
_FILES = frozenset(("afchunk", "package", "oleobject"))
_PLACES = {
    "officedocument": "", "header": "header", "footer": "footer", "footnotes": "footnotes", "endnotes": "endnotes",
    "comments": "comments", "threadedcomment": "comments", "comment": "comments", "glossarydocument": "glossary",
    "slidemaster": "master", "slidelayout": "layout", "notesmaster": "master", "handoutmaster": "master",
    "drawing": "drawings", "vmldrawing": "drawings", "chart": "chart", "chartex": "chart", "diagramdata": "diagram",

}  # fmt: skip
_MAIN = re.compile(rb"<(?:[\w.-]+:)?(document|workbook|presentation|VisioDocument|FixedDocumentSequence)\b")
_FIRST = 4096
# Controls that have no business in a document but to be exploited.
_BAD_CONTROLS = {
    "8856f961-340a-11d0-a96b-00c04fd705a2": "a web browser",
    "bdd1f04b-858b-11d1-b16a-00c0f0283628": "a list view with a known hole",
    "996bf5e0-8044-4650-adeb-0b013914e99c": "a list view with a known hole",
    "c74190b6-8589-11d1-b16a-00c0f0283628": "a tree view with a known hole",
    "9181dc5f-e07d-418a-aca6-8eea1ecb8e9e": "a tree view with a known hole",
    "1efb6596-857c-11d1-b16a-00c0f0283628": "a tab strip with a known hole",
    "24b224e0-9545-4a2f-abd5-86aa8a849385": "a tab strip with a known hole",
    "d27cdb6e-ae6d-11cf-96b8-444553540000": "Flash",
    "ae24fdae-03c6-11d1-8b76-0080c744f389": "a script host",
    "f414c260-6ac0-11cf-b6d1-00aa00bbbb58": "a script engine",
    "25336920-03f9-11cf-8fd0-00aa00686f13": "HTML",
}


class _Package(Struct):
    """A package that is being read: what readers see of links is gathered until the relations are told."""

    opening: Opening
    parts: Parts
    relations: Relations
    kinds: dict[str, str]
    read: set[str] = field(default_factory=lambda: {"[content_types].xml"})
    link_texts: dict[tuple[str, str], str] = field(default_factory=dict)


def open_ooxml(opening: Opening) -> None:
    """Text by place, links, inner files, macros and what reaches outside. Raises as `Opening` says."""
    parts = Parts(opening)
    relations = Relations(opening, parts)
    package = _Package(opening, parts, relations, _kinds(relations))
    try:
        _read_main(package)
        slides = _slide_numbers(package)
        for name, info in parts.all:
            opening.budget.check_time()
            _read_part(package, name, info, slides)
            parts.forget(info)
    finally:
        relations.tell_external(opening, package.link_texts)
    parts.tell_broken()


def _kinds(relations: Relations) -> dict[str, str]:
    """What each part is to the others; one that is several things is the one that says something."""
    inside = [r for r in relations.all if not r.external]
    inside.sort(key=lambda r: (r.kind not in _SILENT) + 2 * (not r.source))
    return {r.target.lower(): r.kind for r in inside}


def _read_main(package: _Package) -> None:
    """Workbooks are read as a whole, as cells lie in several parts."""
    main = next((r.target for r in package.relations.of("") if r.kind == "officedocument"), "")
    data = package.parts.read(main)
    found = _MAIN.search(data[:_FIRST])
    read = None
    if main.lower().endswith(".bin"):
        read = read_binary_workbook
    elif found and found.group(1) == b"workbook":
        read = read_workbook
    elif not data:
        package.parts.broken(main or "_rels/.rels")
    if read:
        read(package.opening, package.parts, package.relations, main)
        sheets = (r.target.lower() for r in package.relations.of(main) if r.kind in _SHEET_PARTS)
        package.read.update((main.lower(), *sheets))


def _slide_numbers(package: _Package) -> dict[str, str]:
    """The place of each slide and of its notes, in the order of the presentation."""
    places: dict[str, str] = {}
    main = next((r.target for r in package.relations.of("") if r.kind == "officedocument"), "")
    data = package.parts.read(main)
    found = _MAIN.search(data[:_FIRST])
    if found is None or found.group(1) != b"presentation":
        return places
    order = []
    try:
        order = [_relation_id(e.attrib) for e in elements(data, ["{*}sldId"], package.opening.budget)]
    except CorruptError:
        package.parts.broken(main)
    slides = [r.target for name in order if (r := package.relations.find(main, name))]
    slides += [r.target for r in package.relations.of(main) if r.kind == "slide"]
    notes = {r.source.lower(): r.target for r in package.relations.all if r.kind == "notesslide"}
    for number, target in enumerate(dict.fromkeys(slides), 1):
        places[target.lower()] = f"slide {number}"
        if target.lower() in notes:
            places[notes[target.lower()].lower()] = f"notes {number}"
    return places


def _relation_id(attributes: object) -> str:
    """`r:id`, which stands beside a plain `id`."""
    items = dict(attributes).items()  # type: ignore[call-overload] # lxml's own mapping type
    return next((str(v) for k, v in items if str(k).endswith("}id")), "")


def _read_part(package: _Package, name: str, info: zipfile.ZipInfo, places: dict[str, str]) -> None:
    lower = name.lower()
    kind = package.kinds.get(lower, "")
    if lower.endswith((".rels", ".xml")) and (not lower.endswith(".xml") or kind in _SILENT or lower in package.read):
        return
    data = package.parts.content(info)
    if (data.startswith(MAGIC) and _read_project(package, data)) or kind in _SILENT or lower in package.read:
        return
    is_xml = lower.endswith((".xml", ".vml"))
    reader = (_READERS if is_xml else _BINARY_READERS).get(kind)
    if reader or lower.endswith("docmetadata/labelinfo.xml"):
        _attempt(package, name, lambda: (reader or read_properties)(package.opening, data))
    elif is_xml and kind not in _FILES:
        _read_text_part(package, name, data, places.get(lower, _PLACES.get(kind, kind)))
    elif data:
        package.opening.inner(name.rpartition("/")[2], data)


def _attempt(package: _Package, name: str, read: Callable[[], None]) -> None:
    try:
        read()
    except CorruptError:
        package.parts.broken(name)


def _read_text_part(package: _Package, name: str, data: bytes, place: str) -> None:
    if b"<worksheet" in data[:_FIRST]:
        _attempt(package, name, lambda: read_lost_sheet(package.opening, data, place or "xml"))
        return
    flow, broken = read_flow(package.opening, data, placeholders=place not in ("layout", "master"))
    if broken:
        package.parts.broken(name)
    elif not flow.text.strip() and place != "drawings":  # neither Word's nor a drawing's text: whatever it says
        _attempt(package, name, lambda: package.opening.text(all_text(data, package.opening.budget), place or "xml"))
    package.opening.text(flow.text, place)
    package.opening.text(flow.deleted, "deleted")
    for identity, text in flow.links:
        package.link_texts.setdefault((name.lower(), identity), text)


def _read_project(package: _Package, data: bytes) -> bool:
    """Macros, if this compound file holds a project."""
    try:
        file = CompoundFile(data, package.opening.budget)
    except CorruptError:
        return False
    if not has_project(file):
        return False
    tell_macros(package.opening, modules_of(file, package.opening.budget), form_strings(file))
    return True


def _tell_control(opening: Opening, data: bytes) -> None:
    for element in elements(data, ["{*}ocx"], opening.budget):
        class_id = attribute(element, "classid").strip("{}").lower()
        if class_id in _BAD_CONTROLS:
            why = f"the document loads a control: {_BAD_CONTROLS[class_id]}"
            opening.finding("attachment/exploit-object", Severity.HIGH, why)
        elif not class_id.startswith(
            ("8bd21d", "d7053240", "4c599241", "dfd181e0", "978c9e23", "79176fb0", "5512d1")
        ):
            opening.finding(
                "attachment/activex", Severity.LOW, f"the document loads the control {said.class_id(class_id)}"
            )


def _read_settings(opening: Opening, data: bytes) -> None:
    """Variables of a document, where macros keep what they write; and the query of a form letter."""
    found = elements(data, ["{*}docVar", "{*}query", "{*}connectString"], opening.budget)
    kept = [f"{attribute(element, 'name')} {attribute(element, 'val')}".strip() for element in found]
    opening.text("\n".join(kept), "properties")


def _read_connections(opening: Opening, data: bytes) -> None:
    """Queries of a workbook to databases and web pages."""
    for element in elements(data, ["{*}dbPr", "{*}webPr", "{*}textPr", "{*}olapPr"], opening.budget):
        words = " ".join(str(v) for v in element.attrib.values())
        opening.text(words, "connections")
        url = attribute(element, "url")
        if url:
            opening.link(url, "", "src")
            opening.finding(
                "attachment/remote-object", Severity.LOW, f"the workbook asks a web page: {said.target(url)}"
            )


_READERS: dict[str, Callable[[Opening, bytes], None]] = {
    "core-properties": read_properties,
    "extended-properties": read_properties,
    "custom-properties": read_properties,
    "classificationlabels": read_properties,
    "control": _tell_control,
    "activexcontrol": _tell_control,
    "settings": _read_settings,
    "connections": _read_connections,
    "externallink": read_external_link,
}
_BINARY_READERS: dict[str, Callable[[Opening, bytes], None]] = {
    "externallink": read_binary_link,
    "comments": read_binary_comments,
}
