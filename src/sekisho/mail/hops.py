"""The hosts that a message has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sekisho.mail.message import Header, Message

MAX_HOPS = 50


def hops(message: Message) -> list[Header]:
    """The Received fields, the newest first. RFC 5321 4.4."""
    return [header for header in message.headers if header.key == "received"]
