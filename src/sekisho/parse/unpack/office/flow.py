"""Running text of WordprocessingML and DrawingML parts: paragraphs, tables with tabs, fields, links."""

from __future__ import annotations

from itertools import islice

from lxml import etree
from msgspec import Struct, field

from sekisho.parse.unpack.office.fields import quoted, tell_field
from sekisho.parse.unpack.office.markup import attribute, elements, local
from sekisho.parse.unpack.opening import CorruptError, Opening

_STOPS = ("{*}p", "{*}tc", "{*}tr", "{*}text")
_INSIDE = tuple(
    "{*}" + name
    for name in (
        "t", "delText", "tab", "br", "cr", "ptab", "noBreakHyphen", "sym", "instrText", "delInstrText", "fldChar",
        "fldSimple", "hyperlink", "hlinkClick", "hlinkMouseOver", "hlinkHover",
    )
)  # fmt: skip
_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


class Flow(Struct):
    """What a part says: `text` with paragraphs as lines, `deleted` text of tracked changes.

    `links` are (relation id, what the reader sees); fields are judged as they end.
    """

    opening: Opening
    pieces: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    boxes: set[str] = field(default_factory=set)
    fields: list[_Field] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text as one string."""
        return "".join(self.pieces)

    @property
    def deleted(self) -> str:
        """The deleted text as one string."""
        return "\n".join(self.removed)


class _Field(Struct):
    """A complex field that has begun: its instruction, and once it is separated, its result."""

    instruction: str = ""
    result: str = ""
    separated: bool = False


def read_flow(opening: Opening, data: bytes, *, placeholders: bool = True) -> tuple[Flow, CorruptError | None]:
    """Read a part as far as it is XML; the error that ended it comes beside what was read.

    Without `placeholders`, the shapes of slide masters that only say where text goes are left out.
    """
    flow = Flow(opening)
    has_ruby, has_boxes = b":rt>" in data, b"txbxContent" in data
    broken = None
    try:
        for element in elements(data, _STOPS, opening.budget):
            name = local(element)
            if name == "p":
                if placeholders or not _is_placeholder(element):
                    text = _paragraph(flow, element, has_ruby=has_ruby)
                    if not has_boxes or not _is_copy(flow, element, text):
                        flow.pieces.append(text + "\n")
            elif name == "text":  # a comment of a slide or a sheet in its short form
                flow.pieces.append(("".join(t.text or "" for t in element.iter("{*}t")) or element.text or "") + "\n")
            elif flow.pieces and flow.pieces[-1][-1:] in "\n\t":
                flow.pieces[-1] = flow.pieces[-1][:-1] + ("\t" if name == "tc" else "\n")
    except CorruptError as error:
        broken = error
    for unfinished in flow.fields:  # a reader evaluates these too
        tell_field(opening, unfinished.instruction)
    return flow, broken


def _is_placeholder(paragraph: etree._Element) -> bool:
    shape = next(paragraph.iterancestors("{*}sp"), None)
    return shape is not None and shape.find("{*}nvSpPr/{*}nvPr/{*}ph") is not None


def _paragraph(flow: Flow, paragraph: etree._Element, *, has_ruby: bool) -> str:
    """What a paragraph shows."""
    readings = _take_readings(paragraph) if has_ruby else ""
    out: list[str] = []
    for element in paragraph.iter(*_INSIDE):
        name = local(element)
        if name == "t":
            _add(flow, out, element.text or "")
        elif name in _CHARACTERS:
            parent = element.getparent()
            if name != "tab" or parent is None or local(parent) != "tabs":
                _add(flow, out, _CHARACTERS[name])
        elif name == "delText":
            flow.removed.append(element.text or "")
        elif name == "sym":
            _add(flow, out, _symbol(attribute(element, "char")))
        else:
            _field_or_link(flow, element, name)
    return "".join(out) + readings


def _add(flow: Flow, out: list[str], text: str) -> None:
    if flow.fields:
        for open_field in flow.fields:
            if open_field.separated:
                open_field.result += text[:500] if len(open_field.result) < 2000 else ""
    out.append(text)


def _field_or_link(flow: Flow, element: etree._Element, name: str) -> None:
    if name in ("instrText", "delInstrText"):
        if flow.fields:
            flow.fields[-1].instruction += (element.text or "")[: 8192 - len(flow.fields[-1].instruction)]
        else:
            tell_field(flow.opening, element.text or "")
    elif name == "fldChar":
        _field_mark(flow, attribute(element, "fldCharType"))
    elif name == "fldSimple":
        tell_field(flow.opening, attribute(element, "instr"), _shown(element))
    elif name == "hyperlink":
        flow.links.append((attribute(element, "id"), _shown(element)))
    else:
        run = element.getparent()
        run = run.getparent() if run is not None else None
        inside = "".join(t.text or "" for t in run.iterchildren("{*}t")) if run is not None else ""
        flow.links.append((attribute(element, "id"), inside))


def _shown(element: etree._Element) -> str:
    """The beginning of what a reader sees of a link; links may stand in each other."""
    return "".join(t.text or "" for t in islice(element.iter("{*}t"), 20))


def _field_mark(flow: Flow, kind: str) -> None:
    if kind == "begin":
        if len(flow.fields) < 50:
            flow.fields.append(_Field())
    elif kind == "separate" and flow.fields:
        flow.fields[-1].separated = True
    elif kind == "end" and flow.fields:
        ended = flow.fields.pop()
        value = quoted(ended.instruction)
        if value is None:
            tell_field(flow.opening, ended.instruction, ended.result)
        if flow.fields and not flow.fields[-1].separated:  # nested: its value is part of the outer instruction
            flow.fields[-1].instruction += (value if value is not None else ended.result)[:2000]


def _symbol(code: str) -> str:
    """A symbol's character; those of symbol fonts stand 0xF000 higher."""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    number -= 0xF000 if number >= 0xF000 else 0
    return chr(number) if 31 < number < 0xD800 else ""


def _take_readings(paragraph: etree._Element) -> str:
    """Remove the readings above characters (ruby), which would stand in the middle of names, and give them back."""
    readings = []
    for reading in paragraph.iter("{*}rt"):
        readings.append("".join(t.text or "" for t in reading.iter("{*}t")))
        reading.clear()
    return f"\n{' '.join(readings)}" if readings else ""


def _is_copy(flow: Flow, paragraph: etree._Element, text: str) -> bool:
    """Whether this repeats a text box: programs write each twice, in a new and in an old form."""
    if next(paragraph.iterancestors("{*}txbxContent"), None) is None:
        return False
    if next(paragraph.iterancestors("{*}Fallback"), None) is not None and text in flow.boxes:
        return True
    flow.boxes.add(text)
    return False
