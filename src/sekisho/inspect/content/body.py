"""What a reader sees of a mail: the bodies a mail program shows, without what they quote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.mail.message import Message, Part

MOST_CHARS = 40_000
_QUOTED = re.compile("(?m)^[ \t]{0,3}[>\uff1e][^\n]*(?:\n|\\Z)")
_LEAST_OWN = 40  # characters; a mail that says less itself is read with what it quotes


class Body(Struct, frozen=True):
    """`own` text of the writer, `whole` with quotations, `hidden` what HTML hides from a reader.

    `html` and `plain` tell which forms there are, `images` how many pictures the HTML loads.
    """

    own: str
    whole: str
    hidden: str
    html: bool
    plain: bool
    images: int


def read_body(message: Message) -> Body:
    """The body as a mail program shows it: of alternatives the last one that it can show."""
    shown = list(_shown(message.root))
    whole = "\n".join(part.shown_text for part in shown)[:MOST_CHARS]
    own = _QUOTED.sub("", whole)
    html = [part for part in shown if part.content_type == "text/html"]
    images = sum(link.origin == "src" for part in html for link in part.links)
    return Body(
        own=own if len(own.strip()) >= _LEAST_OWN else whole,
        whole=whole,
        hidden="\n".join(part.hidden_text for part in html),
        html=bool(html),
        plain=any(part.is_text and part.content_type == "text/plain" for part in message.parts),
        images=images,
    )


def _shown(part: Part) -> Iterator[Part]:
    """The text parts a mail program shows, in order."""
    if part.content_type == "multipart/alternative":
        choices = [shown for child in part.children if (shown := list(_shown(child)))]
        with_text = [shown for shown in choices if any(p.visible_text.strip() for p in shown)]
        yield from (with_text or choices or [[]])[-1]
    elif part.is_multipart:
        for child in part.children:
            yield from _shown(child)
    elif part.is_text:
        yield part
