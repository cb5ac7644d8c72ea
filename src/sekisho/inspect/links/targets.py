"""The addresses of a message, each once, with those that hide inside redirectors."""

from __future__ import annotations

from collections import Counter
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
    """What there is to look at; `left_out` counts distinct addresses beyond the bound, `unseen` hosts among them."""

    targets: tuple[Target, ...]
    left_out: int = 0
    unseen: int = 0


def targets(transaction: Transaction, lists: Lists) -> Targets:
    """The distinct addresses of a message and what they carry inside. Done once for a transaction."""
    found: Targets = once(transaction.memo, "link-targets", lambda: _targets(transaction.links, lists))
    return found


def _targets(links: tuple[Link, ...], lists: Lists) -> Targets:
    counts = Counter(links)
    chosen = list(counts)
    unseen = 0
    if len(chosen) > MOST_LINKS:
        firsts = list({_authority(link.url): link for link in reversed(chosen)}.values())[::-1]
        unseen = max(0, len(firsts) - MOST_LINKS)
        chosen = list(dict.fromkeys((*firsts, *chosen)))[:MOST_LINKS]
    left_out = len({link.url for link in counts}) - len({link.url for link in chosen})
    found = [t for link in chosen for t in _of_link(link, counts[link], lists)]
    return Targets(tuple(found), left_out, unseen)


def _authority(url: str) -> str:
    """About the host of an address: enough to look at each host once before any of them twice."""
    return url[:300].lower().replace("\\", "/").partition("//")[2].partition("/")[0] or url[:300].lower()


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
