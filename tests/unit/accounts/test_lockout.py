"""Nobody gets into a locked account, and only who has the password hears why."""

import asyncio

from sekisho.accounts.lockout import LockedOut
from sekisho.mail.account import Account, Login, LoginAttempt, LoginFailure, ScramKeys
from sekisho.mail.envelope import Session
from sekisho.mail.lock import LockReason

ATTEMPT = LoginAttempt(Session("s", "192.0.2.1", tenant="acme"), "PLAIN", "hana")
KEYS = ScramKeys(b"salt", 4096, b"s", b"k")


class Inner:
    def mechanisms(self, listener, *, protected):
        return ("PLAIN", listener) if protected else ()

    async def admit(self, _attempt):
        return None

    async def check_password(self, _attempt, password):
        return Login(Account("acme", "hana"), "PLAIN") if password == "right" else LoginFailure("denied")

    async def scram_keys(self, _attempt):
        return KEYS

    async def scram_done(self, _attempt, *, proved):
        return Login(Account("acme", "hana"), "SCRAM-SHA-256") if proved else LoginFailure("denied")

    async def check_token(self, attempt, token):
        return await self.check_password(attempt, token)


def outcomes(door):
    async def ask():
        return [
            await door.admit(ATTEMPT),
            await door.check_password(ATTEMPT, "right"),
            await door.check_password(ATTEMPT, "wrong"),
            await door.scram_done(ATTEMPT, proved=True),
            await door.scram_done(ATTEMPT, proved=False),
            await door.check_token(ATTEMPT, "right"),
            await door.scram_keys(ATTEMPT),
        ]

    return [getattr(outcome, "kind", type(outcome).__name__) for outcome in asyncio.run(ask())]


def test_locked_after_the_right_password_denied_before(worker):
    locker, _ = worker()
    door = LockedOut(Inner(), locker.locks)
    assert outcomes(door) == ["NoneType", "Login", "denied", "Login", "denied", "Login", "ScramKeys"]
    asyncio.run(locker.lock("acme", "hana", (LockReason("x", "x"),), by="limits"))
    assert outcomes(door) == ["NoneType", "locked", "denied", "locked", "denied", "locked", "ScramKeys"]
    assert door.mechanisms("submission", protected=True) == ("PLAIN", "submission")
