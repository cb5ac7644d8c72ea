"""Outlook's winmail.dat: TNEF (MS-OXTNEF). A stream of attributes, the later ones with MAPI properties in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.parse.unpack.mail.mapi import (
    ATTACH_DATA,
    BINARY,
    BODY,
    CLASS,
    OBJECT,
    STRING,
    STRING8,
    SUBJECT,
    Cursor,
    Properties,
    attachment_name,
    tell_attachment,
    tell_message,
)
from sekisho.parse.unpack.opening import CorruptError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.parse.unpack.opening import Opening

SIGNATURE = b"\x78\x9f\x3e\x22"
_OEM_CODEPAGE, _FROM, _SUBJECT, _CLASS, _BODY = 0x9007, 0x8000, 0x8004, 0x8008, 0x800C
_MESSAGE_PROPERTIES, _RECIPIENTS, _ATTACHMENT = 0x9003, 0x9004, 0x9005
_NEW_ATTACHMENT, _DATA, _TITLE, _TRANSPORT_NAME = 0x9002, 0x800F, 0x8010, 0x9001
_TITLE_PROPERTY, _LONG_NAME = 0x3704, 0x3707
_SENDER_NAME, _SENDER_ADDRESS = 0x0C1A, 0x0C1F
_MESSAGE_IN_ATTACHMENT = bytes.fromhex("0703020000000000c000000000000046")
_OLD_DATA = 0  # where we keep `attAttachData`: beside an attached message it holds a sentence about it, or anything
_NAMED = 0x8000
_SEVERAL = 0x1000
# Octets of the values of a fixed size; text and binary values say their own.
_WIDTHS = {
    0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16,
}  # fmt: skip
_VARIABLE = frozenset((OBJECT, STRING8, STRING, BINARY))
_MOST_RECIPIENTS = 5000


def open_tnef(opening: Opening) -> None:
    """Tell header and bodies, and hand on the attachments. What stands before a broken place is told all the same."""
    reader = _Reader(opening)
    trouble: CorruptError | None = None
    try:
        reader.read()
    except CorruptError as error:
        trouble = error
    reader.tell()
    if trouble:
        raise trouble


class _Reader:
    """The attributes of one stream. Checksums are not compared: Outlook does not care either."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.codepage = 0
        self.message = Properties()
        self.recipients: list[Properties] = []
        self.attachments: list[Properties] = []
        self.handlers: dict[int, Callable[[memoryview], None]] = {
            _OEM_CODEPAGE: self._oem_codepage,
            _FROM: self._sender,
            _SUBJECT: lambda data: self.message.add(SUBJECT, STRING8, bytes(data)),
            _CLASS: lambda data: self.message.add(CLASS, STRING8, bytes(data)),
            _BODY: lambda data: self.message.add(BODY, STRING8, bytes(data)),
            _MESSAGE_PROPERTIES: lambda data: self._properties(Cursor(data), self.message),
            _RECIPIENTS: self._recipient_table,
            _NEW_ATTACHMENT: self._start_attachment,
            _DATA: self._data,
            _TITLE: lambda data: self._attachment().add(_TITLE_PROPERTY, STRING8, bytes(data)),
            _TRANSPORT_NAME: lambda data: self._attachment().add(_LONG_NAME, STRING8, bytes(data)),
            _ATTACHMENT: lambda data: self._properties(Cursor(data), self._attachment()),
        }

    def read(self) -> None:
        """Read all attributes (MS-OXTNEF 2.1.3.1). Raises CorruptError at the first that is broken."""
        stream = Cursor(memoryview(self.opening.content))
        if bytes(stream.take(4)) != SIGNATURE:
            raise CorruptError("no TNEF stream")
        stream.take(2)
        trouble: CorruptError | None = None
        while len(stream.data) - stream.at >= 9:
            self.opening.budget.check_time()
            stream.take(1)
            number = stream.u32() & 0xFFFF
            length = stream.u32()
            left = len(stream.data) - stream.at
            data = stream.take(min(length, left))
            if handler := self.handlers.get(number):
                try:
                    handler(data)
                except CorruptError as error:
                    trouble = error
            if length > left:
                raise CorruptError("TNEF stream is cut off")
            stream.take(min(2, left - length))
        if trouble:
            raise trouble

    def tell(self) -> None:
        """Tell the message and hand on its attachments."""
        self.message.codepage = self.codepage
        self.message.settle()
        trouble: CorruptError | None = None
        for recipient in self.recipients:
            recipient.codepage = self.message.codepage
        try:
            tell_message(self.opening, self.message, self.recipients)
        except CorruptError as error:
            trouble = error
        for number, attachment in enumerate(self.attachments, 1):
            attachment.codepage = self.message.codepage
            self._tell_attachment(attachment, number)
        if trouble:
            raise trouble

    def _tell_attachment(self, attachment: Properties, number: int) -> None:
        contents = [attachment.data(key) for key in (ATTACH_DATA, _OLD_DATA) if key in attachment.values]
        if not contents:
            tell_attachment(self.opening, attachment, None, number)
        for content in contents:
            self.opening.budget.take_bytes(len(content))
        if attachment.values.get(ATTACH_DATA, (0,))[0] == OBJECT:
            self._tell_object(attachment, contents.pop(0), number)
        for content in contents:
            tell_attachment(self.opening, attachment, content, number)

    def _tell_object(self, attachment: Properties, content: bytes, number: int) -> None:
        """An attached message or an embedded object: which interface it has, and itself."""
        name = attachment_name(attachment, number)
        is_message = content.startswith(_MESSAGE_IN_ATTACHMENT)
        self.opening.inner(f"{name.removesuffix('.msg')}.tnef" if is_message else name, content[16:])

    def _start_attachment(self, _data: memoryview) -> None:
        self._new_attachment()

    def _data(self, data: memoryview) -> None:
        """Content; a second one without a new attachment is shown to nobody, but may be what is meant."""
        attachment = self._attachment()
        if _OLD_DATA in attachment.values:
            attachment = self._new_attachment()
        attachment.add(_OLD_DATA, BINARY, bytes(data))

    def _new_attachment(self) -> Properties:
        self.opening.budget.check_time()
        if len(self.attachments) <= self.opening.budget.limits.files:  # one more is a finding of `inner`
            self.attachments.append(Properties())
        return self.attachments[-1]

    def _attachment(self) -> Properties:
        return self.attachments[-1] if self.attachments else self._new_attachment()

    def _oem_codepage(self, data: memoryview) -> None:
        self.codepage = int.from_bytes(data[:4], "little")

    def _sender(self, data: memoryview) -> None:
        """A `TRP`: four numbers, the name, then type and address (MS-OXTNEF 2.1.3.3.3)."""
        cursor = Cursor(data)
        cursor.take(4)
        name_length, address_length = cursor.u16(), cursor.u16()
        self.message.add(_SENDER_NAME, STRING8, bytes(cursor.take(name_length)))
        address = bytes(cursor.take(address_length)).partition(b":")[2]
        self.message.add(_SENDER_ADDRESS, STRING8, address)

    def _recipient_table(self, data: memoryview) -> None:
        cursor = Cursor(data)
        for _ in range(min(cursor.u32(), _MOST_RECIPIENTS)):
            recipient = Properties()
            self._properties(cursor, recipient)
            self.recipients.append(recipient)

    def _properties(self, cursor: Cursor, into: Properties) -> None:
        """A list of MAPI properties (MS-OXTNEF 2.1.3.4). Every round reads some octets, so a lying count ends."""
        for _ in range(cursor.u32()):
            kind, number = cursor.u16(), cursor.u16()
            if number >= _NAMED:
                _skip_name(cursor)
            values = cursor.u32() if kind & _SEVERAL or kind in _VARIABLE else 1
            for _ in range(values):
                self.opening.budget.check_time()
                value = _value(cursor, kind & ~_SEVERAL)
                if not kind & _SEVERAL and 0 < number < _NAMED and (kind != BINARY or _is_wanted(number)):
                    into.add(number, kind, bytes(value))


def _is_wanted(number: int) -> bool:
    """Whether a binary property is looked at: a body or an attachment."""
    return number >> 8 in (0x10, 0x37)


def _skip_name(cursor: Cursor) -> None:
    """A property's name: a GUID, and a number or a text."""
    cursor.take(16)
    if cursor.u32() == 0:
        cursor.take(4)
        return
    length = cursor.u32()
    cursor.take(length)
    cursor.skip_padding(length)


def _value(cursor: Cursor, kind: int) -> memoryview:
    if kind in _VARIABLE:
        length = cursor.u32()
    elif kind in _WIDTHS:
        length = _WIDTHS[kind]
    else:
        raise CorruptError(f"TNEF property of unknown type {kind:#x}")
    value = cursor.take(length)
    cursor.skip_padding(length)
    return value
