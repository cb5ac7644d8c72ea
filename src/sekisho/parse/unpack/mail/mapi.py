"""What Outlook keeps of a message, in .msg and winmail.dat alike: properties by number (MS-OXPROPS)."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from sekisho.parse import charsets
from sekisho.parse.html import Page
from sekisho.parse.links import text_links
from sekisho.parse.unpack.mail import codepages
from sekisho.parse.unpack.mail.rtf_mail import decompressed, encapsulated
from sekisho.parse.unpack.opening import CorruptError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sekisho.parse.unpack.opening import Opening

# MS-OXCDATA 2.11.1: types of values.
INTEGER16, INTEGER32, BOOLEAN = 0x02, 0x03, 0x0B
OBJECT, STRING8, STRING, BINARY = 0x0D, 0x1E, 0x1F, 0x102

CLASS, SUBJECT, BODY, HTML, RTF = 0x001A, 0x0037, 0x1000, 0x1013, 0x1009
ATTACH_DATA, ATTACH_METHOD, MIME_TYPE = 0x3701, 0x3705, 0x370E
ATTACH_EMBEDDED, ATTACH_OLE = 5, 6
MESSAGE_CODEPAGE, INTERNET_CODEPAGE = 0x3FFD, 0x3FDE
_NAMES = (0x3707, 0x3704)  # long, 8.3
_EXTENSION, _DISPLAY_NAME = 0x3703, 0x3001
_PLACES = (0x370D, 0x3708)  # where an attachment by reference is
_FROM = ((0x0C1A, 0x5D01, 0x0C1F), (0x0042, 0x5D02, 0x0065))  # sender; on whose behalf: name, SMTP address, address
_RECIPIENT = (0x3001, 0x39FE, 0x3003)
_SHOWN_RECIPIENTS = ((0x0E04, "To"), (0x0E03, "Cc"), (0x0E02, "Bcc"))
_META = re.compile(
    rb"<meta[^>]{0,200}?\bcharset\s{0,20}=\s{0,20}[\"']?\s{0,20}([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)
_ORDINARY = ("ipm.note", "ipm.microsoft mail.note", "report.")
# Text that people never see: names of programs and address types, headers of the transport, repeated subjects.
_TECHNICAL = frozenset((
    CLASS, SUBJECT, BODY, HTML, 0x003D, 0x0E1D, 0x0070, 0x0064, 0x0C1E, 0x3002, 0x007D, 0x1035, 0x1042, 0x1039,
    0x0075, 0x0077, 0x300B, 0x3FFA, 0x3FF8, 0x4022, 0x4023, 0x4024, 0x4025, 0x5D01, 0x5D02, 0x5D0A, 0x5D0B,
    0x0E02, 0x0E03, 0x0E04, 0x0C1A, 0x0C1F, 0x0042, 0x0065,
))  # fmt: skip
_NOT_FOR_PEOPLE = re.compile(r"[\x00-\x08]|^/o=|^EX:", re.IGNORECASE)
_MOST_RECIPIENTS = 5000

Value = tuple[int, bytes]


class Properties:
    """The properties of a message, a recipient or an attachment: `values` has type and octets by number."""

    __slots__ = ("codepage", "values")

    def __init__(self, codepage: int = 0) -> None:
        self.values: dict[int, Value] = {}
        self.codepage = codepage

    def add(self, number: int, kind: int, value: bytes) -> None:
        """Keep a value; of a text in two forms the one in Unicode."""
        before = self.values.get(number)
        if before is None or not before[1] or (before[0] == STRING8 and kind == STRING):
            self.values[number] = (kind, value)

    def text(self, number: int) -> str:
        """A text without what stands behind its NUL, or ""."""
        kind, value = self.values.get(number, (0, b""))
        if kind == STRING:
            return value[: len(value) & ~1].decode("utf-16-le", "replace").partition("\0")[0]
        if kind == STRING8:
            return codepages.decode(value.partition(b"\0")[0], self.codepage)
        return ""

    def data(self, number: int) -> bytes:
        """A binary value as it is, or b""."""
        kind, value = self.values.get(number, (0, b""))
        return value if kind in (BINARY, OBJECT) else b""

    def number(self, number: int) -> int:
        """A whole number, or 0."""
        kind, value = self.values.get(number, (0, b""))
        width = {INTEGER16: 2, INTEGER32: 4, BOOLEAN: 2}.get(kind, 0)
        return int.from_bytes(value[:width], "little") if len(value) >= width else 0

    def settle(self) -> None:
        """Take the code page that the message names for its texts."""
        self.codepage = self.number(MESSAGE_CODEPAGE) or self.codepage or self.number(INTERNET_CODEPAGE)


def tell_message(opening: Opening, message: Properties, recipients: Iterable[Properties]) -> None:
    """Tell header and bodies. A body that cannot be read does not keep the others from it: raises at the end."""
    opening.text("\n".join(_header(message, recipients)), "header")
    if not message.text(CLASS).lower().startswith(_ORDINARY):
        opening.text("\n".join(_others(message)), "properties")
    body = message.text(BODY)
    _tell_text(opening, body)
    html = _html(message)
    if html:
        _tell_html(opening, html)
    if compressed := message.data(RTF):
        _tell_rtf(opening, decompressed(compressed, opening.budget), has_text=bool(body), has_html=bool(html))


def tell_attachment(opening: Opening, attachment: Properties, content: bytes | None, number: int) -> None:
    """Hand on an attachment; `content` None where it is elsewhere: then its place is told as a link."""
    if content is None:
        for place in _PLACES:
            opening.link(attachment.text(place), attachment.text(_NAMES[0]))
        return
    opening.inner(attachment_name(attachment, number), content, declared=attachment.text(MIME_TYPE).lower())


def attachment_name(attachment: Properties, number: int) -> str:
    """The name a reader sees."""
    name = next((name for key in _NAMES if (name := attachment.text(key).strip())), "")
    if name:
        return name
    shown = attachment.text(_DISPLAY_NAME).strip() or f"attachment {number}"
    if attachment.number(ATTACH_METHOD) == ATTACH_EMBEDDED:
        return f"{shown}.msg"
    extension = attachment.text(_EXTENSION).strip()
    return shown if not extension or shown.lower().endswith(extension.lower()) else shown + extension


def _header(message: Properties, recipients: Iterable[Properties]) -> list[str]:
    lines = [f"Subject: {message.text(SUBJECT)}"]
    lines += [f"From: {person}" for keys in _FROM if (person := _person(message, keys))]
    lines += [f"{word}: {names}" for key, word in _SHOWN_RECIPIENTS if (names := message.text(key))]
    for count, recipient in enumerate(recipients):
        if count >= _MOST_RECIPIENTS:
            break
        if person := _person(recipient, _RECIPIENT):
            lines.append(f"To: {person}")
    return list(dict.fromkeys(lines))


def _person(properties: Properties, keys: tuple[int, int, int]) -> str:
    """Name and address, without Exchange's own addresses, which nobody writes."""
    name, smtp, address = map(properties.text, keys)
    address = smtp or address
    if address.lower().startswith("/o="):
        address = ""
    return f"{name} <{address}>" if name and address and name != address else name or address


