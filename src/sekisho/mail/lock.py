"""An account that was stopped from sending: why, by whom, and what became of it since."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

LockStep = Literal["incident", "locked", "unlock-requested", "unlocked"]
LockState = Literal["open", "locked", "unlock-requested"]

OWNER = "owner"  # who has unlocked an account with a new password and the second factor


class LockReason(Struct, frozen=True):
    """One thing that speaks for a lock: `code` for programs ("takeover", "limits"), `text` for people, in English."""

    code: str
    text: str


class Evidence(Struct, frozen=True):
    """What a lock rests on: ids of findings, and of messages (the transactions')."""

    findings: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


class LockEvent(Struct, frozen=True):
    """One row of an account's history: it is written once, and stays.

    `number` counts up in an installation (0: not written yet); `by` is "behaviour", "limits", "policy", "owner" or an
    administrator's name; `at` is aware, UTC. An "incident" is something seen that alone locks nothing.
    """

    tenant: str
    login: str
    step: LockStep
    at: datetime
    by: str
    reasons: tuple[LockReason, ...] = ()
    evidence: Evidence = Evidence()
    number: int = 0


class AccountLock(Struct, frozen=True):
    """How an account stands. `since` is when it was locked last, None where it never was; `event` the one that did.

    `before`: how often it had been locked before that.
    """

    tenant: str
    login: str
    state: LockState = "open"
    since: datetime | None = None
    event: LockEvent | None = None
    before: int = 0

    @property
    def locked(self) -> bool:
        """Whether nothing may be sent: also while an unlock is only asked for."""
        return self.state != "open"


def standing(tenant: str, login: str, events: tuple[LockEvent, ...]) -> AccountLock:
    """How an account stands after its events, the oldest first."""
    lock = AccountLock(tenant, login)
    locks = 0
    for event in events:
        if event.step == "locked":
            lock = AccountLock(tenant, login, "locked", event.at, event, locks)
            locks += 1
        elif event.step == "unlock-requested" and lock.locked:
            lock = AccountLock(tenant, login, "unlock-requested", lock.since, lock.event, lock.before)
        elif event.step == "unlocked":
            lock = AccountLock(tenant, login, "open", lock.since, lock.event, lock.before)
    return lock
