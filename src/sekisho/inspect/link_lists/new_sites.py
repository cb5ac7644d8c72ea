"""Sites that a tenant's messages have never linked to before, or only for some days."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from sekisho.config.settings import LinkSettings
from sekisho.inspect.link_lists.hosts import external, nobody
from sekisho.inspect.links.lists import Lists
from sekisho.inspect.links.sign import Sign
from sekisho.inspect.links.tally import Tally
from sekisho.inspect.links.url import Address
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.ports import SiteMemory
from sekisho.mail.transaction import Transaction

log = logging.getLogger(__name__)

NEW = "link/new-domain"
_MOST_KEPT = 50_000  # sites, about 300 octets each
_KEPT_SECONDS = 6 * 3600.0  # then the store hears again that a site is in use
_STORE_SECONDS = 2.0
_MOST_SITES = 200  # of one message


class _Seen(Struct, frozen=True):
    """When a site was first linked to, and until when (by the clock) the store need not be asked again."""

    first_at: datetime
    until: float


class NewSites:
    """The look-up. `allowed` addresses are never new. Implements `mail.ports.Lookup`.

    A store that is away finds nothing and holds up nobody.
    """

    name = "new-sites"

    def __init__(
        self,
        memory: SiteMemory,
        settings: LinkSettings,
        words: Lists,
        *,
        allowed: Callable[[Address], bool] = nobody,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._memory = memory
        self._new_for = timedelta(days=settings.new_site_days)
        self._learning = timedelta(days=settings.learning_days)
        self._words = words
        self.allowed = allowed
        self._clock = clock
        self._begins: dict[str, datetime] = {}
        self._seen: OrderedDict[tuple[str, str], _Seen] = OrderedDict()
        self.deadline_seconds = _STORE_SECONDS + 1.0

    async def look_up(self, transaction: Transaction) -> Sequence[Finding]:
        """One finding for each part, inner file and host of a site that is new."""
        if not self._new_for or not transaction.links:
            return ()
        wanted = [
            (target, host.site) for target, host in external(transaction, self._words, self.allowed) if host.site
        ]
        sites = list(dict.fromkeys(site for _, site in wanted))[:_MOST_SITES]
        tenant, now = transaction.session.tenant, transaction.received_at
        if not sites or not await self._remembered(tenant, sites, now):
            return ()
        new = {site: why for site in sites if (why := self._why_new(tenant, site, now))}
        tally = Tally()
        for target, site in wanted:
            if site in new:
                tally.add(target, Sign(NEW, Severity.LOW, 0.5, new[site]))
        return tally.findings

    async def _remembered(self, tenant: str, sites: Sequence[str], now: datetime) -> bool:
        """Whether it is known of all these sites when they were first linked to."""
        unknown = [site for site in sites if self._kept(tenant, site) is None]
        if not unknown:
            return True
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                begins, found = await self._memory.first_seen(tenant, unknown)
                await self._memory.see_sites(tenant, unknown, now)
        except (StoreAwayError, TimeoutError) as error:
            log.warning("sites of links are not compared with earlier ones: %s", error or "the store is slow")
            return False
        self._begins[tenant] = min(begins or now, now)
        until = self._clock() + _KEPT_SECONDS
        for site in unknown:
            self._seen[tenant, site] = _Seen(min(found.get(site, now), now), until)
        while len(self._seen) > _MOST_KEPT:
            self._seen.popitem(last=False)
        return True

    def _kept(self, tenant: str, site: str) -> _Seen | None:
        seen = self._seen.get((tenant, site))
        if seen is None or seen.until <= self._clock():
            return None
        self._seen.move_to_end((tenant, site))
        return seen

    def _why_new(self, tenant: str, site: str, now: datetime) -> str:
        """Why a site is new, in words; "" where it is not, or where too little is remembered to tell."""
        seen = self._seen.get((tenant, site))
        if seen is None or now - self._begins[tenant] < self._learning or now - seen.first_at >= self._new_for:
            return ""
        days = (now - seen.first_at).days
        if seen.first_at >= now:
            return f"no message of this company has linked to {site} before"
        return f"first linked to {site} {f'{days} days' if days > 1 else 'a day' if days else 'less than a day'} ago"
