"""How a Take is done with rows that are read and written: the same in the database and in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sekisho.mail.counting import Charge, Fresh, Take, Taken
from sekisho.store.slots import MOST, free_after, packed, slot_at, unpacked

_RENEW = 16  # what was remembered a sixteenth of its time ago is remembered anew


class Rows(Protocol):
    """Where counters and items are. `until` are seconds since 1970; what is over may still be there."""

    def states(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Those counters that there are."""

    def save(self, rows: Iterable[tuple[bytes, int, bytes]]) -> None:
        """Write counters: key, until, state."""

    def known(self, group: bytes, items: Sequence[bytes]) -> Mapping[bytes, int]:
        """Those items that a group has, and until when."""

    def remember(self, group: bytes, items: Sequence[bytes], new: int, until: int, most: int) -> None:
        """Write items, of which so many are `new`; the oldest make room where there are more than `most`."""


def done(take: Take, at: float, rows: Rows, *, look: bool = False) -> Taken:
    """Do it, or with `look` only see what would come of it."""
    found = [_items(fresh, at, rows) for fresh in take.fresh]
    new = tuple(count for _, count in found)
    states = rows.states([charge.key for charge in take.charges])
    slots = [unpacked(states.get(c.key), slot_at(c.seconds, at)) for c in take.charges]
    amounts = [amount_of(charge, new) for charge in take.charges]
    counts = tuple(sum(held) + amount for (_, held), amount in zip(slots, amounts, strict=True))
    fits, frees = judged(take.charges, counts, [held for _, held in slots], amounts, at)
    if fits and not look:
        rows.save(_added(take.charges, slots, amounts, at))
        for fresh, (stale, count) in zip(take.fresh, found, strict=True):
            if stale:
                rows.remember(fresh.group, stale, count, int(at) + fresh.seconds, fresh.most)
    return Taken(fits, counts, frees, new)


def amount_of(charge: Charge, new: Sequence[int]) -> int:
    """What a charge adds, given how many items of each Fresh are new."""
    return min(charge.amount * (new[charge.fresh] if charge.fresh >= 0 else 1), MOST)


def judged(
    charges: Sequence[Charge], counts: Sequence[int], held: Sequence[Sequence[int]], amounts: Sequence[int], at: float
) -> tuple[bool, tuple[float, ...]]:
    """Whether all fit, and for each the seconds until it would. What adds nothing fits."""
    over = [
        bool(c.most and amount and count > c.most) for c, count, amount in zip(charges, counts, amounts, strict=True)
    ]
    if not any(over):
        return True, (0.0,) * len(charges)
    frees = tuple(
        free_after(slots, c.seconds, at, max(c.most - amount, 0)) if beyond else 0.0
        for c, slots, amount, beyond in zip(charges, held, amounts, over, strict=True)
    )
    return False, frees


def _items(fresh: Fresh, at: float, rows: Rows) -> tuple[list[bytes], int]:
    """The items to be written, new ones or those whose time is to be set anew, and how many are new."""
    wanted = list(dict.fromkeys(fresh.items))
    known = rows.known(fresh.group, wanted)
    renew = at + fresh.seconds - fresh.seconds / _RENEW
    new = sum(known.get(item, 0) <= at for item in wanted)
    return [item for item in wanted if known.get(item, 0) <= renew], new


def _added(
    charges: Sequence[Charge], slots: Sequence[tuple[int, list[int]]], amounts: Sequence[int], at: float
) -> list[tuple[bytes, int, bytes]]:
    rows = []
    for charge, (slot, held), amount in zip(charges, slots, amounts, strict=True):
        if amount:
            held[-1] = min(held[-1] + amount, MOST)
            rows.append((charge.key, int(at) + charge.seconds + charge.seconds // 12 + 1, packed(slot, held)))
    return rows
