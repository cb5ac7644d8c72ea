"""The inspector "threads": answers in which a party has been replaced, or whose sender was not part of the thread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.inspect.content.asks import asks
from sekisho.inspect.content.facts import is_reply, is_threaded
from sekisho.inspect.content.likeness import Likenesses
from sekisho.inspect.content.parties import Parties, Party, parties
from sekisho.inspect.content.people import People
from sekisho.inspect.content.seen import Seen, shown_address
from sekisho.inspect.content.tenant_names import NOBODY, Names, sites_of
from sekisho.mail.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sekisho.inspect.links.lists import Lists
    from sekisho.mail.transaction import Transaction

SWAP = "bec/thread-swap"
UNUSUAL = "bec/unusual-sender"
_AUTHOR = 0.4  # at least, for any likeness of who writes or where answers go
_MAILBOX = 0.2
_MONEY = 0.3  # added where the text is about money
_MOST_QUOTED = 30
_VIA = re.compile(r"\bvia\b", re.IGNORECASE)  # a list that writes in its members' names
_FEWEST_PARTIES = 2  # in the quoted heads, for anybody to be a stranger to them


class Threads:
    """Finds `bec/thread-swap` and `bec/unusual-sender`. `names` by tenant. Shared by all threads."""

    name = "threads"

    def __init__(self, lists: Lists, names: Mapping[str, Names] | None = None) -> None:
        self._free = lists.free_mail
        self._names = names or {}
        self._likenesses = Likenesses(lists)

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """At most one finding of each; none where the text quotes no head with an address."""
        found = parties(transaction)
        if not found.quoted:
            return ()
        return (*self._swaps(transaction, found), *_unusual(transaction, found))

    def _swaps(self, transaction: Transaction, found: Parties) -> Iterator[Finding]:
        names = self._names.get(transaction.session.tenant, NOBODY)
        trusted = sites_of(transaction.internal_domains) | names.partners
        quoted = dict.fromkeys(one.site for one in found.quoted[:_MOST_QUOTED])
        seen = Seen()
        swapped: Party | None = None
        for party in {one.site: one for one in reversed(found.present)}.values():
            if party.site in trusted or party.site in quoted:
                continue
            for sure, why in self._swap(party, quoted, found):
                seen.add(sure, why)
                swapped = swapped or party
        if swapped is None:
            return
        if asks(transaction).money:
            seen.add(_MONEY, "the text is about money")
        yield seen.finding(SWAP, shown_address(swapped.address))

    def _swap(self, party: Party, quoted: dict[str, None], found: Parties) -> Iterator[tuple[float, str]]:
        """How a party of the mail stands in for one of the quoted ones."""
        likely = self._likenesses.first(party.site, quoted)
        if likely is not None:
            other, like = likely
            sure = like.confidence if party.role in ("to", "cc") else max(like.confidence, _AUTHOR)
            yield sure, f"{party.role}: {party.site} {like.how} {other}, with which the thread was"
            if any(one.site == other and _same_mailbox(one, party) for one in found.quoted):
                yield _MAILBOX, f"the same mailbox or name at {party.site} as at {other}"
        elif party.site in self._free and party.name and (other := self._moved(party, found)):
            yield 0.5, f"{party.role}: the same name as at {other}, with which the thread was, now at {party.site}"

    def _moved(self, party: Party, found: Parties) -> str:
        """The site at which the quoted part has the same name, unless the same address is quoted too; or ""."""
        if any(party.address == one.address for one in found.quoted):
            return ""
        same = People([([party.name], ["x@x"])])
        for one in found.quoted[:_MOST_QUOTED]:
            if one.site in self._free or not one.name or _VIA.search(one.name):
                continue
            if same.addresses_of(one.name) is not None:
                return one.site
        return ""


def _same_mailbox(one: Party, other: Party) -> bool:
    if one.address.rpartition("@")[0] == other.address.rpartition("@")[0]:
        return True
    return bool(one.name) and one.name.casefold() == other.name.casefold()


def _unusual(transaction: Transaction, found: Parties) -> Iterator[Finding]:
    """An answer by somebody who is neither author nor recipient of what it quotes: a low sign, lists do so too."""
    author, message = found.author, transaction.message
    if author is None or not (is_reply(message) or is_threaded(message)):
        return
    addresses = {one.address for one in found.quoted}
    sites = {one.site for one in found.quoted}
    roles = {one.role for one in found.quoted}
    known = {author.address, (transaction.session.account or "").lower()}
    if len(addresses) < _FEWEST_PARTIES or roles.isdisjoint(("to", "cc")) or author.site in sites:
        return
    if not known.isdisjoint(addresses):
        return
    shown = shown_address(author.address)
    why = f"{shown} is none of the {len(addresses)} addresses in the heads that the answer quotes"
    strange = all(one.address not in addresses for one in found.recipients)
    sure = 0.4 if strange else 0.3
    yield Finding(UNUSUAL, Severity.LOW, sure, where="header", excerpt=shown, explanation=why)
