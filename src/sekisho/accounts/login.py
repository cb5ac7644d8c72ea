"""Who may log in: the guard first, then the sources of accounts in their order."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from sekisho.accounts.passwords.hashing import unknown_scram_keys
from sekisho.accounts.sources.source import Checked, Known, Source, SourceAwayError, TokenSource
from sekisho.mail.account import Login, LoginAttempt, LoginFailure, ScramKeys, canonical_login
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.ports import AuthGuard

log = logging.getLogger(__name__)

PURPOSE = "scram of unknown logins"  # of `Keys.derived`
# Every refusal comes at the same time after its attempt, whatever was asked and of whom.
LEAST_SECONDS = 1.0
_MOST_ENDING = 100  # attempts at once of which those go on that nobody waits for
_PROVES_NOBODY = frozenset(("compromised", "breached"))  # the old password, and app passwords with it

LoggedIn = Callable[[LoginAttempt, Login, datetime], Awaitable[None]]


class _Ask(NamedTuple):
    """A question to the source of this name."""

    source: str
    answer: Callable[[], Awaitable[Checked]]


class LoginService:
    """See `mail.ports.Authenticator`. The first source that knows an account decides.

    `made_up_key` is `Keys.derived(PURPOSE)`; `logged_in` is told of each success, and must not raise. `clock` counts
    seconds.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        tokens: Sequence[TokenSource],
        guard: AuthGuard,
        made_up_key: bytes,
        scram_iterations: int,
        *,
        logged_in: LoggedIn | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = tuple(sources)
        self._tokens = tuple(tokens)
        self._guard = guard
        self._made_up_key = made_up_key
        self._iterations = scram_iterations
        self._logged_in = logged_in
        self._clock = clock
        self._ending: set[asyncio.Task[Login | LoginFailure]] = set()

    def mechanisms(self, listener: str, *, protected: bool) -> tuple[str, ...]:  # noqa: ARG002 - of the port
        """Those that some source can do; SCRAM only where all can, for clients take it first and try no other."""
        found: list[str] = []
        if self._sources and self._iterations and all(source.has_keys for source in self._sources):
            found += ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]
        if protected and self._tokens:
            found += ["OAUTHBEARER", "XOAUTH2"]
        if protected and self._sources:
            found += ["PLAIN", "LOGIN"]
        return tuple(found)

    async def admit(self, attempt: LoginAttempt) -> LoginFailure | None:
        """What the guard says before anything is looked up."""
        return await self._guard.before(attempt)

    async def check_password(self, attempt: LoginAttempt, password: str) -> Login | LoginFailure:
        """Ask each source for as long as none knows the account."""
        asks = [_Ask(source.name, partial(source.check, attempt, password)) for source in self._sources]
        return await self._ended(attempt, asks, password)

    async def scram_keys(self, attempt: LoginAttempt) -> ScramKeys:
        """The keys of the account, or made up ones.

        Raises StoreAwayError where a source cannot be asked: with made up keys the right password would be a wrong
        one, and its owner pay for that.
        """
        keyed = [source for source in self._sources if source.has_keys]
        try:
            for source in keyed:
                if (keys := await source.keys(attempt)) is not None:
                    return keys
        except SourceAwayError as error:
            await self._guard.after(attempt, LoginFailure("away"))
            raise StoreAwayError(str(error)) from error
        login = canonical_login(attempt.login)
        usual = tuple(iterations for source in keyed for iterations in source.iterations())
        return unknown_scram_keys(self._made_up_key, "", login, self._made_up_iterations(login, usual))

    async def scram_done(self, attempt: LoginAttempt, *, proved: bool) -> Login | LoginFailure:
        """The account, where the client proved to have its password."""
        keyed = [source for source in self._sources if source.has_keys] if proved else []
        return await self._ended(attempt, [_Ask(source.name, partial(source.proved, attempt)) for source in keyed])

    async def check_token(self, attempt: LoginAttempt, token: str) -> Login | LoginFailure:
        """Ask each issuer's source whether it believes the token."""
        asks = [_Ask(source.name, partial(source.check_token, attempt, token)) for source in self._tokens]
        return await self._ended(attempt, asks)

    def _made_up_iterations(self, login: str, usual: Sequence[int]) -> int:
        """Those of some account, the same one's each time: after costs were raised old ones must not stand out."""
        if not usual:
            return self._iterations
        drawn = hmac.digest(self._made_up_key, f"iterations\0{login}".encode("utf-8", "surrogatepass"), "sha256")
        return usual[int.from_bytes(drawn[:8], "big") % len(usual)]

    async def _ended(self, attempt: LoginAttempt, asks: Sequence[_Ask], password: str = "") -> Login | LoginFailure:
        """The end of an attempt. It goes on where the client has hung up: a guess counts, whoever waits for it.

        Not where very many do: who is still there must not wait for all of those.
        """
        ending = asyncio.get_running_loop().create_task(self._end(attempt, asks, password))
        self._ending.add(ending)
        ending.add_done_callback(self._no_longer_ending)
        try:
            return await asyncio.shield(ending)
        except asyncio.CancelledError:
            if len(self._ending) > _MOST_ENDING:
                self._ending.discard(ending)
                ending.cancel()
            raise

    def _no_longer_ending(self, ending: asyncio.Task[Login | LoginFailure]) -> None:
        self._ending.discard(ending)
        if not ending.cancelled():
            ending.exception()  # who waits is told; where nobody does, asyncio must not complain

    async def _end(self, attempt: LoginAttempt, asks: Sequence[_Ask], password: str) -> Login | LoginFailure:
        began = self._clock()
        outcome = await _first(attempt, asks)
        failure = outcome if isinstance(outcome, LoginFailure) else None
        delay = await self._guard.after(attempt, failure, password)
        if isinstance(outcome, Login):
            if self._logged_in is not None:
                await self._logged_in(attempt, outcome, datetime.now(UTC))
            return outcome
        return LoginFailure(outcome.kind, max(delay, LEAST_SECONDS - (self._clock() - began)))


async def _first(attempt: LoginAttempt, asks: Sequence[_Ask]) -> Login | LoginFailure:
    """What the first source that knows the account says; "away" where none did and one could not be asked."""
    away = False
    for ask in asks:
        try:
            checked = await ask.answer()
        except SourceAwayError as error:
            log.warning("source %s of accounts is away: %s", ask.source, error)
            away = True
            continue
        except Exception:
            log.exception("source %s of accounts could not be asked", ask.source)
            away = True
            continue
        if checked is not None:
            return _login(attempt, ask.source, checked)
    return LoginFailure("away" if away else "denied")


def _login(attempt: LoginAttempt, source: str, checked: Checked) -> Login | LoginFailure:
    if not isinstance(checked, Known):
        return LoginFailure("denied")
    if checked.change_why in _PROVES_NOBODY:
        return LoginFailure("change-password")
    return Login(checked.account, attempt.mechanism, source, checked.app_password)
