"""DMARC: does the author's domain stand behind this message, and what is to become of it if not (RFC 9989)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from msgspec import Struct

from sekisho.mailauth.dmarc_discovery import Discovered, Discovery, Method
from sekisho.mailauth.organizational import dns_name, is_below

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.ports import RecordResolver
    from sekisho.mailauth.dmarc_record import DmarcRecord, Note, Policy

DmarcOutcome: TypeAlias = Literal["pass", "fail", "none", "temperror", "permerror"]
Mode: TypeAlias = Literal["r", "s"]

_MOST_SIGNATURES = 50
_LOWER: dict[Policy, Policy] = {"reject": "quarantine", "quarantine": "none", "none": "none"}


class Authenticated(Protocol):
    """A domain with what came of checking it: an Identifier, or one signature's `dkim_result.DkimResult`."""

    @property
    def domain(self) -> str:
        """The domain that was checked."""

    @property
    def result(self) -> str:
        """What came of it."""


class Identifier(Struct, frozen=True):
    """A domain with its SPF or DKIM result, in the words of RFC 8601 2.7.

    For SPF the domain is that of the envelope's sender, also where a redirect led to another's record.
    """

    domain: str
    result: str


class DmarcResult(Struct, frozen=True):
    """What came of DMARC for a message.

    `result` is that of RFC 8601 2.7.7; `reason` says why: "aligned", "no-author", "several-authors", "bad-author",
    "no-record", "bad-record" (no valid policy and nowhere to report), "dns", "not-aligned", and "authentication-away"
    where SPF or DKIM gave temperror for a domain that would have counted. `policy` is what the domain owner asks for
    this domain, `disposition` what that leaves to do with this message: "none" unless it failed, one less in test
    mode (t=y; pct=0 of RFC 7489). `tag` is the policy's tag, "p", "sp" or "np". `spf` and `dkim` are the domains
    that passed and are aligned.
    """

    result: DmarcOutcome
    reason: str
    author: str = ""
    policy: Policy = "none"
    disposition: Policy = "none"
    tag: Literal["", "p", "sp", "np"] = ""
    record_domain: str = ""
    organizational: str = ""
    spf: str = ""
    dkim: tuple[str, ...] = ()
    testing: bool = False
    record: DmarcRecord | None = None
    secure: bool = False
    notes: tuple[Note, ...] = ()
    queries: int = 0


async def check_dmarc(
    authors: Sequence[str],
    spf: Identifier | None,
    signatures: Sequence[Authenticated],
    resolver: RecordResolver,
    method: Method = "tree-walk",
) -> DmarcResult:
    """Check a message by the domains of its From (as `author.author_domains` gives them). Raises nothing.

    `spf` is the result for the envelope's sender (RFC 9989 4.4.2: HELO only where that is empty). More than
    `MOST_QUERIES` questions are never asked. Source: RFC 9989 5.3, 4.4; RFC 7489 6.6.2.
    """
    names = tuple(dict.fromkeys(authors))
    if len(names) != 1 or not names[0]:
        return DmarcResult("none", "several-authors" if len(names) > 1 else "no-author")
    author = dns_name(names[0])
    if "." not in author:
        return DmarcResult("permerror", "bad-author", names[0])
    check = _Check(Discovery(resolver, method), spf=spf, signatures=signatures[:_MOST_SIGNATURES])
    return await check.result(author)


class _Check:
    def __init__(self, discovery: Discovery, spf: Identifier | None, signatures: Sequence[Authenticated]) -> None:
        self._discovery = discovery
        self._spf = spf
        self._signatures = signatures

    async def result(self, author: str) -> DmarcResult:
        found = await self._discovery.discover(author)
        own = found.published is not None and found.published.domain == author
        if found.trouble and not own:
            return self._without(found.trouble, "dns", found)
        if found.published is None or found.published.record is None:
            return self._without("none", "no-record", found)
        if not found.published.record.applies:
            return self._without("permerror", "bad-record", found)
        return await self._with_record(found, found.published.record)

    def _without(self, result: DmarcOutcome, reason: str, found: Discovered) -> DmarcResult:
        at = found.published
        return DmarcResult(
            result,
            reason,
            found.domain,
            record_domain=at.domain if at else "",
            organizational=found.organizational,
            record=at.record if at else None,
            notes=found.notes,
            queries=self._discovery.queries,
        )

    async def _with_record(self, found: Discovered, record: DmarcRecord) -> DmarcResult:
        spf, spf_away = await self._aligned([self._spf] if self._spf else [], record.aspf, found)
        dkim, dkim_away = await self._aligned(self._signatures, record.adkim, found)
        passed = bool(spf or dkim)
        away = not passed and (spf_away or dkim_away)
        at = found.published
        policy, tag = await self._policy(found, record)
        lowered = record.testing or (self._discovery.method == "listed" and record.pct == 0)
        wanted = _LOWER[policy] if lowered else policy
        return DmarcResult(
            "pass" if passed else "temperror" if away else "fail",
            "aligned" if passed else "authentication-away" if away else "not-aligned",
            found.domain,
            policy=policy,
            disposition="none" if passed or away else wanted,
            tag=tag,
            record_domain=at.domain if at else "",
            organizational=found.organizational,
            spf=next(iter(spf), ""),
            dkim=tuple(dkim),
            testing=record.testing,
            record=record,
            secure=at.secure if at else False,
            notes=(*record.notes, *found.notes),
            queries=self._discovery.queries,
        )

    async def _policy(self, found: Discovered, record: DmarcRecord) -> tuple[Policy, Literal["p", "sp", "np"]]:
        """The policy that applies, and its tag. Source: RFC 9989 4.10.1."""
        if found.published and found.published.domain == found.domain:
            return record.policy(subdomain=False), "p"
        # The author's domain is looked for only where that changes anything; RFC 7489 has no np=.
        asks = self._discovery.method == "tree-walk" and record.np is not None
        exists = not asks or await self._discovery.exists(found.domain)
        tag: Literal["p", "sp", "np"] = "np" if not exists else "sp" if record.sp else "p"
        return record.policy(subdomain=True, exists=exists), tag

    async def _aligned(
        self, identifiers: Sequence[Authenticated], mode: Mode, found: Discovered
    ) -> tuple[list[str], bool]:
        """The aligned domains that passed, each once, and whether of another one that cannot be told yet."""
        passed: list[str] = []
        away = False
        for identifier in identifiers:
            domain = dns_name(identifier.domain)
            counts = identifier.result in ("pass", "temperror") and domain not in passed
            aligned = await self._is_aligned(domain, mode, found) if domain and counts else False
            if aligned and identifier.result == "pass":
                passed.append(domain)
            else:
                away = away or aligned is not False
        return passed, away

    async def _is_aligned(self, domain: str, mode: Mode, found: Discovered) -> bool | None:
        """Whether a domain is aligned with the author's, None where the DNS does not say now.

        Source: RFC 9989 4.4.1, 4.4.2, 4.10.2.
        """
        if domain == found.domain or mode == "s":
            return domain == found.domain
        if found.trouble:
            # Whose organization has another last label but one may be told even so.
            related = is_below(domain, ".".join(found.domain.split(".")[-2:]))
            return None if related and found.trouble == "temperror" else False
        # Two names of one organization are both below it: for all others nothing needs to be asked.
        if not is_below(domain, found.organizational):
            return False
        organizational, trouble = await self._discovery.organizational(domain)
        if trouble:
            return None if trouble == "temperror" else False
        return organizational == found.organizational
