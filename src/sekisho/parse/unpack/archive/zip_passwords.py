"""Passwords of zip members: the two encryptions, checked quickly, and decrypted by C code.

ZipCrypto after APPNOTE 6.1; AES after WinZip's AE-1/AE-2 specification.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sekisho.parse.unpack.archive.zip_directory import AES, Entry, extra_fields
from sekisho.parse.unpack.opening import CorruptError

_HEADER: Final = 12  # octets of a ZipCrypto header; the last one is known
_MAC: Final = 10
_VERIFIER: Final = 2
_ROUNDS: Final = 1000
_BLOCK: Final = 16
_PIECE_BLOCKS: Final = 65_536
_STREAMED: Final = 8
_STRENGTHS: Final = {1: 16, 2: 24, 3: 32}  # key length of AES in octets
_MASK: Final = 0xFFFFFFFF


def _table() -> tuple[int, ...]:
    """CRC-32 of each octet, with the reflected polynomial 0xEDB88320 (APPNOTE 4.4.7)."""
    values = []
    for octet in range(256):
        value = octet
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        values.append(value)
    return tuple(values)


_CRC: Final = _table()


def aes_of(entry: Entry) -> tuple[int, int, int]:
    """Version, key length and real method of an AES member, (0, 0, 0) where its extra field is broken."""
    field = next((data for number, data in extra_fields(entry.extra) if number == 0x9901), b"")
    if len(field) < 7 or field[4] not in _STRENGTHS:
        return 0, 0, 0
    version, _, strength, method = struct.unpack_from("<HHBH", field)
    return version, _STRENGTHS[strength], method


def passes(entry: Entry, packed: bytes, password: bytes) -> bool:
    """The quick check: wrong passwords pass once in 256 (ZipCrypto) or 65536 (AES)."""
    if entry.method == AES:
        key = aes_of(entry)[1]
        return (
            bool(key)
            and len(packed) >= key // 2 + _VERIFIER
            and _aes_keys(packed, key, password)[2] == (packed[key // 2 : key // 2 + _VERIFIER])
        )
    wanted = entry.time >> 8 if entry.flags & _STREAMED else entry.crc >> 24
    return len(packed) >= _HEADER and zip_crypto(packed[:_HEADER], password)[-1] == wanted


def zip_crypto(packed: bytes, password: bytes) -> bytes:
    """Decrypt octet by octet: about a second for a megabyte, so only for headers and small members."""
    one, two, three = 0x12345678, 0x23456789, 0x34567890
    for octet in password:
        one = one >> 8 ^ _CRC[(one ^ octet) & 0xFF]
        two = ((two + (one & 0xFF)) * 134775813 + 1) & _MASK
        three = three >> 8 ^ _CRC[(three ^ two >> 24) & 0xFF]
    plain = bytearray()
    for octet in packed:
        mixed = three | 2
        clear = octet ^ (mixed * (mixed ^ 1) >> 8 & 0xFF)
        plain.append(clear)
        one = one >> 8 ^ _CRC[(one ^ clear) & 0xFF]
        two = ((two + (one & 0xFF)) * 134775813 + 1) & _MASK
        three = three >> 8 ^ _CRC[(three ^ two >> 24) & 0xFF]
    return bytes(plain)


def _aes_keys(packed: bytes, key: int, password: bytes) -> tuple[bytes, bytes, bytes]:
    """The keys for AES and HMAC and the verifier; the salt is half as long as the key."""
    made = hashlib.pbkdf2_hmac("sha1", password, packed[: key // 2], _ROUNDS, 2 * key + _VERIFIER)
    return made[:key], made[key : 2 * key], made[2 * key :]


def decrypt_aes(entry: Entry, packed: bytes, password: bytes) -> bytes:
    """The compressed data of an AES member. Raises CorruptError where the authentication code is wrong."""
    key = aes_of(entry)[1]
    cipher_key, mac_key, _ = _aes_keys(packed, key, password)
    sealed = packed[key // 2 + _VERIFIER : -_MAC]
    if not hmac.compare_digest(hmac.digest(mac_key, sealed, "sha1")[:_MAC], packed[-_MAC:]):
        raise CorruptError("the authentication code of an encrypted member is wrong")
    return _counter_mode(cipher_key, sealed)


def _counter_mode(key: bytes, sealed: bytes) -> bytes:
    """AES in counter mode with a counter that is little-endian and starts at one."""
    engine = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the mode is made of it, as specified
    plain = bytearray()
    blocks = -(-len(sealed) // _BLOCK)
    for first in range(1, blocks + 1, _PIECE_BLOCKS):
        numbers = range(first, min(first + _PIECE_BLOCKS, blocks + 1))
        stream = engine.update(b"".join(number.to_bytes(_BLOCK, "little") for number in numbers))
        piece = sealed[(first - 1) * _BLOCK : (first - 1) * _BLOCK + len(stream)]
        mixed = int.from_bytes(piece, "little") ^ int.from_bytes(stream[: len(piece)], "little")
        plain += mixed.to_bytes(len(piece), "little")
    return bytes(plain)


def warm() -> None:
    """Load the cipher."""
    _counter_mode(bytes(16), b"x")
    hashlib.pbkdf2_hmac("sha1", b"x", b"x", 1)
    hmac.digest(b"x", b"x", "sha1")
