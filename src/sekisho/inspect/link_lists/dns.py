"""Asks DNS lists (SURBL, URIBL, DBL and the like) about the hosts of links.

Only names of hosts go out, and only to the name servers of the settings. A list that does not answer, refuses, or
answers nonsense is down: it then finds nothing and holds up nobody, for other checks go on. `status` says so.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct

from sekisho.config.settings import DnsListSettings, LinkSettings
from sekisho.inspect.link_lists.dns_answers import Answers, Meaning, control_question, meaning, question
from sekisho.inspect.link_lists.hosts import external, nobody
from sekisho.inspect.links.host import Host
from sekisho.inspect.links.lists import Lists
from sekisho.inspect.links.sign import Sign
from sekisho.inspect.links.tally import Tally
from sekisho.inspect.links.targets import Target
from sekisho.inspect.links.url import Address
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.ports import Resolver
from sekisho.mail.transaction import Transaction

log = logging.getLogger(__name__)

LISTED = "link/dns-listed"
_MOST_KEPT = 20_000  # answers of one list, about 250 octets each
_SIDE_BY_SIDE = 64  # questions to one list
_FAILURES = 3  # in a row, before a list is down
_CHECK_SECONDS = 300.0  # between control questions to a list that is up
_RETRY_SECONDS = 30.0  # between those to one that is down
_LEAST_SECONDS = 10.0
_MOST_SECONDS = 3600.0
_GRACE_SECONDS = 1.0


class DnsListHealth(Struct, frozen=True):
    """One list as last seen. `since` says from when on it is up or down, `error` why it is down."""

    name: str
    up: bool
    since: datetime
    error: str = ""


class DnsLists:
    """The look-up. `allowed` addresses are not asked about. Implements `mail.ports.Lookup`.

    It ends by itself within `deadline_seconds`; what is not answered by then is not found, and no failure.
    """

    name = "dns-lists"

    def __init__(
        self,
        lists: Sequence[DnsListSettings],
        settings: LinkSettings,
        resolver: Resolver,
        words: Lists,
        *,
        allowed: Callable[[Address], bool] = nobody,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._words = words
        self.allowed = allowed
        self._resolver = resolver
        self._lists = [_List(entry, resolver, clock) for entry in lists]
        self.deadline_seconds = settings.dns_timeout_seconds + _GRACE_SECONDS

    @property
    def health(self) -> tuple[DnsListHealth, ...]:
        """How every list is, as last seen."""
        return tuple(entry.health for entry in self._lists)

    async def check(self) -> None:
        """Ask the lists whose turn it is how they are. Never raises; takes as long as the resolver at most."""
        await asyncio.gather(*(entry.check() for entry in self._lists))

    async def close(self) -> None:
        """Wait for what is under way, which takes as long as the resolver at most, and end."""
        await asyncio.gather(*(entry.idle() for entry in self._lists))
        await self._resolver.close()

    async def look_up(self, transaction: Transaction) -> Sequence[Finding]:
        """One finding for each part, inner file and host that a list names."""
        if not self._lists or not transaction.links:
            return ()
        wanted = list(external(transaction, self._words, self.allowed))
        if not wanted:
            return ()
        for entry in self._lists:
            entry.start_check()
        names = self._names([host for _, host in wanted])
        await self._ask(names)
        return self._findings(wanted, names)

    def _names(self, hosts: Sequence[Host]) -> dict[tuple[_List, Host], str]:
        """What each list is asked about each host. Known answers count beyond the bound, for they cost nothing."""
        names: dict[tuple[_List, Host], str] = {}
        fresh: set[Host] = set()
        for host in dict.fromkeys(hosts):
            asked = [(entry, name) for entry in self._lists if (name := question(entry.settings, host))]
            if any(entry.known(name) is None for entry, name in asked):
                if len(fresh) >= self._settings.most_links:
                    continue
                fresh.add(host)
            names |= {(entry, host): name for entry, name in asked}
        return names

    async def _ask(self, names: dict[tuple[_List, Host], str]) -> None:
        """Wait for the answers that are not known yet, each name once."""
        tasks = {entry.ask(name) for (entry, _), name in names.items() if entry.known(name) is None}
        tasks.discard(None)
        if not tasks:
            return
        _, late = await asyncio.wait([task for task in tasks if task], timeout=self._settings.dns_timeout_seconds)
        if late:
            log.info("%d of %d questions to DNS lists were not answered in time", len(late), len(tasks))

    def _findings(
        self, wanted: Sequence[tuple[Target, Host]], names: dict[tuple[_List, Host], str]
    ) -> tuple[Finding, ...]:
        tally = Tally()
        for target, host in wanted:
            said = []
            for entry in self._lists:
                name = names.get((entry, host))
                if name and (listed := entry.known(name)):
                    said.append(f"{entry.settings.name} ({listed})")
            if said:
                why = f"{host.unicode} is listed by {', '.join(said)}"
                tally.add(target, Sign(LISTED, Severity.HIGH, 0.9, why))
        return tally.findings


class _List:
    """One list: its answers, the questions under way, and whether it can be believed."""

    def __init__(self, settings: DnsListSettings, resolver: Resolver, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.health = DnsListHealth(settings.name, up=True, since=datetime.now(UTC))
        self._resolver = resolver
        self._asking = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._clock = clock
        self._answers = Answers(_MOST_KEPT, clock)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._checking: asyncio.Task[None] | None = None
        self._check_at = clock()
        self._failures = 0

    def known(self, name: str) -> str | None:
        """What a name is listed as, "" for not at all, or None. While the list is down, nothing is listed."""
        return self._answers.get(name) if self.health.up else ""

    def ask(self, name: str) -> asyncio.Task[None] | None:
        """A question, the one that is under way where there is one."""
        task = self._under_way.get(name)
        if task is None:
            # A task of its own: its answer is of use even if the message that asked first does not wait for it.
            task = asyncio.create_task(self._ask(name))
            self._under_way[name] = task
            task.add_done_callback(partial(self._done, name))
        return task

    def start_check(self) -> None:
        """Ask for what no list has, if it is time to."""
        if self._checking is None and self._clock() >= self._check_at:
            self._checking = asyncio.create_task(self._check())

    async def check(self) -> None:
        """Ask for what no list has, if it is time to, and wait for the answer."""
        self.start_check()
        if self._checking is not None:
            await asyncio.wait([self._checking])

    async def idle(self) -> None:
        """Wait for every question that is under way."""
        tasks = [*self._under_way.values(), *([self._checking] if self._checking else [])]
        if tasks:
            await asyncio.wait(tasks)

    async def _ask(self, name: str) -> None:
        await self.check()  # a list that has everything must not find anything
        async with self._asking:
            if not self.health.up:
                return
            answer = await self._resolver.addresses(name)
        if answer.status in ("away", "refused"):
            self._failed("it does not answer" if answer.status == "away" else "its name servers refuse to answer")
            return
        self._failures = 0
        said = meaning(self.settings, answer.values) if answer.status == "found" else Meaning()
        if said.wrong:
            self._down(said.wrong)
        else:
            seconds = min(max(answer.ttl, _LEAST_SECONDS), _MOST_SECONDS)
            self._answers.put(name, said.listed, seconds)

    async def _check(self) -> None:
        answer = await self._resolver.addresses(control_question(self.settings))
        if answer.status == "absent":
            self._up()
        elif answer.status == "found":
            said = meaning(self.settings, answer.values)
            self._down(said.wrong or "it lists everything")
        elif self.health.up:
            self._failed("it does not answer" if answer.status == "away" else "its name servers refuse to answer")
        self._check_at = self._clock() + (_CHECK_SECONDS if self.health.up else _RETRY_SECONDS)
        self._checking = None

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        del self._under_way[name]
        if not task.cancelled() and task.exception() is not None:
            log.error("DNS list %s", self.settings.name, exc_info=task.exception())

    def _up(self) -> None:
        self._failures = 0
        if not self.health.up:
            log.warning("DNS list %s answers again", self.settings.name)
            self.health = DnsListHealth(self.settings.name, up=True, since=datetime.now(UTC))

    def _failed(self, why: str) -> None:
        self._failures += 1
        if self._failures >= _FAILURES:
            self._down(why)

    def _down(self, why: str) -> None:
        if self.health.up:
            log.warning("DNS list %s is not used until it answers again: %s", self.settings.name, why)
            self._check_at = self._clock() + _RETRY_SECONDS
            self.health = DnsListHealth(self.settings.name, up=False, since=datetime.now(UTC), error=why)
