"""Identifiers that sort by time and are short enough to read out on the telephone."""

import os
import time

# Crockford's base 32: no i, l, o, u. Sorts as the number does.
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)


def new_id() -> str:
    """Sixteen characters: 9 of milliseconds since 1970, 7 of chance (35 bits)."""
    number = (time.time_ns() // 1_000_000 << 35) | (int.from_bytes(os.urandom(5), "big") >> 5)
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(70, -1, -10)])
