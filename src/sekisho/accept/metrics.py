"""What a listener tells whoever counts."""

from __future__ import annotations

from typing import Protocol

from sekisho.mail.reply import Reply


class AcceptMetrics(Protocol):
    """Called on the loop's thread, once for each thing that happens; must not wait and must not raise.

    `listener` is the listener's name; `why` and `phase` are words of a small fixed set, fit for labels:
    `why` "connections", "connections_per_ip", "network_share", "new_connections", "lag", "networks", "proxy"; `phase`
    "proxy", "greeting", "handshake",
    "command", "data", "rate"; `result` "passed" or the kind of a LoginFailure; `mechanism` a SASL name that we know.
    """

    def connection_opened(self, listener: str) -> None:
        """A client was let in."""

    def connection_closed(self, listener: str) -> None:
        """A client that was let in is gone."""

    def connection_refused(self, listener: str, why: str) -> None:
        """A client was sent away."""

    def mail_put_off(self, listener: str, reply: Reply) -> None:
        """A message was not begun, or was given up, for what the process or the machine has left."""

    def tls_established(self, listener: str, version: str) -> None:
        """A handshake is done; `version` as OpenSSL writes it ("TLSv1.3")."""

    def tls_failed(self, listener: str) -> None:
        """A handshake or a TLS record failed."""

    def message_answered(self, listener: str, octets: int, reply: Reply, seconds: float) -> None:
        """A whole message got its reply, `seconds` after its last octet."""

    def timed_out(self, listener: str, phase: str) -> None:
        """A client was too slow."""

    def login_answered(self, listener: str, mechanism: str, result: str) -> None:
        """The accounts said whether a client may log in."""


class NoMetrics:
    """Counts nothing."""

    def connection_opened(self, listener: str) -> None:
        """Do nothing."""

    def connection_closed(self, listener: str) -> None:
        """Do nothing."""

    def connection_refused(self, listener: str, why: str) -> None:
        """Do nothing."""

    def mail_put_off(self, listener: str, reply: Reply) -> None:
        """Do nothing."""

    def tls_established(self, listener: str, version: str) -> None:
        """Do nothing."""

    def tls_failed(self, listener: str) -> None:
        """Do nothing."""

    def message_answered(self, listener: str, octets: int, reply: Reply, seconds: float) -> None:
        """Do nothing."""

    def timed_out(self, listener: str, phase: str) -> None:
        """Do nothing."""

    def login_answered(self, listener: str, mechanism: str, result: str) -> None:
        """Do nothing."""
