"""Whether an account has to change its password, and why. Never for its age: NIST SP 800-63B-4 3.1.1.2."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Why = Literal["", "compromised", "breached", "shared", "weak", "given"]


class PasswordState(Struct, frozen=True):
    """An account's password: set at `set_at`; `why` it must be changed since `since`, "" where it need not.

    "compromised": the account was taken over, or its password seen in the open. "breached": it is in a breach list,
    "shared": another account has it, "weak": an import found it so. "given": an administrator set it, the owner not
    yet.
    """

    set_at: datetime
    why: Why = ""
    since: datetime | None = None

    @property
    def must_change(self) -> bool:
        """Whether nothing but a change of the password is open to its owner."""
        return bool(self.why)


# What is worse stays where two reasons meet: only after a compromise is the old password no proof of anybody.
_ORDER: tuple[Why, ...] = ("", "weak", "shared", "given", "breached", "compromised")


def must_change(state: PasswordState, why: Why, now: datetime) -> PasswordState:
    """The state after a reason to change the password; a lesser one changes nothing."""
    if _ORDER.index(why) <= _ORDER.index(state.why):
        return state
    return replace(state, why=why, since=now)


def changed(now: datetime, *, by_owner: bool) -> PasswordState:
    """The state after a change. What an administrator sets, its owner has to change at the first login."""
    return PasswordState(now) if by_owner else PasswordState(now, "given", now)


def proves_owner(state: PasswordState) -> bool:
    """Whether the old password may still be used to set a new one: not after a compromise.

    Then an administrator sets one, or the owner proves himself by a second factor.
    """
    return state.why not in {"compromised", "breached"}
