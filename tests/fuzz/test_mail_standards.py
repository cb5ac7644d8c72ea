"""Records, policies, reports, pictures and certificates of strangers: whatever they are, a value comes of it.

The contract: no exception, in bounded time, and what is returned is what the function says.
"""

import base64
import datetime as dt
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.authority import made

from sekisho.mail.dns import Tlsa
from sekisho.mailauth import certificate
from sekisho.mailauth.bimi import BimiError, BimiRecord, parse_bimi
from sekisho.mailauth.bimi_certificate import MarkCertificate, check_mark
from sekisho.mailauth.bimi_svg import SvgProblem, check_svg
from sekisho.mailauth.dane import DaneVerdict, verify_chain
from sekisho.mailauth.dmarc_record import DmarcError, DmarcRecord, parse_dmarc
from sekisho.mailauth.mta_sts import StsError, StsPolicy, StsRecord, parse_sts_policy, parse_sts_record
from sekisho.mailauth.organizational import dns_name, listed_domain
from sekisho.mailauth.tls_rpt import TlsReport, TlsRptError, TlsRptRecord, parse_report, parse_tls_rpt

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
PIECES = [
    b"v=DMARC1", b"v=STSv1", b"v=TLSRPTv1", b"v=BIMI1", b";", b"=", b" ", b"\t", b",", b"!", b"10m", b"p=", b"none",
    b"reject", b"rua=", b"mailto:", b"a@example.com", b"https://", b"[", b"%", b"%00", b"id=", b"l=", b"a=", b"lps=",
    b"version: STSv1", b"mode: enforce", b"mx: ", b"*.", b"max_age: 1", b"\n", b"\r\n", b":", b"\xff",
    b"\xe3\x81\x82", b"xn--", b"..", b"\0", b"sp=", b"np=", b"fo=d:s", b"pct=", b"99999999999999999999",
]  # fmt: skip
HEADS = st.sampled_from([b"", b"v=DMARC1;", b"v=STSv1;", b"v=TLSRPTv1;", b"v=BIMI1;"])
TEXTS = st.one_of(
    st.binary(max_size=200),
    st.tuples(HEADS, st.lists(st.sampled_from(PIECES), max_size=30)).map(lambda both: both[0] + b"".join(both[1])),
)


@given(TEXTS)
@settings(max_examples=1500, deadline=None)
def test_records(text):
    record = parse_dmarc(text)
    assert isinstance(record, DmarcRecord | DmarcError)
    if isinstance(record, DmarcRecord):
        for below in (False, True):
            assert record.policy(subdomain=below, exists=not below) in ("none", "quarantine", "reject")
        assert 0 <= record.pct <= 100
    assert isinstance(parse_sts_record(text), StsRecord | StsError)
    policy = parse_sts_policy(text)
    assert isinstance(policy, StsPolicy | StsError)
    if isinstance(policy, StsPolicy):
        assert policy.allows("a.example.com") in (True, False)
    assert isinstance(parse_tls_rpt(text), TlsRptRecord | TlsRptError)
    assert isinstance(parse_bimi(text), BimiRecord | BimiError)


@given(st.sampled_from(PIECES), HEADS)
@settings(max_examples=80, deadline=None)
def test_long_records_take_no_long_time(piece, head):
    text = head + piece * (60_000 // len(piece))
    for parse in (parse_dmarc, parse_sts_record, parse_sts_policy, parse_tls_rpt, parse_bimi, check_svg):
        parse(text)
    listed_domain(text.decode("latin-1"))


@given(st.one_of(st.text(max_size=80), st.text(alphabet="a.-_xn。．ａ日é\0", max_size=300)))
@settings(max_examples=800, deadline=None)
def test_names(text):
    name = dns_name(text)
    assert name == dns_name(name)
    assert len(name) <= 253
    suffix = listed_domain(text)
    assert suffix in ("", name) or name.endswith("." + suffix)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["policies", "policy", "summary", "date-range", "report-id", "policy-type", "x"]), inner),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_reports(value):

    assert isinstance(parse_report(json.dumps(value).encode()), TlsReport | TlsRptError)


TAGS = [
    b"<svg", b' xmlns="http://www.w3.org/2000/svg"', b">", b"</svg>", b"<title>", b"</title>", b"x", b"<a", b"/>",
    b"<!--", b"-->", b"<!DOCTYPE svg [", b"]>", b'<!ENTITY e "&e;">', b"&e;", b' viewBox="0 0 1 1"',
    b' viewBox="1e999 0 1 1"', b' href="#a"', b"<?x y?>", b"<![CDATA[", b"]]>", b"\xff", b"\0", b"\x1f\x8b\x08\0",
]  # fmt: skip


@given(st.lists(st.sampled_from(TAGS), max_size=25).map(b"".join))
@settings(max_examples=600, deadline=None)
@example(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1e999 1e999"/>')
def test_pictures(data):
    assert all(isinstance(problem, SvgProblem) for problem in check_svg(data))


DER = made("Root", ca=True, hosts=["example.com"]).der


@given(st.integers(0, len(DER) - 1), st.integers(0, 255), st.integers(0, 3), st.integers(0, 2), st.integers(0, 3))
@settings(max_examples=1500, deadline=None)
def test_certificates_with_one_octet_wrong(at, octet, usage, selector, matching):
    der = DER[:at] + bytes([octet]) + DER[at + 1 :]
    record = Tlsa(usage, selector, matching, DER[:32] if matching else der)
    assert isinstance(verify_chain([der, DER, der], [record, Tlsa(2, 1, 0, der)], ["example.com"], NOW), DaneVerdict)
    read = certificate.certificate(der)
    if read:
        certificate.is_authority(read)
        certificate.host_names(read)

    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(der) + b"\n-----END CERTIFICATE-----\n"
    assert isinstance(check_mark(pem * 2, ["example.com"], NOW), MarkCertificate)


@given(st.binary(max_size=300))
@settings(max_examples=500, deadline=None)
def test_octets_that_are_no_certificate(der):
    assert certificate.public_key_octets(der) in (b"", der) or certificate.public_key_octets(der) in der
    assert not verify_chain([der], [Tlsa(2, 1, 1, b"x" * 32)], ["example.com"], NOW).ok
