"""Make durable what is not yet somebody else's: holds, recipients still owed, bounces and notices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from sekisho.act.report import delivery_status
from sekisho.act.sending import of_message, only
from sekisho.config.settings import HoldSettings, NoticeSettings
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.ids import new_id
from sekisho.mail.kept import Kept
from sekisho.mail.ports import Store
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import Delivery, Transaction
from sekisho.mail.verdict import Hold, Verdict

Refused = Sequence[tuple[Recipient, Reply]]


class Keeper(Struct, frozen=True):
    """Keeps things for one transaction. Every method returns once it is durable, or raises StoreAwayError."""

    store: Store
    transaction: Transaction
    hold: HoldSettings
    notice_settings: NoticeSettings
    hostname: str

    async def held(self, verdict: Verdict) -> Delivery:
        """Keep the message for the recipients of a HOLD verdict."""
        hold = verdict.hold or Hold("quarantine")
        received = self.transaction.received_at
        release_at = None
        if hold.kind == "delay":
            release_at = received + timedelta(seconds=hold.delay_seconds or 0)
        row = self._row(verdict, only(self.transaction.envelope, verdict.recipients))
        kept = replace(
            row,
            kind=hold.kind,
            expires_at=received + timedelta(seconds=hold.expire_seconds or self.hold.expire_seconds),
            release_at=release_at,
        )
        await self.store.keep(kept, self.transaction.message.raw)
        return Delivery(verdict.recipients, "held", kept.id)

    async def owed(
        self, verdict: Verdict, envelope: Envelope, refused: Refused, *, reinspect: bool = False
    ) -> Delivery:
        """Keep the message for recipients of `envelope` (as it leaves) that may be tried again."""
        recipients = tuple(recipient for recipient, _ in refused)
        addresses = tuple(recipient.address for recipient in recipients)
        received = self.transaction.received_at
        kept = replace(
            self._row(verdict, replace(envelope, recipients=recipients)),
            state="releasing",
            modifications=of_message(verdict.modifications),
            expires_at=received + timedelta(seconds=self.hold.retry_give_up_seconds),
            next_attempt_at=received + timedelta(seconds=self.hold.retry_seconds),
            last_reply=refused[0][1],
            reinspect=reinspect,
        )
        await self.store.keep(kept, self.transaction.message.raw)
        return Delivery(addresses, "retrying", kept.id, refused[0][1])

    async def bounced(self, refused: Refused) -> Delivery:
        """Write and keep the report of a failed delivery to the sender (RFC 3464), unless nobody may get one."""
        report = delivery_status(
            self.transaction.envelope,
            self.transaction.message.raw,
            refused,
            hostname=self.hostname,
            arrived_at=self.transaction.received_at,
            from_address=self.notice_settings.from_address,
            language=self.notice_settings.language,
        )
        kept_id = await self.notice(*report) if report else ""
        return Delivery(tuple(recipient.address for recipient, _ in refused), "bounced", kept_id, refused[0][1])

    async def notice(self, envelope: Envelope, data: bytes) -> str:
        """Keep a mail of our own until a next hop takes it. Returns its id."""
        received = self.transaction.received_at
        kept = Kept(
            id=new_id(),
            tenant=self.transaction.session.tenant,
            kind="notice",
            state="releasing",
            received_at=received,
            expires_at=received + timedelta(seconds=self.hold.retry_give_up_seconds),
            session=self.transaction.session,
            envelope=envelope,
            transaction_id=self.transaction.id,
            message_id="",
            size=len(data),
        )
        await self.store.keep(kept, data)
        return kept.id

    def _row(self, verdict: Verdict, envelope: Envelope) -> Kept:
        transaction = self.transaction
        return Kept(
            id=new_id(),
            tenant=transaction.session.tenant,
            kind="retry",
            state="held",
            received_at=transaction.received_at,
            expires_at=transaction.received_at,
            session=transaction.session,
            envelope=envelope,
            transaction_id=transaction.id,
            message_id=transaction.message.message_id,
            size=len(transaction.message.raw),
            policy_rule=verdict.policy_rule,
            findings=verdict.findings,
            modifications=verdict.modifications,
        )
