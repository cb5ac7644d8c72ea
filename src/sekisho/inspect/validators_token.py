"""Checks for keys and tokens whose maker gives them a checksum or a form of their own."""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import TYPE_CHECKING

from sekisho.inspect.validators_secret import decoded, entropy, generated, octets, placeholder

if TYPE_CHECKING:
    from collections.abc import Callable

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def github_token(value: str) -> bool:
    """A GitHub token: the last 6 of its 36 characters are the CRC-32 of the others in base 62, as the vendor tells.

    The longer forms (`github_pat_`, app tokens beyond 36) are taken by their look.
    """
    body = value.rpartition("_")[2]
    return (
        _crc_base62(body)
        if len(body) == 36
        else generated(value.partition("_")[2].replace("_", "").replace("pat", ""))
    )


def npm_token(value: str) -> bool:
    """An npm token, made like GitHub's: `npm_`, 30 characters and their CRC-32 in base 62."""
    return _crc_base62(value.rpartition("_")[2])


def discord_token(value: str) -> bool:
    """A Discord bot token: its first part is the bot's number, 17 to 20 digits, in Base64."""
    number = decoded(value.partition(".")[0])
    return 17 <= len(number) <= 20 and number.isdigit() and number.isascii() and not placeholder(value)


def age_secret_key(value: str) -> bool:
    """An age identity: Bech32 with the checksum of BIP 173."""
    head, _, data = value.lower().rpartition("1")
    if not head or len(data) < 6 or any(c not in _BECH32 for c in data):
        return False
    expanded = [ord(c) >> 5 for c in head] + [0] + [ord(c) & 31 for c in head]
    return _polymod(expanded + [_BECH32.index(c) for c in data]) == 1


def base58_key(value: str) -> bool:
    """A private key of a wallet in Base58Check: the last 4 bytes are the first of a double SHA-256 of the others."""
    if len(value) > 120 or any(c not in _BASE58 for c in value):
        return False
    number = 0
    for c in value:
        number = number * 58 + _BASE58.index(c)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def wireguard_key(value: str) -> bool:
    """A Curve25519 private key in Base64: 32 bytes that are not a pattern."""
    return len(octets(value)) == 32 and len(set(octets(value))) > 16


def otp_secret(value: str) -> bool:
    """The shared secret of a one-time password generator, Base32 (RFC 4648 6), no sample of a manual."""
    value = value.upper().rstrip("=")
    return (
        len(value) >= 16
        and entropy(value) >= 2.7
        and value not in ("JBSWY3DPEHPK3PXP", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    )


def bitlocker_key(value: str) -> bool:
    """A BitLocker recovery key: eight groups, each a multiple of 11 and at most 11 times 16 bits."""
    if not re.fullmatch(r"[0-9]{6}(?:-[0-9]{6}){7}", value):
        return False
    groups = [int(group) for group in value.split("-")]
    return all(n % 11 == 0 and n < 11 * 65_536 for n in groups) and len(set(groups)) > 4


def wrapped_key(value: str) -> bool:
    """Base64 of a PEM private key, as kubeconfig files and cloud settings wrap it (RFC 7468 10)."""
    return "PRIVATE KEY" in decoded(value[:64])


def _crc_base62(body: str) -> bool:
    if len(body) != 36 or not body.isalnum() or not body.isascii():
        return False
    number = 0
    for c in body[-6:]:
        number = number * 62 + _BASE62.index(c)
    return zlib.crc32(body[:-6].encode()) == number


def _polymod(values: list[int]) -> int:
    """The checksum of BIP 173 over five-bit values."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check


TOKEN_VALIDATORS: dict[str, Callable[[str], bool]] = {
    check.__name__: check
    for check in (
        github_token,
        npm_token,
        discord_token,
        age_secret_key,
        base58_key,
        wireguard_key,
        otp_secret,
        bitlocker_key,
        wrapped_key,
    )
}
