"""What is counted over time, for limits and against guessing: what to add to which counters, and what came of it."""

from __future__ import annotations

from msgspec import Struct

KEY = 16  # octets of a counter's or a group's key: a keyed hash
ITEM = 8  # octets of an item's


class Charge(Struct, frozen=True):
    """An amount for one counter, which counts over the last `seconds`, in twelfths of them.

    With `fresh` (an index into those of the Take) the amount counts for each item that is new there. Beyond `most`
    nothing of the whole Take is done; 0: whatever it counts.
    """

    key: bytes
    seconds: int
    amount: int = 1
    most: int = 0
    fresh: int = -1


class Fresh(Struct, frozen=True):
    """Items of a group, to be remembered for `seconds` from now; a group keeps the latest `most`."""

    group: bytes
    items: tuple[bytes, ...]
    seconds: int
    most: int = 1000


class Take(Struct, frozen=True):
    """All that is counted for one message or one login: in one step, or not at all."""

    charges: tuple[Charge, ...]
    fresh: tuple[Fresh, ...] = ()


class Taken(Struct, frozen=True):
    """What came of a Take. `counts`, one for each charge, are with its amount, also where nothing was taken.

    `frees` are the seconds until a charge would fit (0 where it does); `fresh` how many items of each were new.
    """

    taken: bool
    counts: tuple[int, ...]
    frees: tuple[float, ...] = ()
    fresh: tuple[int, ...] = ()
