"""MTA-STS, TLS-RPT, BIMI and DANE of a domain: the records that a domain may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.mail.dns import Mx
from sekisho.mailauth.bimi import BimiError, find_bimi
from sekisho.mailauth.dane import find_tlsa
from sekisho.mailauth.domain.report import AWAY, Check, Finding, away, shown, texts_of, txt
from sekisho.mailauth.mta_sts import StsError, StsFound, find_sts, parse_sts_record
from sekisho.mailauth.tls_rpt import TlsRptError, find_tls_rpt

if TYPE_CHECKING:
    from sekisho.mail.ports import Fetcher, RecordResolver
    from sekisho.mailauth.domain.report import Level

_MOST_HOSTS = 10


async def check_sts(domain: str, resolver: RecordResolver, fetcher: Fetcher | None) -> Check:
    """The record, and by a fetcher the policy. Raises nothing. Source: RFC 8461 3.1, 3.2, 4.1."""
    name = f"_mta-sts.{domain}"
    answer = await resolver.records(name, "TXT")
    if answer.status in AWAY:
        return away("mta-sts", name, answer)
    found = texts_of(answer, b"v=STSv1")
    if not found:
        return Check("mta-sts", (Finding("sts-absent", "note", record=txt(name, "v=STSv1; id=1")),), absent=True)
    read = parse_sts_record(found[0])
    if len(found) > 1 or isinstance(read, StsError):
        what = "several-records" if len(found) > 1 or not isinstance(read, StsError) else read.code
        return Check("mta-sts", (Finding("sts-bad", values={"what": what}),), shown(found[0]))
    findings = await _policy(domain, await find_sts(domain, resolver, fetcher), resolver) if fetcher else ()
    return Check("mta-sts", findings, shown(found[0]))


async def _policy(domain: str, found: StsFound, resolver: RecordResolver) -> tuple[Finding, ...]:
    policy = found.policy
    if policy is None:
        what = f"{found.status} {found.error.code if found.error else ''}".strip()
        return (Finding("sts-policy", values={"what": what}),)
    hosts = [one.host for one in (await resolver.records(domain, "MX")).values if isinstance(one, Mx)]
    outside = [host for host in hosts[:_MOST_HOSTS] if host and not policy.allows(host)]
    level: Level = "error" if policy.mode == "enforce" else "warning"
    findings = [Finding("sts-mx", level, {"host": host}, f"mx: {host}") for host in outside]
    return (*findings, *((Finding("sts-mode", "warning", {"mode": policy.mode}),) if level == "warning" else ()))


async def check_tls_rpt(domain: str, resolver: RecordResolver) -> Check:
    """Whether reports on TLS have somewhere to go. Raises nothing. Source: RFC 8460 3."""
    name = f"_smtp._tls.{domain}"
    answer = await resolver.records(name, "TXT")
    if answer.status in AWAY:
        return away("tls-rpt", name, answer)
    found = await find_tls_rpt(domain, resolver)
    better = txt(name, f"v=TLSRPTv1; rua=mailto:tls-reports@{domain}")
    published = [shown(one) for one in texts_of(answer, b"v=TLSRPTv1")]
    if not isinstance(found, TlsRptError):
        return Check("tls-rpt", (), published[0])
    if found.code == "absent":
        return Check("tls-rpt", (Finding("tlsrpt-absent", "note", record=better),), absent=True)
    return Check("tls-rpt", (Finding("tlsrpt-bad", "error", {"what": found.code}, better),), "\n".join(published))


async def check_bimi(domain: str, resolver: RecordResolver) -> Check:
    """The record of the logo, read only. Raises nothing."""
    name = f"default._bimi.{domain}"
    answer = await resolver.records(name, "TXT")
    if answer.status in AWAY:
        return away("bimi", name, answer)
    found = await find_bimi(domain, resolver)
    published = "\n".join(shown(one) for one in texts_of(answer, b"v=BIMI1"))
    if not isinstance(found, BimiError):
        return Check("bimi", (), published)
    if found.code == "absent":
        return Check("bimi", (Finding("bimi-absent", "note"),), absent=True)
    return Check("bimi", (Finding("bimi-bad", "warning", {"what": found.code}),), published)


async def check_dane(domain: str, resolver: RecordResolver) -> Check:
    """TLSA records of the mail exchangers, which count only with DNSSEC. Raises nothing. Source: RFC 7672 2.2."""
    answer = await resolver.records(domain, "MX")
    if answer.status in AWAY:
        return away("dane", domain, answer)
    if not answer.secure:
        return Check("dane", (Finding("dnssec-absent", "note", {"domain": domain}),), absent=True)
    findings: list[Finding] = []
    records: list[str] = []
    for host in [one.host for one in answer.values if isinstance(one, Mx) and one.host][:_MOST_HOSTS]:
        found = await find_tlsa(host, resolver, mx_secure=True)
        if found.status == "away":
            findings.append(Finding("dns", values={"name": f"_25._tcp.{host}", "status": found.why}))
        elif found.status == "unusable":
            findings.append(Finding("dane-unusable", values={"host": host}))
        records += [
            f"_25._tcp.{found.base} {one.usage} {one.selector} {one.matching} {one.data.hex()}" for one in found.tlsa
        ]
    absent = not records and not findings
    if absent:
        findings.append(Finding("dane-absent", "note"))
    return Check("dane", tuple(findings), "\n".join(records), absent=absent)
