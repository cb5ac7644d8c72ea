"""Where a domain's DMARC record is, and which is its organizational domain: by tree walk, or as before it.

"tree-walk" is RFC 9989 4.10, "listed" what receivers of RFC 7489 do with the Public Suffix List.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from sekisho.mailauth.dmarc_record import DmarcError, DmarcRecord, Note, parse_dmarc
from sekisho.mailauth.organizational import LONGEST_NAME, dns_name, is_below, listed_domain

if TYPE_CHECKING:
    from sekisho.mail.dns import RecordStatus
    from sekisho.mail.ports import RecordResolver

Method: TypeAlias = Literal["tree-walk", "listed"]
Trouble: TypeAlias = Literal["", "temperror", "permerror"]

MOST_QUERIES = 64  # for one message
_SHORTCUT = 8  # labels, RFC 9989 4.10
_SHORTENED = 7
_MOST_RECORDS = 64  # TXT records of one name
_TEMPORARY: frozenset[RecordStatus] = frozenset(("refused", "away", "bogus"))


class Published(Struct, frozen=True):
    """What stands at `_dmarc.` + `domain`.

    `trouble` says that it cannot be known. Notes: "several-records" (none of them counts), "too-long", and
    "other-text" where there are TXT records but no DMARC record. `secure`: the answer came with DNSSEC.
    """

    domain: str
    record: DmarcRecord | None = None
    trouble: Trouble = ""
    secure: bool = False
    notes: tuple[Note, ...] = ()


class Discovered(Struct, frozen=True):
    """What discovery gave for a domain.

    `published` is where the record that applies stands, None where there is none; `organizational` the
    organizational domain; `asked` what was asked for, in order. `trouble` of one of those questions means that the
    rest is not to be relied on, unless `published` is the domain's own.
    """

    domain: str
    organizational: str
    published: Published | None = None
    asked: tuple[Published, ...] = ()
    trouble: Trouble = ""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was noted on the way."""
        return tuple(note for step in self.asked for note in step.notes)


def walked_names(domain: str) -> tuple[str, ...]:
    """The names that a tree walk asks for, at most eight, from the domain up. Source: RFC 9989 4.10."""
    labels = domain.split(".")
    keep = min(len(labels) - 1, _SHORTENED)
    return (domain, *(".".join(labels[-count:]) for count in range(keep, 0, -1)))


class Discovery:
    """Finds DMARC records for one message: each name is asked for once, and not more than `MOST_QUERIES`."""

    def __init__(self, resolver: RecordResolver, method: Method = "tree-walk") -> None:
        self._resolver = resolver
        self.method = method
        self._known: dict[str, Published] = {}
        self.queries = 0

    async def discover(self, domain: str) -> Discovered:
        """The record that applies to a domain (in A-labels), and its organizational domain. Raises nothing.

        Source: RFC 9989 4.10.1, 4.10.2; RFC 7489 6.6.3, 3.2.
        """
        name = dns_name(domain)
        if not name:
            return Discovered(domain, "", trouble="permerror")
        return await (self._walk(name) if self.method == "tree-walk" else self._listed(name))

    async def organizational(self, domain: str) -> tuple[str, Trouble]:
        """The organizational domain of a domain, and whether that is not to be relied on."""
        if self.method == "listed":
            return listed_domain(domain) or dns_name(domain), ""
        found = await self.discover(domain)
        return found.organizational, found.trouble

    async def exists(self, domain: str) -> bool:
        """Whether there is such a name; yes where that cannot be known. Source: RFC 9989 3.2.13, RFC 8020 2."""
        self.queries += 1
        return (await self._resolver.records(domain, "A")).status != "no-name"

    async def _walk(self, domain: str) -> Discovered:
        asked: list[Published] = []
        for name in walked_names(domain):
            asked.append(await self.published(name))
            record = asked[-1].record
            if asked[-1].trouble or (record and record.psd != "u"):
                break
        found = [step for step in asked if step.record]
        organizational = _chosen(domain, found)
        own = [step for step in found if step.domain == domain]
        applying = own or [step for step in found if step.domain == organizational] or found[-1:]
        return Discovered(domain, organizational, next(iter(applying), None), tuple(asked), asked[-1].trouble)

    async def _listed(self, domain: str) -> Discovered:
        organizational = listed_domain(domain) or domain
        asked = [await self.published(domain)]
        ambiguous = any(note.code == "several-records" for note in asked[0].notes)  # it ends there, RFC 7489 6.6.3
        if asked[0].record is None and not asked[0].trouble and organizational != domain and not ambiguous:
            asked.append(await self.published(organizational))
        found = next((step for step in asked if step.record), None)
        return Discovered(domain, organizational, found, tuple(asked), asked[-1].trouble)

    async def published(self, domain: str) -> Published:
        """What stands at `_dmarc.` + `domain`. Raises nothing."""
        if domain not in self._known:
            self._known[domain] = await self._asked(domain)
        return self._known[domain]

    async def _asked(self, domain: str) -> Published:
        name = f"_dmarc.{domain}"
        if len(name) > LONGEST_NAME:
            return Published(domain)
        if self.queries >= MOST_QUERIES:
            return Published(domain, trouble="permerror", notes=(Note("too-many-queries", domain[:40]),))
        self.queries += 1
        answer = await self._resolver.records(name, "TXT")
        if answer.status in _TEMPORARY:
            return Published(domain, trouble="temperror", notes=(Note(f"dns-{answer.status}", domain[:40]),))
        if answer.status == "bad":
            return Published(domain, trouble="permerror", notes=(Note("dns-bad", domain[:40]),))
        texts = [value for value in answer.values[:_MOST_RECORDS] if isinstance(value, bytes)]
        return _sifted(domain, texts, secure=answer.secure)


def _sifted(domain: str, texts: list[bytes], *, secure: bool) -> Published:
    read = [parse_dmarc(text) for text in texts]
    records = [record for record in read if isinstance(record, DmarcRecord)]
    too_long = any(isinstance(record, DmarcError) and record.code == "too-long" for record in read)
    if too_long:
        return Published(domain, trouble="permerror", secure=secure, notes=(Note("too-long", domain[:40]),))
    if len(records) > 1:
        return Published(domain, secure=secure, notes=(Note("several-records", domain[:40]),))
    if not records:
        return Published(domain, secure=secure, notes=(Note("other-text", domain[:40]),) if texts else ())
    return Published(domain, records[0], secure=secure)


def _chosen(start: str, found: list[Published]) -> str:
    """The organizational domain by the records found, which come from the longest name to the shortest.

    Source: RFC 9989 4.10.2.
    """
    for step in found:
        if step.record and step.record.psd == "n":
            return step.domain
        if step.record and step.record.psd == "y" and step.domain != start and is_below(start, step.domain):
            return ".".join(start.split(".")[-(step.domain.count(".") + 2) :])
    return found[-1].domain if found else start
