"""Which parts of a message are opened: everything but the text that a mail program shows as the message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sekisho.mail.octets import OctetSearch

if TYPE_CHECKING:
    from sekisho.mail.message import Message, Part

_MAIL_NAMES = ("", "eml", "msg", "mht", "mhtml", "txt", "nws")
# What a message's own text has in it when there is more to it than text: active HTML, or a test virus.
_MORE_THAN_TEXT = OctetSearch(rb"(?i)<(script|svg|object|embed|iframe)\b|\bdata:[a-z]{1,20}/|X5O!P%@AP\[4")


def to_open(message: Message) -> Iterator[tuple[Part, bool]]:
    """The parts to open; True beside those whose text and links the message itself has already."""
    shown = {id(part) for part in _shown(message.root)}
    for part in message.parts:
        if part.end <= part.body_start:
            continue
        if id(part) in shown:
            if part.children or _MORE_THAN_TEXT.occurs(part.content):
                yield part, True
        elif _is_content(part):
            yield part, part.is_text


def _shown(part: Part) -> Iterator[Part]:
    """The texts that stand for the message: its first one, or all that are alternatives to each other."""
    if not part.is_multipart:
        if part.is_text:
            yield part
        return
    children = part.children if part.content_type == "multipart/alternative" else part.children[:1]
    for child in children:
        yield from _shown(child)


def _is_content(part: Part) -> bool:
    """Whether a part is content of its own. Mail and multiparts are looked at part by part, unless they pretend."""
    if part.is_multipart:
        return not part.children or _named_otherwise(part)
    if part.content_type.startswith("message/") and part.children:
        return _named_otherwise(part) or not part.children[0].headers
    if part.content_type == "text/plain" and part.is_text:
        return bool(part.children) or _MORE_THAN_TEXT.occurs(part.content)
    return True


def _named_otherwise(part: Part) -> bool:
    """Whether its file name says that it is something else than mail."""
    name = part.filename or ""
    return name.rpartition(".")[2].lower() not in _MAIL_NAMES if "." in name else False
