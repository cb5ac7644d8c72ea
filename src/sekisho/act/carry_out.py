"""Carry verdicts out: relay, keep or refuse, and come back with the one reply.

The order is what makes a message safe. The next hop is asked first: while nobody has taken the message, its refusal
can simply be ours. Once somebody has, whatever is still owed is made durable before the client hears 250.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from sekisho.act.keeping import Keeper
from sekisho.act.modify import ModifyError
from sekisho.act.notify import notices
from sekisho.act.routes import Routes
from sekisho.act.sending import Attempt, leaving, only, prepare, send
from sekisho.act.sign import Signer
from sekisho.config.settings import HoldSettings, NoticeSettings
from sekisho.mail.envelope import Envelope
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.ports import Store
from sekisho.mail.reply import STORE_AWAY, Reply
from sekisho.mail.transaction import Delivery, Outcome, Transaction
from sekisho.mail.verdict import AddRecipient, Disposition, Verdict, strictest

log = logging.getLogger(__name__)

_Sent = tuple[Verdict, Envelope, Attempt]

_REJECTED = Reply(550, "7.1", "Message refused by policy")
_DEFERRED = Reply(451, "7.0", "Message cannot be accepted at the moment, please try again later")
_NOT_PREPARED = Reply(451, "3.0", "Message could not be prepared for relaying, please try again later")


class TenantActions(Struct, frozen=True):
    """What acting for one tenant takes: where its mail goes, who signs it, how long it waits, whom to tell."""

    routes: Routes
    signer: Signer
    hold: HoldSettings
    notice: NoticeSettings


class CarryOut:
    """Carries out the verdicts on a transaction.

    `tenants` maps tenant names to their actions, `titles` finding ids to {"en", "ja"}; `hostname` stands in trace
    headers and reports.
    """

    def __init__(
        self,
        store: Store,
        tenants: Mapping[str, TenantActions],
        hostname: str,
        titles: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._store = store
        self._tenants = tenants
        self._hostname = hostname
        self._titles = titles

    async def carry_out(self, transaction: Transaction, verdicts: tuple[Verdict, ...]) -> Outcome:
        """Relay, keep or refuse. Returns the reply and what was done; never raises for a store or a next hop."""
        try:
            outcome = await self._refuse_or_accept(transaction, verdicts)
        except StoreAwayError as error:
            log.warning("%s: store away: %s", transaction.id, error)
            return _refused(transaction, STORE_AWAY)
        except ModifyError as error:
            log.warning("%s: cannot be changed as policy asks: %s", transaction.id, error)
            return _refused(transaction, _NOT_PREPARED)
        await self._tell(transaction, verdicts, outcome)
        return _enhanced(outcome)

    async def _refuse_or_accept(self, transaction: Transaction, verdicts: tuple[Verdict, ...]) -> Outcome:
        worst = strictest(verdicts)
        if worst.disposition >= Disposition.DEFER and all(v.disposition >= Disposition.DEFER for v in verdicts):
            return _refused(transaction, refusal_reply(worst))
        attempt, sent = await self._relay(transaction, verdicts)
        others = [v for v in verdicts if v.disposition is not Disposition.DELIVER]
        if not attempt.taken and (attempt.transient or (attempt.permanent and not others)):
            return _refused(transaction, attempt.refusal or _DEFERRED)
        deliveries = (*attempt.taken, *await self._keep(transaction, sent, others))
        reply = next((d.reply for d in attempt.taken if d.reply), Reply(250, "0.0", f"OK {transaction.id}"))
        return Outcome(reply, deliveries)

    async def _relay(self, transaction: Transaction, verdicts: Iterable[Verdict]) -> tuple[Attempt, list[_Sent]]:
        """Send to the recipients that are to be delivered. Returns everything together, and each verdict's own."""
        whole, each = Attempt(), []
        tenant = self._tenants[transaction.session.tenant]
        # All are prepared before any is sent: a change that cannot be made refuses the message, and whoever had it
        # already would get it again with every attempt of the client.
        for verdict, envelope, data in await self._prepared(transaction, verdicts):
            attempt = await send(tenant.routes, envelope, data)
            whole += attempt
            each.append((verdict, envelope, attempt))
        return whole, each

    async def _prepared(
        self, transaction: Transaction, verdicts: Iterable[Verdict]
    ) -> list[tuple[Verdict, Envelope, bytes]]:
        """Envelope and bytes for each group that is to be delivered. Raises ModifyError."""
        ready = []
        added: set[str] = set()
        tenant = self._tenants[transaction.session.tenant]
        for verdict in verdicts:
            if verdict.disposition is Disposition.DELIVER:
                envelope = only(transaction.envelope, verdict.recipients)
                # Two groups of recipients may add the same one: it gets one copy.
                changes = [
                    m for m in verdict.modifications if not (isinstance(m, AddRecipient) and m.address in added)
                ]
                added.update(m.address for m in changes if isinstance(m, AddRecipient))
                envelope = leaving(envelope, changes)
                data = await prepare(transaction, envelope, changes, tenant.signer, self._hostname)
                ready.append((verdict, envelope, data))
        return ready

    async def _keep(
        self, transaction: Transaction, sent: Iterable[_Sent], others: Iterable[Verdict]
    ) -> list[Delivery]:
        """Make durable what the next hops did not take, and the verdicts that are no delivery."""
        keeper = self._keeper(transaction)
        done = []
        for verdict, envelope, attempt in sent:
            if attempt.transient:
                done.append(await keeper.owed(verdict, envelope, attempt.transient))
            if attempt.permanent:
                done.append(await keeper.bounced(attempt.permanent))
        for verdict in others:
            if verdict.disposition is Disposition.HOLD:
                done.append(await keeper.held(verdict))
                continue
            reply = refusal_reply(verdict)
            refused = tuple((r, reply) for r in only(transaction.envelope, verdict.recipients).recipients)
            if verdict.disposition is Disposition.REJECT:
                done.append(await keeper.bounced(refused))
            else:
                done.append(await keeper.owed(verdict, transaction.envelope, refused, reinspect=True))
        return done

    async def _tell(self, transaction: Transaction, verdicts: Iterable[Verdict], outcome: Outcome) -> None:
        """Write the notices that the verdicts ask for; one that cannot be written never costs the message.

        Nothing is told of a message that its client will send again.
        """
        if outcome.reply.transient:
            return
        held = {d.recipients: d.to for d in outcome.deliveries if d.outcome == "held"}
        for verdict in verdicts:
            try:
                await self._notify(transaction, verdict, held.get(verdict.recipients, ""))
            except StoreAwayError as error:
                log.warning("%s: notice not written: %s", transaction.id, error)
            except Exception:
                log.exception("%s: notice not written", transaction.id)

    async def _notify(self, transaction: Transaction, verdict: Verdict, hold_id: str) -> None:
        if not verdict.notify:
            return
        settings = self._tenants[transaction.session.tenant].notice
        for envelope, data in notices(transaction, verdict, settings, self._titles, self._hostname, hold_id=hold_id):
            await self._keeper(transaction).notice(envelope, data)

    def _keeper(self, transaction: Transaction) -> Keeper:
        tenant = self._tenants[transaction.session.tenant]
        return Keeper(self._store, transaction, tenant.hold, tenant.notice, self._hostname)


def refusal_reply(verdict: Verdict) -> Reply:
    """The reply for a REJECT or DEFER verdict: the rule's own, or a general one that tells no policy."""
    if verdict.reply is not None:
        return verdict.reply
    return _REJECTED if verdict.disposition is Disposition.REJECT else _DEFERRED


def _enhanced(outcome: Outcome) -> Outcome:
    """We announce enhanced codes: a next hop's reply without one gets the general one of its class (RFC 2034 3)."""
    if outcome.reply.detail is not None:
        return outcome
    return replace(outcome, reply=replace(outcome.reply, detail="0.0"))


def _refused(transaction: Transaction, reply: Reply) -> Outcome:
    return Outcome(reply, (Delivery(transaction.envelope.rcpt_to, "refused", "", reply),))
