"""Kept mail of a locked account: nothing of it leaves, and after the unlock a reviewer looks at each message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.structs import replace

from sekisho.mail.account import canonical_login
from sekisho.mail.kept import Kept, KeptState
from sekisho.mail.ports import LockedAccounts

log = logging.getLogger(__name__)

FROZEN = "account locked"
_MOST = 1_000_000


class KeptMail(Protocol):
    """What freezing needs of the store. Both raise StoreAwayError; `list_kept` blocks."""

    def list_kept(self, *, tenant: str | None, state: str | None, limit: int) -> list[Kept]:
        """Rows, the newest first."""

    async def change(self, kept: Kept, expected: KeptState) -> bool:
        """Write the row anew if its state still is `expected`."""


class NobodyLocked:
    """Where accounts are not locked."""

    def locked(self, tenant: str, login: str) -> None:
        """Nobody is."""


def is_frozen(kept: Kept, locks: LockedAccounts) -> bool:
    """Whether a message waits because its account is locked. Our own notices and reports are not the account's."""
    account = kept.session.account
    return kept.kind != "notice" and account is not None and locks.locked(kept.tenant, account) is not None


def frozen(kept: Kept, now: datetime, expire_seconds: float) -> Kept:
    """The row as it waits for a reviewer: nothing lets it go by itself, neither time nor an earlier release."""
    return replace(
        kept,
        kind="quarantine",
        state="held",
        release_at=None,
        next_attempt_at=None,
        reinspect=False,
        note=FROZEN,
        expires_at=max(kept.expires_at, now + timedelta(seconds=expire_seconds)),
    )


async def freeze(store: KeptMail, tenant: str, login: str, now: datetime, expire_seconds: float) -> int:
    """Freeze all that is kept of an account; how many messages. Raises StoreAwayError.

    Reads every row of the tenant's that waits: some 20 microseconds each, in a thread.
    """
    done = 0
    for kept in await asyncio.to_thread(_of_account, store, tenant, canonical_login(login)):
        if kept.kind != "quarantine" or kept.state != "held" or kept.release_at is not None:
            done += await store.change(frozen(kept, now, expire_seconds), kept.state)
    if done:
        log.warning("account %s of %s: %d kept messages wait for a reviewer now", login, tenant, done)
    return done


def _of_account(store: KeptMail, tenant: str, login: str) -> Sequence[Kept]:
    return [
        kept
        for state in ("held", "releasing")
        for kept in store.list_kept(tenant=tenant, state=state, limit=_MOST)
        if kept.kind != "notice" and canonical_login(kept.session.account or "") == login
    ]
