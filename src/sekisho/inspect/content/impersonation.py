"""The inspector "impersonation": a sender who passes for somebody else, by name, address or domain."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sekisho.inspect.content.asks import asks, has_title
from sekisho.inspect.content.likeness import Likenesses
from sekisho.inspect.content.parties import Parties, Party, body_of, host_of, parties, site_of
from sekisho.inspect.content.seen import Seen, shown_address
from sekisho.inspect.content.tenant_names import NOBODY, Names, sites_of
from sekisho.inspect.links.lookalikes import Lookalikes, Resemblance
from sekisho.inspect.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sekisho.inspect.links.lists import Lists
    from sekisho.mail.finding import Finding
    from sekisho.mail.transaction import Transaction

RULE = "bec/impersonation"
LEAST = 0.2
_ADDRESS = re.compile(r"[\w.%+-]{1,64}@((?:[\w-]{1,63}\.){1,8}[\w-]{2,63})")
_VIA = re.compile(r"\b(?:via|on behalf of|through)\b|経由|代理", re.IGNORECASE)
_SIGNATURE_LINES = 8
_LONGEST_LINE = 40  # characters of a line that is a name
_TENANTS = 64


class Impersonation:
    """Finds `bec/impersonation`: at most one for a mail. `names` by tenant. Shared by all threads."""

    name = "impersonation"

    def __init__(self, lists: Lists, names: Mapping[str, Names] | None = None) -> None:
        self._lists = lists
        self._names = names or {}
        self._likenesses = Likenesses(lists)
        self._likes = lru_cache(maxsize=_TENANTS)(self._lookalikes)

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """The signs of a false sender as one finding, or none."""
        found = parties(transaction)
        author = found.author
        if author is None:
            return ()
        names = self._names.get(transaction.session.tenant, NOBODY)
        own = sites_of(transaction.internal_domains)
        seen = Seen()
        for confidence, why in self._signs(transaction, found, author, names, own):
            seen.add(confidence, why)
        if seen.confidence < LEAST:
            return ()
        self._aggravate(transaction, seen)
        return (seen.finding(RULE, _excerpt(author, found.answers)),)

    def _signs(
        self, transaction: Transaction, found: Parties, author: Party, names: Names, own: frozenset[str]
    ) -> Iterator[tuple[float, str]]:
        if names.people:
            yield from _directory(transaction, found, author, names, own)
        if "@" in author.name:
            yield from self._other_address(author, found, own | names.partners)
        yield from self._lookalike_domains(found, author, names, own)
        answers = [one for one in found.answers if one.site not in own | names.partners | {author.site}]
        yield from self._elsewhere(transaction, author, answers)

    def _other_address(self, author: Party, found: Parties, trusted: frozenset[str]) -> Iterator[tuple[float, str]]:
        """A display name that shows an address of another site than the real one."""
        for match in _ADDRESS.finditer(author.name[:300]):
            site = site_of(match[1])
            if site == author.site or _VIA.search(author.name):
                continue
            local = match[0].lower().partition("@")[0]
            near = site in trusted or any(site == one.site for one in found.recipients)
            sure = 0.3 if author.address.startswith(f"{local}@") or author.site in trusted else 0.75 if near else 0.6
            yield sure, f"the display name shows an address at {site}, the mail comes from {author.site}"
            return

    def _lookalike_domains(
        self, found: Parties, author: Party, names: Names, own: frozenset[str]
    ) -> Iterator[tuple[float, str]]:
        """From or Reply-To at a site that imitates the tenant's, a partner's, a recipient's; Reply-To also From's."""
        recipients = frozenset(one.site for one in found.recipients)
        trusted = own | names.partners
        for one in (author, *found.answers):
            if one.site in trusted or one.site in recipients:
                continue
            field = "From" if one is author else "Reply-To"
            genuine = trusted | recipients | ({author.site} if one is not author else frozenset())
            likely = self._likenesses.first(one.site, genuine)
            if likely is not None:
                other, like = likely
                yield like.confidence, f"{field}: {one.site} {like.how} {other}"
            elif trusted and (seems := self._seems(one, own, names.partners)):
                yield seems.confidence, f"{field}: {seems.why}"

    def _elsewhere(
        self, transaction: Transaction, author: Party, answers: list[Party]
    ) -> Iterator[tuple[float, str]]:
        """Answers that go to somebody else, or an executive at a free-mail address, where it is about money."""
        free = any(one.site in self._lists.free_mail for one in answers)
        author_free = author.site in self._lists.free_mail
        titled = has_title(author.name)
        if not (answers or (titled and author_free)):
            return
        about = asks(transaction)
        if not (about.money or about.pressing):
            return
        if free and not author_free:
            yield 0.45 if about.money else 0.3, f"answers go to {answers[0].site}, where anybody can have an address"
        elif answers:
            yield 0.15, f"answers go to {answers[0].site}, not to {author.site}"
        if titled:
            yield 0.35, "an executive's title stands in the display name"

    @staticmethod
    def _aggravate(transaction: Transaction, seen: Seen) -> None:
        about = asks(transaction)
        if about.money and about.pressing:
            seen.add(0.3, "the text is about money and presses")
        elif about.money or about.pressing:
            seen.add(0.15, "the text is about money" if about.money else "the text presses")

    def _seems(self, party: Party, own: frozenset[str], partners: frozenset[str]) -> Resemblance | None:
        """What the links' look-alikes say of an address: a name as a subdomain, with words around it and the like."""
        return self._likes(own, partners).find(host_of(party.address.rpartition("@")[2]))

    def _lookalikes(self, own: frozenset[str], partners: frozenset[str]) -> Lookalikes:
        """Of these names only: those of brands cost 60 ms to read, and who writes from there is not our sender."""
        return Lookalikes(replace(self._lists, brands=()), own, partners)


