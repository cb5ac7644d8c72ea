"""Handing messages to a next hop by SMTP: pooled connections, failover, one reply per recipient."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sekisho.act.dial import Dialer
from sekisho.act.handed import Handed
from sekisho.act.pool import Host, HostStatus, Lease, Pool, Unavailable
from sekisho.mail.reply import UNKNOWN_FAILURE, Reply
from sekisho.wire.client_events import Failed, Finished
from sekisho.wire.client_transaction import Content

if TYPE_CHECKING:
    from sekisho.config.settings import NextHopSettings
    from sekisho.mail.envelope import Envelope

_log = logging.getLogger(__name__)
_THREAD_ABOVE_BYTES = 262_144


class SmtpRelay:
    """The `Relay` for `hosts`, which are tried in order.

    Another host is tried where one cannot be reached, turns us away, or breaks off before it had the whole message;
    a 4xx or 5xx to MAIL, RCPT or the message is the next hop's word and becomes our reply. A connection that breaks
    after the whole message was handed over gives 451 4.4.2: a client that tries again may cause a duplicate, never a
    loss. Build it in a running event loop or before one. Raises ValueError for settings that cannot work.
    """

    def __init__(self, settings: NextHopSettings, hostname: str) -> None:
        if not settings.hosts:
            raise ValueError("a next hop without hosts")
        self._pool = Pool(settings, Dialer(settings, hostname))

    async def send(self, envelope: Envelope, data: bytes) -> Handed:
        """Hand over one message (CRLF line ends); one reply per recipient, in order. Never raises for the network."""
        content = await _looked_at(data)
        sending = _Sending(envelope)
        while sending.owed:
            try:
                lease = await self._pool.lease(sending.avoid, fresh=sending.fresh)
            except Unavailable as error:
                sending.give_up(error.reply)
                break
            try:
                batch = sending.batch(lease)
                event = await lease.connection.transact(sending.envelope_for(batch), content)
            finally:
                self._pool.release(lease)
            sending.note(lease, batch, event)
        return sending.handed(", ".join(host.text for host in self._pool.hosts))

    async def close(self) -> None:
        """Let running sends finish, close everything."""
        await self._pool.close()

    def status(self) -> list[HostStatus]:
        """Each host as `sekisho status` shows it. In a running event loop."""
        now = asyncio.get_running_loop().time()
        return [host.status(now) for host in self._pool.hosts]


async def _looked_at(data: bytes) -> bytes | Content:
    """The message; a large one is looked through in a thread."""

    def look() -> Content:
        content = Content(data)
        _ = content.stuffed  # made where it holds nobody up, as the next hop may want it
        return content

    return await asyncio.to_thread(look) if len(data) > _THREAD_ABOVE_BYTES else data


class _Sending:
    """One message on its way: which recipients are still owed, and what has been tried."""

    def __init__(self, envelope: Envelope) -> None:
        self.owed = list(range(len(envelope.recipients)))
        self.avoid: set[Host] = set()
        self.fresh = False
        self._envelope = envelope
        self._replies: dict[int, Reply] = {}
        self._tried: dict[int, Reply] = {}
        self._most = 0
        self._to = ""

    def batch(self, lease: Lease) -> list[int]:
        """The recipients for the next transaction, as many as the server takes at once. RFC 5321 4.5.3.1.8."""
        recipients = [self._envelope.recipients[i] for i in self.owed]
        return self.owed[: lease.connection.peer.batch(recipients, self._most)]

    def envelope_for(self, batch: list[int]) -> Envelope:
        if len(batch) == len(self._envelope.recipients):
            return self._envelope
        return replace(self._envelope, recipients=tuple(self._envelope.recipients[i] for i in batch))

    def note(self, lease: Lease, batch: list[int], event: Finished | Failed) -> None:
        """Learn from a transaction."""
        if isinstance(event, Finished):
            lease.host.worked()
            self._to = lease.host.text
            self._settle(batch, event)
        elif event.body_sent:
            _log.warning("next hop %s: %s after the message was sent", lease.host.text, event.cause)
            self._to = lease.host.text
            self._answer(dict(zip(batch, event.replies, strict=True)))
        elif lease.reused and not self.fresh:
            # The server had closed it, as servers do with idle connections: nobody's failure.
            self.fresh = True
        else:
            lease.host.failed(event.cause, asyncio.get_running_loop().time())
            self.avoid.add(lease.host)
            self.fresh = False
            self._tried.update(zip(batch, event.replies, strict=True))

    def _settle(self, batch: list[int], event: Finished) -> None:
        answered = dict(zip(batch, event.replies, strict=True))
        if event.taken:
            # The message went to some; those that were too many for one transaction go in another one.
            answered = {i: reply for i, reply in answered.items() if not _too_many(reply)}
            if len(answered) < len(batch):
                self._most = len(answered)
        self._answer(answered)

    def _answer(self, answered: dict[int, Reply]) -> None:
        self._replies.update(answered)
        self.owed = [i for i in self.owed if i not in answered]

    def give_up(self, reply: Reply) -> None:
        """Nowhere left to go: what the last host said, or else that there is none."""
        self._answer({i: self._tried.get(i, reply) for i in self.owed})

    def handed(self, hosts: str) -> Handed:
        replies = tuple(self._replies.get(i, UNKNOWN_FAILURE) for i in range(len(self._envelope.recipients)))
        return Handed(self._to or hosts, replies)


def _too_many(reply: Reply) -> bool:
    """Whether a recipient was refused only because there were enough already. RFC 5321 4.5.3.1.10."""
    return reply.code in (452, 552) and reply.detail in (None, "5.3")
