from __future__ import annotations

import base64
import hashlib
import zipfile
import zlib
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from support.opened_file import found, opened

from sekisho.parse.unpack.office.odf import open_odf
from sekisho.parse.unpack.opening import EncryptedError

PLAIN = "<office:content xmlns:office='o' xmlns:text='t'><text:p>秘密</text:p></office:content>".encode()
ENTRY = """<manifest:file-entry manifest:full-path="content.xml" manifest:size="{size}"><manifest:encryption-data
 manifest:checksum-type="SHA256/1K" manifest:checksum="x"><manifest:algorithm manifest:algorithm-name="{cipher}"
 manifest:initialisation-vector="{vector}"/><manifest:key-derivation manifest:key-derivation-name="PBKDF2"
 manifest:key-size="32" manifest:iteration-count="{rounds}" manifest:salt="{salt}"/><manifest:start-key-generation
 manifest:start-key-generation-name="http://www.w3.org/2000/09/xmldsig#sha256"/></manifest:encryption-data>
 </manifest:file-entry>"""


def encrypted(password, *, rounds=1000, cipher="http://www.w3.org/2001/04/xmlenc#aes256-cbc"):
    """As ISO/IEC 26300-3 3.4 says: deflated, padded, AES-CBC with a key by PBKDF2 of the hashed password."""
    vector, salt = bytes(range(16)), bytes(range(16, 32))
    key = hashlib.pbkdf2_hmac("sha1", hashlib.sha256(password.encode()).digest(), salt, rounds, 32)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflater.compress(PLAIN) + deflater.flush()
    packed += bytes(-len(packed) % 16)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    entry = ENTRY.format(
        size=len(PLAIN), vector=base64.b64encode(vector).decode(), salt=base64.b64encode(salt).decode(),
        rounds=rounds, cipher=cipher,
    )  # fmt: skip
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("content.xml", encryptor.update(packed) + encryptor.finalize())
        archive.writestr(
            "META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="m">{entry}</manifest:manifest>'
        )
    return out.getvalue()


def test_a_password_among_the_words():
    opening = opened(open_odf, encrypted("会議"), "a.odt", passwords=("x", "会議"))
    assert found(opening) == {"password-in-mail": "medium"}
    (inner,) = opening.children
    assert inner.secret
    assert [text.text for text in opened(open_odf, inner.content).texts] == ["秘密\n"]


@pytest.mark.parametrize(
    "more", [{}, {"rounds": 9_000_000}, {"cipher": "http://www.w3.org/2009/xmlenc11#aes256-gcm"}]
)
def test_what_is_not_opened(more):
    content = encrypted("会議", **({} if more.get("rounds") else more))
    if "rounds" in more:
        plain = zipfile.ZipFile(BytesIO(content))
        out = BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name in plain.namelist():
                archive.writestr(name, plain.read(name).replace(b'"1000"', b'"9000000"'))
        content = out.getvalue()
    with pytest.raises(EncryptedError):
        opened(open_odf, content, passwords=("y", "会議") if more else ("y",))
