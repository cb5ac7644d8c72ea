"""TLS-RPT: where reports about encryption to a domain go, and the reports themselves (RFC 8460)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import Struct, field

from sekisho.mailauth.dmarc_record import ReportUri, report_uri

if TYPE_CHECKING:
    from sekisho.mail.ports import RecordResolver

PolicyType: TypeAlias = Literal["tlsa", "sts", "no-policy-found"]
# RFC 8460 4.3; others may be registered.
RESULT_TYPES = (
    "starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
    "validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required", "sts-policy-fetch-error",
    "sts-policy-invalid", "sts-webpki-invalid",
)  # fmt: skip
MOST_REPORT_BYTES = 10_000_000
_MOST_URIS = 20
_VERSION = re.compile(rb"v=TLSRPTv1[ \t]*(?:;|$)")


class TlsRptRecord(Struct, frozen=True):
    """Where reports go: mailboxes, and `https:` addresses (`mailbox` is ""). RFC 8460 3."""

    rua: tuple[ReportUri, ...]


class TlsRptError(Struct, frozen=True):
    """Why a record or a report is none.

    Codes: "not-tls-rpt", "too-long", "no-rua", "bad-rua"; "absent", "several-records", "away"; "bad-report".
    """

    code: str
    about: str = ""


class ReportPeriod(Struct, frozen=True, rename="kebab"):
    """From when to when, in UTC. RFC 8460 4.1, 4.4."""

    start_datetime: datetime
    end_datetime: datetime


class ReportedPolicy(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """The policy that was in force: `policy_string` its lines or records, `mx_host` its patterns. RFC 8460 4.4."""

    policy_type: PolicyType
    policy_domain: str
    policy_string: tuple[str, ...] = ()
    mx_host: tuple[str, ...] = ()


class SessionSummary(Struct, frozen=True):
    """How many sessions went well and how many did not. RFC 8460 4.4."""

    successful: int = field(name="total-successful-session-count")
    failed: int = field(name="total-failure-session-count")


class FailureDetail(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """Sessions that failed in one way; `result_type` is one of RESULT_TYPES. RFC 8460 4.3, 4.4."""

    result_type: str
    failed_session_count: int
    sending_mta_ip: str = ""
    receiving_mx_hostname: str = ""
    receiving_mx_helo: str = ""
    receiving_ip: str = ""
    additional_information: str = ""
    failure_reason_code: str = ""


class PolicyOutcome(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """What came of sessions under one policy. RFC 8460 4.4."""

    policy: ReportedPolicy
    summary: SessionSummary
    failure_details: tuple[FailureDetail, ...] = ()


class TlsReport(Struct, frozen=True, rename="kebab"):
    """A report about one period, usually a day in UTC. RFC 8460 4.4."""

    organization_name: str
    date_range: ReportPeriod
    contact_info: str
    report_id: str
    policies: tuple[PolicyOutcome, ...]


_ENCODER = msgspec.json.Encoder()


def parse_tls_rpt(text: bytes) -> TlsRptRecord | TlsRptError:
    """Read a TXT record of `_smtp._tls.`. Raises nothing. Source: RFC 8460 3."""
    if not _VERSION.match(text):
        return TlsRptError("not-tls-rpt")
    if len(text) > 16_384:
        return TlsRptError("too-long")
    values = [piece.partition("=") for piece in text.decode("utf-8", "replace").split(";")[1:]]
    listed = next((value for name, _, value in values if name.strip(" \t") == "rua"), None)
    if listed is None:
        return TlsRptError("no-rua")
    read = [report_uri(piece) for piece in listed.split(",")[:_MOST_URIS]]
    uris = tuple(uri for uri in read if uri and uri.uri[:7].lower() in ("mailto:", "https:/"))
    return TlsRptRecord(uris) if uris else TlsRptError("bad-rua", listed[:40])


async def find_tls_rpt(domain: str, resolver: RecordResolver) -> TlsRptRecord | TlsRptError:
    """Ask where a domain (in A-labels) wants its reports: one question. Raises nothing. Source: RFC 8460 3."""
    answer = await resolver.records(f"_smtp._tls.{domain}", "TXT")
    if answer.status in ("refused", "away", "bogus", "bad"):
        return TlsRptError("away")
    texts = [text for text in answer.values if isinstance(text, bytes) and _VERSION.match(text)]
    if len(texts) != 1:
        return TlsRptError("several-records" if texts else "absent")
    return parse_tls_rpt(texts[0])


def build_report(report: TlsReport) -> bytes:
    """A report as JSON. Source: RFC 8460 4.4."""
    return _ENCODER.encode(report)


def parse_report(data: bytes) -> TlsReport | TlsRptError:
    """Read a report of somebody else; fields that are not known are ignored. Raises nothing. Source: RFC 8460 4.4."""
    if len(data) > MOST_REPORT_BYTES:
        return TlsRptError("too-long")
    try:
        return msgspec.json.decode(data, type=_ReadReport).report()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return TlsRptError("bad-report", str(error)[:120])


class _ReadPolicy(Struct, rename="kebab"):
    """As ReportedPolicy; others write one string where the standard has a list (its own example of mx-host too)."""

    policy_type: PolicyType
    policy_domain: str = ""
    policy_string: list[str] | str | None = None
    mx_host: list[str] | str | None = None


class _ReadOutcome(Struct, rename="kebab"):
    policy: _ReadPolicy
    summary: SessionSummary
    failure_details: list[FailureDetail] | None = None

    def outcome(self) -> PolicyOutcome:
        read = self.policy
        policy = ReportedPolicy(
            read.policy_type, read.policy_domain, _several(read.policy_string), _several(read.mx_host)
        )
        return PolicyOutcome(policy, self.summary, tuple(self.failure_details or ()))


class _ReadReport(Struct, rename="kebab"):
    date_range: ReportPeriod
    report_id: str
    policies: list[_ReadOutcome]
    organization_name: str = ""
    contact_info: str = ""

    def report(self) -> TlsReport:
        outcomes = tuple(read.outcome() for read in self.policies)
        return TlsReport(self.organization_name, self.date_range, self.contact_info, self.report_id, outcomes)


def _several(value: list[str] | str | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def report_file_name(report: TlsReport, sender: str, policy_domain: str) -> str:
    """The name of a report's file, which is compressed. Source: RFC 8460 5.1."""
    period = report.date_range
    times = f"{int(period.start_datetime.timestamp())}!{int(period.end_datetime.timestamp())}"
    return f"{sender}!{policy_domain}!{times}.json.gz"


def report_subject(policy_domain: str, sender: str, report_id: str) -> str:
    """The subject of a report's mail. Source: RFC 8460 5.3."""
    return f"Report Domain: {policy_domain} Submitter: {sender} Report-ID: <{report_id}>"
