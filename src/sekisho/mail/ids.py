"""Identifiers that sort by time and are short enough to read out on the telephone."""

import secrets
import time

# Crockford's base 32: no i, l, o, u. Sorts as the number does.
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """Sixteen characters: 9 of milliseconds since 1970, 7 of chance (35 bits)."""
    return _base32(time.time_ns() // 1_000_000, 9) + _base32(secrets.randbits(35), 7)


def _base32(number: int, length: int) -> str:
    return "".join(_DIGITS[(number >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))
