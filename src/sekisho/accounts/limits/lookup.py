"""Counts each message once, at the end of its data, and finds what is beyond a limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from sekisho.accounts.limits.amounts import NOBODY, Amounts, Sender, amounts_of, digest_of, sender_of
from sekisho.accounts.limits.early import Beyond
from sekisho.accounts.limits.plan import Counted, in_window, plan, refusing, taking, told
from sekisho.accounts.limits.texts import duration, excerpt
from sekisho.accounts.limits.windows import SendingWindows
from sekisho.accounts.naming import Names
from sekisho.config.account_settings import SendingLimitSettings
from sekisho.mail.counting import Take, Taken
from sekisho.mail.envelope import Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.ports import Counters
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import Transaction

WINDOW = "flood/sending-window"
REFUSED = Reply(450, "7.1", "Sending limit reached, please try again later")  # RFC 3463 3.8
_SEVERITIES = {"soft": Severity.LOW, "defer": Severity.MEDIUM, "lock": Severity.HIGH}
# People are told at findings that are sure, once in a limit's time; policy tells the two apart.
_FIRST, _AGAIN = 1.0, 0.8
_UNDER_WAY = 0.5

Stepped = Callable[[str, str], object]


class _Over(Struct, frozen=True):
    """A limit that a message is beyond: `count` with its `amount`, and how many seconds until it fits."""

    counted: Counted
    count: int
    amount: int
    free: float

    @property
    def held(self) -> int:
        """What went through before."""
        return self.count - self.amount

    @property
    def full(self) -> bool:
        """Whether nothing at all would go through. Recipients that are known already do."""
        return self.held >= self.counted.charge.most and self.counted.limit.of != "new-recipients"


class Limits:
    """The look-up, for mail that comes in and for nothing that is looked at again. Implements `mail.ports.Lookup`.

    `limits` are each tenant's with what it inherits. `counters` must not raise (`SteadyCounters`). `stepped` is told
    tenant and step ("soft", "defer", "lock", "early", "window") for metrics.
    """

    name = "limits"

    def __init__(
        self,
        counters: Counters,
        limits: Mapping[str, tuple[SendingLimitSettings, ...]],
        names: Names,
        windows: SendingWindows | None = None,
        *,
        stepped: Stepped = lambda _tenant, _step: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._counters = counters
        self._limits = limits
        self._names = names
        self._windows = windows or SendingWindows()
        self._stepped = stepped
        self._now = now
        self._beyond = Beyond(clock)
        self.deadline_seconds = 6.0

    def refuse_early(self, session: Session, mail_from: str | None, recipient: str | None = None) -> Reply | None:
        """Asked at MAIL, and at RCPT with the recipient: a 4xx where the answer at the end of data is known already.

        From memory; a few microseconds. Nothing is counted.
        """
        sender = sender_of(session, mail_from)
        if not self._beyond.refuses(sender, recipient):
            return None
        if self._windows.in_force(sender.tenant, sender.account, self._now()) is not None:
            return None
        self._stepped(session.tenant, "early")
        return REFUSED

    async def look_up(self, transaction: Transaction) -> Sequence[Finding]:
        """Count a message; what is beyond a limit is not counted, and a finding says so."""
        sender = sender_of(transaction.session, transaction.envelope.mail_from)
        amounts, at = amounts_of(transaction), transaction.received_at.timestamp()
        if (found := await self._in_window(transaction, sender, amounts)) is not None:
            return (found,)
        planned = plan(self._limits.get(sender.tenant, ()), sender, amounts, self._names)
        if not planned:
            return ()
        take = taking(planned, sender, amounts, self._names)
        taken = await self._counters.take(take, at)
        if taken.taken:
            return await self._passed(planned, taken, sender, at)
        return await self._refused(planned, taken, sender, transaction)

    async def _in_window(self, transaction: Transaction, sender: Sender, amounts: Amounts) -> Finding | None:
        """The finding for what a sending window lets through, which counts for nothing else."""
        window = self._windows.in_force(sender.tenant, sender.account, transaction.received_at)
        if window is None:
            return None
        take = in_window(window, sender, amounts, self._names)
        taken = await self._counters.take(take, transaction.received_at.timestamp())
        if not taken.taken:
            return None
        self._stepped(sender.tenant, "window")
        text = f"sending window {window.id}: {taken.counts[0]} of {window.recipients} recipients"
        return Finding(WINDOW, Severity.LOW, where="account", excerpt=text)

    async def _passed(
        self, planned: Sequence[Counted], taken: Taken, sender: Sender, at: float
    ) -> tuple[Finding, ...]:
        over = [
            (counted, count, count - _amount(counted, taken))
            for counted, count in zip(planned, taken.counts, strict=True)
            if counted.limit.soft and count > counted.limit.soft
        ]
        crossed = [counted for counted, _, before in over if before <= counted.limit.soft]
        first = await self._first(crossed, sender, at) if crossed else {}
        return tuple(
            self._found("soft", counted, count, counted.limit.soft, sure=first.get(counted.limit.name, _UNDER_WAY))
            for counted, count, _ in over
        )

    async def _first(self, crossed: Sequence[Counted], sender: Sender, at: float) -> dict[str, float]:
        """How sure it is that people want to hear of it: the first time in a limit's time, entirely."""
        charges = tuple(told(counted, sender, "soft", self._names) for counted in crossed)
        times = (await self._counters.take(Take(charges), at)).counts
        for _ in filter(lambda count: count == 1, times):
            self._stepped(sender.tenant, "soft")
        pairs = zip(crossed, times, strict=True)
        return {counted.limit.name: _FIRST if count == 1 else _UNDER_WAY for counted, count in pairs}

    async def _refused(
        self, planned: Sequence[Counted], taken: Taken, sender: Sender, transaction: Transaction
    ) -> tuple[Finding, ...]:
        of = zip(planned, taken.counts, taken.frees, strict=True)
        over = [_Over(c, n, _amount(c, taken), free) for c, n, free in of if c.charge.most and n > c.charge.most]
        take = refusing(
            [o.counted for o in over], [o.amount for o in over], sender, digest_of(transaction), self._names
        )
        asked = (await self._counters.take(take, transaction.received_at.timestamp())).counts
        found = []
        for beyond, times, refused in zip(over, asked[::2], asked[1::2], strict=True):
            limit = beyond.counted.limit
            if beyond.full:
                self._beyond.note(sender, limit.per, limit.to, beyond.free, transaction.internal_domains)
            locks = 0 < limit.lock < beyond.held + max(refused, beyond.amount) and sender.account != NOBODY
            self._stepped(sender.tenant, "lock" if locks else "defer")
            found.append(self._locked(beyond, refused) if locks else self._deferred(beyond, times))
        return tuple(found)

    def _locked(self, over: _Over, refused: int) -> Finding:
        count = over.held + max(refused, over.amount)
        return self._found("lock", over.counted, count, over.counted.limit.lock, sure=_FIRST)

    def _deferred(self, over: _Over, times: int) -> Finding:
        found = self._found(
            "defer", over.counted, over.count, over.counted.charge.most, sure=_FIRST if times == 1 else _AGAIN
        )
        return replace(found, explanation=f"it fits again in {duration(over.free)}")

    def _found(self, step: str, counted: Counted, count: int, bound: int, *, sure: float) -> Finding:
        kind = "new-recipients" if counted.limit.of == "new-recipients" else "rate"
        return Finding(
            f"flood/{kind}-{step}",
            _SEVERITIES[step],
            sure,
            where="account" if counted.limit.per == "account" else "envelope",
            excerpt=excerpt(counted, count, bound),
        )


def _amount(counted: Counted, taken: Taken) -> int:
    fresh = counted.charge.fresh
    return counted.charge.amount * (taken.fresh[fresh] if fresh >= 0 else 1)
