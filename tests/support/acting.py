"""A tenant's actions over a real store, with next hops that answer per recipient as they are told."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

from sekisho.act.carry_out import CarryOut, TenantActions
from sekisho.act.handed import Handed
from sekisho.act.release import Release
from sekisho.act.routes import Routes
from sekisho.act.sign import Signer
from sekisho.config.settings import HoldSettings, NextHopSettings, NoticeSettings
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import Disposition, Verdict
from sekisho.parse import parse
from sekisho.store.sqlite import SqliteStore
from support.client import message

TAKEN = Reply(250, "0.0", "taken by the next hop")
LATER = Reply(451, "2.0", "mailbox busy")
NEVER = Reply(550, "1.1", "no such user")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class NextHop:
    """Answers `replies[address]`, else `default`; `sent` has (envelope, data) of what anybody took."""

    def __init__(self, name="hop.example:25", default=TAKEN):
        self.name = name
        self.default = default
        self.replies = {}
        self.sent = []
        self.calls = 0

    async def send(self, envelope, data):
        self.calls += 1
        replies = tuple(self.replies.get(r.address, self.default) for r in envelope.recipients)
        taken = tuple(r for r, reply in zip(envelope.recipients, replies, strict=True) if reply.positive)
        if taken:
            self.sent.append((taken, envelope, data))
        return Handed(self.name, replies)

    def copies(self):
        """How often each recipient got the message."""
        return Counter(r.address for taken, _, _ in self.sent for r in taken)


class Acting:
    """`carry_out` and `release` over one store and two next hops: example.org has its own."""

    def __init__(self, folder, **hold):
        self.hop, self.org = NextHop(), NextHop("org.example:25")
        self.store = SqliteStore.open(folder)
        self.now = NOW
        self.hold = HoldSettings(retry_seconds=10, retry_max_seconds=40, retry_give_up_seconds=1000, **hold)
        notice = NoticeSettings(reviewer=("reviewer@example.com",), language="en")
        hops = [(NextHopSettings(domains=("example.org",)), self.org), (NextHopSettings(), self.hop)]
        self.tenants = {"default": TenantActions(Routes(hops), Signer([]), self.hold, notice)}
        self.carrying = CarryOut(self.store, self.tenants, "gate.example.com", {})
        self.verdicts_now = ()
        self.release = Release(
            self.store, self.tenants, "gate.example.com", self._read, self._examine, now=lambda: self.now
        )

    def _read(self, kept, data):
        return Transaction(kept.transaction_id, kept.session, kept.envelope, parse(data), kept.received_at)

    async def _examine(self, transaction):
        del transaction
        return self.verdicts_now

    def later(self, seconds):
        self.now += timedelta(seconds=seconds)

    def carry(self, *verdicts, data=None, sender="hanako@example.com", number=1, **envelope):
        """Carry verdicts out for a transaction with all their recipients."""
        recipients = tuple(Recipient(address) for verdict in verdicts for address in verdict.recipients)
        transaction = Transaction(
            f"t{number}",
            Session("s1", "192.0.2.1"),
            Envelope(sender, recipients, **envelope),
            parse(data or message(f"m{number}")),
            NOW,
        )
        return asyncio.run(self.carrying.carry_out(transaction, verdicts))

    def work(self):
        """One round of the background process."""
        return asyncio.run(self.release.run_once())

    def kept(self, **query):
        return self.store.list_kept(**query)

    def change(self, kept, expected):
        return asyncio.run(self.store.change(kept, expected))


def deliver(*recipients, **more):
    return Verdict(recipients, Disposition.DELIVER, "default", **more)
