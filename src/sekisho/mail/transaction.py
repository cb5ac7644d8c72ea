"""One message on its way: what came in, what was found, what became of it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.finding import Finding
from sekisho.mail.message import Message
from sekisho.mail.reply import Reply
from sekisho.mail.verdict import Verdict


class Transaction(Struct, frozen=True, eq=False):
    """A complete message with its session and envelope: what inspectors look at.

    `id` is unique in the installation and sorts by time; `received_at` is aware, UTC. `internal_domains` are
    the tenant's own, lower case; `facts` holds what look-ups learned before the inspectors run, by look-up name.
    """

    id: str
    session: Session
    envelope: Envelope
    message: Message
    received_at: datetime
    internal_domains: frozenset[str] = frozenset()
    facts: dict[str, object] = field(default_factory=dict)


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
