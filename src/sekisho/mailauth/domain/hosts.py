"""Mail exchangers of a domain, and what the world sees of the addresses that its mail leaves from."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from sekisho.mail.dns import Mx
from sekisho.mailauth.domain.report import AWAY, Check, Finding, away

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.dns import RecordType
    from sekisho.mail.ports import RecordResolver

_MOST_HOSTS = 10
_MOST_ADDRESSES = 16
_MOST_ZONES = 20


async def check_mx(domain: str, resolver: RecordResolver) -> Check:
    """Whether answers to the domain's mail arrive. Raises nothing. Source: RFC 5321 5.1, RFC 7505 3."""
    answer = await resolver.records(domain, "MX")
    if answer.status in AWAY:
        return away("mx", domain, answer)
    found = sorted(one for one in answer.values if isinstance(one, Mx))
    if not found:
        return Check("mx", (Finding("mx-absent", "warning"),), absent=True)
    record = "\n".join(f"{one.preference} {one.host or '.'}" for one in found)
    findings: list[Finding] = []
    for one in found[:_MOST_HOSTS]:
        if not one.host:
            findings += [Finding("mx-null", "warning")]
            continue
        addresses = [await resolver.records(one.host, "A"), await resolver.records(one.host, "AAAA")]
        if any(each.aliases for each in addresses):
            findings.append(Finding("mx-alias", "warning", {"host": one.host}))
        if not any(each.status == "found" or each.status in AWAY for each in addresses):
            findings.append(Finding("mx-no-address", values={"host": one.host}))
    return Check("mx", tuple(findings), record)


async def check_egress(addresses: Sequence[str], zones: Sequence[str], resolver: RecordResolver) -> Check:
    """Reverse DNS of each address, confirmed forward, and the lists that have it.

    Source: RFC 5782 2.1, 2.4.

    Answers of a list outside 127.0.0.0/8 and 127.255.255.0/24 (an error of the asker) are no entry.
    """
    if not addresses:
        return Check("blocklist", (Finding("egress-unknown", "note"),), absent=True)
    findings: list[Finding] = []
    for address in addresses[:_MOST_ADDRESSES]:
        findings += await _reverse(address, resolver)
        for zone in zones[:_MOST_ZONES]:
            findings += await _listed(address, zone, resolver)
    return Check("blocklist", tuple(findings), "\n".join(addresses[:_MOST_ADDRESSES]))


async def _reverse(address: str, resolver: RecordResolver) -> list[Finding]:
    name = ip_address(address).reverse_pointer
    answer = await resolver.records(name, "PTR")
    if answer.status in AWAY:
        return [Finding("dns", values={"name": name, "status": answer.status})]
    hosts = [str(one) for one in answer.values][:_MOST_HOSTS]
    if not hosts:
        return [Finding("ptr-absent", values={"address": address}, record=f"{name}. IN PTR mail.example.")]
    kind: RecordType = "A" if ip_address(address).version == 4 else "AAAA"
    for host in hosts:
        if str(ip_address(address)) in (await resolver.records(host, kind)).values:
            return []
    return [
        Finding(
            "ptr-unconfirmed", "error", {"address": address, "host": hosts[0]}, f"{hosts[0]}. IN {kind} {address}"
        )
    ]


async def _listed(address: str, zone: str, resolver: RecordResolver) -> list[Finding]:
    reverse = ip_address(address).reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    answer = await resolver.records(f"{reverse}.{zone}", "A")
    if answer.status in AWAY:
        return [Finding("dns", "warning", {"name": f"{reverse}.{zone}", "status": answer.status})]
    codes = [str(one) for one in answer.values]
    if any(code.startswith("127.") and not code.startswith("127.255.255.") for code in codes):
        return [Finding("listed", values={"address": address, "zone": zone})]
    return [Finding("list-refuses", "warning", {"zone": zone})] if codes else []
