"""Which next hop takes which recipient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from sekisho.act.handed import Handed, same_for_all
from sekisho.mail.address import domain_of
from sekisho.mail.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sekisho.config.settings import NextHopSettings
    from sekisho.mail.envelope import Envelope, Recipient
    from sekisho.mail.ports import Relay

# Temporary: a missing route is the administrator's slip, and no reason to return mail. RFC 3463 3.5 (X.4.4)
NO_ROUTE = Reply(451, "4.4", "No next hop is configured for this recipient")


class NoRoute:
    """Stands where a next hop should: answers 451 4.4.4 for every recipient."""

    async def send(self, envelope: Envelope, data: bytes) -> Handed:
        """Refuse; `data` goes nowhere."""
        del data
        return same_for_all(envelope, "", NO_ROUTE)


class Routes:
    """A tenant's next hops by recipient domain: the exact name, then the longest ".suffix", then the catch-all.

    Of two next hops that claim the same domain the first one has it. Domains are compared in lower case.
    """

    def __init__(self, next_hops: Iterable[tuple[NextHopSettings, Relay]]) -> None:
        self._exact: dict[str, Relay] = {}
        self._suffix: dict[str, Relay] = {}
        self._rest: Relay = NoRoute()
        for settings, relay in reversed(list(next_hops)):
            if not settings.domains:
                self._rest = relay
            for domain in settings.domains:
                table = self._suffix if domain.startswith(".") else self._exact
                table[domain.rstrip(".").lower()] = relay

    def relay_for(self, address: str) -> Relay:
        """The next hop for one address; `NoRoute` where none is configured."""
        domain = domain_of(address)
        if relay := self._exact.get(domain):
            return relay
        if self._suffix:
            dot = domain.find(".")
            while dot >= 0:
                if relay := self._suffix.get(domain[dot:]):
                    return relay
                dot = domain.find(".", dot + 1)
        return self._rest

    def group(self, envelope: Envelope) -> list[tuple[Relay, Envelope]]:
        """Each next hop with the envelope of its recipients, in the order of their first recipients."""
        if not (self._exact or self._suffix):
            return [(self._rest, envelope)]
        groups: dict[int, tuple[Relay, list[Recipient]]] = {}
        for recipient in envelope.recipients:
            relay = self.relay_for(recipient.address)
            groups.setdefault(id(relay), (relay, []))[1].append(recipient)
        if len(groups) == 1:
            return [(relay, envelope) for relay, _ in groups.values()]
        return [(relay, replace(envelope, recipients=tuple(own))) for relay, own in groups.values()]
