"""A counter over a time that moves along: sums of twelve slots and of the one that is being filled. Pure.

What is counted spans at least the counter's time and a twelfth more at most, so that never more than the limit goes
through in any such time.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

SLOTS = 13
_PARTS = 12
_FORM = struct.Struct(f"<q{SLOTS}Q")
MOST = 2**53  # counted exactly everywhere, in a script of Valkey as well


def slot_at(seconds: int, at: float) -> int:
    """The number of the slot that is filled at a time (seconds since 1970)."""
    return int(at * _PARTS // seconds)


def moved(slot: int, counts: Sequence[int], now: int) -> tuple[int, list[int]]:
    """Slots as of slot `now`, the oldest first. What is far in the future comes from a clock that was wrong: gone."""
    ahead = now - slot
    if ahead >= SLOTS or -ahead > SLOTS:
        return now, [0] * SLOTS
    if ahead <= 0:  # another machine's clock is a little ahead of ours
        return slot, list(counts)
    return now, [*counts[ahead:], *([0] * ahead)]


def unpacked(state: bytes | None, now: int) -> tuple[int, list[int]]:
    """What `packed` made, as of slot `now`; of damaged octets nothing is left."""
    if not state:
        return now, [0] * SLOTS
    try:
        slot, *counts = _FORM.unpack(state)
    except struct.error:
        return now, [0] * SLOTS
    return moved(slot, counts, now)


def packed(slot: int, counts: Sequence[int]) -> bytes:
    """Slots as 112 octets."""
    return _FORM.pack(slot, *counts)


def free_after(counts: Sequence[int], seconds: int, at: float, room: int) -> float:
    """Seconds until the sum is not above `room`: when enough of the oldest slots are over."""
    left = sum(counts)
    slot = slot_at(seconds, at)
    for number, count in enumerate(counts):
        if left <= room:
            break
        left -= count
        if left <= room:
            ends = (slot + 1 + number) * seconds / _PARTS
            return max(ends - at, 0.0)
    return 0.0 if left <= room else float(seconds)
