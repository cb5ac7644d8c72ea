"""What the DNS answered: the words between the resolver and those who ask it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

DnsStatus = Literal["found", "absent", "refused", "away", "bad"]


class Answer(Struct, frozen=True):
    """The IPv4 addresses of a name as text, and for how many seconds they (or their absence) may be kept.

    `status` "absent" says that there is no such name or that it has no address, "refused" that a server answered but
    would or could not say, "away" that nobody answered in time, "bad" that the name or the answer is malformed.
    """

    status: DnsStatus
    values: tuple[str, ...] = ()
    ttl: float = 0.0
