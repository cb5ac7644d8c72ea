"""Questions to the DNS, by c-ares: the only module here that talks to anybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aiodns
import pycares
from aiodns import error

from sekisho.mail.dns import Answer, DnsStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycares import DNSResult

NEGATIVE_SECONDS = 60.0  # c-ares does not tell for how long a name that is absent stays so; it heeds that itself

_TRIES = 2
_USUAL_SERVERS = 2  # in a system's configuration
_LONGEST_NAME = 253  # RFC 1035 2.3.4
_MOST_VALUES = 32
_NAME = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})")
_ABSENT = frozenset((error.ARES_ENOTFOUND, error.ARES_ENODATA))
_REFUSED = frozenset((error.ARES_EREFUSED, error.ARES_ESERVFAIL, error.ARES_ENOTIMP, error.ARES_EFORMERR))
_BAD = frozenset((error.ARES_EBADNAME, error.ARES_EBADRESP, error.ARES_EBADQUERY))


class DnsResolver:
    """Asks recursive name servers: `name_servers` ("192.0.2.1:53", "[2001:db8::1]:53"), or the system's where [].

    A question takes about `timeout_seconds` at most, in which each server is asked twice. The search list and the
    hosts file of the machine do not count. Implements `mail.ports.Resolver`; belongs to the event loop that it is
    first used in.
    """

    def __init__(self, name_servers: Sequence[str] = (), timeout_seconds: float = 2.0) -> None:
        self._name_servers = list(name_servers)
        # The second round waits twice as long as the first.
        rounds = (2**_TRIES - 1) * (len(name_servers) or _USUAL_SERVERS)
        self._timeout = timeout_seconds / rounds
        self._resolver: aiodns.DNSResolver | None = None

    async def addresses(self, name: str) -> Answer:
        """The IPv4 addresses of a name (its A records, RFC 1035 3.4.1)."""
        if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
            return Answer("bad")
        try:
            result = await self._asked().query_dns(name, "A")
        except error.DNSError as failure:
            return _failed(failure)
        except pycares.AresError:
            return Answer("away")
        return _answer(result)

    async def close(self) -> None:
        """Give up what is under way; those who wait for it get "away"."""
        if self._resolver is not None:
            await self._resolver.close()
            self._resolver = None

    def _asked(self) -> aiodns.DNSResolver:
        if self._resolver is None:
            servers = self._name_servers or None
            self._resolver = aiodns.DNSResolver(servers, timeout=self._timeout, tries=_TRIES)
        return self._resolver


def _answer(result: DNSResult) -> Answer:
    records = [record for record in result.answer if isinstance(record.data, pycares.ARecordData)]
    if not records:
        return Answer("absent", ttl=NEGATIVE_SECONDS)
    values = sorted({record.data.addr for record in records})[:_MOST_VALUES]  # type: ignore[union-attr]  # A, see above
    # An alias counts no longer than its own record.
    return Answer("found", tuple(values), float(min(record.ttl for record in result.answer)))


def _failed(failure: error.DNSError) -> Answer:
    number = failure.args[0] if failure.args else 0
    if number in _ABSENT:
        return Answer("absent", ttl=NEGATIVE_SECONDS)
    status: DnsStatus = "refused" if number in _REFUSED else "bad" if number in _BAD else "away"
    return Answer(status)
