"""Whether a picture is SVG Tiny Portable/Secure, the only kind that BIMI shows (draft-svg-tiny-ps-abrotman)."""

from __future__ import annotations

import re
import zlib
from itertools import chain
from typing import TYPE_CHECKING

from lxml import etree
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

RECOMMENDED_OCTETS = 32_768  # of the draft on BIMI's logos
MOST_OCTETS = 1_048_576
_MOST_PROBLEMS = 50
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_FORBIDDEN = frozenset((
    "script", "image", "foreignObject", "a", "animate", "animateColor", "animateMotion", "animateTransform", "set",
    "audio", "video", "animation", "discard", "handler", "listener", "iframe", "embed", "object", "switch", "mpath",
    "prefetch", "tbreak", "filter", "mask", "pattern", "marker", "symbol", "cursor", "font-face-uri",
))  # fmt: skip
_EXTERNAL = re.compile(r"url\s*+\(\s*+['\"]?+\s*+(?!#)|@import", re.IGNORECASE)
_NUMBER = r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(?:[eE][+-]?[0-9]{1,3})?"
_VIEW_BOX = re.compile(
    rf"\s*{_NUMBER}(?:\s*,\s*|\s+){_NUMBER}(?:\s*,\s*|\s+)({_NUMBER})(?:\s*,\s*|\s+)({_NUMBER})\s*"
)


class SvgProblem(Struct, frozen=True):
    """Something wrong with a picture. `severe`: it will not be shown; else it is against a recommendation.

    Codes: "not-svg", "too-large", "doctype", "profile", "version", "no-title", "long-title", "forbidden-element",
    "event-attribute", "external-reference", "root-position" (x= or y= at the root), "no-view-box", "not-square",
    "size" (above 32 KB), "empty".
    """

    code: str
    about: str = ""
    severe: bool = True


def check_svg(data: bytes) -> tuple[SvgProblem, ...]:
    """What keeps a picture, gzipped or not, from being a logo of BIMI. Bounded; raises nothing.

    Entities are not expanded and nothing is fetched.
    """
    svg = plain_svg(data)
    if svg is None or len(svg) > MOST_OCTETS:
        return (SvgProblem("too-large" if svg or len(data) > MOST_OCTETS else "not-svg"),)
    root = _root(svg)
    if root is None or root.tag != f"{{{_SVG}}}svg":
        return (SvgProblem("not-svg"),)
    problems: dict[SvgProblem, None] = {}
    if len(data) > RECOMMENDED_OCTETS:
        problems[SvgProblem("size", str(len(data)), severe=False)] = None
    if root.getroottree().docinfo.doctype:
        problems[SvgProblem("doctype")] = None
    problems |= dict.fromkeys(_of_root(root))
    for problem in _of_elements(root):
        problems[problem] = None
        if len(problems) >= _MOST_PROBLEMS:
            break
    return tuple(problems)


def plain_svg(data: bytes) -> bytes | None:
    """A picture without gzip around it, cut one octet above `MOST_OCTETS`; None where the gzip is broken."""
    if not data.startswith(b"\x1f\x8b"):
        return data[: MOST_OCTETS + 1]
    try:
        return zlib.decompressobj(wbits=31).decompress(data, MOST_OCTETS + 1)
    except zlib.error:
        return None


def _root(svg: bytes) -> etree._Element | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(svg, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        return None


def _of_root(root: etree._Element) -> Iterator[SvgProblem]:
    if root.get("baseProfile") != "tiny-ps":
        yield SvgProblem("profile", (root.get("baseProfile") or "")[:40])
    if root.get("version") != "1.2":
        yield SvgProblem("version", (root.get("version") or "")[:40])
    title = root.find(f"{{{_SVG}}}title")
    text = (title.text or "").strip() if title is not None else ""
    if not text:
        yield SvgProblem("no-title")
    elif len(text) > 64:
        yield SvgProblem("long-title", severe=False)
    if root.get("x") is not None or root.get("y") is not None:
        yield SvgProblem("root-position")
    if len(root) <= (title is not None):
        yield SvgProblem("empty")
    box = _VIEW_BOX.fullmatch((root.get("viewBox") or "")[:200])
    if box is None:
        yield SvgProblem("no-view-box")
    elif float(box[1]) != float(box[2]) or float(box[1]) <= 0:
        yield SvgProblem("not-square", f"{box[1]} x {box[2]}", severe=False)


def _of_elements(root: etree._Element) -> Iterator[SvgProblem]:
    for element in chain(root.itersiblings(preceding=True), root.iter()):
        if not isinstance(element.tag, str):
            # Comments do nothing; an instruction may name a style sheet, an entity anything.
            if element.tag is not etree.Comment:
                yield SvgProblem("external-reference", "processing instruction or entity")
            continue
        name = element.tag.rpartition("}")[2]
        if name in _FORBIDDEN:
            yield SvgProblem("forbidden-element", name)
        if name == "style" and _EXTERNAL.search(element.text or ""):
            yield SvgProblem("external-reference", "style")
        yield from _of_attributes(element)


def _of_attributes(element: etree._Element) -> Iterator[SvgProblem]:
    for key, raw in element.attrib.items():
        name, value = str(key), str(raw)
        if name.startswith("on"):
            yield SvgProblem("event-attribute", name[:40])
        elif name in ("href", _XLINK):
            if not value.startswith("#"):
                yield SvgProblem("external-reference", "href")
        elif _EXTERNAL.search(value):
            yield SvgProblem("external-reference", name.rpartition("}")[2][:40])
