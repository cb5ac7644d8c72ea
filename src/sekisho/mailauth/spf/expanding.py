"""The values of macros in one evaluation, %{p} looked up when it is needed (RFC 7208 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.mail.dns import RecordType
from sekisho.mailauth.spf.budget import Budget, StoppedError, address_number
from sekisho.mailauth.spf.macros import MacroFlaw, Pieces, address_values, domain_name, expand, letters, parse_macros

if TYPE_CHECKING:
    from sekisho.mail.address import IpAddress

MOST_EXPLANATION = 2_000
_MOST_TEXT = 2_000
_MOST_PIECES = 500


class Query(Struct, frozen=True):
    """What stays the same in one evaluation; `domain` is the sender's."""

    client_ip: IpAddress
    local: str
    domain: str
    helo: str
    receiver: str
    now: int


class UnmatchableError(Exception):
    """The name needs a local part that no label can hold: nothing matches. Source: RFC 8616 4."""


class Expander:
    """Puts the values of one evaluation into macros."""

    def __init__(self, query: Query, budget: Budget) -> None:
        self.query = query
        self.budget = budget
        self._names: list[str] | None = None
        self._fixed = {
            "s": f"{query.local}@{query.domain}",
            "l": query.local,
            "o": query.domain,
            "h": query.helo,
            "r": query.receiver or "unknown",
            "t": str(query.now),
            **address_values(query.client_ip),
        }

    async def name(self, pieces: Pieces, domain: str) -> str:
        """A name to ask for. Raises UnmatchableError, StoppedError."""
        used = letters(pieces)
        if not self.query.local.isascii() and used & {"s", "l"}:
            raise UnmatchableError
        return domain_name(await self.text(pieces, domain))

    async def text(self, pieces: Pieces, domain: str) -> str:
        """The pieces with their values. Raises StoppedError."""
        validated = await self._validated(domain) if "p" in letters(pieces) else ""
        values = {**self._fixed, "d": domain, "p": validated}
        return expand(pieces, values.__getitem__)

    async def _validated(self, domain: str) -> str:
        """A validated name of the client: the domain itself, one below it, any, or "unknown". RFC 7208 7.3."""
        names = await self.names()
        below = [name for name in names if name == domain or name.endswith(f".{domain}")]
        for name in sorted(below, key=len) or names:
            return name
        return "unknown"

    async def names(self) -> list[str]:
        """The names of the client by PTR that lead back to it, of the first few. Source: RFC 7208 5.5."""
        if self._names is None:
            self._names = await self._back_and_forth()
        return self._names

    async def _back_and_forth(self) -> list[str]:
        budget, address = self.budget, self.query.client_ip
        kind: RecordType = "A" if address.version == 4 else "AAAA"
        try:
            hosts = await budget.ask(address.reverse_pointer, "PTR")
        except StoppedError as stop:
            if stop.reason != "dns":
                raise
            return []  # RFC 7208 5.5: an error is no match
        found = []
        for host in [host for host in hosts if isinstance(host, str)][: budget.limits.hosts]:
            try:
                addresses = await budget.ask(host, kind, void=False)
            except StoppedError as stop:
                if stop.reason != "dns":
                    raise
                continue
            if any(isinstance(one, str) and address_number(one) == int(address) for one in addresses):
                found.append(host)
        return found


async def explained(expander: Expander, explaining: tuple[Pieces, str]) -> str:
    """The explanation that a domain publishes, "" where there is none or it is malformed. Source: RFC 7208 6.2."""
    pieces, domain = explaining
    try:
        texts = await expander.budget.ask(await expander.name(pieces, domain), "TXT", void=False)
        if len(texts) != 1 or not isinstance(texts[0], bytes):
            return ""
        read = parse_macros(texts[0][:_MOST_TEXT].decode("ascii"), explanation=True)
        if isinstance(read, MacroFlaw):
            return ""
        text = await expander.text(read[:_MOST_PIECES], domain)
    except (StoppedError, UnmatchableError, UnicodeDecodeError):
        return ""
    return text[:MOST_EXPLANATION]
