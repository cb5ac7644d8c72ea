"""Which accounts are locked, as each process remembers it, and the way to lock one.

A lock that one process makes holds there at once, and in the others with their next `refresh`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from sekisho.config.account_settings import LockSettings
from sekisho.mail.account import canonical_login
from sekisho.mail.lock import AccountLock, Evidence, LockEvent, LockReason, standing
from sekisho.mail.ports import LockMemory

log = logging.getLogger(__name__)

Changed = Callable[[AccountLock], None]


class Locks:
    """See `mail.ports.LockedAccounts`. `changed` is told of every account that is locked or unlocked from now on.

    Before the first `refresh` nothing is known. `locked` takes less than a microsecond.
    """

    def __init__(self, memory: LockMemory, changed: Changed = lambda _lock: None) -> None:
        self.memory = memory
        self.changed = changed
        self._newest = 0
        self._standing: dict[tuple[str, str], AccountLock] = {}

    def locked(self, tenant: str, login: str) -> AccountLock | None:
        """How an account stands, if it is locked; None where it may send."""
        lock = self._standing.get((tenant, canonical_login(login)))
        return lock if lock is not None and lock.locked else None

    async def refresh(self) -> None:
        """Take up what any process has changed since. Raises StoreAwayError; what was known stays."""
        events = await self.memory.since(self._newest)
        for key in dict.fromkeys((event.tenant, event.login) for event in events if event.step != "incident"):
            await self._take(*key)
        self._newest = max((event.number for event in events), default=self._newest)

    async def wrote(self, event: LockEvent) -> AccountLock:
        """Take up an event that this process has written, at once. Raises StoreAwayError."""
        # `_newest` stays: another process may have written one before it that is not known here.
        return await self._take(event.tenant, event.login)

    async def _take(self, tenant: str, login: str) -> AccountLock:
        before = self._standing.get((tenant, login))
        # The whole history: an event may have been taken up before an earlier one of another process.
        lock = standing(tenant, login, await self.memory.history(tenant, login))
        self._standing[tenant, login] = lock
        if lock.locked != (before is not None and before.locked):
            log.warning("account %s of %s: %s", login, tenant, lock.state)
            self.changed(lock)
        return lock


class Locker:
    """Locks accounts. `settings` are those of tenants; `now` is for tests."""

    def __init__(
        self,
        locks: Locks,
        settings: Mapping[str, LockSettings],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.locks = locks
        self.settings = settings
        self._now = now

    async def lock(
        self,
        tenant: str,
        login: str,
        reasons: Iterable[LockReason],
        *,
        by: str,
        evidence: Evidence = Evidence(),  # noqa: B008 - frozen
    ) -> bool:
        """Lock an account, durably; False where it is locked already. Raises StoreAwayError, ValueError for no login.

        `by` is "behaviour", "limits", "policy" or an administrator's name. When this returns nothing of the account
        is taken by this process any more; those who are to know are told by the background process.
        """
        event = self._event(tenant, login, tuple(reasons), by, evidence)
        written = await self.locks.memory.add(event, may_lock)
        if written is not None:
            await self.locks.wrote(written)
        return written is not None

    async def incident(self, tenant: str, login: str, reason: LockReason, *, evidence: Evidence) -> bool:
        """Note an account's incident; whether there now are so many that it was locked. Raises StoreAwayError."""
        settings = self.settings.get(tenant, LockSettings())
        if not settings.incidents or self.locks.locked(tenant, login):
            return False
        event = self._event(tenant, login, (reason,), "policy", evidence, step="incident")
        await self.locks.memory.add(event, lambda _before: True)
        since = event.at - timedelta(minutes=settings.incident_minutes)
        events = _since_unlock(await self.locks.memory.history(tenant, event.login))
        recent = [e for e in events if e.step == "incident" and e.at >= since]
        if len(recent) < settings.incidents:
            return False
        return await self.lock(tenant, login, _reasons(recent), by="policy", evidence=_together(recent))

    def _event(
        self,
        tenant: str,
        login: str,
        reasons: tuple[LockReason, ...],
        by: str,
        evidence: Evidence,
        *,
        step: str = "locked",
    ) -> LockEvent:
        canonical = canonical_login(login)
        if not canonical:
            raise ValueError("not a login")
        return LockEvent(tenant, canonical, step, self._now(), by, reasons, evidence)  # type: ignore[arg-type]  # a LockStep


def may_lock(events: tuple[LockEvent, ...]) -> bool:
    """Whether an account with these events is not locked yet."""
    return not standing("", "", events).locked


def _since_unlock(events: tuple[LockEvent, ...]) -> tuple[LockEvent, ...]:
    """What led to the last lock has been dealt with when it was unlocked."""
    last = max((n for n, event in enumerate(events) if event.step == "unlocked"), default=-1)
    return events[last + 1 :]


def _reasons(events: list[LockEvent]) -> tuple[LockReason, ...]:
    return tuple(dict.fromkeys(reason for event in events for reason in event.reasons))[:10]


def _together(events: list[LockEvent]) -> Evidence:
    findings = tuple(dict.fromkeys(f for event in events for f in event.evidence.findings))
    messages = tuple(dict.fromkeys(m for event in events for m in event.evidence.messages))
    return Evidence(findings[:100], messages[:100])
