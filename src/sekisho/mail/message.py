"""A message as immutable offsets into its raw bytes, with decoded content on demand and only once.

The parser (`sekisho.parse`) builds these; inspectors and actions read them and never parse again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from msgspec import Struct, field

from sekisho.mail.finding import Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sekisho.mail.finding import Finding
    from sekisho.mail.ports import Decoder

_T = TypeVar("_T")
# Outlook and Exchange copy the subject into Thread-Topic.
_FOR_PEOPLE = frozenset(("from", "to", "cc", "reply-to", "comments", "keywords", "thread-topic"))
# Where mail programs and labelling tools write how confidential a message is.
_CLASSIFICATIONS = frozenset((
    "sensitivity", "msip_labels", "x-classification", "x-security-classification", "x-protective-marking",
    "x-sensitivity", "x-titus-classification", "x-confidentiality",
))  # fmt: skip


class Mailbox(Struct, frozen=True):
    """One mailbox of an address field: the decoded display name, or "", and `local@domain` as written."""

    name: str
    address: str


class Header(Struct, frozen=True, eq=False):
    """One header field: `raw[start:end]` with its line ending, `raw[value_start:end]` its body.

    `name` is as written, `key` lower case; both are "" for a line of the header section that is no field. `value` is
    unfolded and stripped but not decoded (octets over 127 as surrogates: it cannot be written as UTF-8 as it is);
    `text` has encoded words and raw charsets decoded, for people and inspectors.
    """

    name: str
    key: str
    start: int
    value_start: int
    end: int
    value: str
    decoder: Decoder
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The value as a reader sees it."""
        return once(self.memo, "text", lambda: self.decoder.header_text(self.value))

    @property
    def mailboxes(self) -> tuple[Mailbox, ...]:
        """The mailboxes of an address field, in order, groups opened."""
        return once(self.memo, "mailboxes", lambda: self.decoder.mailboxes(self.value))


class Link(Struct, frozen=True):
    """A link as written.

    `text` is what the reader sees ("" where it is the address itself); `part` its MIME part; `origin` the kind of
    place it was found in; `path` the file it was found in, "" in a body.
    """

    url: str
    text: str
    part: str
    origin: Literal["text", "href", "src", "form", "qr", "other"] = "text"
    path: str = ""


