"""Keys that 7z and RAR make of a password, slowly by design, and the cipher they are for.

After 7-Zip's "7zFormat.txt" and the method description of 7zAES, RARLAB's notes on RAR 5.0 ("Encryption header"), and
what is public of RAR 3's "hash and counter" derivation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK: Final = 16
MOST_POWER: Final = 24  # 2 to this many rounds of 7z; three octets of counter hold it
MOST_POWER_RAR: Final = 20  # RAR itself writes 15; one derivation cannot be interrupted
LONGEST_RAR_3: Final = 27  # characters: beyond, RAR 3 hashes what its own SHA-1 has overwritten
_NO_HASH: Final = 63
_ROWS: Final = 1 << 14
_ROUNDS_RAR_3: Final = 1 << 18
_LOW: Final = bytes(range(256)) * (_ROWS >> 8)
_MIDDLE: Final = tuple(
    bytes(number for number in range(first, first + 64) for _ in range(256)) for first in (0, 64, 128, 192)
)


class _Rows:
    """Blocks of rows of the same octets, each with the next number behind, least octet first.

    Made by filling columns: a loop over a quarter of a million rows would cost more than the hash.
    """

    def __init__(self, front: bytes, counter: int) -> None:
        self.width = len(front) + counter
        self._at = len(front)
        self._rows = bytearray((front + bytes(counter)) * _ROWS)
        self._rows[self._at :: self.width] = _LOW

    def block(self, number: int) -> bytearray:
        """Rows `number` * 16384 and on; valid until the next call."""
        self._rows[self._at + 1 :: self.width] = _MIDDLE[number % 4]
        if number % 4 == 0:
            self._rows[self._at + 2 :: self.width] = bytes([number >> 2]) * _ROWS
        return self._rows


def seven_zip_key(password: str, salt: bytes, power: int, check: Callable[[], None]) -> bytes:
    """The AES-256 key of 7zAES: SHA-256 over 2^`power` times salt, password and a number of eight octets.

    Calls `check` now and then, which may raise. Raises ValueError for a power over 24, but for 63, which is no hash.
    """
    front = salt + password.encode("utf-16-le", "replace")
    if power == _NO_HASH:
        return front[:32].ljust(32, b"\0")
    if power > MOST_POWER:
        raise ValueError
    digest, rows = hashlib.sha256(), _Rows(front, 8)
    if 1 << power < _ROWS:
        digest.update(rows.block(0)[: rows.width << power])
        return digest.digest()
    for number in range((1 << power) // _ROWS):
        digest.update(rows.block(number))
        if number % 64 == 63:
            check()
    return digest.digest()


def rar_3_key(password: str, salt: bytes) -> tuple[bytes, bytes]:
    """Key and first block of AES-128: SHA-1 over 2^18 times password, salt and a number of three octets.

    An octet of the first block is taken after each 16384 rounds, the key at the end, its words the other way round.
    """
    digest, rows = hashlib.sha1(usedforsecurity=False), _Rows(password.encode("utf-16-le", "replace") + salt, 3)
    vector = bytearray()
    for number in range(_ROUNDS_RAR_3 // _ROWS):
        block = memoryview(rows.block(number))
        digest.update(block[: rows.width])
        vector.append(digest.copy().digest()[-1])
        digest.update(block[rows.width :])
    made = digest.digest()
    return b"".join(made[at : at + 4][::-1] for at in range(0, 16, 4)), bytes(vector)


def rar_5_check(password: str, salt: bytes, power: int) -> bytes:
    """The eight octets by which a password is known to be right: PBKDF2 with 32 more rounds, folded."""
    made = _pbkdf2(password, salt, (1 << power) + 32)
    return bytes(made[n] ^ made[n + 8] ^ made[n + 16] ^ made[n + 24] for n in range(8))


def rar_5_key(password: str, salt: bytes, power: int) -> bytes:
    """The AES-256 key: PBKDF2 with HMAC-SHA-256 and 2^`power` rounds."""
    return _pbkdf2(password, salt, 1 << power)


def _pbkdf2(password: str, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "replace"), salt, rounds)


def decryptor(key: bytes, vector: bytes) -> Any:
    """AES in CBC mode, for pieces of a multiple of 16 octets."""
    return Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()


def decrypt(key: bytes, vector: bytes, sealed: bytes | memoryview) -> bytes:
    """The plain octets; what is behind the last whole block is left away."""
    return bytes(decryptor(key, vector).update(sealed[: len(sealed) // BLOCK * BLOCK]))


def warm() -> None:
    """Load the hashes and the cipher."""
    rar_5_check("x", b"x", 1)
    rar_3_key("x", b"x")
    decrypt(seven_zip_key("x", b"", 1, warm), bytes(BLOCK), bytes(BLOCK))
    decrypt(bytes(16), bytes(BLOCK), bytes(BLOCK))
