"""Send what we keep: released holds, recipients still owed, our own reports. Retried until a next hop takes it.

Runs in one process of an installation at a time; a claim in the store keeps a second one off.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from sekisho.act.carry_out import TenantActions
from sekisho.act.freeze import NobodyLocked, frozen, is_frozen
from sekisho.act.keeping import Keeper, Refused
from sekisho.act.modify import ModifyError
from sekisho.act.sending import Attempt, leaving, of_message, prepare, send
from sekisho.config.settings import HoldSettings
from sekisho.mail.kept import Kept, KeptState, StoreAwayError
from sekisho.mail.ports import Examine, LockedAccounts, Store
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import Disposition, strictest

log = logging.getLogger(__name__)

_CLAIM = timedelta(minutes=30)
_THREAD_ABOVE_BYTES = 262_144
_AT_ONCE = 10
_REFUSED_BY_REVIEWER = Reply(550, "7.1", "Message refused after review")
_NOBODY_LET_IT_GO = Reply(550, "7.1", "Message was held and not released in time")
_NOT_TAKEN_IN_TIME = Reply(550, "4.7", "Delivery time expired")


class _NotNowError(Exception):
    """A row waits for the administrator; the text says for what."""


class Release:
    """Sends kept messages and ends those whose time is over.

    `read` makes a Transaction of a row and its bytes; `examine` inspects and decides anew, under today's rules. Mail
    of an account that is in `locks` stays.
    """

    def __init__(
        self,
        store: Store,
        tenants: Mapping[str, TenantActions],
        hostname: str,
        read: Callable[[Kept, bytes], Transaction],
        examine: Examine,
        *,
        locks: LockedAccounts = NobodyLocked(),  # noqa: B008 - it has no state
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._tenants = tenants
        self._hostname = hostname
        self._read = read
        self._examine = examine
        self._locks = locks
        self._now = now

    async def run_once(self) -> int:
        """One round over everything that is due. Returns how many rows could be handled. Raises StoreAwayError."""
        now = self._now()
        due = await self._store.claim_due(now, now + _CLAIM, _AT_ONCE)
        done = await asyncio.gather(*(self._guarded(self._handle, kept) for kept in due))
        expired = await self._store.expired(now, _AT_ONCE)
        done += await asyncio.gather(*(self._guarded(self._expire, kept) for kept in expired))
        return sum(done)

    async def _guarded(self, do: Callable[[Kept], Awaitable[None]], kept: Kept) -> bool:
        """Whether a row could be handled. One that cannot is put off, and never stops the others."""
        try:
            self._tenant(kept)
            await do(kept)
        except (StoreAwayError, ModifyError, _NotNowError) as error:
            why = str(error)
            log.warning("kept message %s cannot be handled, later again: %s", kept.id, why)
        except Exception:
            why = "internal failure, see the log"
            log.exception("kept message %s cannot be handled, later again", kept.id)
        else:
            return True
        with contextlib.suppress(StoreAwayError):  # then the claim, or the next round, brings it back
            # One whose end could not be written comes back after the pause as well, not at once.
            await self._put_off(self._ending_later(kept), Reply(451, "3.0", why))
        return False

    def _tenant(self, kept: Kept) -> TenantActions:
        """What acting for the row's tenant takes. Raises _NotNowError where the tenant is gone."""
        if kept.tenant not in self._tenants:
            raise _NotNowError(f"no tenant {kept.tenant!r} in the configuration")
        return self._tenants[kept.tenant]

    def _ending_later(self, kept: Kept) -> Kept:
        if kept.expires_at > self._now():
            return kept
        return replace(kept, expires_at=self._now() + timedelta(seconds=self._pause(kept)))

    def _pause(self, kept: Kept) -> float:
        """Seconds to the next attempt: longer each time."""
        hold = self._tenants[kept.tenant].hold if kept.tenant in self._tenants else HoldSettings()
        doubled: float = hold.retry_seconds * 2 ** min(kept.attempts, 20)
        return min(doubled, hold.retry_max_seconds)

    async def _handle(self, kept: Kept) -> None:
        if kept.state == "rejecting":
            await self._refuse(kept, "rejected", _REFUSED_BY_REVIEWER)
        elif is_frozen(kept, self._locks):
            back = frozen(kept, self._now(), self._tenants[kept.tenant].hold.expire_seconds)
            await self._store.change(back, kept.state)
        else:
            await self._send(kept)

    async def _transaction(self, kept: Kept) -> Transaction:
        data = await self._store.kept_data(kept)
        if len(data) > _THREAD_ABOVE_BYTES:
            return await asyncio.to_thread(self._read, kept, data)
        return self._read(kept, data)

    async def _send(self, kept: Kept) -> None:
        transaction = await self._transaction(kept)
        if kept.reinspect:
            again = await self._look_again(kept, transaction)
            if again is None:
                return
            kept = again
        tenant = self._tenants[kept.tenant]
        envelope = leaving(kept.envelope, kept.modifications)
        changes = of_message(kept.modifications)
        data = await prepare(transaction, envelope, changes, tenant.signer, self._hostname)
        attempt = await send(tenant.routes, envelope, data)
        await self._settle(replace(kept, envelope=envelope, modifications=changes), transaction, attempt)

    async def _look_again(self, kept: Kept, transaction: Transaction) -> Kept | None:
        """The row with today's modifications, or None where today's policy would not deliver: it goes on waiting."""
        verdicts = await self._examine(transaction)
        worst = strictest(verdicts)
        if worst.disposition is Disposition.DELIVER:
            return replace(kept, modifications=worst.modifications, reinspect=False)
        if worst.disposition is Disposition.DEFER:
            await self._put_off(kept, worst.reply or Reply(451, "7.0", "deferred by policy"))
            return None
        back = replace(kept, state="held", release_at=None, policy_rule=worst.policy_rule, findings=worst.findings)
        back = replace(back, modifications=worst.modifications)
        if kept.kind == "retry":
            back = replace(back, kind=worst.hold.kind if worst.hold else "quarantine")
        await self._store.change(replace(back, note="inspected anew, still to be held"), "releasing")
        return None

    async def _settle(self, kept: Kept, transaction: Transaction, attempt: Attempt) -> None:
        """Write down what the next hops took, report what they refused, and plan the rest."""
        permanent = attempt.permanent
        rest = replace(kept.envelope, recipients=tuple(r for r, _ in attempt.transient))
        if permanent:
            await self._bounce(kept, transaction, permanent)
        if not rest.recipients:
            last = attempt.taken[0].reply if attempt.taken else permanent[0][1]
            await self._store.change(replace(kept, state="released", last_reply=last), "releasing")
            return
        await self._put_off(replace(kept, envelope=rest), attempt.transient[0][1])

    async def _put_off(self, kept: Kept, reply: Reply) -> None:
        later = self._now() + timedelta(seconds=self._pause(kept))
        row = replace(kept, attempts=kept.attempts + 1, next_attempt_at=later, last_reply=reply)
        await self._store.change(row, kept.state)

    async def _expire(self, kept: Kept) -> None:
        hold = self._tenants[kept.tenant].hold
        if kept.state == "releasing":
            await self._refuse(kept, "expired", kept.last_reply or _NOT_TAKEN_IN_TIME)
        elif hold.on_expiry == "release" and kept.kind != "quarantine" and not is_frozen(kept, self._locks):
            until = self._now() + timedelta(seconds=hold.retry_give_up_seconds)
            released = replace(kept, state="releasing", decided_by="expiry", expires_at=until)
            await self._store.change(released, kept.state)
        else:
            await self._refuse(kept, "expired", _NOBODY_LET_IT_GO)

    async def _refuse(self, kept: Kept, state: KeptState, reply: Reply) -> None:
        """Report to the sender, then close the row: a crash between reports twice, never not at all."""
        transaction = await self._transaction(kept)
        permanent = reply if reply.permanent else Reply(550, "4.7", f"Delivery time expired; last answer: {reply}")
        await self._bounce(kept, transaction, tuple((r, permanent) for r in kept.envelope.recipients))
        await self._store.change(replace(kept, state=state, last_reply=reply), kept.state)

    async def _bounce(self, kept: Kept, transaction: Transaction, refused: Refused) -> None:
        tenant = self._tenants[kept.tenant]
        await Keeper(self._store, transaction, tenant.hold, tenant.notice, self._hostname).bounced(refused)
