"""TLS-RPT: the examples of RFC 8460 3 and appendix B."""

import asyncio
import datetime as dt
import json

import pytest
from support.zone import ZoneResolver

from sekisho.mailauth.tls_rpt import (
    FailureDetail,
    PolicyOutcome,
    ReportedPolicy,
    ReportPeriod,
    SessionSummary,
    TlsReport,
    TlsRptError,
    build_report,
    find_tls_rpt,
    parse_report,
    parse_tls_rpt,
    report_file_name,
    report_subject,
)

# RFC 8460 appendix B.
EXAMPLE = {
    "organization-name": "Company-X",
    "date-range": {"start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z"},
    "contact-info": "sts-reporting@company-x.example",
    "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
    "policies": [
        {
            "policy": {
                "policy-type": "sts",
                "policy-string": [
                    "version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400",
                ],
                "policy-domain": "company-y.example",
                "mx-host": ["*.mail.company-y.example"],
            },
            "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
            "failure-details": [
                {
                    "result-type": "certificate-expired",
                    "sending-mta-ip": "2001:db8:abcd:0012::1",
                    "receiving-mx-hostname": "mx1.mail.company-y.example",
                    "failed-session-count": 100,
                },
                {
                    "result-type": "starttls-not-supported",
                    "sending-mta-ip": "2001:db8:abcd:0013::1",
                    "receiving-mx-hostname": "mx2.mail.company-y.example",
                    "receiving-ip": "203.0.113.56",
                    "failed-session-count": 200,
                    "additional-information": "https://reports.company-x.example/report_info?id=5065427c-23d3#Starttls",
                },
                {
                    "result-type": "validation-failure",
                    "sending-mta-ip": "198.51.100.62",
                    "receiving-ip": "203.0.113.58",
                    "receiving-mx-hostname": "mx-backup.mail.company-y.example",
                    "failed-session-count": 3,
                    "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
                },
            ],
        }
    ],
}  # fmt: skip


def test_the_example_is_read_and_written_as_it_is():
    report = parse_report(json.dumps(EXAMPLE).encode())
    assert report.date_range.end_datetime == dt.datetime(2016, 4, 1, 23, 59, 59, tzinfo=dt.UTC)
    assert report.policies[0].summary == SessionSummary(5326, 303)
    assert [detail.failed_session_count for detail in report.policies[0].failure_details] == [100, 200, 3]
    assert json.loads(build_report(report)) == EXAMPLE


def test_one_string_where_a_list_should_be():
    """As the example of the standard itself has mx-host."""
    policy = EXAMPLE["policies"][0]["policy"] | {"mx-host": "*.mail.company-y.example"}
    text = json.dumps(EXAMPLE | {"policies": [EXAMPLE["policies"][0] | {"policy": policy}]}).encode()
    assert parse_report(text).policies[0].policy.mx_host == ("*.mail.company-y.example",)


def test_what_is_not_known_is_left_out():
    period = ReportPeriod(
        dt.datetime(2026, 11, 1, tzinfo=dt.UTC), dt.datetime(2026, 11, 1, 23, 59, 59, tzinfo=dt.UTC)
    )
    outcome = PolicyOutcome(
        ReportedPolicy("no-policy-found", "example.com"),
        SessionSummary(5, 1),
        (FailureDetail("starttls-not-supported", 1, sending_mta_ip="192.0.2.1"),),
    )
    report = TlsReport("Us", period, "mailto:a@example.net", "1", (outcome,))
    written = json.loads(build_report(report))["policies"][0]
    assert written == {
        "policy": {"policy-type": "no-policy-found", "policy-domain": "example.com"},
        "summary": {"total-successful-session-count": 5, "total-failure-session-count": 1},
        "failure-details": [
            {"result-type": "starttls-not-supported", "failed-session-count": 1, "sending-mta-ip": "192.0.2.1"}
        ],
    }
    assert parse_report(build_report(report)) == report


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{}", b"[]", b"null", b"[" * 100_000, b"\xff", b'{"report-id": 1}', b"<xml/>",
        json.dumps(EXAMPLE | {"policies": {}}).encode(),
        json.dumps(EXAMPLE | {"date-range": {"start-datetime": "never", "end-datetime": "now"}}).encode(),
        json.dumps(EXAMPLE | {"policies": [{"policy": {"policy-type": "other"}}]}).encode(),
    ],
)  # fmt: skip
def test_no_report(text):
    assert parse_report(text).code == "bad-report"


def test_too_long():
    assert parse_report(b" " * 10_000_001) == TlsRptError("too-long")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"v=TLSRPTv1;rua=mailto:reports@example.com", ["mailto:reports@example.com"]),  # RFC 8460 3
        (b"v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", ["https://reporting.example.com/v1/tlsrpt"]),
        (
            b"v=TLSRPTv1; rua=mailto:a@example.com,https://example.com/b;",
            ["mailto:a@example.com", "https://example.com/b"],
        ),
        (b"v=TLSRPTv1; rua=mailto:a@example.com; x=y", ["mailto:a@example.com"]),
    ],
)
def test_records(text, expected):
    assert [uri.uri for uri in parse_tls_rpt(text).rua] == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"v=TLSRPTv2; rua=mailto:a@example.com", "not-tls-rpt"),
        (b"rua=mailto:a@example.com", "not-tls-rpt"),
        (b"v=TLSRPTv1;", "no-rua"),
        (b"v=TLSRPTv1; rua=", "bad-rua"),
        (b"v=TLSRPTv1; rua=a@example.com", "bad-rua"),
        (b"v=TLSRPTv1; rua=http://example.com/", "bad-rua"),
        (b"v=TLSRPTv1; rua=mailto:a@example.com; x=" + b"a" * 60_000, "too-long"),
    ],
)
def test_records_that_are_none(text, code):
    assert parse_tls_rpt(text).code == code


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ([], "absent"),
        (["v=TLSRPTv1; rua=mailto:a@example.com"] * 2, "several-records"),
        ("away", "away"),
        (["v=TLSRPTv1; rua=x"], "bad-rua"),
    ],
)
def test_asked(texts, code):
    zone = {"_smtp._tls.example.com": texts if isinstance(texts, str) else {"TXT": texts}}
    assert asyncio.run(find_tls_rpt("example.com", ZoneResolver(zone))).code == code


def test_found():
    zone = {"_smtp._tls.example.com": {"TXT": ["v=TLSRPTv1; rua=mailto:a@example.com", "other"]}}
    assert asyncio.run(find_tls_rpt("example.com", ZoneResolver(zone))).rua[0].mailbox == "a@example.com"


def test_names_of_a_report():  # RFC 8460 5.1, 5.3
    report = parse_report(json.dumps(EXAMPLE).encode())
    name = report_file_name(report, "mail.sender.example.com", "example.net")
    assert name == "mail.sender.example.com!example.net!1459468800!1459555199.json.gz"
    subject = report_subject("example.net", "mail.sender.example.com", "735ff.e317+bf22029")
    assert subject == "Report Domain: example.net Submitter: mail.sender.example.com Report-ID: <735ff.e317+bf22029>"
