"""A header section split into fields (RFC 5322 2.2), and the mailboxes in an address field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.mail.message import Header, Mailbox
from sekisho.parse import said
from sekisho.parse.words import header_text

if TYPE_CHECKING:
    from sekisho.mail.ports import Decoder
    from sekisho.parse.faults import Faults

MOST_FIELDS = 10_000  # in a whole message; the fields beyond are in the raw bytes only
HUGE_FIELD = 100_000  # octets
# One field with its folded lines. A name is printable ASCII without colon (RFC 5322 3.6.8); blanks between name
# and colon are the obsolete form (RFC 5322 4.5).
_FIELD = re.compile(rb"([!-9;-~]++)([ \t]*+):([^\n]*+(?:\n[ \t][^\n]*+)*+)\n?")
_LINE = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+\n?")
_KNOWN = re.compile(
    rb"^(?:content-[a-z-]+|mime-version|from|to|cc|subject|date|message-id|received|reply-to|return-path|sender"
    rb"|dkim-signature|x-[a-z-]+)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_ODD_NAME = re.compile(rb"[^\x00-\x20:]{1,80}[ \t]*:")  # a name with octets over 127
_BLANK_FOLD = re.compile(rb"\n[ \t]+\r?\n[ \t]*[^ \t\r\n]")
_TOKENS = re.compile(
    r'"(?P<quoted>(?:[^"\\]++|\\.)*+)\\?"?|(?P<special>[<>,;:()])|(?P<space>\s++)|(?P<text>[^"<>,;:()\s]++)',
    re.DOTALL,
)


class Section:
    """The fields of `raw[start:end]`, read into `headers`.

    `body_start` is `end`, or less where a line that is no field begins the body without a blank line before it:
    unless such a line is followed by fields that every mail has, and then it is a field without a name.
    """

    __slots__ = ("body_start", "headers", "last_known")

    def __init__(self, raw: bytes, start: int, end: int, decoder: Decoder, faults: Faults, *, room: int) -> None:
        self.headers: list[Header] = []
        self.body_start = end
        self.last_known: int | None = None
        at = start
        match = _FIELD.match
        while at < end:
            found = match(raw, at, end)
            if len(self.headers) >= room:
                faults.add("too-many-headers")
                return
            if found is None:
                at = self._odd_line(raw, at, end, decoder, faults)
                continue
            name = found[1].decode("ascii")
            value_start, value_end = found.span(3)
            value = raw[value_start:value_end].decode("ascii", "surrogateescape")
            if "\n" in value:
                value = value.replace("\r\n", "").replace("\n", "")
            stop = found.end()
            self.headers.append(Header(name, name.lower(), at, value_start, stop, value.strip(), decoder))
            if found[2] or stop - at > HUGE_FIELD:
                faults.add("huge-header" if stop - at > HUGE_FIELD else "malformed-header", why=said.field(name))
            at = stop

    def _odd_line(self, raw: bytes, at: int, end: int, decoder: Decoder, faults: Faults) -> int:
        """Take a line that is no field; returns where to go on, `end` when it begins the body."""
        if self.last_known is None:
            self.last_known = max((m.start() for m in _KNOWN.finditer(raw, at, end)), default=-1)
        if at > self.last_known and not _ODD_NAME.match(raw, at, end):
            faults.add("missing-blank-line")
            self.body_start = at
            return end
        faults.add("malformed-header", why="a line that is no field")
        line = _LINE.match(raw, at, end)
        stop = line.end() if line else end
        value = raw[at:stop].decode("ascii", "surrogateescape").replace("\r\n", "").replace("\n", "").strip()
        self.headers.append(Header("", "", at, at, stop, value, decoder))
        return stop


def has_blank_fold(raw: bytes, start: int, end: int) -> bool:
    """Whether a field is folded over a line of blanks only, which some readers take for the end of the header."""
    return _BLANK_FOLD.search(raw, start, end) is not None


def mailboxes(value: str) -> tuple[Mailbox, ...]:
    """The mailboxes of an address field, groups opened, names decoded (RFC 5322 3.4).

    What is broken is read as a mail program would: the last "<…>" is the address, else the word with "@".
    """
    found: list[Mailbox] = []
    box = _Box()
    depth = 0
    for token in _TOKENS.finditer(value, 0, HUGE_FIELD):
        special = token["special"]
        if special == "(":
            depth += 1
        elif special == ")":
            depth = max(0, depth - 1)
        elif depth:
            box.comment(token[0])
        elif special in (",", ";") and not box.in_angle:
            box.close(found)
            box = _Box()
        elif special == ":" and not box.in_angle:
            box = _Box()  # the name of a group
        else:
            box.take(token)
    box.close(found)
    return tuple(found)


class _Box:
    """A mailbox being read."""

    __slots__ = ("address", "comments", "in_angle", "words")

    def __init__(self) -> None:
        self.words: list[str] = []
        self.address: list[str] | None = None
        self.comments: list[str] = []
        self.in_angle = False

    def comment(self, text: str) -> None:
        """Part of a comment, which is the name in the old form "address (Name)"."""
        self.comments.append(text)

    def take(self, token: re.Match[str]) -> None:
        """One more token outside comments."""
        special = token["special"]
        if special == "<":
            self.in_angle, self.address = True, []
        elif special == ">":
            self.in_angle = False
        elif self.in_angle and self.address is not None:
            if token["space"] is None:
                self.address.append(token[0])
        elif token["quoted"] is not None:
            self.words.append(re.sub(r"\\(.)", r"\1", token["quoted"], flags=re.DOTALL))
        else:
            self.words.append(token[0])

    def close(self, found: list[Mailbox]) -> None:
        """Add what was read, if anything was."""
        words = "".join(self.words).strip()
        comments = "".join(self.comments).strip()
        if self.address is not None:
            found.append(Mailbox(header_text(words or comments), "".join(self.address)))
        elif "@" in words:
            bare = next(word for word in words.split() if "@" in word)
            found.append(Mailbox(header_text(words.replace(bare, "").strip() or comments), bare))
        elif words:
            found.append(Mailbox(header_text(words), ""))
