"""The bytes as they leave, and one attempt to hand them to the next hops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from sekisho.act.modify import ModifyError, apply, apply_envelope
from sekisho.act.routes import Routes
from sekisho.act.sign import Signer
from sekisho.act.submission import completing
from sekisho.act.trace import received_header
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.pieces import together
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import Delivery, Transaction
from sekisho.mail.verdict import AddRecipient, ChangeSender, DeleteRecipient, Modification

_THREAD_ABOVE_BYTES = 262_144


class Attempt(Struct, frozen=True):
    """What became of an attempt: recipients that were taken, may be tried again, or are refused for good."""

    taken: tuple[Delivery, ...] = ()
    transient: tuple[tuple[Recipient, Reply], ...] = ()
    permanent: tuple[tuple[Recipient, Reply], ...] = ()

    @property
    def refusal(self) -> Reply | None:
        """The reply for a client when nobody took the message: another try where any recipient is worth it."""
        refused = self.transient or self.permanent
        return refused[0][1] if refused else None

    def __add__(self, other: Attempt) -> Attempt:
        return Attempt(self.taken + other.taken, self.transient + other.transient, self.permanent + other.permanent)


async def prepare(
    transaction: Transaction, envelope: Envelope, modifications: Sequence[Modification], signer: Signer, hostname: str
) -> bytes:
    """The bytes for the next hop: modified once (and completed), traced, signed last. Raises ModifyError.

    `envelope` is the one that leaves: a trace header names its recipient only where there is just one.
    """

    def make() -> bytes:
        message = transaction.message
        changes = (*completing(transaction, modifications, hostname), *modifications)
        data = apply(message, changes) if changes else message.raw
        signature = signer.sign(data)
        return together(signature, received_header(transaction, envelope, hostname), data)

    if len(transaction.message.raw) > _THREAD_ABOVE_BYTES:
        return await asyncio.to_thread(make)
    return make()


async def send(routes: Routes, envelope: Envelope, data: bytes) -> Attempt:
    """Send to each recipient's next hop, one hop after the other."""
    attempt = Attempt()
    for relay, part in routes.group(envelope):
        result = await relay.send(part, data)
        attempt += _sorted(part.recipients, result.replies, result.to)
    return attempt


def leaving(envelope: Envelope, modifications: Sequence[Modification]) -> Envelope:
    """The envelope that leaves. Raises ModifyError, also where nobody is left to send to: mail is never dropped."""
    changed = apply_envelope(envelope, modifications)
    if not changed.recipients:
        raise ModifyError("no recipient is left")
    return changed


def of_message(modifications: Sequence[Modification]) -> tuple[Modification, ...]:
    """Those that change the message; the envelope's are made once, when it first leaves."""
    return tuple(m for m in modifications if not isinstance(m, AddRecipient | DeleteRecipient | ChangeSender))


def only(envelope: Envelope, recipients: Sequence[str]) -> Envelope:
    """The envelope with just these of its recipients."""
    if len(recipients) == len(envelope.recipients):
        return envelope
    wanted = set(recipients)
    return replace(envelope, recipients=tuple(r for r in envelope.recipients if r.address in wanted))


def _sorted(recipients: Sequence[Recipient], replies: Sequence[Reply], to: str) -> Attempt:
    pairs = tuple(zip(recipients, replies, strict=True))
    taken = tuple(r.address for r, reply in pairs if reply.positive)
    first = next((reply for _, reply in pairs if reply.positive), None)
    return Attempt(
        taken=(Delivery(taken, "relayed", to, first),) if taken else (),
        transient=tuple(pair for pair in pairs if pair[1].transient),
        permanent=tuple(pair for pair in pairs if pair[1].permanent),
    )
