"""Messages as Outlook saves them: .msg and .oft (MS-OXMSG)."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from sekisho.parse.unpack.mail.compound_writer import STORAGE, STREAM, storage_as_file
from sekisho.parse.unpack.mail.mapi import (
    ATTACH_DATA,
    BINARY,
    BOOLEAN,
    HTML,
    INTEGER16,
    INTEGER32,
    RTF,
    STRING,
    STRING8,
    Properties,
    attachment_name,
    tell_attachment,
    tell_message,
)
from sekisho.parse.unpack.office.ole_file import CompoundFile
from sekisho.parse.unpack.opening import CorruptError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.parse.unpack.office.ole_file import Entry
    from sekisho.parse.unpack.opening import Opening

_FIXED = "__properties_version1.0"
_STREAM = re.compile(r"__substg1\.0_([0-9a-f]{4})([0-9a-f]{4})")
_RECIPIENT, _ATTACHMENT = "__recip_version1.0_", "__attach_version1.0_"
_FIXED_ENTRY = struct.Struct("<HHI8s")
_MOST_TEXTS = 2000  # text properties of one message; Outlook writes some dozens
_NUMBERS = frozenset((INTEGER16, INTEGER32, BOOLEAN))
_BINARIES = frozenset((HTML, RTF, ATTACH_DATA))


def open_msg(opening: Opening) -> None:
    """Tell header and bodies, and hand on the attachments; an attached message becomes a file of its own."""
    _Reader(opening).read()


def open_disguised_msg(opening: Opening) -> None:
    """The same for a message with streams of another kind of file beside its own: Outlook does not mind them."""
    if _FIXED.encode("utf-16-le") in opening.content:
        reader = _Reader(opening)
        if reader.compound.find(_FIXED) is not None:
            reader.read()


class _Reader:
    """One message. `inside` are the entries of each storage, by the storage's path."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.compound = CompoundFile(opening.content, opening.budget)
        self.inside: dict[tuple[str, ...], list[Entry]] = {}
        for entry in self.compound.entries:
            if entry.path:
                self.inside.setdefault(entry.path[:-1], []).append(entry)
        self.embedded: dict[tuple[str, ...], list[Entry]] = {}
        for entry in self.compound.entries:
            if len(entry.path) > 2 and entry.path[0].lower().startswith(_ATTACHMENT):
                self.embedded.setdefault(entry.path[:2], []).append(entry)

    def read(self) -> None:
        """Read it all; a body that is broken does not keep the attachments unseen. Raises CorruptError."""
        if self.compound.find(_FIXED) is None:
            raise CorruptError("no Outlook message")
        message = self._properties((), 0)
        recipients = (self._properties(storage.path, message.codepage) for storage in self._storages(_RECIPIENT))
        trouble: CorruptError | None = None
        try:
            tell_message(self.opening, message, recipients)
        except CorruptError as error:
            trouble = error
        for number, storage in enumerate(self._storages(_ATTACHMENT), 1):
            self._attachment(storage, message.codepage, number)
        if trouble:
            raise trouble

    def _storages(self, prefix: str) -> Iterator[Entry]:
        """The storages of recipients or attachments."""
        for entry in self.inside.get((), ()):
            if entry.kind == STORAGE and entry.name.lower().startswith(prefix):
                yield entry

    def _properties(self, storage: tuple[str, ...], codepage: int) -> Properties:
        properties = Properties(codepage)
        texts = 0
        for entry in self.inside.get(storage, ()):
            self.opening.budget.check_time()
            if entry.kind != STREAM:
                continue
            name = _STREAM.fullmatch(entry.name.lower())
            if entry.name.lower() == _FIXED:
                _fixed(properties, self.compound.content(entry))
            if not name:
                continue
            number, kind = int(name[1], 16), int(name[2], 16)
            is_text = kind in (STRING, STRING8)
            texts += is_text
            if (is_text and texts <= _MOST_TEXTS) or (kind == BINARY and number in _BINARIES):
                properties.add(number, kind, self.compound.content(entry))
        properties.settle()
        return properties

    def _attachment(self, storage: Entry, codepage: int, number: int) -> None:
        properties = self._properties(storage.path, codepage)
        inner = next((e for e in self.inside.get(storage.path, ()) if _is_embedded(e)), None)
        if inner is None:
            content = properties.data(ATTACH_DATA) if ATTACH_DATA in properties.values else None
            tell_attachment(self.opening, properties, content, number)
            return
        below = self.embedded.get(inner.path, ())
        content = storage_as_file(self.compound, inner, below)
        name = attachment_name(properties, number)
        is_message = any(e.name.lower() == _FIXED for e in self.inside.get(inner.path, ()))
        self.opening.inner(f"{name}.msg" if is_message and not name.lower().endswith(".msg") else name, content)


def _is_embedded(entry: Entry) -> bool:
    """Whether it is the storage of an attached message or object."""
    return entry.kind == STORAGE and entry.name.upper() == f"__SUBSTG1.0_{ATTACH_DATA:04X}000D"


def _fixed(properties: Properties, stream: bytes) -> None:
    """Values of a fixed size. The header before them is 32, 24 or 8 octets long (MS-OXMSG 2.4.1)."""
    start = 8 if len(stream) % 16 else 0  # what is left of a header reads as entries without a type
    end = start + (len(stream) - start) // 16 * 16
    for kind, number, _flags, value in _FIXED_ENTRY.iter_unpack(stream[start:end]):
        if kind in _NUMBERS:
            properties.add(number, kind, value)
