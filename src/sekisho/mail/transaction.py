"""One message on its way: what came in, what was found, what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.finding import Finding
from sekisho.mail.message import Link, Message, Text, once
from sekisho.mail.opened import Opened
from sekisho.mail.reply import Reply
from sekisho.mail.verdict import Verdict


class Transaction(Struct, frozen=True, eq=False):
    """A complete message with its session and envelope: what inspectors look at.

    `id` is unique in the installation and sorts by time; `received_at` is aware, UTC. `internal_domains` are
    the tenant's own, lower case; `opened` what its attachments hold, as far as they could be opened; `facts` holds
    what look-ups learned before the inspectors run, by look-up name.
    """

    id: str
    session: Session
    envelope: Envelope
    message: Message
    received_at: datetime
    internal_domains: frozenset[str] = frozenset()
    opened: Opened = Opened()
    facts: dict[str, object] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[Text, ...]:
        """The message's texts and those of opened attachments; an attachment's text is there once."""
        return once(self.memo, "texts", self._texts)

    @property
    def links(self) -> tuple[Link, ...]:
        """The links of all parts and of opened attachments, in order, each as often as it is there."""
        return once(self.memo, "links", self._links)

    def _texts(self) -> tuple[Text, ...]:
        opened = tuple(text for file in self.opened.files for text in file.texts)
        read = {text.part for text in opened}
        return (*(t for t in self.message.texts if t.where != "attachment" or t.part not in read), *opened)

    def _links(self) -> tuple[Link, ...]:
        opened = tuple(link for file in self.opened.files for link in file.links)
        read = {file.part for file in self.opened.files}
        own = (link for part in self.message.parts if part.path not in read for link in part.links)
        return (*own, *opened)


class Delivery(Struct, frozen=True):
    """What became of some recipients: `outcome` "relayed", "held", "bounced", "retrying" or "refused".

    `to` is the next hop's "host:port", the Maildir or the hold's id; `reply` what it answered.
    """

    recipients: tuple[str, ...]
    outcome: str
    to: str
    reply: Reply | None = None


class Outcome(Struct, frozen=True):
    """The one reply to the client and what was done for each group of recipients."""

    reply: Reply
    deliveries: tuple[Delivery, ...] = ()


class AuditRecord(Struct, frozen=True, eq=False):
    """Everything that is kept about a message after it is gone. Nothing of its content but redacted excerpts.

    `timings_ms` holds milliseconds by step ("parse", "inspect", "decide", "act").
    """

    transaction: Transaction
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    outcome: Outcome
    timings_ms: dict[str, float]
