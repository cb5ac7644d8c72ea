"""The inspector "links": structural signs of every link of a message. Nothing is ever asked of a link."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from sekisho.inspect.links import signs
from sekisho.inspect.links.host import Host, read_host
from sekisho.inspect.links.lookalikes import Lookalikes
from sekisho.inspect.links.mismatch import mismatch
from sekisho.inspect.links.sign import Sign, graded
from sekisho.inspect.links.suspicion import combined, weak_host_signs, weak_path_signs
from sekisho.inspect.links.tally import Tally
from sekisho.inspect.links.targets import Target, Targets, targets
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.message import once

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sekisho.inspect.links.lists import Lists
    from sekisho.mail.transaction import Transaction

TOO_MANY = "link/too-many"
_TENANTS = 64  # whose names are kept ready
_HOSTS = 8192  # of which the signs are kept


class Links:
    """Finds `link/…` in a transaction's links.

    `partners` are, by tenant, domains that it trusts and that others imitate; `allowed` hosts (with all below them)
    of which nothing is said. Shared by all threads.
    """

    name = "links"

    def __init__(
        self, lists: Lists, *, partners: Mapping[str, Iterable[str]] | None = None, allowed: Iterable[str] = ()
    ) -> None:
        self._lists = lists
        self._partners = {tenant: frozenset(domains) for tenant, domains in (partners or {}).items()}
        self._allowed = frozenset(host.lower().rstrip(".") for host in allowed)
        self._likes = lru_cache(maxsize=_TENANTS)(self._lookalikes)
        self._of_host = lru_cache(maxsize=_HOSTS)(self._signs_of_host)

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """Findings, one for each rule, part, inner file and host (see `Tally`). Done once for a transaction."""
        found: tuple[Finding, ...] = once(transaction.memo, "link-findings", lambda: self._findings(transaction))
        return found

    def _findings(self, transaction: Transaction) -> tuple[Finding, ...]:
        if not transaction.links:
            return ()
        seen = targets(transaction, self._lists)
        partners = self._partners.get(transaction.session.tenant, frozenset())
        likes = self._likes(transaction.internal_domains, partners)
        tally = Tally()
        for target in seen.targets:
            for sign in self.signs(target, likes):
                tally.add(target, sign)
        return (*tally.findings, *_left_out(seen))

    def signs(self, target: Target, likes: Lookalikes) -> list[Sign]:
        """All signs of one address that become findings."""
        address = target.address
        host = address.host
        if host is None or address.scheme not in signs.WEB:
            return list(signs.scheme_signs(address, target.link.origin, self._lists))
        if not self._allowed.isdisjoint(host.above):
            return []
        found = [*self._of_host(host.ascii, likes), *signs.other_signs(address, self._lists)]
        if target.inner is not None and target.kind == "open":
            found.append(graded("link/redirector", 0.5, f"{host.unicode} leads on to {target.inner.site}", 1))
        if target.link.text and target.outer is None and target.link.origin == "href":
            sign = mismatch(target.link.text, address, target.inner, target.kind, likes.names)
            found += [sign] if sign else []
        found += weak_path_signs(address, host, likes)
        whole = combined(found) if len(found) > 1 else None
        return [sign for sign in (*found, whole) if sign is not None and sign.rule]

    def _signs_of_host(self, name: str, likes: Lookalikes) -> tuple[Sign, ...]:
        host = read_host(name)
        found = [*signs.host_signs(host), *weak_host_signs(host, likes), *_lookalike(likes, host)]
        if not self._lists.shorteners.isdisjoint(host.above):
            why = f"{host.unicode} leads to an address that cannot be seen"
            found.append(graded("link/shortener", 0.45, why, 0.75))
        if not self._lists.free_hosting.isdisjoint(host.above):
            found.append(graded("link/free-hosting", 0.4, f"anybody can put up a page at {host.unicode}"))
        return tuple(found)

    def _lookalikes(self, own: frozenset[str], partners: frozenset[str]) -> Lookalikes:
        return Lookalikes(self._lists, own, partners)


def _left_out(seen: Targets) -> Iterator[Finding]:
    """What was not looked at: further addresses of hosts that were are one thing, hosts nobody looked at another."""
    if seen.unseen:
        why = f"{seen.unseen} further hosts were not looked at"
        yield Finding(TOO_MANY, Severity.MEDIUM, count=seen.left_out, where="link", explanation=why)
    elif seen.left_out:
        why = f"{seen.left_out} further addresses of the same hosts were not looked at"
        yield Finding(TOO_MANY, Severity.LOW, count=seen.left_out, where="link", explanation=why)


def _lookalike(likes: Lookalikes, host: Host) -> Iterator[Sign]:
    found = likes.find(host)
    if found is not None:
        yield graded("link/lookalike", found.confidence, found.why, 1.5 if found.confidence >= 0.5 else 1)
