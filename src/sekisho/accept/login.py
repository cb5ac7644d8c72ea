"""Logging in: what a mechanism asks is put to the accounts, and the answer put off where somebody guesses."""

from __future__ import annotations

import asyncio
import logging

from sekisho.accept.metrics import AcceptMetrics
from sekisho.config.settings import ListenerSettings
from sekisho.mail.account import Login, LoginAttempt, LoginFailure, ScramKeys
from sekisho.mail.envelope import Session
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.ports import Authenticator
from sekisho.mail.reply import Reply
from sekisho.wire import smtp_replies as say
from sekisho.wire.sasl.offered import MECHANISMS
from sekisho.wire.sasl.steps import CheckPassword, CheckProof, GiveKeys, Question
from sekisho.wire.smtp_auth import Allowed, LoginAnswer, LoginAsked

_log = logging.getLogger(__name__)
_ANSWER_SECONDS = 60.0  # what the accounts may take
_LONGEST_WAIT_SECONDS = 120.0
_MOST_WAITING = 1000

_Found = Login | LoginFailure | ScramKeys


class Logins:
    """The logins of one listener. `authenticator` None: nobody can log in."""

    def __init__(self, authenticator: Authenticator | None, metrics: AcceptMetrics) -> None:
        self._authenticator = authenticator
        self._metrics = metrics
        self._put_off = PutOff(_MOST_WAITING)

    def allowed(self, listener: ListenerSettings) -> Allowed:
        """The mechanisms that the accounts can do, as far as the settings name them (all where they name none)."""
        if self._authenticator is None or listener.role != "submission":
            return Allowed()
        wanted = listener.mechanisms or MECHANISMS
        protected = self._authenticator.mechanisms(listener.name, protected=True)
        clear = () if listener.needs_tls else self._authenticator.mechanisms(listener.name, protected=False)
        return Allowed(tuple(n for n in protected if n in wanted), tuple(n for n in clear if n in wanted))

    async def answer(self, session: Session, asked: LoginAsked) -> LoginAnswer:
        """The answer to a mechanism's question. Raises nothing but CancelledError.

        It is put off for as long as the accounts say; whoever waits holds nobody else up.
        """
        found = await self._find(session, asked)
        if isinstance(found, ScramKeys):
            return found
        result = "passed" if isinstance(found, Login) else found.kind
        self._metrics.login_answered(session.listener, asked.mechanism, result)
        if isinstance(found, Login):
            return found
        _log.info("session %s: login from %s: %s (%s)", session.id, session.client_ip, result, asked.mechanism)
        return await self._refuse(found, asked.question)

    async def _find(self, session: Session, asked: LoginAsked) -> _Found:
        attempt = LoginAttempt(session, asked.mechanism, asked.question.login)
        if self._authenticator is None:
            return LoginFailure("away")
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await _ask(self._authenticator, attempt, asked.question)
        except TimeoutError:
            _log.warning("session %s: the accounts did not answer in time", session.id)
        except StoreAwayError as error:
            _log.warning("session %s: the accounts cannot be asked: %s", session.id, error)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets 454 and nothing else
            _log.exception("session %s: the accounts could not be asked", session.id)
        return LoginFailure("away")

    async def _refuse(self, failure: LoginFailure, question: Question) -> Reply:
        reply = failure_reply(failure, question)
        if failure.kind == "throttled" or failure.wait_seconds <= 0:
            return reply
        waited = await self._put_off.wait(min(failure.wait_seconds, _LONGEST_WAIT_SECONDS))
        return reply if waited else say.AUTH_TOO_MANY_WAIT


async def _ask(authenticator: Authenticator, attempt: LoginAttempt, question: Question) -> _Found:
    if isinstance(question, CheckProof):
        return await authenticator.scram_done(attempt, proved=question.proved)
    refused = await authenticator.admit(attempt)
    if refused is not None:
        # Nothing is proved yet: that an account is there, locked say, is not to be heard from this.
        known = refused.kind in ("throttled", "away")
        return refused if known else LoginFailure("denied", refused.wait_seconds)
    if isinstance(question, GiveKeys):
        return await authenticator.scram_keys(attempt)
    if isinstance(question, CheckPassword):
        return await authenticator.check_password(attempt, question.password)
    return await authenticator.check_token(attempt, question.token)


def failure_reply(failure: LoginFailure, question: Question) -> Reply:
    """What a client hears. RFC 4954 6. Only whoever proved who he is hears more than that it failed."""
    proved = not isinstance(question, CheckProof) or question.proved
    if failure.kind in ("locked", "change-password") and not proved:
        return say.AUTH_FAILED
    return {
        "denied": say.AUTH_FAILED,
        "throttled": say.AUTH_LATER,
        "locked": say.AUTH_LOCKED,
        "change-password": say.AUTH_CHANGE_PASSWORD,
        "away": say.AUTH_AWAY,
    }[failure.kind]


class PutOff:
    """Those who wait for an answer; at most `most`: one more ends the wait of whoever has waited longest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[asyncio.Future[None], None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, seconds: float) -> bool:
        """Wait so long. False where it was cut short."""
        end = asyncio.get_running_loop().create_future()
        self._waiting[end] = None
        if len(self._waiting) > self._most:
            longest = next(iter(self._waiting))
            del self._waiting[longest]
            if not longest.done():  # its own time may be up just now
                longest.set_result(None)
        try:
            await asyncio.wait_for(end, seconds)
        except TimeoutError:
            return True
        finally:
            self._waiting.pop(end, None)
        return False
