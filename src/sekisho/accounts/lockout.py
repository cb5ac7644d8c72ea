"""What a lock means for AUTH. What it means for mail policy says, on the finding `account/locked`."""

from __future__ import annotations

from sekisho.accounts.locks import Locks
from sekisho.mail.account import Login, LoginAttempt, LoginFailure, ScramKeys
from sekisho.mail.ports import Authenticator


class LockedOut:
    """An `Authenticator` that lets nobody into a locked account; only who has the password hears of the lock."""

    def __init__(self, inner: Authenticator, locks: Locks) -> None:
        self._inner = inner
        self._locks = locks

    def mechanisms(self, listener: str, *, protected: bool) -> tuple[str, ...]:
        """As the inner one."""
        return self._inner.mechanisms(listener, protected=protected)

    async def admit(self, attempt: LoginAttempt) -> LoginFailure | None:
        """As the inner one: before the password nobody hears of a lock."""
        return await self._inner.admit(attempt)

    async def check_password(self, attempt: LoginAttempt, password: str) -> Login | LoginFailure:
        """As the inner one, and "locked" for a locked account."""
        return self._unless_locked(await self._inner.check_password(attempt, password))

    async def scram_keys(self, attempt: LoginAttempt) -> ScramKeys:
        """As the inner one."""
        return await self._inner.scram_keys(attempt)

    async def scram_done(self, attempt: LoginAttempt, *, proved: bool) -> Login | LoginFailure:
        """As the inner one, and "locked" for a locked account."""
        return self._unless_locked(await self._inner.scram_done(attempt, proved=proved))

    async def check_token(self, attempt: LoginAttempt, token: str) -> Login | LoginFailure:
        """As the inner one, and "locked" for a locked account."""
        return self._unless_locked(await self._inner.check_token(attempt, token))

    def _unless_locked(self, outcome: Login | LoginFailure) -> Login | LoginFailure:
        if isinstance(outcome, Login) and self._locks.locked(outcome.account.tenant, outcome.account.login):
            return LoginFailure("locked")
        return outcome
