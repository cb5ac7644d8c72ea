"""Where a mail program and a lenient parser would see different things in the message's own header or bytes."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from sekisho.mail.line_ends import bare_line_end
from sekisho.parse.headers import has_blank_fold, mailboxes

if TYPE_CHECKING:
    from sekisho.mail.message import Header, Part
    from sekisho.parse.faults import Faults

# RFC 5322 3.6 and RFC 2045 3: at most one of each in a message.
_ONCE = frozenset((
    "date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject",
    "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id",
))  # fmt: skip
_UTF_7_WORD = re.compile(rb"=\?(?:unicode-1-1-)?utf-?7[?*]", re.IGNORECASE)


def look_over(raw: bytes, root: Part, faults: Faults) -> None:
    """Note what is odd about the header fields and line ends of a whole message."""
    _repeated(root, faults)
    _senders(root, faults)
    _header_octets(raw[root.start : root.body_start], faults)
    if b"\0" in raw:
        faults.add("nul", count=raw.count(b"\0"))
    _line_ends(raw, faults)


def _repeated(root: Part, faults: Faults) -> None:
    """Fields that may stand once only (RFC 5322 3.6)."""
    counted = Counter(header.key for header in root.headers if header.key in _ONCE)
    if repeated := [key for key, count in counted.items() if count > 1]:
        faults.add("duplicate-header", why=", ".join(sorted(repeated)), count=counted.total() - len(counted))


def _senders(root: Part, faults: Faults) -> None:
    """Which author a reader is shown (RFC 5322 3.6.2)."""
    authors: list[Header] = [header for header in root.headers if header.key == "from"]
    if not authors:
        faults.add("no-from")
    elif len(authors) > 1:
        faults.add("two-from", why="several From fields")
    elif "," in authors[0].value and root.header("sender") is None and _addresses(authors[0]) > 1:
        faults.add("two-from", why="several addresses and no Sender")


def _addresses(header: Header) -> int:
    """How many addresses the field holds."""
    return sum(1 for box in mailboxes(header.value) if "@" in box.address)


def _header_octets(section: bytes, faults: Faults) -> None:
    """Octets in the header section that readers take for different characters, or for its end."""
    if not section.isascii():
        try:
            section.decode("utf-8")  # RFC 6532 3.2 allows this
        except UnicodeDecodeError:
            faults.add("8bit-header")
    if b"=?" in section and _UTF_7_WORD.search(section):
        faults.add("utf-7")
    if has_blank_fold(section, 0, len(section)):
        faults.add("malformed-header", why="a folded line of blanks only")


def _line_ends(raw: bytes, faults: Faults) -> None:
    """Line feeds and carriage returns that stand alone in a message that else has CRLF (RFC 5322 2.3)."""
    if b"\r" in raw and bare_line_end(raw):
        faults.add("bare-newline", count=raw.count(b"\r") + raw.count(b"\n") - 2 * raw.count(b"\r\n"))
