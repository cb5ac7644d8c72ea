"""`sekisho domain`: check a mail domain's records, and make those to publish."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

from sekisho.act.notice_texts import languages
from sekisho.cli.spf_shown import plain, tree
from sekisho.cli.terms import CommandError, command, configuration_of, noun, print_json
from sekisho.config.load import name_server
from sekisho.config.tenants import inherited
from sekisho.mail.address import client_address
from sekisho.mail.dns import Records
from sekisho.mailauth.domain.dkim import check_dkim
from sekisho.mailauth.domain.dmarc import check_dmarc_record
from sekisho.mailauth.domain.hosts import check_egress, check_mx
from sekisho.mailauth.domain.publish import SENDERS, UnusableError, Wanted, records, spf_record, sts_policy
from sekisho.mailauth.domain.spf import check_spf
from sekisho.mailauth.domain.texts import say
from sekisho.mailauth.domain.transport import check_bimi, check_dane, check_sts, check_tls_rpt
from sekisho.mailauth.organizational import dns_name
from sekisho.mailauth.records import DnsRecords
from sekisho.mailauth.spf.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sekisho.act.notice_texts import Language
    from sekisho.mail.dns import RecordType
    from sekisho.mailauth.domain.report import Check

_LONGEST = 1_000


def add_to(commands: Any) -> None:
    """Add `domain check` and `domain records`."""
    verbs = noun(commands, "domain", "Records of a mail domain")
    _add_check(verbs)
    _add_records(verbs)


def _add_check(verbs: Any) -> None:
    summary = "Check the records of mail domains"
    parser = command(verbs, "check", check, summary, "sekisho domain check example.jp", prints_data=True)
    parser.add_argument("domains", metavar="DOMAIN", nargs="+", type=_domain)
    parser.add_argument("--selector", action="append", default=[], help="of a DKIM key; again for more")
    parser.add_argument("--egress-ip", metavar="IP", action="append", default=[], type=client_address)
    parser.add_argument(
        "--blocklist", metavar="ZONE", action="append", default=[], type=_domain, help="DNS blocklist"
    )
    parser.add_argument("--resolver", metavar="HOST:PORT", type=name_server, help="name server to ask")
    parser.add_argument("--language", choices=("en", "ja", "both"), help="of the texts (default: of notices)")


def _add_records(verbs: Any) -> None:
    summary = "Make the records to publish for a domain"
    example = "sekisho domain records example.jp --sender microsoft365 --sender ip4:192.0.2.1"
    parser = command(verbs, "records", publish, summary, example, prints_data=True)
    parser.add_argument("domain", metavar="DOMAIN", type=_domain)
    names = ", ".join(SENDERS)
    parser.add_argument("--sender", action="append", default=[], help=f"who sends: {names}, or an SPF term")
    parser.add_argument("--dmarc", choices=("none", "quarantine", "reject"), default="none")
    parser.add_argument("--rua", metavar="ADDR", action="append", default=[], help="where DMARC reports go")
    parser.add_argument(
        "--mta-sts-mx", metavar="HOST", action="append", default=[], help="host of the MTA-STS policy"
    )
    parser.add_argument("--tls-rpt", metavar="ADDR", default="", help="where TLS reports go")
    parser.add_argument("--resolver", metavar="HOST:PORT", type=name_server, help="counts the lookups of includes")


def _domain(text: str) -> str:
    name = dns_name(text)
    if not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not a domain")
    return name


def check(given: argparse.Namespace) -> int:
    """Check each domain. Returns 1 where one fails, 3 where the DNS did not answer and nothing else is wrong."""
    settings = configuration_of(given).settings
    servers = [given.resolver] if given.resolver else [name_server(text) for text in settings.links.name_servers]
    notice = inherited(settings, "default").notice
    tongues = languages(given.language or (notice.language if notice else "both"))
    status = 0
    for domain in dict.fromkeys(given.domains):
        checks = asyncio.run(_checks(domain, given, servers))
        if given.json:
            print_json({"domain": domain, "checks": [_as_json(one, tongues) for one in checks]})
        else:
            print("\n\n".join("\n".join(_shown(domain, checks, language)) for language in tongues))
        status = _worse(status, checks)
    return status


async def _checks(domain: str, given: argparse.Namespace, servers: Sequence[str]) -> list[Check]:
    resolver = DnsRecords(servers)
    try:
        return await asyncio.gather(
            check_spf(domain, resolver),
            check_dkim(domain, given.selector, resolver),
            check_dmarc_record(domain, resolver),
            check_sts(domain, resolver, None),
            check_tls_rpt(domain, resolver),
            check_bimi(domain, resolver),
            check_dane(domain, resolver),
            check_mx(domain, resolver),
            check_egress([str(ip) for ip in given.egress_ip], given.blocklist, resolver),
        )
    finally:
        await resolver.close()


def _worse(status: int, checks: Sequence[Check]) -> int:
    codes = {finding.code for one in checks for finding in one.findings if finding.level == "error"}
    if status == 1 or codes - {"dns"}:
        return 1
    return 3 if codes else status


def _as_json(one: Check, tongues: Sequence[Language]) -> dict[str, object]:
    findings = []
    for finding in one.findings:
        said = [say(language, finding.code, finding.values) for language in tongues]
        fix = finding.record or "\n".join(fix for _, fix in said)
        findings.append({"code": finding.code, "text": "\n".join(text for text, _ in said), "fix": fix})
    return {"check": one.check, "status": one.status, "findings": findings, "record": one.record}


def _shown(domain: str, checks: Sequence[Check], language: Language) -> Iterator[str]:
    yield domain
    for one in checks:
        yield f"{one.check:<10} {one.status:<8} {plain(one.record, _LONGEST)}".rstrip()
        for finding in one.findings:
            text, fix = say(language, finding.code, finding.values)
            yield f"    {finding.code}: {plain(text, _LONGEST)}"
            yield f"    → {plain(fix, _LONGEST)}"
            if finding.record:
                yield f"      {plain(finding.record, 8 * _LONGEST)}"
        if one.tree and one.tree.steps:
            yield from (f"    {line}" for line in tree(one.tree, language))


def publish(given: argparse.Namespace) -> int:
    """Print the records. Returns 1 where the SPF record would ask the DNS too often."""
    senders, hosts = tuple(given.sender), tuple(given.mta_sts_mx)
    wanted = Wanted(given.domain, senders, given.dmarc, tuple(given.rua), hosts, given.tls_rpt)
    try:
        lines, policy = records(wanted), sts_policy(hosts) if hosts else ""
    except UnusableError as error:
        raise CommandError(f"not a valid record: {error}") from None
    lookups = asyncio.run(_lookups(given.domain, spf_record(senders), given.resolver)) if given.resolver else None
    if given.json:
        print_json({"domain": given.domain, "records": lines, "mta_sts_policy": policy, "spf_lookups": lookups})
    else:
        print("\n".join(lines))
        if policy:
            print(f"\n; https://mta-sts.{given.domain}/.well-known/mta-sts.txt\n{policy}", end="")
        if lookups is not None:
            print(f"\n; SPF lookups: {lookups} of 10")
    return 1 if lookups is not None and lookups > 10 else 0


async def _lookups(domain: str, text: str, server: str) -> int:
    """What the record will cost, with all that it includes."""
    resolver = DnsRecords([server])
    try:
        return (await survey(domain, _WithRecord(resolver, domain, text.encode()))).lookups
    finally:
        await resolver.close()


class _WithRecord:
    """The DNS as it will be with one more TXT record, in place of those at the name."""

    def __init__(self, resolver: DnsRecords, domain: str, text: bytes) -> None:
        self._resolver = resolver
        self._domain = domain
        self._text = text

    async def records(self, name: str, kind: RecordType) -> Records:
        """As the resolver, but for the record to come."""
        if (name, kind) == (self._domain, "TXT"):
            return Records("found", (self._text,))
        return await self._resolver.records(name, kind)
