"""Mail that goes round in a circle, by its Received fields. RFC 5321 6.3."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sekisho.mail.finding import Finding, Severity
from sekisho.mail.hops import MAX_HOPS, hops
from sekisho.mail.transaction import Transaction

LOOP = "flood/loop"
_MOST_OWN = 10  # passes through us: a list or a forwarding in between explains some
_BY = re.compile(r"(?:^|\s)by\s+([A-Za-z0-9.-]{1,255})", re.IGNORECASE)


class Loops:
    """Counts the hosts a message has passed, and how often we were one. `hostname` as our trace field names it."""

    name = "loops"

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname.rstrip(".").lower()

    def inspect(self, transaction: Transaction) -> Sequence[Finding]:
        """`flood/loop`, or nothing."""
        fields = hops(transaction.message)
        own = sum(self._is_own(field.value[:2_000]) for field in fields)
        if len(fields) <= MAX_HOPS and own <= _MOST_OWN:
            return ()
        said = f"{len(fields)} Received fields, {own} of them by this gateway"
        return (Finding(LOOP, Severity.HIGH, where="header", count=len(fields), excerpt=said),)

    def _is_own(self, value: str) -> bool:
        found = _BY.search(value)
        return found is not None and found[1].rstrip(".").lower() == self._hostname