def _directory(
    transaction: Transaction, found: Parties, author: Party, names: Names, own: frozenset[str]
) -> Iterator[tuple[float, str]]:
    """A name of the directory with an address that is not that person's."""
    account = (transaction.session.account or "").lower()
    theirs = names.people.addresses_of(author.name) if author.name else None
    handed_on = found.answers and _VIA.search(author.name)  # by a list, which writes under its own address
    if theirs is not None and author.address not in theirs and not handed_on:
        sure = 0.7 if author.site not in own else 0.35 if account in theirs else 0.55
        yield sure, f"the display name is in the directory of people, {_at(author)} is not that person's address"
    for one in found.answers:
        named = names.people.addresses_of(one.name) if one.name else None
        whose = named if named is not None else theirs
        if whose is None or one.address in whose or one.address == author.address or one.site in own:
            continue
        yield 0.6, f"answers to a person of the directory go to {_at(one)}, which is not that person's address"
    if theirs is None and author.address != account:
        yield from _signature(transaction, author, names)


def _signature(transaction: Transaction, author: Party, names: Names) -> Iterator[tuple[float, str]]:
    lines = [line.strip() for line in body_of(transaction).own[-1500:].splitlines() if line.strip()]
    for line in lines[-_SIGNATURE_LINES:]:
        theirs = names.people.addresses_of(line) if len(line) <= _LONGEST_LINE else None
        if theirs is not None:
            if author.address not in theirs:
                yield 0.3, f"signed with a name of the directory of people, sent from {_at(author)}"
            return


def _at(party: Party) -> str:
    return shown_address(party.address)


def _excerpt(author: Party, answers: tuple[Party, ...]) -> str:
    named = (
        redacted(_ADDRESS.sub(lambda match: shown_address(match[0]), author.name), "middle") if author.name else ""
    )
    shown = f"{named} <{_at(author)}>".strip()
    return f"{shown}, Reply-To {_at(answers[0])}" if answers else shown
