"""Opens compound files (MS-CFB): doc, xls, ppt, visio, publisher, and objects taken out of documents."""

from __future__ import annotations

from sekisho.parse.unpack.office.crypto import open_encrypted
from sekisho.parse.unpack.office.objects import read_objects
from sekisho.parse.unpack.office.ole_file import MAGIC, CompoundFile
from sekisho.parse.unpack.office.properties import property_sets
from sekisho.parse.unpack.office.slides import read_slides
from sekisho.parse.unpack.office.vba import form_strings, has_project, modules_of
from sekisho.parse.unpack.office.vba_judge import tell_macros
from sekisho.parse.unpack.office.word import read_word
from sekisho.parse.unpack.office.workbook import read_workbook_stream
from sekisho.parse.unpack.opening import CorruptError, Opening

_PROPERTY_STREAMS = ("\x05SummaryInformation", "\x05DocumentSummaryInformation")


def open_ole(opening: Opening) -> None:
    """Text, macros, objects, links. What is encrypted is opened with a password at hand, as a file inside.

    Raises as `Opening` says.
    """
    file = CompoundFile(opening.content, opening.budget)
    if open_encrypted(opening, file):
        return
    broken: CorruptError | None = None
    embedded: list[bytes] = []
    try:
        embedded = _read_document(opening, file)
    except CorruptError as error:
        broken = error
    opening.text(property_sets(file.read(name) for name in _PROPERTY_STREAMS), "properties")
    read_objects(opening, file)
    if has_project(file):
        tell_macros(opening, modules_of(file, opening.budget), form_strings(file))
    for content in embedded:
        _embedded(opening, content)
    if broken:
        raise broken


def _read_document(opening: Opening, file: CompoundFile) -> list[bytes]:
    """Read whatever documents the file is; several at once is a trick, and each is read."""
    if file.find("WordDocument"):
        read_word(opening, file)
    if file.find("Workbook") or file.find("Book"):
        read_workbook_stream(opening, file)
    return read_slides(opening, file) if file.find("PowerPoint Document") else []


def _embedded(opening: Opening, content: bytes) -> None:
    """An object of a presentation: the project of its macros, or a file of its own."""
    if content.startswith(MAGIC):
        try:
            inner = CompoundFile(content, opening.budget)
        except CorruptError:
            inner = None
        if inner and has_project(inner):
            tell_macros(opening, modules_of(inner, opening.budget), form_strings(inner))
            return
    opening.inner("object", content)
