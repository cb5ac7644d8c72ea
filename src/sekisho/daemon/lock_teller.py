"""What is done once about each lock and unlock, whoever made it: freeze the account's kept mail, and tell people."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from sekisho.act.carry_out import TenantActions
from sekisho.act.freeze import KeptMail, freeze
from sekisho.act.lock_notice import kept_notice, lock_notices
from sekisho.mail.account import Account
from sekisho.mail.lock import LockEvent, standing
from sekisho.mail.ports import Directory, LockMemory, Store

log = logging.getLogger(__name__)


class LockStore(Store, KeptMail, Protocol):
    """What telling needs of the store."""


class LockTeller:
    """Works through events that nobody was told of; after a crash it may tell twice, never not at all."""

    def __init__(
        self,
        store: LockStore,
        memory: LockMemory,
        tenants: Mapping[str, TenantActions],
        directory: Directory,
        hostname: str,
        *,
        told: Callable[[LockEvent], None] = lambda _event: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._memory = memory
        self._tenants = tenants
        self._directory = directory
        self._hostname = hostname
        self._told = told
        self._now = now

    async def run_once(self) -> int:
        """Freeze and tell for every new event, the oldest first; how many. Raises StoreAwayError."""
        events = await self._memory.untold()
        for event in events:
            if event.tenant in self._tenants:
                await self._handle(event, self._tenants[event.tenant])
            else:
                log.warning("account %s: no tenant %r any more, nobody is told", event.login, event.tenant)
            await self._memory.told(event.number)
            self._told(event)
        return len(events)

    async def _handle(self, event: LockEvent, acting: TenantActions) -> None:
        if event.step == "locked":
            await freeze(self._store, event.tenant, event.login, self._now(), acting.hold.expire_seconds)
        account = self._directory.account(event.tenant, event.login) or Account(event.tenant, event.login)
        notices = lock_notices(event, await self._before(event), account, acting.notice, self._hostname)
        if not notices:
            log.warning("account %s of %s: %s, and nobody to tell", event.login, event.tenant, event.step)
        for envelope, data in notices:
            await self._store.keep(kept_notice(event.tenant, envelope, data, acting.hold, self._now()), data)

    async def _before(self, event: LockEvent) -> int:
        """How often the account had been locked before the lock that this is about."""
        history = await self._memory.history(event.tenant, event.login)
        return standing(event.tenant, event.login, tuple(e for e in history if e.number <= event.number)).before
