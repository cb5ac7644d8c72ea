"""The addresses of a message, each once, with those that hide inside redirectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.links.redirects import DEEPEST, inner, redirector_of
from sekisho.inspect.links.url import Address, normalise
from sekisho.mail.message import Link, once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.inspect.links.lists import Lists
    from sekisho.mail.transaction import Transaction

MOST_LINKS = 500  # distinct links of one message that are looked at
_HARMLESS = frozenset(("mailto", "tel", "cid", "sms", "fax", "about", "mid", "blob"))


class Target(Struct, frozen=True):
    """One address with the link it was found in, the first of `count`.

    `inner` is what the address carries, `kind` the kind of redirector it belongs to ("open", "guard", "track" or ""),
    `outer` the address that this one was found inside of.
    """

    link: Link
    address: Address
    count: int = 1
    kind: str = ""
    inner: Address | None = None
    outer: Address | None = None


class Targets(Struct, frozen=True):
    """What there is to look at; `left_out` counts distinct links beyond the bound."""

    targets: tuple[Target, ...]
    left_out: int = 0


def targets(transaction: Transaction, lists: Lists) -> Targets:
    """The distinct addresses of a message and what they carry inside. Done once for a transaction."""
    found: Targets = once(transaction.memo, "link-targets", lambda: _targets(transaction.links, lists))
    return found


def sites(transaction: Transaction, lists: Lists) -> frozenset[str]:
    """The registrable domains that a message leads to: what the store is asked about for `link/new-domain`."""
    hosts = (target.address.host for target in targets(transaction, lists).targets)
    return frozenset(host.site for host in hosts if host is not None and host.site)


def _targets(links: tuple[Link, ...], lists: Lists) -> Targets:
    counts: dict[Link, int] = {}
    left_out: set[str] = set()
    for link in links:
        if link in counts:
            counts[link] += 1
        elif len(counts) < MOST_LINKS:
            counts[link] = 1
        else:
            left_out.add(link.url)
    found = [t for link, count in counts.items() for t in _of_link(link, count, lists)]
    return Targets(tuple(found), len(left_out))


def _of_link(link: Link, count: int, lists: Lists) -> Iterator[Target]:
    address = normalise(link.url)
    outer: Address | None = None
    for _ in range(DEEPEST):
        if address is None or address.scheme in _HARMLESS:
            return
        redirector = redirector_of(address, lists.redirectors)
        carried = inner(address, redirector)
        yield Target(link, address, count, redirector.kind if redirector else "", carried, outer)
        outer, address = address, carried
