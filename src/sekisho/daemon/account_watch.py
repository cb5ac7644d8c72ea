"""What a worker does about locked accounts: it knows them, ends their sessions, and locks them on evidence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sekisho.accounts.finding_locks import FindingLocks
from sekisho.accounts.incidents import Incidents
from sekisho.accounts.locks import Locker, Locks
from sekisho.config.account_settings import LockSettings
from sekisho.config.settings import TenantSettings
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.lock import AccountLock
from sekisho.mail.ports import LockMemory, RecordKeeper
from sekisho.mail.transaction import AuditRecord

log = logging.getLogger(__name__)

_EVERY_SECONDS = 0.5  # a lock of another process holds within a second

Drop = Callable[[str, str], object]


class AccountWatch:
    """One for each worker, over all its configurations. `drop` ends the sessions of an account (tenant, login).

    `registered` says whether somebody can log in with an account: mail that only claims to be of it does not lock it.
    """

    def __init__(
        self,
        memory: LockMemory,
        tenants: Mapping[str, TenantSettings],
        drop: Drop,
        registered: Callable[[str, str], bool] = lambda _tenant, _login: False,
    ) -> None:
        self._drop = drop
        self._registered = registered
        self.locks = Locks(memory, self._changed)
        self.reload(tenants)

    def reload(self, tenants: Mapping[str, TenantSettings]) -> None:
        """Take the settings of a new configuration."""
        self.locker = Locker(self.locks, lock_settings(tenants))
        self._incidents = Incidents(self.locker)
        self._locking = FindingLocks(self.locker)

    def observing(self, recorder: RecordKeeper, *others: Callable[[AuditRecord], Awaitable[None]]) -> Observed:
        """A recorder that looks for what locks an account as well, and tells `others`, who must not raise."""
        return Observed(recorder, (self._seen, *others))

    async def run(self) -> None:
        """Take up what other processes lock and unlock, until cancelled."""
        trouble = ""
        while True:
            try:
                await self.locks.refresh()
                trouble = ""
            except StoreAwayError as error:
                if str(error) != trouble:
                    log.warning("locks of accounts cannot be read, those known stay: %s", error)
                trouble = str(error)
            except Exception:
                log.exception("locks of accounts were not taken up")
            await asyncio.sleep(_EVERY_SECONDS)

    async def _seen(self, record: AuditRecord) -> None:
        session = record.transaction.session
        if session.account and not session.proven_account and self._registered(session.tenant, session.account):
            return
        try:
            await self._locking.seen(record)
            await self._incidents.seen(record)
        except StoreAwayError as error:
            log.warning("%s: incident not noted: %s", record.transaction.id, error)
        except Exception:
            log.exception("%s: incident not noted", record.transaction.id)

    def _changed(self, lock: AccountLock) -> None:
        if lock.locked:
            self._drop(lock.tenant, lock.login)


class Observed:
    """A recorder that tells somebody of each message once it is recorded."""

    def __init__(self, recorder: RecordKeeper, observers: Sequence[Callable[[AuditRecord], Awaitable[None]]]) -> None:
        self._recorder = recorder
        self._observers = observers

    async def record(self, audit: AuditRecord) -> None:
        """Record a message, and tell of it. What fails afterwards changes no reply: the message is where it says."""
        await self._recorder.record(audit)
        for seen in self._observers:
            try:
                await seen(audit)
            except Exception:
                log.exception("%s: not everybody was told of it", audit.transaction.id)


def lock_settings(tenants: Mapping[str, TenantSettings]) -> Mapping[str, LockSettings]:
    """Each tenant's."""
    return {name: tenant.lock or LockSettings() for name, tenant in tenants.items()}
