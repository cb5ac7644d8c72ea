"""What a tenant calls its own, for the inspectors of false senders."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

from sekisho.inspect.content.parties import site_of
from sekisho.inspect.content.people import People

_NOBODY = People()


class Names(Struct, frozen=True, eq=False):
    """One tenant's `people`, its `companies` as it writes its own name, the sites of `partners`, and who may warn.

    `warners` are addresses and hosts (with the names below them) of the company's real warnings.
    """

    people: People = _NOBODY
    companies: tuple[str, ...] = ()
    partners: frozenset[str] = frozenset()
    warners: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        *,
        people: People = _NOBODY,
        companies: Iterable[str] = (),
        partners: Iterable[str] = (),
        warners: Iterable[str] = (),
    ) -> Names:
        """From settings as they are written."""
        return cls(
            people,
            tuple(name for name in companies if name.strip()),
            frozenset(site_of(domain.strip(".")) for domain in partners),
            frozenset(one.lower().strip(".") for one in warners),
        )


NOBODY = Names()


@lru_cache(maxsize=256)
def sites_of(domains: frozenset[str]) -> frozenset[str]:
    """The sites of a tenant's own domains (".example.jp" too)."""
    return frozenset(site_of(domain.strip(".")) for domain in domains)
