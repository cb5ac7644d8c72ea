"""Mail of an account that is locked. Policy decides what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.mail.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.ports import LockedAccounts
    from sekisho.mail.transaction import Transaction

LOCKED = "account/locked"


class LockedAccount:
    """The inspector that is asked last, so that a lock made while others waited still counts. Never raises."""

    name = "locked"

    def __init__(self, locks: LockedAccounts) -> None:
        self._locks = locks

    def inspect(self, transaction: Transaction) -> Sequence[Finding]:
        """One finding, with the reasons of the lock, for mail of a locked account."""
        session = transaction.session
        lock = self._locks.locked(session.tenant, session.account) if session.account else None
        if lock is None:
            return ()
        reasons = lock.event.reasons if lock.event is not None else ()
        since = f"locked since {lock.since:%Y-%m-%d %H:%M:%S} UTC" if lock.since else "locked"
        why = "; ".join((since, *(reason.text for reason in reasons)))
        return (Finding(LOCKED, Severity.CRITICAL, where="account", explanation=why[:1000]),)
