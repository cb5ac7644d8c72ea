"""HTML as a reader sees it: its text with a line for each block, and its links. Bounded time on any input."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from sekisho.parse.links import MOST_LINKS, text_links

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

Origin = Literal["text", "href", "src", "form", "other"]
Found = tuple[str, str, Origin]

# The HTML tree builder takes time by depth times tags, and repeats open formatting elements in each new block: beyond
# these numbers, which honest mail does not reach (browsers flatten below 512 levels too), tags are taken out flatly.
FEW_TAGS = 1500
MOST_TAGS = 60_000
DEEPEST = 500
MOST_REPEATED = 1_000_000
_UNSEEN = "script, style, head, template, noframes, title"
_BREAKS = re.compile(
    r"<(?=/?(?:p|div|br|tr|table|li|ul|ol|dl|dt|dd|h[1-6]|hr|blockquote|pre|section|article|header|footer|center"
    r"|form|address|figure|option|fieldset|caption|thead|tbody)[\s/>])",
    re.IGNORECASE,
)
_CELLS = re.compile(r"<(?=/?t[dh][\s/>])", re.IGNORECASE)
_BLANKS = "\t\r\f\v\xa0"
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*)")
_NEVER_DEEP = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "td", "th", "tr", "option", "dt", "dd", "tbody", "thead", "tfoot", "html", "head", "body",
))  # fmt: skip
_FORMATTING = frozenset((
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
))  # fmt: skip
_UNSEEN_OPEN = re.compile(r"<(script|style|title|template)\b", re.IGNORECASE)
_PRE = re.compile(r"<(/?)pre\b", re.IGNORECASE)
# Unended comments and tags reach to the end of the text, as in a browser; so nothing is looked at twice.
_FLAT_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(?:([A-Za-z]++)|[/!?])[^>]*+(?:>|\Z)", re.DOTALL)
_FLAT_ADDRESS = re.compile(r"\b(?:href|src|action)\s*+=\s*+[\"']?([^\"'\s>]{1,4096})", re.IGNORECASE)
_REFRESH = re.compile(r"url\s*=\s*[\"']?\s*([^\"'>]+)", re.IGNORECASE)
_CSS = """a[href], area[href], base[href], img[src], iframe[src], frame[src], embed[src], object[data],
form[action], button[formaction], input[formaction], meta[http-equiv], [background]"""
_ATTRIBUTES: dict[str, tuple[str, Origin]] = {
    "a": ("href", "href"), "area": ("href", "href"), "img": ("src", "src"), "iframe": ("src", "src"),
    "frame": ("src", "src"), "embed": ("src", "src"), "object": ("data", "src"), "form": ("action", "form"),
    "button": ("formaction", "form"), "input": ("formaction", "form"),
}  # fmt: skip


class Page:
    """One HTML text: `visible` characters and `links` as (address, text a reader sees, origin)."""

    __slots__ = ("links", "visible")

    def __init__(self, html: str) -> None:
        html = html.replace("\0", "\ufffd")
        if is_flat_enough(html):
            self.visible, self.links = _from_tree(html)
        else:
            self.visible, self.links = _flat(html)
        known = {address for address, _, _ in self.links}
        for address in text_links(self.visible):
            if address not in known:
                self.links.append((address, "", "text"))
        del self.links[MOST_LINKS:]


def is_flat_enough(html: str) -> bool:
    """Whether the tree builder can be trusted with this in bounded time."""
    tags = html.count("<")
    if tags <= FEW_TAGS:
        return True
    if tags > MOST_TAGS:
        return False
    open_tags: dict[str, int] = {}
    depth = formatting = most_formatting = 0
    for close, written in _TAG.findall(html):
        name = written.lower()
        if name in _NEVER_DEEP:
            continue
        level = open_tags.get(name, 0)
        step = -1 if close else 1
        if level + step < 0:
            continue
        open_tags[name] = level + step
        depth += step
        if name in _FORMATTING:
            formatting += step
            most_formatting = max(most_formatting, formatting)
        if depth > DEEPEST:
            return False
    return most_formatting * tags <= MOST_REPEATED


def _from_tree(html: str) -> tuple[str, list[Found]]:
    """Text and links by the tree a browser would build.

    Line ends of the source become tabs and each block gets one before its tag: white space is the one thing that
    may stand between any two tags without moving, so one look at the tree's text is enough.
    """
    tree = LexborHTMLParser(with_breaks(html))
    links = _tree_links(tree)
    tree.strip_tags(_UNSEEN.split(", "))
    for image in tree.css("img[alt]")[:MOST_LINKS]:
        if alt := image.attributes.get("alt"):
            image.replace_with(f" {alt} ")
    body = tree.body or tree.root
    return squeezed(body.text() if body else ""), links


def squeezed(text: str) -> str:
    """White space as a browser shows it: blanks run together, empty lines gone."""
    for blank in _BLANKS:
        if blank in text:
            text = text.replace(blank, " ")
    return _single(_single(text, " ").replace(" \n", "\n").replace("\n ", "\n"), "\n").strip()


def _single(text: str, character: str) -> str:
    """Runs of a character halved until none is left: far faster than an expression that stops at each of them."""
    while 2 * character in text:
        text = text.replace(2 * character, character)
    return text


def _tree_links(tree: LexborHTMLParser) -> list[Found]:
    """The addresses in the attributes a mail program follows or loads."""
    found: list[Found] = []
    base = ""
    for node in tree.css(_CSS)[:MOST_LINKS]:
        tag = node.tag or ""
        attributes = node.attributes
        if tag == "base":
            base = base or (attributes.get("href") or "").strip()
            found.append((base, "", "other"))
            continue
        if tag == "meta":
            refresh = _REFRESH.search(attributes.get("content") or "")
            if refresh and (attributes.get("http-equiv") or "").strip().lower() == "refresh":
                found.append((refresh[1].strip(), "", "other"))
            continue
        name, origin = _ATTRIBUTES.get(tag, ("background", "src"))
        address = attributes.get(name) or ""
        if address.strip():
            found.append((address, _seen(node) if tag in ("a", "area") else "", origin))
        if (background := attributes.get("background")) and name != "background":
            found.append((background, "", "src"))
    return [(resolved(address, base), text, origin) for address, text, origin in found if address]


def _seen(node: LexborNode) -> str:
    """What a reader sees of an <a>: its text, else the text for its image."""
    text = " ".join(node.text().split())
    if not text and (image := node.css_first("img[alt]")) is not None:
        text = " ".join((image.attributes.get("alt") or "").split())
    return text


def resolved(address: str, base: str) -> str:
    """An address without the white space browsers drop, against <base href> where there is one."""
    address = address.strip().replace("\t", "").replace("\n", "").replace("\r", "")
    if base and ":" not in address.partition("/")[0]:
        try:
            return urljoin(base, address)
        except ValueError:
            return address
    return address


def with_breaks(html: str) -> str:
    """The source with a line end before each block's tag, a blank before each cell's, and none elsewhere.

    The line ends of the source become tabs: blanks like them, and dropped from addresses like them.
    """
    if "<pre" not in html and "<PRE" not in html:
        flat = html.replace("\r", "\t").replace("\n", "\t")
    else:
        pieces = []
        at = 0
        inside = False
        for tag in _PRE.finditer(html):
            piece = html[at : tag.start()]
            pieces.append(piece if inside else piece.replace("\r", "\t").replace("\n", "\t"))
            at, inside = tag.start(), not tag[1]
        flat = "".join((*pieces, html[at:]))
    return _CELLS.sub(" <", _BREAKS.sub("\n<", flat))


def _flat(html: str) -> tuple[str, list[Found]]:
    """Text and links of an HTML that is built to exhaust a tree builder: tags are taken out, linearly."""
    links: list[Found] = []
    for tag in _FLAT_TAG.finditer(html):
        name = (tag[1] or "").lower()
        if name in _ATTRIBUTES and (address := _FLAT_ADDRESS.search(tag[0])):
            links.append((unescape(address[1]), "", _ATTRIBUTES[name][1]))
            if len(links) >= MOST_LINKS:
                break
    return squeezed(unescape(_FLAT_TAG.sub("", with_breaks(_without_unseen(html))))), links


def _without_unseen(html: str) -> str:
    """The source without scripts and styles; one that is not ended reaches to the end."""
    pieces = []
    at = 0
    while opened := _UNSEEN_OPEN.search(html, at):
        pieces.append(html[at : opened.start()])
        end = re.compile(rf"</{opened[1]}\b", re.IGNORECASE).search(html, opened.end())
        if end is None:
            return "".join(pieces)
        at = end.start()
    return "".join((*pieces, html[at:]))
