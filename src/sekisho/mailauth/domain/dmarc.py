"""The DMARC record that applies to a domain: whether it protects, and whether reports arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.mailauth.dmarc_discovery import Discovery
from sekisho.mailauth.dmarc_reports import destinations
from sekisho.mailauth.domain.report import Check, Finding, txt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.mail.ports import RecordResolver
    from sekisho.mailauth.dmarc_discovery import Discovered
    from sekisho.mailauth.dmarc_record import DmarcRecord


async def check_dmarc_record(domain: str, resolver: RecordResolver) -> Check:
    """Find and read the record. Raises nothing. Source: RFC 9989 4.7, 4.10; RFC 9990 4."""
    discovery = Discovery(resolver)
    found = await discovery.discover(domain)
    if found.published is None or found.published.record is None:
        return _missing(domain, found)
    record, place = found.published.record, found.published.domain
    findings = list(_judged(place, record, subdomain=place != domain))
    for one in await destinations(place, record.rua, discovery, resolver):
        if one.status == "not-wanted":
            agreed = txt(one.record, "v=DMARC1;") if one.record else ""
            findings.append(Finding("dmarc-report-unwanted", "warning", {"uri": one.uri.uri}, agreed))
    return Check("dmarc", tuple(findings), record.text)


def _missing(domain: str, found: Discovered) -> Check:
    name = f"_dmarc.{domain}"
    if found.trouble:
        return Check("dmarc", (Finding("dns", values={"name": name, "status": found.trouble}),))
    own = next((one for one in found.asked if one.domain == domain), None)
    codes = {note.code for note in own.notes} if own else set()
    code = "dmarc-several" if "several-records" in codes else "dmarc-absent"
    text = f"v=DMARC1; p=none; rua=mailto:dmarc-reports@{domain}"
    finding = Finding(code, record=txt(name, text))
    return Check("dmarc", (finding,), absent=code == "dmarc-absent")


def _judged(place: str, record: DmarcRecord, *, subdomain: bool) -> Iterator[Finding]:
    name = f"_dmarc.{place}"
    if record.spoiled:
        yield Finding("dmarc-bad", values={"what": ", ".join(f"{one.code} {one.about}" for one in record.notes[:5])})
    elif record.policy(subdomain=subdomain) == "none":
        rua = "".join(f"; rua={','.join(one.uri for one in record.rua)}" for _ in record.rua[:1])
        yield Finding("dmarc-none", "warning", record=txt(name, f"v=DMARC1; p=quarantine{rua}"))
    elif record.testing or record.pct < 100:
        yield Finding("dmarc-partial", "warning")
    if not record.rua:
        yield Finding("dmarc-no-reports", "warning", {"domain": place})
