import contextlib
import datetime as dt
import random
import shutil
import subprocess
import time
import zlib
from base64 import encodebytes

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from support.attached import mail
from support.opened_file import NAMED_ERRORS, opened, opening_of

from sekisho.mail.opened import Attachment, OpenRequest
from sekisho.parse.unpack.mail.smime import open_smime
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, OverLimitError
from sekisho.parse.unpack.run import unpack

ENTITY = b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xe7\xa4\xbe\xe5\xa4\x96\xe7\xa7\x98\r\n"
OPENSSL = shutil.which("openssl")


def certificate(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start.replace(year=2030))
    return builder.sign(key, hashes.SHA256())


@pytest.fixture(scope="module")
def rsa_pair():
    key = rsa.generate_private_key(65537, 2048)
    return key, certificate(key)


def signed(content, *options):
    key = ec.generate_private_key(ec.SECP256R1())
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate(key), key, hashes.SHA256())
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary, *options])


def tlv(tag, *contents):
    body = b"".join(contents)
    length = len(body)
    size = bytes([length]) if length < 128 else bytes([0x84]) + length.to_bytes(4, "big")
    return bytes([tag]) + size + body


def compressed(content):
    """CompressedData, RFC 3274 1.1."""
    inner = tlv(0x30, bytes.fromhex("06092a864886f70d010701"), tlv(0xA0, tlv(0x04, zlib.compress(content, 9))))
    algorithm = tlv(0x30, bytes.fromhex("060b2a864886f70d0109100308"))
    body = tlv(0x30, bytes.fromhex("020100"), algorithm, inner)
    return tlv(0x30, bytes.fromhex("060b2a864886f70d0109100109"), tlv(0xA0, body))


def only_child(opening):
    (child,) = opening.children
    return child.name, child.content


def pem(der):
    return b"-----BEGIN PKCS7-----\n" + encodebytes(der) + b"-----END PKCS7-----\n"


@pytest.mark.parametrize("wrap", [bytes, encodebytes, pem], ids=["der", "base64", "pem"])
def test_signed_content_is_taken_out(wrap):
    assert only_child(opened(open_smime, wrap(signed(ENTITY)), "smime.p7m")) == ("smime.eml", ENTITY)


def test_a_signed_document_keeps_its_name():
    assert only_child(opened(open_smime, signed(b"%PDF-1.7"), "契約書.pdf.p7m")) == ("契約書.pdf", b"%PDF-1.7")


def test_a_detached_signature_holds_nothing():
    opening = opened(open_smime, signed(ENTITY, pkcs7.PKCS7Options.DetachedSignature), "smime.p7s")
    assert (opening.children, opening.findings) == ([], [])


def test_encrypted_content(rsa_pair):
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(ENTITY).add_recipient(rsa_pair[1])
    with pytest.raises(EncryptedError):
        opened(open_smime, builder.encrypt(serialization.Encoding.DER, []))


def test_compressed_content():
    assert only_child(opened(open_smime, compressed(ENTITY * 50), "smime.p7z")) == ("smime.eml", ENTITY * 50)


def test_a_bomb_in_compressed_content_stops():
    with pytest.raises(OverLimitError):
        opened(open_smime, compressed(bytes(100_000_000)), unpacked_bytes=5_000_000)
    with pytest.raises(OverLimitError):
        opened(open_smime, compressed(bytes(100_000_000)))  # the ratio


def test_broken_compression_is_corrupt():
    whole = compressed(random.Random(1).randbytes(5000))
    for data in (whole[:-100] + bytes(100), whole[:-100]):
        with pytest.raises(CorruptError):
            opened(open_smime, data)


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
@pytest.mark.parametrize("options", [["-indef", "-stream"], ["-noindef"], ["-md", "sha512"]])
def test_what_openssl_signs(rsa_pair, tmp_path, options):
    key, cert = rsa_pair
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    (tmp_path / "cert").write_bytes(cert.public_bytes(pem))
    content = ENTITY + b"x" * 100_000
    (tmp_path / "in").write_bytes(content)
    command = [OPENSSL, "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-in", "in", "-signer", "cert"]
    done = subprocess.run([*command, "-inkey", "key", *options], cwd=tmp_path, capture_output=True, check=True)
    assert only_child(opened(open_smime, done.stdout, "smime.p7m")) == ("smime.eml", content)


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
@pytest.mark.parametrize("cipher", ["-aes256", "-aes-256-gcm"])
def test_what_openssl_encrypts(rsa_pair, tmp_path, cipher):
    (tmp_path / "cert").write_bytes(rsa_pair[1].public_bytes(serialization.Encoding.PEM))
    command = [OPENSSL, "cms", "-encrypt", cipher, "-binary", "-outform", "DER", "-stream", "cert"]
    done = subprocess.run(command, cwd=tmp_path, input=ENTITY, capture_output=True, check=True)
    with pytest.raises(EncryptedError):
        opened(open_smime, done.stdout)


def test_the_attachments_of_a_signed_message_are_opened():
    wrapped = signed(signed(mail(("a.exe", b"MZ" + bytes(100)))))
    seen = unpack(OpenRequest((Attachment("1", "smime.p7m", "application/pkcs7-mime", wrapped),)))
    assert [file.kind for file in seen.files] == ["p7m", "p7m", "eml", "exe"]
    assert seen.files[-1].path == "smime.p7m/smime.eml/smime.eml/a.exe"


def test_mutations_end_in_named_errors_and_in_time():
    chance = random.Random(9)
    for whole in (signed(ENTITY), compressed(ENTITY)):
        for _ in range(300):
            data = bytearray(whole)
            for _ in range(chance.choice((1, 3, 10))):
                data[chance.randrange(len(data))] = chance.choice((0, 0x80, 0xFF, 0x84, chance.randrange(256)))
            started = time.monotonic()
            with contextlib.suppress(NAMED_ERRORS):
                open_smime(opening_of(bytes(data)))
            assert time.monotonic() - started < 3
