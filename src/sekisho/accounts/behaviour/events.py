"""What is seen of an account: messages, logins and deliveries that failed. Names only as keyed hashes."""

from __future__ import annotations

from msgspec import Struct


class Target(Struct, frozen=True, array_like=True):
    """A recipient. `address` and `domain` are 64-bit keyed hashes; `internal`: in one of the tenant's own domains."""

    address: int
    domain: int
    internal: bool = False


class Origin(Struct, frozen=True, array_like=True):
    """Where a client is: 64-bit keyed hashes of its network, the wider one around it and its program's name.

    `country` is ISO 3166-1's two letters, "" for unknown, `place` latitude and longitude in degrees where known.
    """

    network: int
    around: int
    client: int = 0
    country: str = ""
    place: tuple[float, float] | None = None


class Sending(Struct, frozen=True, array_like=True, tag="s"):
    """One message of an account. `at` is in seconds since 1970 UTC.

    `targets` are different recipients, `script` the one its text is mostly in ("latin", "japanese"; "" for hardly any
    text), `links` to hosts that are not the tenant's, `template` a hash of the text as it is alike in a mailing (0:
    no text). `score` is the highest confidence of what the content findings say (spam, phishing, fraud), 0..1.
    `elsewhere`: answers go to a domain that is neither the account's nor the tenant's, `other_author`: From is none
    of its addresses, `forwarded`: a program sent it on. `answers`: it is an answer in a thread.
    """

    at: float
    origin: Origin
    targets: tuple[Target, ...]
    size: int = 0
    script: str = ""
    links: int = 0
    attachments: int = 0
    score: float = 0.0
    elsewhere: bool = False
    other_author: bool = False
    forwarded: bool = False
    answers: bool = False
    template: int = 0


class LoginSeen(Struct, frozen=True, array_like=True, tag="l"):
    """A login that succeeded. `failures`: failed ones of the account in the hour before it, from anywhere."""

    at: float
    origin: Origin
    failures: int = 0


class Bounced(Struct, frozen=True, array_like=True, tag="b"):
    """Recipients that got no delivery. `invalid` of them do not exist; `network` is the message's client's, or 0."""

    at: float
    failed: int
    invalid: int = 0
    network: int = 0


Event = Sending | LoginSeen | Bounced
