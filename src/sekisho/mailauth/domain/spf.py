"""SPF of a domain: whether there is one record that can be used, what it costs, and whom it lets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.mailauth.domain.report import Check, Finding, shown, txt
from sekisho.mailauth.spf.record import is_spf, parse_record
from sekisho.mailauth.spf.survey import Survey, survey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.mail.ports import RecordResolver
    from sekisho.mailauth.spf.record import SpfRecord

_LOOKUPS, _VOID = 10, 2  # RFC 7208 4.6.4


async def check_spf(domain: str, resolver: RecordResolver) -> Check:
    """Read the record with all that it includes. Raises nothing. Source: RFC 7208 3.2, 4.6.4, 5.1."""
    answer = await resolver.records(domain, "TXT")
    found = [one for one in answer.values if isinstance(one, bytes) and is_spf(one)]
    walked = await survey(domain, resolver)
    if walked.tree.result == "temperror":
        return Check("spf", (Finding("dns", values={"name": domain, "status": answer.status}),))
    if not found:
        return Check("spf", (Finding("spf-absent", record=txt(domain, "v=spf1 mx -all")),), absent=True)
    if len(found) > 1:
        return Check("spf", (Finding("spf-several", values={"count": len(found)}),), shown(found[0]))
    record = parse_record(found[0])
    findings = (*_syntax(record), *_costs(walked), *_all(domain, record))
    return Check("spf", findings, shown(found[0]), tree=walked.tree)


def _syntax(record: SpfRecord) -> Iterator[Finding]:
    for flaw in record.flaws[:5]:
        part = shown(record.octets[flaw.offset : flaw.offset + flaw.length])
        yield Finding("spf-syntax", values={"part": part})


def _costs(walked: Survey) -> Iterator[Finding]:
    if walked.lookups > _LOOKUPS:
        yield Finding("spf-lookups", values={"count": walked.lookups})
    elif walked.lookups > _LOOKUPS - 2:
        yield Finding("spf-lookups-near", "warning", {"count": walked.lookups})
    if walked.void_lookups > _VOID:
        yield Finding("spf-void", values={"count": walked.void_lookups})
    for step in walked.tree.steps:
        if step.below and step.below.result in ("none", "permerror"):
            yield Finding("spf-include", values={"name": step.below.domain})
    if not walked.complete:
        yield Finding("spf-incomplete", "warning")


def _all(domain: str, record: SpfRecord) -> Iterator[Finding]:
    ends = next((one for one in record.directives if one.name == "all"), None)
    text = shown(record.octets)
    if ends is None and record.redirect is None and not record.flaws:
        yield Finding("spf-no-all", "warning", record=txt(domain, f"{text.rstrip()} -all"))
    elif ends and ends.qualifier in "+?":
        better = f"{text[: ends.offset]}-all{text[ends.offset + len(ends.text) :]}"
        yield Finding("spf-open", "error" if ends.qualifier == "+" else "warning", record=txt(domain, better))
    if any(one.name == "ptr" for one in record.directives):
        yield Finding("spf-ptr", "warning")