class Part(Struct, frozen=True, eq=False):
    """One MIME part; the message itself is part "" of its own tree.

    `path` is "1", "1.2" … in IMAP's numbering ("" for the root, "2.0" for a multipart that is the body of the message
    in part 2); `raw[start:body_start]` are its headers with the blank line, `raw[body_start:end]` its encoded body.
    `raw` is the message's, except below an encoded container or a uuencoded text: there it is the decoded octets
    that the part's offsets count in. `content_type` is lower case without parameters, `charset` as declared or
    None, `encoding` the transfer encoding in lower case, `disposition` "inline", "attachment" or "",
    `filename` decoded, without control characters, or None. `children` are those of a multipart, the one inner
    root of message/rfc822, or the uuencoded files in a text.
    """

    path: str
    start: int
    body_start: int
    end: int
    headers: tuple[Header, ...]
    content_type: str
    parameters: dict[str, str]
    encoding: str
    disposition: str
    filename: str | None
    children: tuple[Part, ...]
    raw: bytes
    decoder: Decoder
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def charset(self) -> str | None:
        """The declared charset, as written."""
        return self.parameters.get("charset")

    @property
    def is_multipart(self) -> bool:
        """Whether the body is other parts rather than content."""
        return self.content_type.startswith("multipart/")

    @property
    def is_text(self) -> bool:
        """Whether a reader sees it as running text: text/plain or text/html, not marked as attachment."""
        return (
            self.content_type in ("text/plain", "text/html")
            and self.disposition != "attachment"
            and self.filename is None
        )

    @property
    def content(self) -> bytes:
        """The body with its transfer encoding undone; whatever is broken is skipped."""
        return once(self.memo, "content", lambda: self.decoder.content(self))

    @property
    def text(self) -> str:
        """A text part's characters, markup included, lines ended by line feeds. "" for parts that are not text.

        For a multipart: what stands before its first and after its last part, if anybody wrote it for a purpose.
        """
        return once(self.memo, "text", lambda: self.decoder.text(self))

    @property
    def visible_text(self) -> str:
        """What a reader sees: `text` for text/plain, the rendered characters for text/html."""
        return once(self.memo, "visible", lambda: self.decoder.visible_text(self))

    @property
    def shown_text(self) -> str:
        """The visible text without what HTML hides from a reader by its style."""
        return once(self.memo, "apart", lambda: self.decoder.shown_and_hidden(self))[0]

    @property
    def hidden_text(self) -> str:
        """What HTML hides from a reader by its style."""
        return once(self.memo, "apart", lambda: self.decoder.shown_and_hidden(self))[1]

    @property
    def links(self) -> tuple[Link, ...]:
        """Links in the text and, for HTML, in its attributes."""
        return once(self.memo, "links", lambda: self.decoder.links(self))

    def header(self, key: str) -> Header | None:
        """The first header of this lower-case name."""
        return next((h for h in self.headers if h.key == key), None)

    def walk(self) -> Iterator[Part]:
        """This part and all below it, depth first, in the order of the bytes."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))


class Text(Struct, frozen=True):
    """A run of characters for the inspectors to look through, with its place in the message.

    `path` is the file it stands in ("outer.zip/list.xlsx"), `place` where in the file ("Sheet1", "page 3", "macro").
    """

    text: str
    where: Where
    part: str = ""
    path: str = ""
    place: str = ""


class Message(Struct, frozen=True, eq=False):
    """A parsed message. `raw` is the truth; everything else points into it.

    `findings` are the parser's own (`message/…`: malformed, ambiguous, over a limit).
    """

    raw: bytes
    root: Part
    findings: tuple[Finding, ...]
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> tuple[Header, ...]:
        """The message's own header fields, in order."""
        return self.root.headers

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part of the tree, the root first."""
        return once(self.memo, "parts", lambda: tuple(self.root.walk()))

    @property
    def subject(self) -> str:
        """The first Subject as a reader sees it."""
        header = self.header("subject")
        return header.text if header else ""

    @property
    def message_id(self) -> str:
        """The first Message-ID with its angle brackets, or ""."""
        header = self.header("message-id")
        return header.text if header else ""

    def header(self, key: str) -> Header | None:
        """The first header of this lower-case name."""
        return self.root.header(key)

    def headers_named(self, key: str) -> tuple[Header, ...]:
        """All headers of this lower-case name, in order."""
        return tuple(h for h in self.headers if h.key == key)

    @property
    def texts(self) -> tuple[Text, ...]:
        """What to look through: subject, other headers for people, bodies, file names, text attachments."""
        return once(self.memo, "texts", lambda: tuple(self._texts()))

    def _texts(self) -> Iterator[Text]:
        for header in self.headers:
            if header.key == "subject":
                yield Text(header.text, "subject")
            elif header.key in _FOR_PEOPLE or header.key in _CLASSIFICATIONS:
                yield Text(header.text, "header")
        for part in self.parts:
            if part.filename:
                yield Text(part.filename, "filename", part.path, part.filename)
            if part.content_type.startswith("message/") and part.children:
                inner = part.children[0]
                people = (h for h in inner.headers if h.key == "subject" or h.key in _FOR_PEOPLE)
                yield from (Text(h.text, "header", inner.path) for h in people)
            elif text := part.visible_text:
                where: Where = "body" if part.is_text or part.is_multipart else "attachment"
                yield Text(text, where, part.path, part.filename or "")


def once(memo: dict[str, Any], key: str, make: Callable[[], _T]) -> _T:
    """What `memo` holds under `key`, made on first use."""
    if key not in memo:
        memo[key] = make()
    value: _T = memo[key]
    return value
