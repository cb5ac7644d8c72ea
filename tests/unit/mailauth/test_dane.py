"""DANE: what RFC 7672 and RFC 7671 say, with OpenSSL as the second opinion on every chain."""

import asyncio
import hashlib
import shutil
import socket
import subprocess

import pytest
from support.authority import DAY, NOW, made
from support.zone import ZoneResolver

from sekisho.mail.dns import Records, Tlsa
from sekisho.mailauth.dane import DaneVerdict, find_tlsa, is_usable, matches, verify_chain

OPENSSL = shutil.which("openssl")
HOST = "mx.example.com"


class Chain:
    """A root, an intermediate and a server's certificate."""

    def __init__(self, **leaf):
        self.root = made("Root", ca=True)
        self.middle = self.root.issue("Middle", ca=True)
        self.own = self.middle.issue("server", **({"hosts": [HOST]} | leaf))
        self.sent = [self.own.der, self.middle.der, self.root.der]


@pytest.fixture(scope="module")
def chain():
    return Chain()


def tlsa(usage, selector, matching, of):
    data = of.public if selector else of.der
    hashed = {0: lambda: data, 1: lambda: hashlib.sha256(data).digest(), 2: lambda: hashlib.sha512(data).digest()}
    return Tlsa(usage, selector, matching, hashed[matching]())


@pytest.mark.parametrize(
    ("record", "usable"),
    [
        (Tlsa(3, 1, 1, b"x" * 32), True),
        (Tlsa(2, 0, 1, b"x" * 32), True),
        (Tlsa(3, 0, 2, b"x" * 64), True),
        (Tlsa(3, 1, 0, b"x"), True),
        (Tlsa(0, 1, 1, b"x" * 32), False),  # RFC 7672 3.1.3
        (Tlsa(1, 1, 1, b"x" * 32), False),
        (Tlsa(255, 1, 1, b"x" * 32), False),
        (Tlsa(3, 2, 1, b"x" * 32), False),
        (Tlsa(3, 1, 3, b"x" * 32), False),
        (Tlsa(3, 1, 1, b"x" * 31), False),
        (Tlsa(3, 1, 2, b"x" * 32), False),
        (Tlsa(3, 1, 0, b""), False),
    ],
)
def test_usable(record, usable):
    assert is_usable(record) is usable


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl")
@pytest.mark.parametrize(("selector", "matching"), [(s, m) for s in (0, 1) for m in (0, 1, 2)])
def test_data_as_openssl_computes_it(chain, selector, matching, tmp_path):
    (tmp_path / "c.pem").write_bytes(chain.own.pem)
    octets = run("x509", "-in", tmp_path / "c.pem", "-outform", "DER")
    if selector:
        octets = run(
            "pkey", "-pubin", "-outform", "DER", data=run("x509", "-in", tmp_path / "c.pem", "-noout", "-pubkey")
        )
    if matching:
        octets = run("dgst", "-sha256" if matching == 1 else "-sha512", "-binary", data=octets)
    assert matches(Tlsa(3, selector, matching, octets), chain.own.der)
    assert not matches(Tlsa(3, selector, matching, octets), chain.middle.der)


def run(*args, data=None):
    return subprocess.run([OPENSSL, *args], input=data, check=True, capture_output=True).stdout


