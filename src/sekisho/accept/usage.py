"""What the connections of one process take together, against the limits."""

from __future__ import annotations

from collections import Counter

from sekisho.config.settings import LimitSettings
from sekisho.mail.reply import Reply
from sekisho.wire.smtp_replies import TOO_MANY_CONNECTIONS, TOO_MANY_FROM_CLIENT


class Usage:
    """Counts of one process, shared by its listeners: `connections`, and `memory` in octets of mail in flight."""

    def __init__(self) -> None:
        self.connections = 0
        self.memory = 0
        self._clients: Counter[str] = Counter()

    def refusal(self, limits: LimitSettings) -> Reply | None:
        """421 where there are as many connections as may be."""
        return TOO_MANY_CONNECTIONS if self.connections >= limits.connections else None

    def enter(self, client_ip: str, limits: LimitSettings) -> Reply | None:
        """Count a client in, unless it has as many connections as it may have: then 421."""
        if self._clients[client_ip] >= limits.connections_per_ip:
            return TOO_MANY_FROM_CLIENT
        self._clients[client_ip] += 1
        return None

    def leave(self, client_ip: str) -> None:
        """Count a client out that was counted in."""
        self._clients[client_ip] -= 1
        if self._clients[client_ip] <= 0:
            del self._clients[client_ip]
