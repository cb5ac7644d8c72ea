"""The mechanisms that compare the client's address: all, a, mx, ptr, ip4, ip6, exists (RFC 7208 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.mail.dns import Mx, RecordType
from sekisho.mailauth.spf.budget import Budget, StoppedError, Values, address_number
from sekisho.mailauth.spf.expanding import Expander, UnmatchableError

if TYPE_CHECKING:
    from sekisho.mail.address import IpAddress
    from sekisho.mailauth.spf.record import Directive
    from sekisho.mailauth.spf.result import Step


class Targets:
    """Compares one client's address."""

    def __init__(self, client_ip: IpAddress, expander: Expander, budget: Budget) -> None:
        self._number = int(client_ip)
        self._version = client_ip.version
        self._kind: RecordType = "A" if client_ip.version == 4 else "AAAA"
        self._bits = 32 if client_ip.version == 4 else 128
        self._expander = expander
        self._budget = budget

    async def matches(self, directive: Directive, domain: str, step: Step) -> bool:
        """Whether the directive matches; not `include`. Raises StoppedError."""
        if directive.name == "all":
            return True
        if directive.name in ("ip4", "ip6"):
            return directive.name == f"ip{self._version}" and self._within(directive.network, directive.prefix4)
        self._budget.count_lookup()
        try:
            step.asked = await self._expander.name(directive.domain, domain) if directive.domain else domain
        except UnmatchableError:
            return False
        return await self._asked(directive, step.asked)

    async def _asked(self, directive: Directive, name: str) -> bool:
        if directive.name == "exists":
            return bool(await self._budget.ask(name, "A"))  # RFC 7208 5.7: A for IPv6 too
        if directive.name == "ptr":
            return any(one == name or one.endswith(f".{name}") for one in await self._expander.names())
        prefix = directive.prefix4 if self._version == 4 else directive.prefix6
        if directive.name == "a":
            return self._any_within(await self._budget.ask(name, self._kind), prefix)
        return await self._exchanger(name, prefix)

    async def _exchanger(self, domain: str, prefix: int) -> bool:
        """Whether a mail exchanger has the address. Source: RFC 7208 5.4, 4.6.4."""
        hosts = sorted(record for record in await self._budget.ask(domain, "MX") if isinstance(record, Mx))
        if len(hosts) > self._budget.limits.hosts:
            raise StoppedError("permerror", "mx-hosts")
        for record in hosts:
            if record.host and self._any_within(await self._budget.ask(record.host, self._kind), prefix):
                return True
        return False

    def _any_within(self, values: Values, prefix: int) -> bool:
        return any(self._within(address_number(value), prefix) for value in values if isinstance(value, str))

    def _within(self, network: int, prefix: int) -> bool:
        return (self._number ^ network) >> (self._bits - prefix) == 0
