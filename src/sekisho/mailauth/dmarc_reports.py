"""Whether those to whom a DMARC record sends its reports want them (RFC 9990 4, RFC 7489 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sekisho.mailauth.dmarc_record import DmarcRecord, ReportUri, parse_dmarc
from sekisho.mailauth.organizational import LONGEST_NAME

if TYPE_CHECKING:
    from sekisho.mail.ports import RecordResolver
    from sekisho.mailauth.dmarc_discovery import Discovery

_MOST_HOSTS = 10
_MOST_RECORDS = 16


class Destination(Struct, frozen=True):
    """One address for reports.

    `status`: "own" (of the same organization), "wanted" (the other side says so in the DNS), "not-wanted", "away" (it
    cannot be known now), "unsupported" (no mailbox), "unchecked" (one too many). `record` is the name that was asked
    for; `instead` are the addresses which the other side has put in its place.
    """

    uri: ReportUri
    status: Literal["own", "wanted", "not-wanted", "away", "unsupported", "unchecked"]
    record: str = ""
    instead: tuple[ReportUri, ...] = ()


async def destinations(
    domain: str, uris: tuple[ReportUri, ...], discovery: Discovery, resolver: RecordResolver
) -> tuple[Destination, ...]:
    """Check each address of rua= or ruf= of the record at `_dmarc.` + `domain`. Raises nothing.

    Asks for at most ten other hosts. Source: RFC 9990 4, RFC 7489 7.1.
    """
    organization = (await discovery.organizational(domain))[0]
    known: dict[str, Destination] = {}
    found: list[Destination] = []
    for uri in uris:
        if not uri.host:
            found.append(Destination(uri, "unsupported"))
            continue
        if uri.host not in known and len(known) >= _MOST_HOSTS:
            found.append(Destination(uri, "unchecked"))
            continue
        if uri.host not in known:
            known[uri.host] = await _checked(domain, organization, uri, discovery, resolver)
        checked = known[uri.host]
        found.append(Destination(uri, checked.status, checked.record, checked.instead))
    return tuple(found)


async def _checked(
    domain: str, organization: str, uri: ReportUri, discovery: Discovery, resolver: RecordResolver
) -> Destination:
    if uri.host == domain or (await discovery.organizational(uri.host))[0] == organization:
        return Destination(uri, "own")
    name = f"{domain}._report._dmarc.{uri.host}"
    if len(name) > LONGEST_NAME:
        return Destination(uri, "not-wanted", name)
    answer = await resolver.records(name, "TXT")
    if answer.status in ("refused", "away", "bogus"):
        return Destination(uri, "away", name)
    read = [parse_dmarc(text) for text in answer.values[:_MOST_RECORDS] if isinstance(text, bytes)]
    records = [record for record in read if isinstance(record, DmarcRecord)]
    if not records:
        return Destination(uri, "not-wanted", name)
    # Another address must be of the same host.
    instead = tuple(other for record in records for other in record.rua if other.host == uri.host)
    return Destination(uri, "wanted", name, instead)
