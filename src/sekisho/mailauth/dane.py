"""DANE for SMTP: which certificate a mail exchanger must have, by DNS with DNSSEC (RFC 7672, RFC 7671, RFC 6698)."""

from __future__ import annotations

from hashlib import sha256, sha512
from typing import TYPE_CHECKING, Literal

from cryptography.x509 import Certificate
from msgspec import Struct

from sekisho.mail.dns import Tlsa
from sekisho.mailauth import certificate
from sekisho.mailauth.organizational import dns_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sekisho.mail.dns import Records
    from sekisho.mail.ports import RecordResolver

_MOST_TLSA = 32
_MOST_CHAIN = 10
_MOST_WHOLE = 4
_MOST_DATA = 16_384
_LENGTHS = {1: 32, 2: 64}
_AWAY = frozenset(("refused", "away", "bogus", "bad"))


class DaneHost(Struct, frozen=True):
    """What the DNS says of one mail exchanger.

    `status`: "usable" (a certificate must match one of `tlsa`), "unusable" (there are records, but none that can be
    used: TLS is a must, certificates do not count), "none" (no records, or none with DNSSEC), "away" (the DNS did
    not say: the host must not be used now). `base` is the name the records stand at, `ignored` those that do not
    count. Source: RFC 7672 2.2, 3.1.
    """

    status: Literal["usable", "unusable", "none", "away"]
    host: str = ""
    base: str = ""
    tlsa: tuple[Tlsa, ...] = ()
    ignored: tuple[Tlsa, ...] = ()
    why: str = ""


class DaneVerdict(Struct, frozen=True):
    """Whether a server's chain is what the records want, and by which of them.

    `code` is "" where it is, else in the words of RFC 8460 4.3: "validation-failure" (nothing matches, or no chain),
    "certificate-host-mismatch", "certificate-expired".
    """

    code: str = "validation-failure"
    matched: Tlsa | None = None

    @property
    def ok(self) -> bool:
        """Whether the chain is what the records want."""
        return not self.code


def is_usable(tlsa: Tlsa) -> bool:
    """Whether SMTP clients go by a record: usages 2 and 3, known selectors, digests of their length.

    Source: RFC 7672 3.1, RFC 7671 5, 6.
    """
    if tlsa.usage not in (2, 3) or tlsa.selector not in (0, 1):
        return False
    if tlsa.matching == 0:
        return 0 < len(tlsa.data) <= _MOST_DATA
    return _LENGTHS.get(tlsa.matching) == len(tlsa.data)


async def find_tlsa(host: str, resolver: RecordResolver, *, mx_secure: bool, port: int = 25) -> DaneHost:
    """Ask what a mail exchanger must have. `mx_secure`: the MX records came with DNSSEC, or the host was configured.

    At most five questions; raises nothing. Where the host is an alias, the records of its last name count before its
    own. Source: RFC 7672 2.2.1, 2.2.2, 2.2.3.
    """
    name = dns_name(host)
    if not name or not mx_secure:
        return DaneHost("none", name, why="the MX records are not secure" if name else "not a host name")
    addresses = await _addresses(name, resolver)
    if addresses.status in _AWAY:
        return DaneHost("away", name, why=f"no addresses ({addresses.status})")
    aliased = [dns_name(addresses.aliases[-1])] if addresses.aliases else []
    if not addresses.secure:
        # An alias that is secure itself may lead to where nothing is: then its own name counts.
        if not aliased or not (await resolver.records(name, "CNAME")).secure:
            return DaneHost("none", name, why="the addresses are not secure")
        aliased = []
    last = DaneHost("none", name, why="no TLSA records")
    for base in dict.fromkeys([*filter(None, aliased), name]):
        found = _host(name, base, await resolver.records(f"_{port}._tcp.{base}", "TLSA"))
        if found.status != "none":
            return found
        last = found
    return last


async def _addresses(name: str, resolver: RecordResolver) -> Records:
    found = await resolver.records(name, "A")
    return found if found.status != "no-data" else await resolver.records(name, "AAAA")