def cases():
    good = Chain()
    other = made("Other", ca=True)
    wrong_name, expired = Chain(hosts=["mx.example.net"]), Chain(after=-9 * DAY, until=-DAY)
    below = Chain()
    below.middle = below.root.issue("Middle")  # no authority
    below.own = below.middle.issue("server", hosts=[HOST])
    below.sent = [below.own.der, below.middle.der, below.root.der]
    return {
        "3 1 1 own": (good.sent, [tlsa(3, 1, 1, good.own)], ""),
        "3 0 1 own": (good.sent, [tlsa(3, 0, 1, good.own)], ""),
        "3 0 2 own": (good.sent, [tlsa(3, 0, 2, good.own)], ""),
        "3 1 0 own": (good.sent, [tlsa(3, 1, 0, good.own)], ""),
        "3 1 1 of the authority": (good.sent, [tlsa(3, 1, 1, good.middle)], "validation-failure"),
        "3 1 1 another name": (wrong_name.sent, [tlsa(3, 1, 1, wrong_name.own)], ""),  # RFC 7671 5.1
        "3 1 1 expired": (expired.sent, [tlsa(3, 1, 1, expired.own)], ""),
        "3 1 1 old and new key": (good.sent, [tlsa(3, 1, 1, other), tlsa(3, 1, 1, good.own)], ""),  # rollover
        "2 0 1 root": (good.sent, [tlsa(2, 0, 1, good.root)], ""),
        "2 1 1 middle": (good.sent, [tlsa(2, 1, 1, good.middle)], ""),
        "2 1 2 middle, root not sent": (good.sent[:2], [tlsa(2, 1, 2, good.middle)], ""),
        "2 0 1 root, not sent": (good.sent[:2], [tlsa(2, 0, 1, good.root)], "validation-failure"),
        "2 0 0 root, not sent": (good.sent[:2], [tlsa(2, 0, 0, good.root)], ""),
        "2 1 0 root, not sent": (good.sent[:2], [tlsa(2, 1, 0, good.root)], ""),
        "2 1 0 of another": (good.sent[:2], [tlsa(2, 1, 0, other)], "validation-failure"),
        "2 1 1 own": (good.sent, [tlsa(2, 1, 1, good.own)], "validation-failure"),
        "2 0 1 of another": (good.sent, [tlsa(2, 0, 1, other)], "validation-failure"),
        "2 0 1 appended only": ([good.own.der, other.der], [tlsa(2, 0, 1, other)], "validation-failure"),
        "2 0 1 another name": (wrong_name.sent, [tlsa(2, 0, 1, wrong_name.root)], "certificate-host-mismatch"),
        "2 0 1 expired": (expired.sent, [tlsa(2, 0, 1, expired.root)], "certificate-expired"),
        "2 0 1 no authority": (below.sent, [tlsa(2, 0, 1, below.middle)], "validation-failure"),
        "2 0 1 root above no authority": (below.sent, [tlsa(2, 0, 1, below.root)], "validation-failure"),
        "1 1 1 own": (good.sent, [tlsa(1, 1, 1, good.own)], "validation-failure"),
        "2 of another, 3 own": (good.sent, [tlsa(2, 0, 1, other), tlsa(3, 1, 1, good.own)], ""),
        "2 another name, 3 of another": (
            wrong_name.sent, [tlsa(2, 0, 1, wrong_name.root), tlsa(3, 1, 1, other)], "certificate-host-mismatch"),
    }, {"other": other, "good": good, "wrong_name": wrong_name, "expired": expired, "below": below}  # fmt: skip


CASES, MADE = cases()
KEYS = {made.own.der: made.own for name, made in MADE.items() if name != "other"}


@pytest.mark.parametrize("name", CASES)
def test_chains(name):
    sent, records, code = CASES[name]
    verdict = verify_chain(sent, records, [HOST, "example.com"], NOW)
    assert (verdict.ok, verdict.code) == (not code, code)


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl")
@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("1 ")])
def test_chains_as_openssl_judges_them(name, tmp_path):
    sent, records, code = CASES[name]
    ours = verify_chain(sent, records, [HOST], NOW)
    assert _openssl(sent, records, tmp_path) is ours.ok, code


