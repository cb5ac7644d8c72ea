"""XML parts of documents: read in one pass, without entities, and as far as they go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import BytesIO

from lxml import etree

from sekisho.parse.unpack.opening import Budget, CorruptError, OverLimitError

_MOST_TAGS = 8_000_000


def elements(data: bytes, tags: Sequence[str], budget: Budget, *, keep: bool = False) -> Iterator[etree._Element]:
    """Every element of these tags ("{*}p") when it ends, in order; afterwards it is emptied unless `keep`.

    Entities stay unresolved and a document type is refused, as the formats forbid both; depth and the size of a
    text are bounded by libxml2. Raises CorruptError where the XML ends being XML.
    """
    if data.count(b"<") > _MOST_TAGS:
        raise OverLimitError("XML elements")
    events = etree.iterparse(
        BytesIO(data), events=("end",), tag=tags, resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        for number, (_, element) in enumerate(events):
            if not number & 255:
                budget.check_time()
            if not number and element.getroottree().docinfo.internalDTD is not None:
                raise CorruptError("document type in a part")
            yield element
            if not keep:
                element.clear()
    except etree.LxmlError:
        raise CorruptError("XML that is not well formed") from None
    except (LookupError, UnicodeError):
        raise CorruptError("XML in an unknown encoding") from None


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return _local(element.tag)


@lru_cache(maxsize=1024)
def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def attribute(element: etree._Element, name: str) -> str:
    """An attribute by its local name, whatever its namespace (transitional, strict, or none); "" if missing."""
    value = element.get(name)
    if value is not None:
        return str(value)
    for key, found in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(found)
    return ""


def all_text(data: bytes, budget: Budget) -> str:
    """Every run of characters of an XML part, one a line. Raises CorruptError, OverLimitError."""
    root = None
    for root in elements(data, ["*"], budget, keep=True):  # noqa: B007 - the last one to end is the root
        pass
    if root is None:
        return ""
    return "\n".join(piece.strip() for piece in root.itertext() if not piece.isspace())
