"""Which hosts of a message's links are somebody else's: what look-ups about links ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.inspect.links.signs import WEB
from sekisho.inspect.links.targets import Target, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sekisho.inspect.links.host import Host
    from sekisho.inspect.links.lists import Lists
    from sekisho.inspect.links.url import Address
    from sekisho.mail.transaction import Transaction


def nobody(_: Address) -> bool:
    """No address is allowed."""
    return False


def external(
    transaction: Transaction, words: Lists, allowed: Callable[[Address], bool]
) -> Iterator[tuple[Target, Host]]:
    """The web addresses of a message with their hosts, those inside redirectors too.

    Without the tenant's own domains and what is below them, without names that no registry knows ("nas.lan"),
    without addresses of private networks, and without what is allowed.
    """
    own = frozenset(domain.strip(".").lower() for domain in transaction.internal_domains)
    for target in targets(transaction, words).targets:
        host = target.address.host
        if host is None or target.address.scheme not in WEB or not _public(host):
            continue
        if own.isdisjoint(host.above) and not allowed(target.address):
            yield target, host


def _public(host: Host) -> bool:
    return host.ip.is_global if host.ip is not None else bool(host.site)
