"""Opens encrypted Office documents (MS-OFFCRYPTO) with the passwords at hand."""

from __future__ import annotations

import hashlib
import re
import time
import warnings
import xml.dom.expatbuilder
from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # ciphers that cryptography calls old are what old documents are encrypted with
    from msoffcrypto.format import doc97, ooxml, ppt97, xls97
    from msoffcrypto.method.ecma376_agile import ECMA376Agile

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.office.ole_file import CompoundFile
from sekisho.parse.unpack.opening import EncryptedError, Opening

DEFAULT_PASSWORD = "VelvetSweatshop"  # noqa: S105 - Excel tries it by itself (MS-OFFCRYPTO 2.4.2.3)
_POWERPOINT_DEFAULT = "/01Hannes Ruescher/01"
_MOST_ROUNDS = 1_000_000
_LARGEST_OLD = 8_000_000  # octets; the old formats are decrypted octet by octet
_SPIN = re.compile(rb'spinCount="(\d{1,12})"')
_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA384": hashlib.sha384, "SHA512": hashlib.sha512}
# MS-OFFCRYPTO 2.3.4.11 and 2.3.4.13
_KEY_INPUT = bytes.fromhex("fea7d2763b4b9e79")
_KEY_HASH = bytes.fromhex("d7aa0f6d3061344e")
_KEY_VALUE = bytes.fromhex("146e0be7abacd0d6")

# The library keeps decrypted old documents in a temporary file; a confined process has only its memory.
for _module in (doc97, ppt97, xls97):
    _module.tempfile = SimpleNamespace(TemporaryFile=BytesIO)

# It parses with this module and imports it at first use, which a confined process cannot.
_EXPAT = xml.dom.expatbuilder

Decrypt = Callable[[str], bytes | None]


def open_encrypted(opening: Opening, file: CompoundFile) -> bool:
    """True if the file is encrypted and was opened: its plain form is an inner file. False if it is not encrypted.

    Raises EncryptedError where no password fits, or none can.
    """
    if not is_encrypted(file):
        return False
    _refuse_costly(opening, file)
    try:
        decrypt = _method(opening.content, file)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the library raises whatever broken input makes it raise
        raise EncryptedError("the document is encrypted in an unknown way") from None
    started = time.monotonic()
    seconds = max(0.5, opening.budget.seconds_left / 2)
    for password in dict.fromkeys((DEFAULT_PASSWORD, _POWERPOINT_DEFAULT, *opening.passwords)):
        opening.budget.check_time()
        plain = _attempt(decrypt, password)
        if plain is not None:
            _tell_opened(opening, plain, password)
            return True
        if time.monotonic() - started > seconds:
            raise EncryptedError("the document needs a password; there was no time to try all that might be it")
    raise EncryptedError("the document needs a password")


def is_encrypted(file: CompoundFile) -> bool:
    """Whether a compound file is an encrypted document of any kind."""
    if file.find("EncryptedPackage") or file.find("\x09DRMContent"):
        return True
    word = file.read("WordDocument")[:12]
    if word[:2] == b"\xec\xa5" and len(word) == 12 and word[11] & 1:
        return True
    if file.find("PowerPoint Document"):
        return file.read("Current User")[12:16] == b"\xdf\xc4\xd1\xf3"  # MS-PPT 2.3.2
    return _has_file_pass(file.read("Workbook") or file.read("Book"))


def _has_file_pass(stream: bytes) -> bool:
    """A FILEPASS record among the first of a workbook (MS-XLS 2.4.117)."""
    at = 0
    for _ in range(20):
        kind, length = stream[at : at + 2], int.from_bytes(stream[at + 2 : at + 4], "little")
        if kind == b"\x2f\0":
            return True
        at += 4 + length
    return False


def _refuse_costly(opening: Opening, file: CompoundFile) -> None:
    """What no password opens, or what would take too long to try."""
    info = file.read("EncryptionInfo")
    if (file.find("EncryptedPackage") and not info) or file.find("\x09DRMContent"):
        raise EncryptedError("the document is protected by rights management")
    rounds = _SPIN.findall(info)
    if len(info) > 65_536 or any(int(n) > _MOST_ROUNDS for n in rounds) or b"<!" in info:
        raise EncryptedError("the document is encrypted in a way that takes too long to try")
    if not info and len(opening.content) > _LARGEST_OLD:
        raise EncryptedError("the document needs a password, and is too large to try")


