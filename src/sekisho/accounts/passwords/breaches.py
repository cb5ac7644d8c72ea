"""A list of passwords that became known, as a file that is mapped into memory and searched where it lies.

Octets: magic (8), number of entries (8, big-endian), then the entries in order: the first 8 octets of the SHA-1 of
each password. Of a thousand million entries one in 20 thousand million other passwords is taken for one of them.
"""

from __future__ import annotations

import hashlib
import mmap
from math import isqrt
from pathlib import Path

from sekisho.accounts.passwords.preparation import PreparationError, prepared
from sekisho.config.password_checks import BREACH_MAGIC

WIDTH = 8
HEAD = len(BREACH_MAGIC) + 8
_SPREAD = 4  # standard deviations of where an entry may stand


class BreachListError(ValueError):
    """The file is no breach list, or is damaged."""


class BreachList:
    """The file, open. `password in breaches`."""

    def __init__(self, mapped: mmap.mmap, entries: int) -> None:
        self._mapped = mapped
        self.entries = entries

    @classmethod
    def open(cls, path: Path) -> BreachList:
        """Map a file that `sekisho password breach-list` wrote. Raises OSError, BreachListError."""
        with path.open("rb") as stream:
            head = stream.read(HEAD)
            size = stream.seek(0, 2)
            entries = int.from_bytes(head[len(BREACH_MAGIC) :], "big")
            if not head.startswith(BREACH_MAGIC) or size != HEAD + entries * WIDTH:
                raise BreachListError(f"{path} is no breach list, or is not whole")
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        mapped.madvise(mmap.MADV_RANDOM)
        return cls(mapped, entries)

    def close(self) -> None:
        """Let go of the file."""
        self._mapped.close()

    def __contains__(self, password: str) -> bool:
        try:
            wanted = truncated(prepared(password).encode())
        except PreparationError:
            return False
        low, high = self._between(wanted)
        while low < high:
            middle = (low + high) // 2
            if self._entry(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low < self.entries and self._entry(low) == wanted

    def _between(self, wanted: bytes) -> tuple[int, int]:
        """Where it must stand: hashes are spread evenly, so not far from where it should."""
        guess = int.from_bytes(wanted, "big") * self.entries >> (8 * WIDTH)
        spread = _SPREAD * isqrt(self.entries) + 16
        low, high = max(0, guess - spread), min(self.entries, guess + spread)
        # an entry outside says that the list is not as even as that
        if low > 0 and self._entry(low - 1) >= wanted:
            low = 0
        if high < self.entries and self._entry(high) < wanted:
            high = self.entries
        return low, high

    def _entry(self, number: int) -> bytes:
        start = HEAD + number * WIDTH
        return self._mapped[start : start + WIDTH]


def truncated(password: bytes) -> bytes:
    """What a list has of a password in UTF-8. SHA-1 is what public lists are in; it protects nothing here."""
    return hashlib.sha1(password, usedforsecurity=False).digest()[:WIDTH]
