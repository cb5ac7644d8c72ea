"""What the connections of one process take together, against the limits."""

from __future__ import annotations

from collections import Counter

from sekisho.accept.crowd import Crowd
from sekisho.accept.load import Load
from sekisho.accept.newcomers import Newcomers
from sekisho.config.flood_settings import FloodSettings
from sekisho.config.settings import LimitSettings
from sekisho.mail.reply import Reply
from sekisho.wire.smtp_replies import (
    OUT_OF_MEMORY,
    TOO_BUSY,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_FROM_CLIENT,
    TOO_MANY_FROM_NETWORK,
    TOO_MANY_NEW,
)

_RESERVE = 1.1  # places that only known clients get, where nobody makes room
WHY = {
    TOO_MANY_CONNECTIONS: "connections",
    TOO_MANY_FROM_CLIENT: "connections_per_ip",
    TOO_MANY_FROM_NETWORK: "network_share",
    TOO_MANY_NEW: "new_connections",
    TOO_BUSY: "lag",
}


class Usage:
    """Counts of one process, shared by its listeners: `connections`, and `memory` in octets of mail in flight.

    `crowd` are its clients, `load` what the machine has left, `newcomers` (None: not looked at) networks.
    """

    def __init__(self, newcomers: Newcomers | None = None) -> None:
        self.connections = 0
        self.memory = 0
        self.crowd = Crowd()
        self.load = Load()
        self.settings = FloodSettings()
        self._newcomers = newcomers
        self._clients: Counter[str] = Counter()

    def update(self, settings: FloodSettings) -> None:
        """Use other settings."""
        self.settings = self.load.settings = settings
        if self._newcomers is not None:
            self._newcomers.settings = settings

    @property
    def total(self) -> int:
        """Connections that count against the limit."""
        return self.connections

    def refusal(self, limits: LimitSettings, client_ip: str = "", *, trusted: bool = False) -> Reply | None:
        """421 where there are as many connections as may be and nobody makes room, or where the loop is late.

        A client that has sent mail before, and a `trusted` front end, get in while others do not.
        """
        if self.total < limits.connections and not self.load.late:
            return None
        known = trusted or (self._newcomers is not None and self._newcomers.known(client_ip))
        if self.load.late and not known:
            return TOO_BUSY
        if self.total < limits.connections or self.crowd.make_room(self.settings.evict_idle_seconds, known=known):
            return None
        return None if known and self.total < _RESERVE * limits.connections else TOO_MANY_CONNECTIONS

    def enter(self, client_ip: str, limits: LimitSettings) -> Reply | None:
        """Count a client in, unless it or its network has as many connections as it may have: then 421."""
        if self._of_client(client_ip) >= limits.connections_per_ip:
            return TOO_MANY_FROM_CLIENT
        if self._newcomers is not None:
            refusal = self._newcomers.enter(client_ip, total=self.total, most=limits.connections)
            if refusal is not None:
                return refusal
        self._count(client_ip, 1)
        return None

    def leave(self, client_ip: str) -> None:
        """Count a client out that was counted in."""
        self._count(client_ip, -1)
        if self._newcomers is not None:
            self._newcomers.leave(client_ip)

    def welcome(self, client_ip: str) -> None:
        """A client's mail was taken: it is preferred from now on."""
        if self._newcomers is not None:
            self._newcomers.welcome(client_ip)

    def mail_refusal(self, size: int, limits: LimitSettings) -> Reply | None:
        """4xx where a message of so many octets is not to be begun."""
        if self.memory + size > self.load.memory_for_mail(limits.memory_bytes, self.memory):
            return OUT_OF_MEMORY
        return self.load.mail_refusal()

    def _of_client(self, client_ip: str) -> int:
        return self._clients[client_ip]

    def _count(self, client_ip: str, more: int) -> None:
        self._clients[client_ip] += more
        if self._clients[client_ip] <= 0:
            del self._clients[client_ip]


class Held:
    """Accounts for the mail of one connection in memory."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._octets = 0

    def __call__(self, octets: int) -> None:
        """It has so much now."""
        self._usage.memory += octets - self._octets
        self._octets = octets
