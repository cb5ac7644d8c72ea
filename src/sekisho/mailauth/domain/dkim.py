"""DKIM keys of a domain: whether there is one at each selector, and whether it is one to trust."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sekisho.mailauth.dkim_key import key_record, public_key
from sekisho.mailauth.dkim_result import Problem
from sekisho.mailauth.domain.report import AWAY, Check, Finding, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.ports import RecordResolver

USUAL = ("default", "dkim", "google", "k1", "k2", "mail", "s1", "s2", "selector1", "selector2")
_MOST_SELECTORS = 20
_GOOD_BITS = 2048


async def check_dkim(domain: str, selectors: Sequence[str], resolver: RecordResolver) -> Check:
    """Look at each selector, or at usual ones for (). Raises nothing. Source: RFC 6376 3.6, RFC 8301."""
    findings: list[Finding] = []
    records: list[str] = []
    for selector in (selectors or USUAL)[:_MOST_SELECTORS]:
        name = f"{selector}._domainkey.{domain}"
        answer = await resolver.records(name, "TXT")
        text = next((one for one in answer.values if isinstance(one, bytes)), None)
        if answer.status in AWAY:
            findings.append(Finding("dns", values={"name": name, "status": answer.status}))
        elif text is not None:
            records.append(shown(text))
            findings += [finding] if (finding := _judged(selector, text)) else []
        elif selectors:
            findings.append(Finding("dkim-absent", values={"selector": selector, "domain": domain}))
    if not records and not findings:
        findings.append(Finding("dkim-unknown", "warning"))
    return Check("dkim", tuple(findings), "\n".join(records), absent=not records)


def _judged(selector: str, text: bytes) -> Finding | None:
    values: dict[str, object] = {"selector": selector}
    record = key_record(text)
    if isinstance(record, Problem):
        return Finding("dkim-bad", values=values | {"reason": record.reason})
    if not record.key:
        return Finding("dkim-revoked", "warning", values)
    key = public_key(record.kind, record.key)
    if isinstance(key, Problem):
        return Finding("dkim-bad", values=values | {"reason": key.reason})
    if isinstance(key, RSAPublicKey) and key.key_size < _GOOD_BITS:
        return Finding("dkim-short", "warning", values | {"bits": key.key_size})
    return Finding("dkim-testing", "warning", values) if record.testing else None
