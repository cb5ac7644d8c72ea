"""What a listener tells whoever counts."""

from __future__ import annotations

from typing import Protocol

from sekisho.mail.reply import Reply


class AcceptMetrics(Protocol):
    """Called on the loop's thread, once for each thing that happens; must not wait and must not raise.

    `listener` is the listener's name; `why` and `phase` are words of a small fixed set, fit for labels:
    `why` "connections", "connections_per_ip", "networks", "proxy"; `phase` "proxy", "greeting", "handshake",
    "command", "data", "rate".
    """

    def connection_opened(self, listener: str) -> None:
        """A client was let in."""

    def connection_closed(self, listener: str) -> None:
        """A client that was let in is gone."""

    def connection_refused(self, listener: str, why: str) -> None:
        """A client was sent away."""

    def tls_established(self, listener: str, version: str) -> None:
        """A handshake is done; `version` as OpenSSL writes it ("TLSv1.3")."""

    def tls_failed(self, listener: str) -> None:
        """A handshake or a TLS record failed."""

    def message_answered(self, listener: str, octets: int, reply: Reply, seconds: float) -> None:
        """A whole message got its reply, `seconds` after its last octet."""

    def timed_out(self, listener: str, phase: str) -> None:
        """A client was too slow."""


class NoMetrics:
    """Counts nothing."""

    def connection_opened(self, listener: str) -> None:
        """Do nothing."""

    def connection_closed(self, listener: str) -> None:
        """Do nothing."""

    def connection_refused(self, listener: str, why: str) -> None:
        """Do nothing."""

    def tls_established(self, listener: str, version: str) -> None:
        """Do nothing."""

    def tls_failed(self, listener: str) -> None:
        """Do nothing."""

    def message_answered(self, listener: str, octets: int, reply: Reply, seconds: float) -> None:
        """Do nothing."""

    def timed_out(self, listener: str, phase: str) -> None:
        """Do nothing."""
