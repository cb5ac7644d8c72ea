"""Opens encrypted OpenDocument packages (ISO/IEC 26300 part 3, 3.4) with the passwords at hand."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
import zipfile
import zlib
from io import BytesIO

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msgspec import Struct

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.office.markup import attribute, elements, local
from sekisho.parse.unpack.office.parts import Parts
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, Opening

_MOST_ROUNDS = 1_000_000


class _Sealed(Struct):
    """How one part is encrypted."""

    name: str
    size: int = 0
    algorithm: str = ""
    vector: bytes = b""
    salt: bytes = b""
    rounds: int = 0
    key_size: int = 16
    derivation: str = ""
    start: str = "SHA1"
    checksum: bytes = b""


def open_encrypted_parts(opening: Opening, parts: Parts) -> bool:
    """True if parts are encrypted and a password fits: the plain package is then an inner file.

       False if nothing is encrypted.
    Raises EncryptedError.
    """
    manifest = parts.read("META-INF/manifest.xml")
    if b"encryption-data" not in manifest:
        return False
    try:
        sealed = _sealed(opening, manifest)
    except (CorruptError, ValueError):
        raise EncryptedError("the document is encrypted in an unknown way") from None
    if not sealed:
        return False
    if any(s.rounds > _MOST_ROUNDS or "pbkdf2" not in s.derivation or "cbc" not in s.algorithm for s in sealed):
        raise EncryptedError("the document needs a password; its encryption cannot be tried")
    first = min(sealed, key=lambda s: s.size)
    started = time.monotonic()
    seconds = max(0.5, opening.budget.seconds_left / 2)
    for password in opening.passwords:
        opening.budget.check_time()
        if _plain(opening, parts, first, password) is not None:
            _tell(opening, parts, sealed, password)
            return True
        if time.monotonic() - started > seconds:
            break
    raise EncryptedError("the document needs a password")


def _sealed(opening: Opening, manifest: bytes) -> list[_Sealed]:
    found: list[_Sealed] = []
    for entry in elements(manifest, ["{*}file-entry"], opening.budget):
        sealed = _Sealed(attribute(entry, "full-path"), _count(attribute(entry, "size")))
        for element in entry.iter():
            _note(sealed, local(element), element.attrib)
        if sealed.algorithm:
            found.append(sealed)
    return found


def _note(sealed: _Sealed, name: str, attributes: object) -> None:
    values = {str(k).rpartition("}")[2]: str(v) for k, v in dict(attributes).items()}  # type: ignore[call-overload] # lxml's own mapping
    if name == "encryption-data":
        sealed.checksum = _octets(values.get("checksum", ""))
    elif name == "algorithm":
        sealed.algorithm = values.get("algorithm-name", "").lower()
        sealed.vector = _octets(values.get("initialisation-vector", ""))
    elif name == "key-derivation":
        sealed.derivation = values.get("key-derivation-name", "").lower()
        sealed.salt = _octets(values.get("salt", ""))
        sealed.rounds = _count(values.get("iteration-count", ""))
        sealed.key_size = _count(values.get("key-size", "16")) or 16
    elif name == "start-key-generation":
        sealed.start = "SHA256" if "256" in values.get("start-key-generation-name", "") else "SHA1"


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0


def _plain(opening: Opening, parts: Parts, sealed: _Sealed, password: str) -> bytes | None:
    """The part's content, or None if the password is not right: then it does not inflate."""
    octets = password.encode("utf-8", "replace")
    start = hashlib.sha256(octets).digest() if sealed.start == "SHA256" else hashlib.sha1(octets).digest()  # noqa: S324 - the format's
    try:
        key = hashlib.pbkdf2_hmac("sha1", start, sealed.salt, max(1, sealed.rounds), sealed.key_size)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(sealed.vector)).decryptor()
        packed = decryptor.update(parts.read(sealed.name)) + decryptor.finalize()
        inflater = zlib.decompressobj(-15)
        plain = inflater.decompress(packed, min(sealed.size + 1, opening.budget.limits.unpacked_bytes))
    except (ValueError, zlib.error):
        return None
    if not inflater.eof:
        return None
    opening.budget.take_bytes(len(plain))
    return plain


def _tell(opening: Opening, parts: Parts, sealed: list[_Sealed], password: str) -> None:
    by_name = {item.name.lower(): item for item in sealed}
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, info in parts.all:
            opening.budget.check_time()
            item = by_name.get(name.lower())
            if item:
                package.writestr(name, _plain(opening, parts, item, password) or b"")
            elif name != "META-INF/manifest.xml":
                package.writestr(name, parts.content(info))
    opening.opened_by_password = True
    why = "the password to the document is among the words of the sender's messages"
    opening.finding("attachment/password-in-mail", Severity.MEDIUM, why)
    opening.inner(opening.name, out.getvalue(), secret=True)
