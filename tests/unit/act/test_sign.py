from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from sekisho.act.sign import DkimKeyError, Signer, load_key
from sekisho.config.settings import DkimSettings
from sekisho.mailauth.dkim import DkimKey

ED = Ed25519PrivateKey.generate()
RSA = rsa_key(65537, 2048)


def pem(key, encryption=None, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())


def mail(author):
    return f"From: {author}\r\nSubject: x\r\n\r\nx\r\n".encode()


def domains_of(signature):
    """Domain and algorithm of each signature field."""
    found = []
    for field in signature.fields.replace(b"\r\n ", b" ").splitlines():
        tags = dict(tag.strip().split(b"=", 1) for tag in field.partition(b":")[2].split(b";"))
        found.append((tags[b"d"].decode(), tags[b"a"].decode(), tags[b"s"].decode()))
    return found


SIGNER = Signer(
    [
        DkimKey("example.jp", "r1", RSA),
        DkimKey("example.jp", "r2", RSA),
        DkimKey("example.jp", "e1", ED),
        DkimKey("sub.example.jp", "s1", ED),
        DkimKey("xn--r8jz45g.xn--zckzah", "i1", ED),
    ]
)


@pytest.mark.parametrize(
    ("author", "signatures"),
    [
        ("a@example.jp", [("example.jp", "rsa-sha256", "r1"), ("example.jp", "ed25519-sha256", "e1")]),
        ("A <a@Mail.Example.JP>", [("example.jp", "rsa-sha256", "r1"), ("example.jp", "ed25519-sha256", "e1")]),
        ("a@sub.example.jp", [("sub.example.jp", "ed25519-sha256", "s1")]),
        ("a@deep.sub.example.jp", [("sub.example.jp", "ed25519-sha256", "s1")]),
        ("a@例え.テスト", [("xn--r8jz45g.xn--zckzah", "ed25519-sha256", "i1")]),
        ("a@example.jp, b@EXAMPLE.jp", [("example.jp", "rsa-sha256", "r1"), ("example.jp", "ed25519-sha256", "e1")]),
    ],
)
def test_the_key_of_the_author_or_the_nearest_above_signs(author, signatures):
    signature = SIGNER.signature(mail(author), 1)
    assert domains_of(signature) == signatures
    assert signature.domain == signatures[0][0]
    assert not signature.reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (mail("a@badexample.jp"), "no DKIM key for badexample.jp"),
        (mail("a@jp"), "no DKIM key for jp"),
        (mail('"a@example.jp" <b@evil.example>'), "no DKIM key for evil.example"),
        (mail("a@example.jp, b@evil.example"), "2 author domains"),
        (mail("nobody"), "the author has no domain"),
        (mail(""), "0 author domains"),
        (b"Subject: x\r\n\r\nFrom: a@example.jp\r\n", "0 From header fields"),
        (mail("a@example.jp\r\nfrom: b@example.jp"), "2 From header fields"),
        (mail("a@example.jp") + b"", ""),
        (b"From: a@example.jp\r\n" + b"To: x\r\n" * 1000 + b"\r\n", "1011 header fields to sign"),
    ],
)
def test_why_a_message_stays_unsigned(message, reason):
    signature = SIGNER.signature(message, 1)
    assert signature.reason == reason
    assert bool(signature.fields) == (not reason)


def test_without_keys():
    assert Signer([]).signature(mail("a@example.jp"), 1).reason == "no DKIM keys"
    assert Signer([]).sign(mail("a@example.jp")) == b""


def test_load_key(tmp_path):
    for name, key, form in (
        ("ed.pem", ED, PrivateFormat.PKCS8),
        ("rsa.pem", RSA, PrivateFormat.PKCS8),
        ("old.pem", RSA, PrivateFormat.TraditionalOpenSSL),
    ):
        (tmp_path / name).write_bytes(pem(key, form=form))
        loaded = load_key(DkimSettings("例え.テスト", "S1", name), tmp_path)
        assert (loaded.domain, loaded.selector) == ("xn--r8jz45g.xn--zckzah", "s1")
        assert loaded.key.public_key() == key.public_key()


def test_load_key_by_absolute_path(tmp_path):
    (tmp_path / "k").write_bytes(pem(ED))
    assert (
        load_key(DkimSettings("a.jp", "s", str(tmp_path / "k")), Path("elsewhere")).key.public_key()
        == ED.public_key()
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "not a private key in PEM"),
        (b"\x00\xff" * 100, "not a private key in PEM"),
        (pem(rsa_key(65537, 1024)), "RSA with 1024 bits; 2048 are the least"),
        (pem(ec_key(SECP256R1())), "neither an RSA nor an Ed25519 key"),
        (pem(ED, BestAvailableEncryption(b"x")), "the key is encrypted; it must stand without a password"),
    ],
)
def test_a_key_that_cannot_sign(tmp_path, content, why):
    if content is not None:
        (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(DkimKeyError) as caught:
        load_key(DkimSettings("example.jp", "s", "key.pem"), tmp_path)
    assert caught.value.file == tmp_path / "key.pem"
    assert caught.value.why == why


@pytest.mark.parametrize(
    ("domain", "selector"), [("", "s"), ("a..b", "s"), ("a.jp", "s;x"), ("a.jp", ""), ("-a.jp", "s")]
)
def test_names_that_no_record_can_have(tmp_path, domain, selector):
    (tmp_path / "key.pem").write_bytes(pem(ED))
    with pytest.raises(DkimKeyError, match="is not a DNS name"):
        load_key(DkimSettings(domain, selector, "key.pem"), tmp_path)


def test_keys_of_the_moment_sign_where_the_configuration_has_none():
    stored = {}
    signer = Signer([DkimKey("example.jp", "file", Ed25519PrivateKey.generate())]).beside(lambda: stored)
    message = b"From: a@%s\r\n\r\n"
    assert signer.signature(message % b"example.net", 1).reason == "no DKIM key for example.net"
    for domain in ("example.net", "example.jp", "sub.example.jp"):
        stored[domain] = {"ed25519-sha256": DkimKey(domain, "stored", Ed25519PrivateKey.generate())}
    for domain, selector in ((b"example.net", b"stored"), (b"example.jp", b"file"), (b"sub.example.jp", b"stored")):
        assert b"s=%s;" % selector in signer.signature(message % domain, 1).fields
    stored.clear()
    assert not signer.sign(message % b"example.net")
