"""Certificates of strangers; keys are compared with what OpenSSL says."""

import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from support.authority import DAY, NOW, made

from sekisho.mailauth import certificate

OPENSSL = shutil.which("openssl")


@pytest.fixture(scope="module")
def root():
    return made("Root", ca=True)


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl")
@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_the_key_is_the_one_that_openssl_finds(kind, root, tmp_path):
    keys = {"ec": lambda: None, "rsa": lambda: rsa.generate_private_key(65537, 2048)}
    key = keys.get(kind, ed25519.Ed25519PrivateKey.generate)()
    own = root.issue("mx.example.com", key=key)
    (tmp_path / "c.pem").write_bytes(own.pem)
    pem = subprocess.run([OPENSSL, "x509", "-in", tmp_path / "c.pem", "-noout", "-pubkey"],
                         check=True, capture_output=True).stdout  # fmt: skip
    der = subprocess.run([OPENSSL, "pkey", "-pubin", "-outform", "DER"], input=pem, check=True, capture_output=True)
    assert certificate.public_key_octets(own.der) == der.stdout


def test_no_certificate():
    for der in (
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x03\x02\x01\x01",
        b"\x30\x84\xff\xff\xff\xff" + b"\0" * 20,
        b"x" * 99,
    ):
        assert certificate.certificate(der) is None
        assert certificate.public_key_octets(der) == b""
    assert certificate.certificate(b"\x30" * 100_000) is None


def test_cut_anywhere(root):
    for end in range(0, len(root.der), 7):
        assert certificate.public_key_octets(root.der[:end]) == b""
        assert certificate.certificate(root.der[:end]) is None


def test_times(root):
    own = root.issue("a", after=-2 * DAY, until=-DAY).certificate
    assert not certificate.is_current(own, NOW)
    assert certificate.is_current(own, NOW - 1.5 * DAY)
    assert not certificate.is_current(own, NOW - 3 * DAY)


def test_who_may_sign_and_did(root):
    own, other = root.issue("a"), made("Root", ca=True)
    assert certificate.is_issued_by(own.certificate, root.certificate)
    assert not certificate.is_issued_by(own.certificate, other.certificate)  # the same name, another key
    assert certificate.is_authority(root.certificate)
    assert not certificate.is_authority(own.certificate)
    usage = x509.KeyUsage(*[True] + [False] * 8)
    assert not certificate.is_authority(made("r", ca=True, extensions=[usage]).certificate)


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_signed_with_a_key(kind):
    keys = {"rsa": lambda: rsa.generate_private_key(65537, 2048), "ed25519": ed25519.Ed25519PrivateKey.generate}
    root = made("Root", ca=True, key=keys.get(kind, lambda: None)())
    own = root.issue("a").certificate
    assert certificate.is_signed_with(own, root.public)
    assert not certificate.is_signed_with(own, made("Root", ca=True).public)
    assert not certificate.is_signed_with(own, b"no key")


@pytest.mark.parametrize(
    ("hosts", "host", "expected"),
    [  # RFC 6125 6.4.3
        (["mx.example.com"], "MX.example.com", True),
        (["*.example.com"], "mx.example.com", True),
        (["*.example.com"], "a.mx.example.com", False),
        (["*.example.com"], "example.com", False),
        (["*.com"], "example.com", False),
        (["m*.example.com"], "mx.example.com", False),
        (["mx.example.net"], "mx.example.com", False),
        ([], "mx.example.com", True),  # by its common name
        ([], "", False),
    ],
)
def test_names(root, hosts, host, expected):
    assert certificate.names_host(root.issue("mx.example.com", hosts=hosts).certificate, host) is expected


def test_a_version_that_there_is_not(root):
    at = root.der.index(b"\xa0\x03\x02\x01\x02") + 4
    assert certificate.certificate(root.der[:at] + b"\x01" + root.der[at + 1 :]) is None
