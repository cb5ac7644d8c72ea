import pytest
from support.zone import ZoneResolver, driven

from sekisho.mail.fetched import Fetched
from sekisho.mailauth.domain.transport import check_dane, check_sts, check_tls_rpt

ZONE = {
    "example.com": {"MX": [(10, "mx.example.com"), (20, "old.example.net")]},
    "_mta-sts.example.com": {"TXT": ["v=STSv1; id=1"]},
    "mx.example.com": {"A": ["192.0.2.1"]},
    "old.example.net": {"A": ["192.0.2.2"]},
    "_25._tcp.mx.example.com": {"TLSA": [(3, 1, 1, bytes(32))]},
    "_25._tcp.old.example.net": {"TLSA": [(1, 1, 1, bytes(32))]},
}


class Served:
    def __init__(self, mode, hosts="mx: mx.example.com\n"):
        self.body = f"version: STSv1\nmode: {mode}\n{hosts}max_age: 86400\n".encode()

    async def fetch(self, url, most_bytes):  # noqa: ARG002 - of the port
        assert url == "https://mta-sts.example.com/.well-known/mta-sts.txt"
        return Fetched("ok", self.body, "text/plain", 200)


def codes(check):
    return [(finding.code, finding.level) for finding in check.findings]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("enforce", [("sts-mx", "error")]),
        ("testing", [("sts-mx", "warning"), ("sts-mode", "warning")]),
        ("wrong", [("sts-policy", "error")]),
    ],
)
def test_a_policy_that_leaves_out_a_mail_exchanger(mode, expected):
    assert codes(driven(check_sts("example.com", ZoneResolver(ZONE), Served(mode)))) == expected


def test_tlsa_records_count_with_dnssec_only():
    secure = driven(check_dane("example.com", ZoneResolver(ZONE, secure=True)))
    assert (secure.status, codes(secure)) == ("error", [("dane-unusable", "error")])
    assert secure.record == f"_25._tcp.mx.example.com 3 1 1 {'00' * 32}"
    assert driven(check_dane("example.com", ZoneResolver(ZONE))).status == "absent"


def test_a_record_that_never_ends_is_a_finding():
    zone = {"_smtp._tls.example.com": {"TXT": [b"v=TLSRPTv1; rua=" + b"a," * 30_000]}}
    assert codes(driven(check_tls_rpt("example.com", ZoneResolver(zone)))) == [("tlsrpt-bad", "error")]
