"""Settings of the DKIM keys that Sekisho keeps itself."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

TsigAlgorithm = Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"]


class SigningSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The life of keys. After `rotate_days` (0: never) an active key gets a successor.

    A key that signs no more stays published for `overlap_days`, for the mail that is under way. After `late_days` a
    new key that the DNS does not show yet, and a retired one that it still shows, is told of.
    """

    rotate_days: float = 180.0
    overlap_days: float = 7.0
    late_days: float = 3.0


class DnsUpdateSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A name server that takes the keys' records of a zone by dynamic update (RFC 2136) with TSIG (RFC 8945).

    `server` is "host:port" (53) by IP address, `secret_file` has the secret in base64 on its first line. `ttl` is
    that of the records, in seconds; an update takes `timeout_seconds` at most.
    """

    server: str
    zone: str
    key_name: str
    secret_file: str
    algorithm: TsigAlgorithm = "hmac-sha256"
    ttl: int = 3600
    timeout_seconds: float = 10.0
