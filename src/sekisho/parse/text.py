"""The decoder behind `Header`, `Part` and `Message`: from octets to what people see, on demand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.mail.message import Link, once
from sekisho.parse import charsets, transfer
from sekisho.parse.headers import mailboxes
from sekisho.parse.hidden import apart
from sekisho.parse.html import Page
from sekisho.parse.links import text_links
from sekisho.parse.words import header_text

if TYPE_CHECKING:
    from sekisho.mail.message import Mailbox, Part

_META = re.compile(
    rb"<meta[^>]{0,200}?\bcharset\s{0,20}=\s{0,20}[\"']?\s{0,20}([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)
_META_WITHIN = 4096
_SIGNATURE = re.compile(r"(?m)^-- $")
_HTML = frozenset(("text/html", "application/xhtml+xml"))


class TextDecoder:
    """Implements `sekisho.mail.ports.Decoder`. Has no state: what is decoded is kept in the part's own memo."""

    __slots__ = ()

    def header_text(self, value: str) -> str:
        """A header value with encoded words and raw charsets decoded (RFC 2047)."""
        return header_text(value)

    def mailboxes(self, value: str) -> tuple[Mailbox, ...]:
        """The mailboxes of an address field (RFC 5322 3.4)."""
        return mailboxes(value)

    def content(self, part: Part) -> bytes:
        """The part's octets with the transfer encoding undone (RFC 2045 6); a multipart's as they are."""
        encoding = "binary" if part.is_multipart else part.encoding
        return transfer.content(part.raw, part.body_start, part.end, encoding)

    def text(self, part: Part) -> str:
        """A text part's characters; for a multipart what stands outside its parts."""
        if part.is_multipart:
            return _margins(part)
        opaque = part.children or not part.content_type.startswith("message/")
        if opaque and not part.content_type.startswith("text/"):
            return ""
        content = part.content
        text = charsets.decode(content, part.charset or declared_inside(part, content)).removeprefix("\ufeff")
        return text.replace("\r\n", "\n") if "\r" in text else text

    def visible_text(self, part: Part) -> str:
        """What a reader sees of the part."""
        if part.content_type in _HTML:
            return _page(part).visible
        text = part.text
        if part.parameters.get("format", "").lower() == "flowed":
            return _unflowed(text, delsp=part.parameters.get("delsp", "").lower() == "yes")
        return text

    def shown_and_hidden(self, part: Part) -> tuple[str, str]:
        """The visible text in two: what a reader sees, and what HTML hides from him."""
        if part.content_type in _HTML:
            return apart(part.text, _page(part))
        return part.visible_text, ""

    def links(self, part: Part) -> tuple[Link, ...]:
        """Addresses in the part's text and, for HTML, its attributes."""
        if part.content_type in _HTML:
            return tuple(Link(url, text, part.path, origin) for url, text, origin in _page(part).links)
        return tuple(Link(url, "", part.path) for url in text_links(part.visible_text))


DECODER = TextDecoder()


def _page(part: Part) -> Page:
    """The part's HTML, read once."""
    page: Page = once(part.memo, "page", lambda: Page(part.text))
    return page


def declared_inside(part: Part, content: bytes) -> str | None:
    """The charset an HTML text declares about itself, which counts where the header says nothing."""
    if part.content_type not in _HTML:
        return None
    meta = _META.search(content, 0, _META_WITHIN)
    return meta[1].decode("ascii") if meta else None


def _margins(part: Part) -> str:
    """Preamble and epilogue of a multipart, where the index found them worth reading."""
    margins: list[tuple[int, int]] = part.memo.get("margins", [])
    text = "\n".join(charsets.detect(part.raw[start:end]) for start, end in margins)
    return text.replace("\r\n", "\n")


def _unflowed(text: str, *, delsp: bool) -> str:
    """Lines that end with a blank joined to the next (RFC 3676 4.2, 4.3)."""
    joined = "" if delsp else " "
    kept = _SIGNATURE.sub("--\u0000", text)
    return kept.replace(" \n", joined).replace("--\u0000", "-- ")
