"""Slows down and turns away who guesses passwords, without locking anybody out for what others do.

First the address and its network pay for failures: later answers, then none for a while. An account that many guess
at is open to few attempts from places that it is not known from, and always from those that it is. Nothing here knows
whether an account exists, so that nobody can find that out from it.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

from sekisho.accounts.guard_plan import DAY, DAY_FACTOR, HOUR, Trusted, Who, delay
from sekisho.accounts.naming import Names
from sekisho.config.account_settings import AuthGuardSettings
from sekisho.mail.account import LoginAttempt, LoginFailure
from sekisho.mail.counting import Charge, Fresh, Take, Taken
from sekisho.mail.ports import Counters

log = logging.getLogger(__name__)

# What is no guess: the password was right, or nobody could be asked.
_NO_GUESS = ("locked", "change-password", "away", "throttled")
_LEAST_UNDER_WAY = 5
_KNOWN_UNDER_WAY = 20
_UNDER_WAY_SECONDS = 30.0
_MOST_UNDER_WAY = 20_000


class GuardEvent(Struct, frozen=True):
    """Something that administrators are to know, once an hour for each subject.

    `kind`: "auth-address" and "auth-network" (turned away), "auth-distributed" (many places guess at an account),
    "auth-spray" (one network tries many accounts), "auth-spray-tenant" (from anywhere), "auth-guessed" (an account
    that many guess at was logged in to from a place that it is not known from).
    """

    kind: str
    tenant: str
    subject: str
    count: int
    text: str


Observer = Callable[[GuardEvent], object]


def log_event(event: GuardEvent) -> None:
    """The log's line for an event."""
    log.warning("account/%s: %s: %s", event.kind, event.tenant, event.text)


