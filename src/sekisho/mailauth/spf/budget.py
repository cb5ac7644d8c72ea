"""What an evaluation may cost, and the questions it asks the DNS (RFC 7208 4.6.4)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.mail.dns import Mx, RecordType, Tlsa
from sekisho.mailauth.spf.result import Reason, SpfCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.mail.ports import RecordResolver

Values = tuple[str | bytes | Mx | Tlsa, ...]

_ABSENT = frozenset(("no-data", "no-name"))
_LONGEST_LABEL = 63
_LONGEST_NAME = 253


class Limits(Struct, frozen=True):
    """The limits of RFC 7208 4.6.4: terms that ask, answers that are empty, hosts of an MX or PTR, seconds in all."""

    lookups: int = 10
    void_lookups: int = 2
    hosts: int = 10
    seconds: float = 20.0


class StoppedError(Exception):
    """The evaluation ends with an error; `term` is the one at fault."""

    def __init__(self, result: SpfCode, reason: Reason, term: str = "") -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason
        self.term = term


class Budget:
    """Asks through a resolver, counts, and raises StoppedError at a limit and where the DNS fails."""

    def __init__(self, resolver: RecordResolver, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self.lookups = 0
        self.void_lookups = 0
        self._resolver = resolver
        self._clock = clock
        self._until = clock() + limits.seconds

    def count_lookup(self) -> None:
        """One more term that asks the DNS."""
        if self.lookups >= self.limits.lookups:
            raise StoppedError("permerror", "lookups")
        self.lookups += 1

    async def ask(self, name: str, kind: RecordType, *, void: bool = True) -> Values:
        """The records, () where there are none, which counts as void if it is to. A name that cannot be has none."""
        if self._clock() > self._until:
            raise StoppedError("temperror", "time")
        if not is_name(name):
            return ()  # the DNS is not asked, so that this is not void
        answer = await self._resolver.records(name, kind)
        if answer.status in _ABSENT:
            if void:
                self._count_void()
            return ()
        if answer.status != "found":
            raise StoppedError("temperror", "dns")  # RFC 7208 4.4, 5
        return answer.values

    def _count_void(self) -> None:
        self.void_lookups += 1
        if self.void_lookups > self.limits.void_lookups:
            raise StoppedError("permerror", "void-lookups")


def is_name(name: str) -> bool:
    """Whether the DNS can be asked for it: labels of 1 to 63 octets, 253 in all. Source: RFC 1035 2.3.4."""
    return (
        0 < len(name) <= _LONGEST_NAME
        and name.isascii()
        and all(0 < len(label) <= _LONGEST_LABEL for label in name.split("."))
    )


def address_number(value: str) -> int:
    """An address as a number; -1, which is within no network, for what is none."""
    try:
        return int(IPv4Address(value)) if ":" not in value else int(IPv6Address(value))
    except ValueError:
        return -1
