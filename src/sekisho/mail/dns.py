"""What the DNS answered: the words between the resolver and those who ask it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

DnsStatus = Literal["found", "absent", "refused", "away", "bad"]
RecordType = Literal["A", "AAAA", "TXT", "MX", "PTR", "CNAME", "NS", "SOA", "TLSA"]
RecordStatus = Literal["found", "no-data", "no-name", "refused", "away", "bogus", "bad"]


class Answer(Struct, frozen=True):
    """The IPv4 addresses of a name as text, and for how many seconds they (or their absence) may be kept.

    `status` "absent" says that there is no such name or that it has no address, "refused" that a server answered but
    would or could not say, "away" that nobody answered in time, "bad" that the name or the answer is malformed.
    """

    status: DnsStatus
    values: tuple[str, ...] = ()
    ttl: float = 0.0


class Mx(Struct, frozen=True, order=True):
    """A mail exchanger. `host` is lower case without the last dot, "" for the null MX. RFC 5321 5.1, RFC 7505."""

    preference: int
    host: str


class Tlsa(Struct, frozen=True):
    """A TLSA record: certificate usage, selector, matching type, association data. RFC 6698 2.1."""

    usage: int
    selector: int
    matching: int
    data: bytes


class Records(Struct, frozen=True):
    """The records of one type that a name has, and for how many seconds they (or their absence) may be kept.

    `values`: addresses, and host names in lower case without the last dot, as text; TXT as octets, the strings of
    one record joined; Mx and Tlsa as such; SOA as its primary name server. `aliases` are the CNAMEs followed, in
    order.

    `status` "no-data": the name has none of this type; "no-name": there is no such name (NXDOMAIN); "refused": a
    server answered but would or could not say; "away": nobody answered in time; "bogus": DNSSEC validation failed, as
    far as the name server tells; "bad": the name or the answer is malformed. `secure`: the name server has validated
    the answer (the AD bit, RFC 4035 3.2.3); worth as much as the way to it.
    """

    status: RecordStatus
    values: tuple[str | bytes | Mx | Tlsa, ...] = ()
    ttl: float = 0.0
    secure: bool = False
    aliases: tuple[str, ...] = ()