def _host(name: str, base: str, answer: Records) -> DaneHost:
    if answer.status in _AWAY:
        return DaneHost("away", name, base, why=f"no TLSA answer ({answer.status})")
    if answer.status != "found" or not answer.secure:
        return DaneHost("none", name, base, why="the TLSA records are not secure" if answer.values else "no records")
    records = tuple(value for value in answer.values[:_MOST_TLSA] if isinstance(value, Tlsa))
    usable = tuple(tlsa for tlsa in records if is_usable(tlsa))
    ignored = tuple(tlsa for tlsa in records if not is_usable(tlsa))
    return DaneHost("usable" if usable else "unusable", name, base, usable, ignored)


def matches(tlsa: Tlsa, der: bytes) -> bool:
    """Whether a certificate (DER) is the one of a record. Source: RFC 6698 2.1.2, 2.1.3, 2.1.4."""
    selected = der if tlsa.selector == 0 else certificate.public_key_octets(der) if tlsa.selector == 1 else b""
    if not selected:
        return False
    if tlsa.matching == 0:
        return selected == tlsa.data
    digest = {1: sha256, 2: sha512}.get(tlsa.matching)
    return digest is not None and digest(selected).digest() == tlsa.data


def verify_chain(chain: Sequence[bytes], tlsa: Sequence[Tlsa], names: Sequence[str], now: datetime) -> DaneVerdict:
    """Whether a presented chain (DER, the server's own first) is one that the usable records want.

    `names` are those that the certificate may be for where a record names an authority (usage 2): the name of the
    TLSA records, the host, the domain. With usage 3 neither names nor times count. Raises nothing.
    Source: RFC 7671 5.1, 5.2; RFC 7672 3.1, 3.2.
    """
    if not chain:
        return DaneVerdict()
    usable = [record for record in tlsa if is_usable(record)][:_MOST_TLSA]
    for record in usable:
        if record.usage == 3 and matches(record, chain[0]):
            return DaneVerdict("", record)
    authorities = [record for record in usable if record.usage == 2]
    verdict = DaneVerdict()
    path = _path(list(chain[:_MOST_CHAIN]), authorities) if authorities else []
    for record in authorities:
        length = _reach(path, record)
        if length:
            verdict = _judged([read for _, read in path[:length]], record, names, now)
        if verdict.ok:
            break
    return verdict


def _judged(path: list[Certificate], record: Tlsa, names: Sequence[str], now: datetime) -> DaneVerdict:
    if not all(certificate.is_current(read, now) for read in path):
        return DaneVerdict("certificate-expired", record)
    if not any(certificate.names_host(path[0], name) for name in names):
        return DaneVerdict("certificate-host-mismatch", record)
    return DaneVerdict("", record)


def _path(chain: list[bytes], authorities: list[Tlsa]) -> list[tuple[bytes, Certificate]]:
    """From the server's own certificate to an authority, as far as the presented ones lead, each used once.

    A whole certificate in a record need not be presented. RFC 7671 5.2.1.
    """
    whole = [record.data for record in authorities if (record.selector, record.matching) == (0, 0)]
    read = [(der, found) for der in [*chain, *whole[:_MOST_WHOLE]] if (found := certificate.certificate(der))]
    if not read or read[0][0] != chain[0]:
        return []
    path, unused = read[:1], read[1:]
    while step := next((pair for pair in unused if _leads(path[-1][1], pair[1])), None):
        unused.remove(step)
        path.append(step)
    return path


def _leads(read: Certificate, issuer: Certificate) -> bool:
    return certificate.is_authority(issuer) and certificate.is_issued_by(read, issuer)


def _reach(path: list[tuple[bytes, Certificate]], record: Tlsa) -> int:
    """How many certificates of the path it takes to the record's authority, 0 where it is not reached.

    An authority whose bare key is in the record need not be presented either. RFC 7671 5.2.3.
    """
    for depth, (der, _) in enumerate(path):
        if depth and matches(record, der):
            return depth + 1
    if (record.selector, record.matching) == (1, 0):
        signed = (depth for depth, (_, read) in enumerate(path) if certificate.is_signed_with(read, record.data))
        return next(signed, -1) + 1
    return 0
