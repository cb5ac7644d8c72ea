"""Apply modifications to raw bytes and envelope, once. What is not modified stays byte for byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from sekisho.act.compose import FieldError, header_field, text_entity
from sekisho.mail.address import domain_of
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.pieces import together
from sekisho.mail.verdict import (
    AddHeader,
    AddRecipient,
    ChangeHeader,
    ChangeSender,
    DeleteHeader,
    DeleteRecipient,
    DropPart,
    Modification,
    Redact,
    ReplacePart,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sekisho.mail.message import Message, Part

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_ADDRESS = re.compile(r"[^\x00-\x20\x7f-\x9f<>]+@[^\x00-\x20\x7f-\x9f<>@]+")
_BLANK = (b" ", b"\t")
_NEWLINE = (b"\r", b"\n")
_REPLACED_CONTENT = frozenset(("content-type", "content-transfer-encoding", "content-md5", "content-length"))


class ModifyError(Exception):
    """A modification that cannot be applied: no such part, a part that is no slice of the message, a bad value."""


class _Edit(Struct, frozen=True, order=True):
    """Put `new` in the place of raw[start:end]."""

    start: int
    end: int
    new: bytes


def apply(message: Message, modifications: Sequence[Modification]) -> bytes:
    """The message's bytes with every modification of header and parts made, in their order.

    Envelope modifications are left to `apply_envelope`. Where one part lies in another, the outer one's modification
    stands; of two for the same part, the later; masks in a part that is replaced go with it.
    Added lines end as the message's own first line does.
    Raises ModifyError. Linear in the message's length.
    """
    wanted = {m.part: m for m in modifications if isinstance(m, ReplacePart | DropPart)}
    header = _HeaderFields(message)
    for modification in modifications:
        if isinstance(modification, AddHeader | ChangeHeader | DeleteHeader):
            header.take(modification)
    edits: list[_Edit] = []
    for part, is_message in _outermost(message, wanted):
        edits += _part_edits(part, wanted[part.path], header, is_message=is_message)
    edits += header.edits()
    for modification in modifications:
        if isinstance(modification, Redact):
            edits += _masks(modification, len(message.raw))
    return _spliced(message.raw, edits, crlf=_has_crlf(message.raw))


def _masks(redaction: Redact, size: int) -> Iterable[_Edit]:
    """Octets over octets. What is not worked out must not leave as it is. Raises ModifyError."""
    if redaction.masks is None:
        raise ModifyError("what is to be redacted was not worked out")
    for mask in redaction.masks:
        end = mask.start + len(mask.octets)
        if not 0 <= mask.start <= end <= size:
            raise ModifyError("a mask lies outside the message")
        yield _Edit(mask.start, end, mask.octets)


def _has_crlf(raw: bytes) -> bool:
    first = raw.find(b"\n")
    return first < 0 or raw[first - 1 : first] == b"\r"


def _spliced(raw: bytes, edits: Iterable[_Edit], *, crlf: bool) -> bytes:
    pieces: list[bytes | memoryview] = []
    position = 0
    whole = memoryview(raw)
    for edit in sorted(edits):
        if edit.start >= position:  # a malformed tree could overlap; the first edit stands
            pieces += (whole[position : edit.start], edit.new if crlf else edit.new.replace(b"\r\n", b"\n"))
            position = edit.end
    return together(*pieces, whole[position:])


class _HeaderFields:
    """The message's own header while modifications are made: fields added on top, fields changed or deleted."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._added: list[tuple[str, bytes]] = []
        self._changed: dict[int, bytes] = {}

    def take(self, modification: AddHeader | ChangeHeader | DeleteHeader) -> None:
        """Make one modification. Raises ModifyError."""
        key = modification.name.lower()
        if isinstance(modification, DeleteHeader):
            self.delete({key})
        elif isinstance(modification, AddHeader):
            self._added.append((key, _field(modification.name, modification.value)))
        else:
            self._change(key, _field(modification.name, modification.value))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete every field of these lower-case names."""
        keys = frozenset(keys)
        self._added = [(key, field) for key, field in self._added if key not in keys]
        self._changed |= {i: b"" for i, h in enumerate(self._message.headers) if h.key in keys}

    def _change(self, key: str, field: bytes) -> None:
        for i, (added_key, _) in reversed(list(enumerate(self._added))):
            if added_key == key:
                self._added[i] = (key, field)
                return
        for i, header in enumerate(self._message.headers):
            if header.key == key and self._changed.get(i) != b"":
                self._changed[i] = field
                return
        self._added.append((key, field))

    def edits(self) -> Iterable[_Edit]:
        """What has to be done to the raw bytes."""
        headers = self._message.headers
        for i, field in self._changed.items():
            yield _Edit(headers[i].start, headers[i].end, field)
        if self._added:
            yield self._on_top(b"".join(field for _, field in reversed(self._added)))

    def _on_top(self, fields: bytes) -> _Edit:
        raw, start = self._message.raw, self._message.root.start  # after the first line of an mbox file's message
        # A line that begins with a blank would continue the field on top of it.
        first = next((h.start for h in self._message.headers if raw[h.start : h.start + 1] not in _BLANK), None)
        if first is not None and raw[start : start + 1] in _BLANK:
            start = first
        if first is None and raw[start : start + 1] not in _NEWLINE:
            fields += b"\r\n"  # there is no header: what follows is the body
        return _Edit(start, start, fields)


def _field(name: str, value: str) -> bytes:
    try:
        return header_field(name, value)
    except FieldError as error:
        raise ModifyError(str(error)) from error


def _outermost(message: Message, wanted: dict[str, ReplacePart | DropPart]) -> Iterable[tuple[Part, bool]]:
    """The parts to edit that lie in no other one to edit, and whether each is a whole message. Raises ModifyError."""
    if not wanted:
        return
    missing = wanted.keys() - {part.path for part in message.parts}
    if missing:
        raise ModifyError(f"the message has no part {min(missing)!r}")
    stack = [(message.root, True)]
    while stack:
        part, is_message = stack.pop()
        if part.path not in wanted:
            stack.extend((child, not part.is_multipart) for child in part.children)
        elif part.raw is not message.raw:
            raise ModifyError(f"part {part.path} lies in an encoded container and cannot be changed by itself")
        else:
            yield part, is_message


def _part_edits(
    part: Part, modification: ReplacePart | DropPart, header: _HeaderFields, *, is_message: bool
) -> Iterable[_Edit]:
    """What it takes to give a part new content. A message keeps its other fields, a part that is dropped does not."""
    fields, body = _content(modification)
    dropped = isinstance(modification, DropPart)
    gone = {h.key for h in part.headers if h.key in _REPLACED_CONTENT or (dropped and h.key.startswith("content-"))}
    new = b"\r\n" + body + _closing(part)
    if dropped and not is_message:
        return [_Edit(part.start, part.end, fields + new)]
    if is_message and part.header("mime-version") is None:
        fields += b"MIME-Version: 1.0\r\n"
    edits = []
    if part.path:
        edits = [_Edit(h.start, h.end, b"") for h in part.headers if h.key in gone]
    else:
        header.delete(gone | _REPLACED_CONTENT)
    end = part.headers[-1].end if part.headers else part.start
    return [*edits, _Edit(end, part.end, fields + new)]


def _content(modification: ReplacePart | DropPart) -> tuple[bytes, bytes]:
    if isinstance(modification, DropPart):
        fields, body = text_entity(modification.notice)
        return fields + b"Content-Disposition: inline\r\n", body
    if not _TYPE.fullmatch(modification.content_type):
        raise ModifyError(f"{modification.content_type!r} is not a content type in lower case without parameters")
    return text_entity(modification.text, modification.content_type)


def _closing(part: Part) -> bytes:
    """The line ending that the next boundary needs before it and an empty part had not of its own."""
    return b"" if part.raw[part.end : part.end + 1] in (*_NEWLINE, b"") else b"\r\n"


def apply_envelope(envelope: Envelope, modifications: Sequence[Modification]) -> Envelope:
    """The envelope with recipients added and taken away and its reverse-path changed, in order.

    An added recipient never causes a report (NOTIFY=NEVER, RFC 3461 4.1): the sender may not know of it. No recipient
    may be left. Raises ModifyError.
    """
    for modification in modifications:
        if isinstance(modification, AddRecipient):
            envelope = _with_recipient(envelope, _address(modification.address))
        elif isinstance(modification, DeleteRecipient):
            gone = _comparable(modification.address)
            left = tuple(r for r in envelope.recipients if _comparable(r.address) != gone)
            envelope = replace(envelope, recipients=left)
        elif isinstance(modification, ChangeSender):
            sender = None if modification.address is None else _address(modification.address)
            envelope = replace(envelope, mail_from=sender, smtputf8=envelope.smtputf8 or not (sender or "").isascii())
    return envelope


def _with_recipient(envelope: Envelope, address: str) -> Envelope:
    if _comparable(address) in {_comparable(r.address) for r in envelope.recipients}:
        return envelope
    return replace(
        envelope,
        recipients=(*envelope.recipients, Recipient(address, notify="NEVER")),
        smtputf8=envelope.smtputf8 or not address.isascii(),
    )


def _address(address: str) -> str:
    if len(address) > 320 or not _ADDRESS.fullmatch(address):
        raise ModifyError(f"{address!r} is not a mail address")
    return address


def _comparable(address: str) -> tuple[str, str]:
    return address.rpartition("@")[0], domain_of(address)