class Guard:
    """See `mail.ports.AuthGuard`. `counters` must not raise (`SteadyCounters`); `now` are seconds since 1970."""

    def __init__(
        self,
        counters: Counters,
        settings: AuthGuardSettings,
        names: Names,
        *,
        observe: Observer = log_event,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._counters = counters
        self._settings = settings
        self._names = names
        self._observe = observe
        self._now = now
        self._trusted = Trusted(settings.trusted_networks)
        self._under_way = _UnderWay(now)

    async def before(self, attempt: LoginAttempt) -> LoginFailure | None:
        """None, or "throttled" with the seconds until another try makes sense."""
        if not self._settings.enabled:
            return None
        who, at = Who.of(attempt, self._names), self._now()
        seen = await self._seen(who, at)
        wait = self._known_wait(seen) if seen.known else await self._stranger_wait(who, seen, attempt, at)
        if wait > 0:
            return LoginFailure("throttled", wait)
        return None if self._let_in(who, attempt, seen) else LoginFailure("throttled", 1.0)

    def _let_in(self, who: Who, attempt: LoginAttempt, seen: _Seen) -> bool:
        """Whether not too many attempts are under way; if so, one more is."""
        session, pair = attempt.session.id, (who.tenant, who.login, who.place.address)
        if not self._under_way.enter(pair, session, _KNOWN_UNDER_WAY if seen.known else _LEAST_UNDER_WAY):
            return False
        if seen.known or self._trusted_place(attempt):
            return True
        if self._under_way.enter(who.place.address, session, _LEAST_UNDER_WAY + seen.good):
            return True
        self._under_way.leave(pair, session)
        return False

    async def after(self, attempt: LoginAttempt, failure: LoginFailure | None, password: str = "") -> float:
        """Count how an attempt ended. The seconds to put the answer off."""
        if not self._settings.enabled:
            return 0.0
        who, at = Who.of(attempt, self._names), self._now()
        for key in ((who.tenant, who.login, who.place.address), who.place.address):
            self._under_way.leave(key, attempt.session.id)
        if failure is not None and failure.kind == "denied":
            return await self._failed(who, attempt, password, at)
        if failure is None or failure.kind not in _NO_GUESS:
            await self._succeeded(who, at)
        return 0.0

    # --- Before ---

    async def _seen(self, who: Who, at: float) -> _Seen:
        fresh = (who.known(self._settings.known_days), who.networks_of_account())
        charges = (
            who.at_address(HOUR, 0), who.at_address(DAY, 0), who.at_network(HOUR, 0), who.at_network(DAY, 0),
            who.at_pair(0), who.good_count(0), who.networks_count(0), who.accounts_count(0), who.tenant_count(0),
        )  # fmt: skip
        looked = await self._counters.look(Take(charges, fresh), at)
        return _Seen(looked.fresh[0] == 0, *looked.counts)

    def _known_wait(self, seen: _Seen) -> float:
        """Others' failures do not matter; very many of just this account from just this place do."""
        return HOUR / 12 if seen.pair >= self._settings.known_failures else 0.0

    async def _stranger_wait(self, who: Who, seen: _Seen, attempt: LoginAttempt, at: float) -> float:
        wait = 0.0 if self._trusted_place(attempt) else await self._place_wait(who, seen, at)
        if wait or seen.networks < self._settings.account_networks:
            return wait
        # Exact over all processes: it is counted before the password is looked at.
        taken = await self._take(at, who.strangers(1, self._settings.account_attempts))
        return 0.0 if taken.taken else max(taken.frees[0], 1.0)

    async def _place_wait(self, who: Who, seen: _Seen, at: float) -> float:
        settings = self._settings
        strict = seen.tenant >= settings.spray_accounts_tenant
        most = (settings.free_failures if strict else settings.address_failures) + seen.good
        wide = most * settings.network_factor
        spray = settings.spray_accounts + seen.good
        if seen.address_hour >= most or seen.address_day >= most * DAY_FACTOR:
            await self._tell(who, "auth-address", who.place.address, seen.address_hour, at)
        elif seen.network_hour >= wide or seen.network_day >= wide * DAY_FACTOR:
            await self._tell(who, "auth-network", who.place.network, seen.network_hour, at)
        elif seen.accounts < spray:
            return 0.0
        return HOUR / 12  # the least time in which a counter of an hour falls

    def _trusted_place(self, attempt: LoginAttempt) -> bool:
        return self._trusted.has(attempt.session.client_ip)

    # --- After ---

    async def _failed(self, who: Who, attempt: LoginAttempt, password: str, at: float) -> float:
        known = who.known(self._settings.known_days)
        is_known = (await self._counters.look(Take((), (known,)), at)).fresh[0] == 0
        wrong = who.wrong(password)
        fresh: list[Fresh] = [who.networks_of_account(), who.accounts_of_network(), who.accounts_of_tenant()]
        once = -1
        if wrong is not None:
            once = len(fresh)
            fresh.append(wrong)
        strange = 0 if is_known else 1
        charges = (
            who.at_address(HOUR, 1, fresh=once),
            who.at_address(DAY, 1, fresh=once),
            who.at_network(HOUR, 1, fresh=once),
            who.at_network(DAY, 1, fresh=once),
            who.at_pair(1 - strange, fresh=once),
            who.networks_count(strange, fresh=0),
            who.accounts_count(1, fresh=1),
            who.tenant_count(strange, fresh=2),
        )
        if is_known:  # its own failures are no sign of others'
            fresh[0] = Fresh(fresh[0].group, (), HOUR)
            fresh[2] = Fresh(fresh[2].group, (), HOUR)
        taken = await self._counters.take(Take(charges, tuple(fresh)), at)
        await self._notice(who, taken, is_known=is_known, at=at)
        if self._trusted_place(attempt):
            return 0.0
        strict = not is_known and taken.counts[7] >= self._settings.spray_accounts_tenant
        return delay(taken.counts[4] if is_known else taken.counts[0], self._settings, strict=strict)

    async def _notice(self, who: Who, taken: Taken, *, is_known: bool, at: float) -> None:
        """Tell of patterns that this failure has brought over their bound."""
        settings = self._settings
        networks, accounts, tenant = taken.counts[5:8]
        if not is_known and networks >= settings.account_networks:
            await self._tell(who, "auth-distributed", who.login, networks, at)
        if not is_known and tenant >= settings.spray_accounts_tenant:
            await self._tell(who, "auth-spray-tenant", who.tenant, tenant, at)
        if accounts >= settings.spray_accounts:
            good = (await self._counters.look(Take((who.good_count(0),)), at)).counts[0]
            if accounts >= settings.spray_accounts + good:
                await self._tell(who, "auth-spray", who.place.network, accounts, at)

    async def _succeeded(self, who: Who, at: float) -> None:
        """The account is known from here from now on, and the address has one more that is."""
        fresh = (who.known(self._settings.known_days), who.good())
        charges = (who.good_count(1, fresh=1), who.networks_count(0))
        taken = await self._counters.take(Take(charges, fresh), at)
        if taken.fresh[0] and taken.counts[1] >= self._settings.account_networks:
            await self._tell(who, "auth-guessed", who.login, taken.counts[1], at)

    async def _take(self, at: float, *charges: Charge) -> Taken:
        return await self._counters.take(Take(charges), at)

    async def _tell(self, who: Who, kind: str, subject: str, count: int, at: float) -> None:
        if not (await self._take(at, who.told(kind, f"{who.tenant}\0{subject}"))).taken:
            return
        text = _TEXTS[kind].format(count=count, subject=_shown(subject), network=who.place.network)
        self._observe(GuardEvent(kind, who.tenant, subject, count, text))


_TEXTS = {
    "auth-address": "{subject} is turned away after {count} failed logins in an hour",
    "auth-network": "{subject} is turned away after {count} failed logins in an hour",
    "auth-distributed": "somebody guesses at the password of {subject} from {count} networks",
    "auth-spray": "{count} accounts failed to log in from {subject} in an hour",
    "auth-spray-tenant": "{count} accounts failed to log in from places they are not known from in an hour",
    "auth-guessed": "{subject} logged in from {network}, which is new, while {count} networks guess at its password",
}


def _shown(subject: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in subject[:120])


class _Seen(Struct, frozen=True):
    """What is counted so far: whether the account is known from here, and failures."""

    known: bool
    address_hour: int
    address_day: int
    network_hour: int
    network_day: int
    pair: int
    good: int
    networks: int
    accounts: int
    tenant: int


class _UnderWay:
    """How many attempts wait for their end, in this process: nobody gets many in before the first has failed.

    One whose end nobody told of is forgotten after half a minute.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began: OrderedDict[object, list[tuple[str, float]]] = OrderedDict()

    def enter(self, key: object, session: str, most: int) -> bool:
        """Count an attempt of a session in; False where there are as many already."""
        since = self._now() - _UNDER_WAY_SECONDS
        began = [entry for entry in self._began.get(key, ()) if entry[1] > since]
        if len(began) >= most:
            return False
        self._began[key] = [*began, (session, self._now())]
        self._began.move_to_end(key)
        while len(self._began) > _MOST_UNDER_WAY:
            self._began.popitem(last=False)
        return True

    def leave(self, key: object, session: str) -> None:
        """Count it out, if it was counted in."""
        began = self._began.get(key, [])
        for number, entry in enumerate(began):
            if entry[0] == session:
                del began[number]
                break
        if not began:
            self._began.pop(key, None)
