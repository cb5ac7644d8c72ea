"""Certificates that change under a running listener, and TLS over memory buffers against OpenSSL's client side."""

import contextlib
import datetime as dt
import hashlib
import logging
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from sekisho.accept.tls import Certificate, TlsLayer


def write_pair(path, common_name):
    """A self-signed certificate and its key in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + private)


class Peer:
    """OpenSSL's client side over memory buffers."""

    def __init__(self, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if version is not None:
            context.minimum_version = context.maximum_version = version
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)

    def shake(self, layer):
        """The handshake with `layer`."""
        done = False
        while not done:
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                done = True
            layer.receive(self.outgoing.read())
            self.incoming.write(layer.outgoing())
        return self


@pytest.fixture
def pem(tmp_path):
    path = tmp_path / "mx.pem"
    write_pair(path, "one.example")
    return path


def name_shown(certificate):
    peer = Peer().shake(TlsLayer(certificate.context()))
    shown = x509.load_der_x509_certificate(peer.tls.getpeercert(binary_form=True))
    return shown.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


def test_a_new_certificate_is_taken_without_restart(pem):
    certificate = Certificate(str(pem))
    assert name_shown(certificate) == "one.example"
    write_pair(pem.with_suffix(".new"), "two.example")
    pem.with_suffix(".new").replace(pem)
    assert name_shown(certificate) == "two.example"


def test_a_broken_certificate_leaves_the_old_one_in_use_until_it_is_mended(pem, caplog):
    certificate = Certificate(str(pem))
    pem.write_text("nonsense")
    with caplog.at_level(logging.ERROR):
        assert name_shown(certificate) == "one.example"
    assert "stays in use" in caplog.text
    pem.unlink()
    assert name_shown(certificate) == "one.example"
    write_pair(pem, "three.example")
    assert name_shown(certificate) == "three.example"


def test_a_broken_certificate_at_the_start_raises(pem):
    pem.write_text("nonsense")
    with pytest.raises(ssl.SSLError):
        Certificate(str(pem))
    with pytest.raises(FileNotFoundError):
        Certificate(str(pem) + ".nowhere")


def test_bytes_both_ways_however_they_are_cut(pem):
    layer = TlsLayer(Certificate(str(pem)).context())
    peer = Peer().shake(layer)
    assert layer.established.version == "TLSv1.3"
    text = bytes(range(256)) * 400
    peer.tls.write(text)
    wire = peer.outgoing.read()
    assert b"".join(layer.receive(wire[i : i + 1000]) for i in range(0, len(wire), 1000)) == text
    layer.send(b"220 hello\r\n")
    layer.close()
    peer.incoming.write(layer.outgoing())
    assert peer.tls.read() == b"220 hello\r\n"
    assert peer.tls.read() == b""  # close_notify (RFC 8446 6.1)


def test_a_peer_that_says_goodbye(pem):
    layer = TlsLayer(Certificate(str(pem)).context())
    peer = Peer().shake(layer)
    peer.tls.write(b"last words")
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.unwrap()
    assert layer.receive(peer.outgoing.read()) == b"last words"
    assert layer.closed


def test_no_version_before_1_2(pem):
    """RFC 8996: TLS 1.0 and 1.1 must not be used. A ClientHello of TLS 1.1, as its bytes are."""
    body = b"\x03\x02" + bytes(32) + b"\x00" + b"\x00\x04\xc0\x14\x00\x2f" + b"\x01\x00"
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    layer = TlsLayer(Certificate(str(pem)).context())
    with pytest.raises(ssl.SSLError, match=r"(?i)unsupported.protocol|version"):
        layer.receive(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
    assert layer.established is None


def test_version_1_2_is_taken(pem):
    layer = TlsLayer(Certificate(str(pem)).context())
    Peer(ssl.TLSVersion.TLSv1_2).shake(layer)
    assert layer.established.version == "TLSv1.2"


def test_clear_text_is_no_handshake(pem):
    layer = TlsLayer(Certificate(str(pem)).context())
    with pytest.raises(ssl.SSLError):
        layer.receive(b"EHLO client.example\r\n")


def test_bindings_follow_version_and_certificate(tmp_path):
    """RFC 5929 3 and 4.1; RFC 9266 3: no tls-unique in TLS 1.3."""
    write_pair(tmp_path / "a.pem", "a.example")
    certificate = Certificate(str(tmp_path / "a.pem"))
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "a.pem").read_text().partition("-----BEGIN PRIVATE")[0])
    for version, unique in ((ssl.TLSVersion.TLSv1_3, False), (ssl.TLSVersion.TLSv1_2, True)):
        layer = TlsLayer(certificate.context(), certificate.end_point)
        peer = Peer(version).shake(layer)
        expected = {"tls-server-end-point": hashlib.sha256(der).digest()}
        if unique:
            expected["tls-unique"] = peer.tls.get_channel_binding("tls-unique")
        assert layer.bindings() == expected


def test_a_signature_without_a_hash_binds_nothing(tmp_path):
    """RFC 5929 4.1 defines nothing for Ed25519."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.example")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "a.pem").write_bytes(made.sign(key, None).public_bytes(serialization.Encoding.PEM) + private)
    assert Certificate(str(tmp_path / "a.pem")).end_point == b""