def _others(message: Properties) -> list[str]:
    """The texts of a contact, an appointment or a task."""
    texts = (message.text(key) for key in message.values if key not in _TECHNICAL)
    return [text for text in texts if text.strip() and not _NOT_FOR_PEOPLE.search(text)]


def _html(message: Properties) -> str:
    kind, value = message.values.get(HTML, (0, b""))
    if kind in (STRING, STRING8):
        return message.text(HTML)
    label = codepages.label_of(message.number(INTERNET_CODEPAGE))
    if not label and (meta := _META.search(value, 0, 4096)):
        label = meta[1].decode("ascii")
    return charsets.decode(value, label)


def _tell_text(opening: Opening, text: str) -> None:
    opening.text(text.replace("\r\n", "\n"), "body")
    for url in text_links(text):
        opening.link(url, "", "text")


def _tell_html(opening: Opening, html: str) -> None:
    page = Page(html)
    opening.text(page.visible, "body")
    for url, text, origin in page.links:
        opening.link(url, text, origin)


def _tell_rtf(opening: Opening, rtf: bytes, *, has_text: bool, has_html: bool) -> None:
    r"""The RTF form of the body: what it was made from, or the RTF itself where it is more than a copy."""
    made_from, shown = encapsulated(rtf, opening.budget)
    if made_from == "html" and not has_html:
        _tell_html(opening, shown)
    elif made_from == "text" and not has_text:
        _tell_text(opening, shown)
    if not made_from or b"\\object" in rtf or b"\\objdata" in rtf:
        opening.inner("body.rtf", rtf, declared="text/rtf")


class Cursor:
    """Reads forward through octets. Raises CorruptError where they end too early."""

    __slots__ = ("at", "data")

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> memoryview:
        """The next `count` octets."""
        if count > len(self.data) - self.at:
            raise CorruptError("cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def u16(self) -> int:
        """The next two octets as a number."""
        return int(struct.unpack("<H", self.take(2))[0])

    def u32(self) -> int:
        """The next four octets as a number."""
        return int(struct.unpack("<I", self.take(4))[0])

    def skip_padding(self, size: int) -> None:
        """Step over what fills `size` octets up to a multiple of four."""
        self.at = min(len(self.data), self.at + (-size & 3))
