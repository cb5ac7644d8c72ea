"""Signatures understood both ways with opendkim."""

import re
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from support.zone import ZoneResolver, driven

from sekisho.mailauth.canonical import split_message
from sekisho.mailauth.dkim import DkimKey, Signing, signature_fields
from sekisho.mailauth.dkim_verify import verify

OPENDKIM = Path("/usr/sbin/opendkim")
KEY = DkimKey("example.jp", "s1", generate_private_key(65537, 2048))
PUBLIC = KEY.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
RECORD = f"v=DKIM1; k=rsa; p={b64encode(PUBLIC).decode()}"
MAIL = (
    b"From: Taro <taro@example.jp>\r\nTo: a@example.com,\r\n\tb@example.com\r\nSubject: Dinner\t  ?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700\r\nMessage-ID: <1@example.jp>\r\n\r\nHi.  \r\n\r\n lost\tit \r\n\r\n\r\n"
)
FORMS = pytest.mark.parametrize(
    ("header", "body"), [(h, b) for h in ("relaxed", "simple") for b in ("relaxed", "simple")]
)

pytestmark = [pytest.mark.peer, pytest.mark.skipif(not OPENDKIM.exists(), reason="opendkim is not installed")]


def said(folder, settings, message):
    """What opendkim says of a message, without a mail server: as milter it never sees blanks behind the colon."""
    (folder / "conf").write_text(f"Syslog no\nSocket local:{folder}/socket\nRequireSafeKeys no\n{settings}")
    (folder / "mail").write_bytes(message)
    command = [OPENDKIM, "-x", folder / "conf", "-t", folder / "mail", "-vvv"]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    return done.stdout.decode() + done.stderr.decode()


@FORMS
def test_opendkim_verifies_ours(tmp_path, header, body):
    (tmp_path / "keys").write_text(f"s1._domainkey.example.jp {RECORD}\n")
    settings = f"Mode v\nTestPublicKeys {tmp_path}/keys\nAlwaysAddARHeader yes\n"
    signed = signature_fields(split_message(MAIL), [KEY], 1_700_000_000, Signing(header, body)) + MAIL
    assert "dkim=pass" in said(tmp_path, settings, signed)
    assert "dkim=fail" in said(tmp_path, settings, signed.replace(b"lost", b"won"))


@FORMS
def test_we_verify_those_of_opendkim(tmp_path, header, body):
    pem = KEY.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (tmp_path / "key").write_bytes(pem)
    settings = f"Mode s\nDomain example.jp\nSelector s1\nKeyFile {tmp_path}/key\nCanonicalization {header}/{body}\n"
    value = re.search(r"hname='DKIM-Signature' hvalue='([^']*)'", said(tmp_path, settings, MAIL))[1]
    signed = b"DKIM-Signature: " + value.replace("\n", "\r\n").encode() + b"\r\n" + MAIL
    resolver = ZoneResolver({"s1._domainkey.example.jp": {"TXT": [RECORD]}})
    assert [r.result for r in driven(verify(signed, resolver, 1_700_000_000))] == ["pass"]
    changed = signed.replace(b"lost", b"won")
    assert [r.result for r in driven(verify(changed, resolver, 1_700_000_000))] == ["fail"]
