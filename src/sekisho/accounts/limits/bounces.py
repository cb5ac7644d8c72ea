"""Storms of mail with the null reverse-path: reports and automatic answers to whoever was named as a sender."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from sekisho.accounts.naming import Names
from sekisho.config.flood_settings import TenantFloodSettings
from sekisho.mail.address import domain_of
from sekisho.mail.counting import Charge, Take
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.ports import Counters
from sekisho.mail.transaction import Transaction

BACKSCATTER = "flood/backscatter"
_MINUTE, _HOUR = 60, 3600
_MOST_RECIPIENTS = 100  # that are counted of one message; a report has one


class Bounces:
    """Counts them by tenant, by recipient domain and by recipient. `counters` must not raise (`SteadyCounters`)."""

    def __init__(
        self,
        counters: Counters,
        tenants: Mapping[str, TenantFloodSettings],
        names: Names,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._counters, self._tenants, self._names, self._clock = counters, tenants, names, clock

    async def look_up(self, transaction: Transaction) -> tuple[Finding, ...]:
        """`flood/backscatter` where a message is more than may go; then it counts for nothing. RFC 5321 4.5.5."""
        if transaction.envelope.mail_from:
            return ()
        charges = self._charges(transaction)
        if not charges:
            return ()
        taken = await self._counters.take(Take(tuple(charges.values())), self._clock())
        if taken.taken:
            return ()
        over = next(
            f"{count} to a {what} in {charge.seconds} s, the limit is {charge.most}"
            for (what, _), charge, count in zip(charges, charges.values(), taken.counts, strict=True)
            if count > charge.most
        )
        return (Finding(BACKSCATTER, Severity.MEDIUM, where="envelope", excerpt=over),)

    def _charges(self, transaction: Transaction) -> dict[tuple[str, str], Charge]:
        tenant = transaction.session.tenant
        settings = self._tenants[tenant]
        recipients = transaction.envelope.rcpt_to[:_MOST_RECIPIENTS]
        wanted = [("tenant", tenant, _MINUTE, settings.bounces_per_minute)]
        for address in sorted({recipient.lower() for recipient in recipients}):
            wanted.append(("recipient", address, _HOUR, settings.bounces_per_recipient))
            wanted.append(("domain", domain_of(address), _MINUTE, settings.bounces_per_domain))
        return {
            (what, whom): Charge(self._names.key("bounces", what, tenant, whom), seconds, most=most)
            for what, whom, seconds, most in wanted
            if most
        }
