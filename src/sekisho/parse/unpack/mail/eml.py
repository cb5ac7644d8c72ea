"""Attached messages: .eml, web archives (.mht) and mailboxes (RFC 5322, RFC 2557, RFC 4155)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.mail.finding import Severity
from sekisho.parse.mime import parse
from sekisho.parse.unpack.mail import codepages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sekisho.mail.message import Header, Message, Part
    from sekisho.parse.unpack.opening import Opening

_FOR_PEOPLE = frozenset(
    ("subject", "from", "to", "cc", "bcc", "reply-to", "sender", "comments", "keywords", "thread-topic")
)
_MBOX_LINE = re.compile(rb"(?m)^From [^\r\n]{1,200}[0-9]{2}:[0-9]{2}[^\r\n]{0,60}\r?$")
_TOO_MUCH = frozenset(("message/too-deep", "message/too-many-parts"))
_ARCHIVE = (".mht", ".mhtml")


def open_eml(opening: Opening) -> None:
    """Tell the headers for people and the bodies of an attached message, and hand on what is attached to it.

    The HTML of a web archive is handed on as a file: unlike a mail program, a browser runs its scripts.
    """
    message = parse(opening.content)
    is_archive = _is_archive(opening.name, message)
    _people(opening, message.headers)
    for part in message.parts:
        opening.budget.check_time()
        if part.content_type.startswith("message/") and part.children:
            _people(opening, part.children[0].headers)
        elif part.is_multipart or (part.is_text and not (is_archive and part.content_type == "text/html")):
            _body(opening, part)
        elif not part.children:
            _attachment(opening, part)
    if any(finding.rule in _TOO_MUCH for finding in message.findings):
        opening.finding("attachment/over-limit", Severity.HIGH, "more parts than are looked into")


def open_mbox(opening: Opening) -> None:
    """Hand on the messages of a mailbox (RFC 4155)."""
    content = opening.content
    starts = [line.start() for line in _MBOX_LINE.finditer(content)] or [0]
    for number, start in enumerate(starts, 1):
        end = starts[number] if number < len(starts) else len(content)
        opening.budget.take_bytes(end - start)
        opening.inner(f"message {number}.eml", content[start:end], declared="message/rfc822")


def warm() -> None:
    """Load what reading a message loads at its first use."""
    codepages.warm()
    html = b'<p>a<a href="http://www.example.com">b</a><img alt="c">'
    page = parse(b"Subject: =?utf-8?B?44GC?=\nFrom: a@example.com\nContent-Type: text/html\n\n" + html)
    _ = page.subject, page.root.visible_text, page.root.links, page.headers[1].mailboxes
    _ = parse(b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nbegin 644 a\n#86)C\n`\nend\n' * 20).parts


def _is_archive(name: str, message: Message) -> bool:
    """Whether a browser would open it: by its name, or because nobody sent it."""
    if name.lower().endswith(_ARCHIVE):
        return True
    keys = {header.key for header in message.headers}
    return "snapshot-content-location" in keys or (
        "content-location" in {h.key for part in message.root.children for h in part.headers}
        and keys.isdisjoint(("to", "received", "message-id"))
    )


def _people(opening: Opening, headers: Iterable[Header]) -> None:
    lines = [f"{header.name}: {header.text}" for header in headers if header.key in _FOR_PEOPLE]
    opening.text("\n".join(lines), "header")


def _body(opening: Opening, part: Part) -> None:
    text = part.visible_text
    if not text:
        return
    opening.budget.take_bytes(len(text))
    opening.text(text, "body")
    if not part.is_multipart:
        for link in part.links:
            opening.link(link.url, link.text, link.origin)


def _attachment(opening: Opening, part: Part) -> None:
    content = part.content
    if not content.strip() and not part.filename:
        return
    opening.budget.take_bytes(len(content))
    opening.inner(part.filename or _unnamed(part), content, declared=part.content_type)


def _unnamed(part: Part) -> str:
    """A name for a part that has none."""
    name = f"part {part.path}" if part.path else "content"
    if part.content_type.startswith("message/"):
        return f"{name}.eml"
    return f"{name}.html" if part.content_type == "text/html" else name