def _method(content: bytes, file: CompoundFile) -> Decrypt:
    """How this document is decrypted."""
    if not file.find("EncryptionInfo"):
        kinds = (
            ("WordDocument", doc97.Doc97File),
            ("Workbook", xls97.Xls97File),
            ("PowerPoint Document", ppt97.Ppt97File),
        )
        kind = next(kind for stream, kind in kinds if file.find(stream))
        return lambda password: _by_library(kind(BytesIO(content)), password)
    document = ooxml.OOXMLFile(BytesIO(content))
    if document.type != "agile":
        return lambda password: _by_library(document, password, verify_password=True)
    package = file.read("EncryptedPackage")
    info = document.info

    def agile(password: str) -> bytes | None:
        key = _agile_key(info, password)
        if key is None:
            return None
        plain = ECMA376Agile.decrypt(key, info["keyDataSalt"], info["keyDataHashAlgorithm"], BytesIO(package))
        return bytes(plain)

    return agile


def _attempt(decrypt: Decrypt, password: str) -> bytes | None:
    try:
        return decrypt(password)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a wrong password, or whatever broken input makes the library raise
        return None


def _by_library(document: Any, password: str, **more: bool) -> bytes:
    out = BytesIO()
    document.load_key(password=password, **more)
    document.decrypt(out)
    return out.getvalue()


def _agile_key(info: dict[str, Any], password: str) -> bytes | None:
    """The package's key if the password is right (MS-OFFCRYPTO 2.3.4.11 to 2.3.4.13).

    Not the library's: it goes through all rounds twice, and refuses right passwords where the hash is SHA-1.
    """
    make = _HASHES[info["passwordHashAlgorithm"].upper()]
    salt = info["passwordSalt"]
    digest = make(salt + password.encode("utf-16-le")).digest()
    for number in range(info["spinValue"]):
        digest = make(number.to_bytes(4, "little") + digest).digest()
    size = info["passwordKeyBits"] // 8

    def unwrap(block: bytes, wrapped: bytes) -> bytes:
        key = make(digest + block).digest()[:size].ljust(size, b"\x36")
        decryptor = Cipher(algorithms.AES(key), modes.CBC(salt[:16].ljust(16, b"\x36"))).decryptor()
        return decryptor.update(wrapped) + decryptor.finalize()

    expected = make(unwrap(_KEY_INPUT, info["encryptedVerifierHashInput"])).digest()
    found = unwrap(_KEY_HASH, info["encryptedVerifierHashValue"])
    if found[: len(expected)] != expected:
        return None
    return unwrap(_KEY_VALUE, info["encryptedKeyValue"])[:size]


def _tell_opened(opening: Opening, plain: bytes, password: str) -> None:
    opening.budget.take_bytes(len(plain))
    if password in (DEFAULT_PASSWORD, _POWERPOINT_DEFAULT):
        why = "the document is encrypted with the password that Office tries by itself"
        opening.finding("attachment/default-password", Severity.LOW, why)
    else:
        opening.opened_by_password = True
        why = "the password to the document is among the words of the sender's messages"
        opening.finding("attachment/password-in-mail", Severity.MEDIUM, why)
    opening.inner(opening.name, plain, secret=True)


def warm() -> None:
    """Use the ciphers once: the cryptographic library looks for its parts at first use."""
    for algorithm in (algorithms.AES(bytes(16)), algorithms.AES(bytes(32))):
        Cipher(algorithm, modes.CBC(bytes(16))).decryptor().update(bytes(16))
        Cipher(algorithm, modes.ECB()).decryptor().update(bytes(16))  # noqa: S305 - the standard encryption of 2007
    doc97.DocumentRC4.verifypw("", bytes(16), bytes(16), bytes(16))
    doc97.DocumentRC4CryptoAPI.verifypw("", bytes(16), 128, bytes(16), bytes(20))