def _openssl(sent, records, folder):
    """Whether OpenSSL's client takes the chain from a real server, by these records."""
    from cryptography import x509  # noqa: PLC0415 - here only
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    pems = [x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in sent]
    (folder / "own.pem").write_bytes(pems[0])
    (folder / "rest.pem").write_bytes(b"".join(pems[1:]))
    (folder / "key.pem").write_bytes(KEYS[sent[0]].key_pem)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [OPENSSL, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", folder / "own.pem", "-key", folder / "key.pem",
         "-cert_chain", folder / "rest.pem", "-naccept", "1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while server.stdout.readline().strip() != b"ACCEPT":
            assert server.poll() is None
        data = [f"{one.usage} {one.selector} {one.matching} {one.data.hex()}" for one in records]
        arguments = [argument for record in data for argument in ("-dane_tlsa_rrdata", record)]
        # As RFC 7671 5.1 wants it and SMTP clients do: with usage 3 the name does not count.
        client = subprocess.run(
            [OPENSSL, "s_client", "-connect", f"127.0.0.1:{port}", "-dane_tlsa_domain", HOST,
             "-dane_ee_no_namechecks", *arguments, "-brief", "-verify_return_error"],
            input=b"Q\n", capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        return b"Verification: OK" in client.stderr + client.stdout
    finally:
        server.kill()
        server.communicate()


def test_wrong_chains():
    record = tlsa(3, 1, 1, MADE["good"].own)
    assert verify_chain([], [record], [HOST], NOW) == DaneVerdict()
    assert not verify_chain([b"no certificate"], [record], [HOST], NOW).ok
    assert not verify_chain(
        [b"no certificate", *MADE["good"].sent], [tlsa(2, 0, 1, MADE["good"].root)], [HOST], NOW
    ).ok
    assert not verify_chain(MADE["good"].sent, [], [HOST], NOW).ok
    assert not verify_chain(MADE["good"].sent, [tlsa(2, 0, 1, MADE["good"].root)], [], NOW).ok


def test_a_chain_of_a_thousand():
    good = MADE["good"]
    sent = [good.own.der, *[made("Middle", ca=True).der for _ in range(5)] * 200, good.middle.der]
    records = [tlsa(2, 1, 1, good.middle)] * 100
    assert verify_chain(sent, records, [HOST], NOW) == DaneVerdict()  # the tenth is the last that counts


def test_certificates_that_issue_one_another():
    key = made("x", ca=True).key
    ring = made("A", issuer=made("B", ca=True, key=key), ca=True, key=key)
    back = made("B", issuer=ring, ca=True, key=key)
    own = back.issue("server", hosts=[HOST])
    sent = [own.der, back.der, ring.der, back.der, ring.der]
    assert verify_chain(sent, [tlsa(2, 0, 1, made("C", ca=True))], [HOST], NOW) == DaneVerdict()


# Which names are asked for: RFC 7672 2.2.

RECORD = (3, 1, 1, b"x" * 32)
ZONE = {HOST: {"A": ["192.0.2.1"]}, f"_25._tcp.{HOST}": {"TLSA": [RECORD]}}


def found(zone, *, secure=True, mx_secure=True, host=HOST):
    resolver = ZoneResolver(zone, secure=secure)
    return asyncio.run(find_tlsa(host, resolver, mx_secure=mx_secure)), resolver.asked


def test_found():
    host, asked = found(ZONE)
    assert (host.status, host.base, host.tlsa) == ("usable", HOST, (Tlsa(*RECORD),))
    assert asked == [(HOST, "A"), (f"_25._tcp.{HOST}", "TLSA")]


def test_nothing_is_asked_when_the_mx_records_are_not_secure():
    host, asked = found(ZONE, mx_secure=False)
    assert (host.status, asked) == ("none", [])


def test_no_records_are_asked_for_when_the_addresses_are_not_secure():
    host, asked = found(ZONE, secure=False)
    assert (host.status, asked) == ("none", [(HOST, "A")])


def test_records_that_are_not_secure_do_not_count():
    unsigned = Records("found", (Tlsa(*RECORD),), 60.0, secure=False)
    assert found(ZONE | {f"_25._tcp.{HOST}": lambda kind: unsigned})[0].status == "none"


def test_ipv6_only():
    host, asked = found({HOST: {"AAAA": ["2001:db8::1"]}, f"_25._tcp.{HOST}": {"TLSA": [RECORD]}})
    assert host.status == "usable"
    assert len(asked) == 3


@pytest.mark.parametrize("said", ["away", "refused", "bogus", "bad"])
def test_a_host_whose_records_cannot_be_had_must_not_be_used(said):
    assert found(ZONE | {f"_25._tcp.{HOST}": said})[0].status == "away"
    assert found(ZONE | {HOST: said})[0].status == "away"


def test_records_that_cannot_be_used():
    host, _ = found(ZONE | {f"_25._tcp.{HOST}": {"TLSA": [(1, 1, 1, b"x" * 32), (3, 1, 1, b"short")]}})
    assert (host.status, len(host.ignored), host.tlsa) == ("unusable", 2, ())


def test_no_records():
    assert found({HOST: {"A": ["192.0.2.1"]}})[0].status == "none"


def test_an_alias_its_last_name_first():
    zone = {HOST: {"CNAME": ["real.example.net"]}, "real.example.net": {"A": ["192.0.2.1"]}}
    host, asked = found(zone | {"_25._tcp.real.example.net": {"TLSA": [RECORD]}})
    assert (host.status, host.base) == ("usable", "real.example.net")
    host, asked = found(zone | {f"_25._tcp.{HOST}": {"TLSA": [RECORD]}})
    assert (host.status, host.base) == ("usable", HOST)
    assert [name for name, _ in asked] == [HOST, "_25._tcp.real.example.net", f"_25._tcp.{HOST}"]


def test_a_secure_alias_to_where_nothing_is_secure():  # RFC 7672 2.2.2
    said = {
        "A": Records("found", ("192.0.2.1",), 60.0, secure=False, aliases=("real.example.net",)),
        "CNAME": Records("found", ("real.example.net",), 60.0, secure=True),
    }
    zone = {HOST: said.__getitem__, f"_25._tcp.{HOST}": {"TLSA": [RECORD]}}
    host, asked = found(zone)
    assert (host.status, host.base) == ("usable", HOST)
    assert len(asked) == 3


def test_endless_aliases():
    zone = {HOST: {"CNAME": ["a.example.com"]}, "a.example.com": {"CNAME": [HOST]}}
    assert found(zone)[0].status == "away"


def test_records_of_the_wrong_kind():
    zone = ZONE | {f"_25._tcp.{HOST}": lambda kind: Records("found", ("text", b"octets"), 60.0, secure=True)}
    host, _ = found(zone)
    assert (host.status, host.tlsa) == ("unusable", ())
