"""What came of handing a message to a next hop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.mail.reply import Reply

if TYPE_CHECKING:
    from sekisho.mail.envelope import Envelope


class Handed(Struct, frozen=True):
    """The `RelayResult` of our relays. `to` is "host:port" or a path; `replies` one per recipient, in order."""

    to: str
    replies: tuple[Reply, ...]


def same_for_all(envelope: Envelope, to: str, reply: Reply) -> Handed:
    """One reply for every recipient."""
    return Handed(to, (reply,) * len(envelope.recipients))
