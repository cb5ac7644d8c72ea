"""The key file: AES-256 keys for what is held, and the key of the keyed hashes.

JSON with mode 0600. The last key of `keys` encrypts, all of them decrypt: a rotation is one more key at the end.
`hash_key` stays: with another one no stored subject hash would be found again.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hmac
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from sekisho.mail.kept import StoreAwayError
from sekisho.mail.pieces import PIECE, joined, pieces, together
from sekisho.store.files import make_folder, whole_file

MAGIC = b"SKH1"
_KEY_ID = 4
_NONCE = 12  # NIST SP 800-38D 5.2.1.1: 96 bits
_TAG = 16
_HEADER = len(MAGIC) + _KEY_ID + _NONCE
_SUBJECT_CHARACTERS = 10_000
_OPEN_TO_OTHERS = 0o037  # a group may read (mounted secrets), nobody else


class KeyEntry(msgspec.Struct, frozen=True):
    """One key of the file: `id` 8 hexadecimal digits, `secret` base64 of 32 octets."""

    id: str
    created: datetime
    secret: str


class KeyFile(msgspec.Struct, frozen=True):
    """The file as it stands; `keys` from the oldest to the newest."""

    hash_key: str
    keys: tuple[KeyEntry, ...]


class _Cipher:
    """AES-256-GCM as `AESGCM` does it; of long octets a piece at a time, as it holds all threads up."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._whole = AESGCM(secret)

    def encrypt(self, nonce: bytes, data: bytes, bound_to: bytes) -> bytes:
        """What is sealed, and its tag."""
        return (
            self._whole.encrypt(nonce, data, bound_to)
            if len(data) <= PIECE
            else joined(self._encrypted(nonce, data, bound_to))
        )

    def _encrypted(self, nonce: bytes, data: bytes, bound_to: bytes) -> Iterator[bytes]:
        encryptor = Cipher(AES(self._secret), GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound_to)
        for piece in pieces(data):
            yield encryptor.update(piece)
        yield encryptor.finalize()
        yield encryptor.tag

    def decrypt(self, nonce: bytes, sealed: memoryview, bound_to: bytes) -> bytes:
        """What was sealed. Raises InvalidTag, and nothing of it comes out before it is known to be whole."""
        if len(sealed) <= PIECE:
            return self._whole.decrypt(nonce, sealed, bound_to)
        return joined(self._decrypted(nonce, sealed, bound_to))

    def _decrypted(self, nonce: bytes, sealed: memoryview, bound_to: bytes) -> Iterator[bytes]:
        decryptor = Cipher(AES(self._secret), GCM(nonce, bytes(sealed[-_TAG:]))).decryptor()
        decryptor.authenticate_additional_data(bound_to)
        for piece in pieces(sealed[:-_TAG]):
            yield decryptor.update(piece)
        yield decryptor.finalize()


class Keys:
    """The keys in use. Reads the file again when something was sealed under a key that it does not know yet."""

    def __init__(self, path: Path, file: KeyFile) -> None:
        self._path = path
        self._take(file)

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> Keys:
        """Read the key file, or make one where there is none and `create`. Raises StoreAwayError, OSError."""
        if create and not path.exists():
            _make(path)
        return cls(path, _read(path))

    def _take(self, file: KeyFile) -> None:
        self._ciphers = {entry.id: _Cipher(_secret(entry.secret)) for entry in file.keys}
        self._newest = file.keys[-1].id
        self._hash_key = _secret(file.hash_key)

    @property
    def newest(self) -> str:
        """The id of the key that encrypts."""
        return self._newest

    def seal(self, purpose: str, tenant: str, name: str, data: bytes) -> bytes:
        """Encrypt and authenticate `data` (AES-256-GCM), bound to its purpose, tenant and name."""
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[self._newest].encrypt(nonce, data, _bound_to(purpose, tenant, name))
        return together(MAGIC, bytes.fromhex(self._newest), nonce, sealed)

    def unseal(self, purpose: str, tenant: str, name: str, sealed: bytes) -> bytes:
        """What `seal` was given. Raises StoreAwayError for an unknown key or where a single bit differs."""
        if not sealed.startswith(MAGIC) or len(sealed) < _HEADER:
            raise StoreAwayError(f"{purpose} {name} is damaged")
        cipher = self._cipher(sealed[len(MAGIC) : len(MAGIC) + _KEY_ID].hex())
        nonce = sealed[_HEADER - _NONCE : _HEADER]
        try:
            return cipher.decrypt(nonce, memoryview(sealed)[_HEADER:], _bound_to(purpose, tenant, name))
        except InvalidTag:
            raise StoreAwayError(f"{purpose} {name} is damaged or was moved") from None

    def _cipher(self, key_id: str) -> _Cipher:
        if key_id not in self._ciphers:
            self._take(_read(self._path))
        try:
            return self._ciphers[key_id]
        except KeyError:
            raise StoreAwayError(f"key {key_id} is not in the key file") from None

    def keyed_hash(self, purpose: str, text: str) -> str:
        """HMAC-SHA-256 of a value, cut to 128 bits, in hexadecimal (RFC 2104)."""
        value = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._hash_key, value, "sha256")[:16].hex()

    def derived(self, purpose: str) -> bytes:
        """A key of 32 octets for another purpose, the same in every process and for good."""
        return hmac.digest(self._hash_key, b"key for " + purpose.encode(), "sha256")

    def subject_hash(self, subject: str) -> str:
        """The keyed hash of a subject, however it is spaced and capitalised; "" for an empty one."""
        plain = subject[:_SUBJECT_CHARACTERS]
        if not plain.isascii():
            plain = unicodedata.normalize("NFKC", plain)
        plain = " ".join(plain.casefold().split())
        return self.keyed_hash("subject", plain) if plain else ""


def rotate(path: Path) -> str:
    """Put a new key at the end of the key file and return its id. Raises StoreAwayError, OSError."""
    with _locked(path):
        file = _read(path)
        entry = _new_key()
        _write(path, KeyFile(file.hash_key, (*file.keys, entry)), replace=True)
    return entry.id


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _bound_to(purpose: str, tenant: str, name: str) -> bytes:
    return f"{purpose}\0{tenant}\0{name}".encode("utf-8", "surrogatepass")


def _secret(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _new_secret() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def _new_key() -> KeyEntry:
    return KeyEntry(os.urandom(_KEY_ID).hex(), datetime.now(UTC).replace(microsecond=0), _new_secret())


def _make(path: Path) -> None:
    make_folder(path.parent)
    _write(path, KeyFile(_new_secret(), (_new_key(),)), replace=False)


def _write(path: Path, file: KeyFile, *, replace: bool) -> None:
    """Whole and on disk before it has its name; for the owner of the old one, or of the folder."""
    with whole_file(path, replace=replace, like=path if replace else None) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")


def _read(path: Path) -> KeyFile:
    with path.open("rb") as stream:
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        content = stream.read()
    if mode & _OPEN_TO_OTHERS:
        raise StoreAwayError(f"the key file {path} is open to others (mode {mode:04o}); make it 0600")
    try:
        file = msgspec.json.decode(content, type=KeyFile)
        sound = bool(file.keys) and all(
            len(_secret(e.secret)) == 32 and len(bytes.fromhex(e.id)) == _KEY_ID for e in file.keys
        )
        sound = sound and len(_secret(file.hash_key)) >= 32
    except (msgspec.DecodeError, msgspec.ValidationError, binascii.Error, ValueError):
        sound = False
    if not sound:
        raise StoreAwayError(f"the key file {path} is damaged")
    return file
