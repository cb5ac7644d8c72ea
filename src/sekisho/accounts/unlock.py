"""Letting a locked account send again: by an administrator, or its owner with new password and second factor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from sekisho.accounts.locks import Locks
from sekisho.config.account_settings import LockSettings
from sekisho.mail.account import canonical_login
from sekisho.mail.lock import OWNER, AccountLock, LockEvent, LockReason, standing

Now = Callable[[], datetime]


class UnlockError(Exception):
    """Why an account stays locked, in words for whoever asked. `code` is for programs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Proofs(Struct, frozen=True):
    """What an owner has shown: when the password was last changed (None: never); that TOTP was verified just now."""

    password_changed_at: datetime | None
    second_factor: bool


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def unlock(locks: Locks, tenant: str, login: str, *, by: str, reason: str, now: Now = _utc_now) -> AccountLock:
    """An administrator unlocks an account, whatever the reason of the lock. How it stands then.

    `by` is the administrator's name. Raises UnlockError ("not-locked", "no-reason"), StoreAwayError.
    """
    if not reason.strip():
        raise UnlockError("no-reason", "an unlock needs a reason, for the record")
    event = LockEvent(
        tenant, canonical_login(login), "unlocked", now(), by, (LockReason("administrator", reason.strip()),)
    )
    return await _write(locks, event)


async def owner_unlock(
    locks: Locks, settings: LockSettings, tenant: str, login: str, proofs: Proofs, *, now: Now = _utc_now
) -> AccountLock:
    """The owner unlocks an account. How it stands then.

    The caller has verified who it is: the password that holds now, and the second factor. A repeat offender's wish is
    noted ("unlock-requested") for the administrator. Raises UnlockError ("not-locked", "not-allowed",
    "password-not-changed", "second-factor", "administrator"), StoreAwayError.
    """
    login = canonical_login(login)
    events = await locks.memory.history(tenant, login)
    lock = standing(tenant, login, events)
    at = now()
    if not lock.locked or lock.since is None:
        raise UnlockError("not-locked", "the account is not locked")
    if not settings.owner_unlock:
        raise UnlockError("not-allowed", "only an administrator unlocks accounts here")
    if not proofs.second_factor:
        raise UnlockError("second-factor", "the second factor was not verified")
    if proofs.password_changed_at is None or proofs.password_changed_at <= lock.since:
        raise UnlockError("password-not-changed", "the password is still that of before the lock: change it first")
    if locks_since(events, at - timedelta(days=settings.repeat_days)) >= settings.repeat_locks:
        if lock.state == "locked":
            asked = LockEvent(tenant, login, "unlock-requested", at, OWNER, (LockReason("owner", "asks to unlock"),))
            await _write(locks, asked, only_once=True)
        raise UnlockError("administrator", "locked too often lately: the administrator has been asked to look at it")
    proved = LockReason("owner", "new password and second factor")
    return await _write(locks, LockEvent(tenant, login, "unlocked", at, OWNER, (proved,)))


def locks_since(events: tuple[LockEvent, ...], since: datetime) -> int:
    """How often an account was locked since then."""
    return sum(event.step == "locked" and event.at >= since for event in events)


async def _write(locks: Locks, event: LockEvent, *, only_once: bool = False) -> AccountLock:
    def allowed(events: tuple[LockEvent, ...]) -> bool:
        state = standing("", "", events).state
        return state == "locked" if only_once else state != "open"

    written = await locks.memory.add(event, allowed)
    if written is None and not only_once:
        raise UnlockError("not-locked", "the account is not locked")
    return await locks.wrote(written or event)
