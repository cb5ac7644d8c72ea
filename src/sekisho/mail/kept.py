"""A message that waits in our keeping: held by policy, still owed to a next hop, or a report of our own."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.finding import Finding
from sekisho.mail.reply import Reply
from sekisho.mail.verdict import Modification

KeptKind = Literal["quarantine", "approval", "delay", "retry", "notice"]
KeptState = Literal["held", "releasing", "rejecting", "released", "rejected", "expired"]


class Kept(Struct, frozen=True):
    """The row of a kept message; its bytes lie encrypted beside it.

    `kind`: the hold's kind, "retry" (relayed to some recipients, owed to these) or "notice" (a report or notice of
    ours). `state`: "held" waits for a person or for `release_at`; "releasing" is sent until the next hop takes it;
    "rejecting" is owed a report to its sender; the other three are final. `reinspect`: the release asked for a new
    look under today's rules and policy. `envelope` keeps only recipients that are still owed. `attempts`,
    `next_attempt_at` and `last_reply` tell of the deliveries tried so far. All times are aware, UTC. `decided_by` and
    `note`: who released or rejected, and why.
    """

    id: str
    tenant: str
    kind: KeptKind
    state: KeptState
    received_at: datetime
    expires_at: datetime
    session: Session
    envelope: Envelope
    transaction_id: str
    message_id: str
    size: int
    policy_rule: str = ""
    findings: tuple[Finding, ...] = ()
    modifications: tuple[Modification, ...] = ()
    release_at: datetime | None = None
    reinspect: bool = False
    attempts: int = 0
    next_attempt_at: datetime | None = None
    last_reply: Reply | None = None
    decided_by: str = ""
    note: str = ""


class StoreAwayError(Exception):
    """The store did not answer, or could not make something durable. The client gets 451."""
