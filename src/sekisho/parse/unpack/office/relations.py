"""Relations between the parts of a package (ECMA-376 part 2, 9.3), and those that leave it."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote

from msgspec import Struct

from sekisho.parse.unpack.office.markup import attribute, elements
from sekisho.parse.unpack.office.parts import Parts
from sekisho.parse.unpack.office.remote import tell_target
from sekisho.parse.unpack.opening import CorruptError, Opening


class Relation(Struct, frozen=True):
    """From part `source` ("" for the package) to `target`: a part's name, or an address if `external`.

    `kind` is the last word of the relation's type, lower case ("hyperlink", "image", "attachedtemplate").
    """

    source: str
    name: str
    kind: str
    target: str
    external: bool


class Relations:
    """All relations of a package, in order and by source and id."""

    def __init__(self, opening: Opening, parts: Parts) -> None:
        self.all: list[Relation] = []
        for name, info in parts.all:
            folder, _, file = name.rpartition("_rels/")
            if not file.lower().endswith(".rels") or "/" in file:
                continue
            source = folder + file[: -len(".rels")]
            try:
                self.all += _read(opening, parts.content(info), source)
            except CorruptError:
                parts.broken(name)
        self._by_id = {(r.source.lower(), r.name): r for r in self.all}

    def find(self, source: str, name: str) -> Relation | None:
        """The relation of part `source` with this id."""
        return self._by_id.get((source.lower(), name))

    def of(self, source: str) -> list[Relation]:
        """The relations of one part, in order."""
        lower = source.lower()
        return [r for r in self.all if r.source.lower() == lower]

    def tell_external(self, opening: Opening, texts: dict[tuple[str, str], str]) -> None:
        """Report every target outside; `texts` are what readers see of links, by part and id."""
        for relation in self.all:
            if relation.external:
                text = texts.get((relation.source.lower(), relation.name), "")
                tell_target(opening, relation.kind, relation.target, text=text)


def _read(opening: Opening, data: bytes, source: str) -> list[Relation]:
    relations = []
    folder = posixpath.dirname(source)
    for element in elements(data, ["{*}Relationship"], opening.budget):
        kind = attribute(element, "Type").rstrip("/").rpartition("/")[2].lower()
        target = attribute(element, "Target")
        external = attribute(element, "TargetMode").lower() == "external"
        if not external:
            path = unquote(target.partition("#")[0]).replace("\\", "/")
            target = posixpath.normpath(posixpath.join("/" + folder, path)).lstrip("/")
        relations.append(Relation(source, attribute(element, "Id"), kind, target, external))
    return relations
