"""check_host(): may this host use this domain? (RFC 7208 4)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sekisho.mailauth.author import ascii_domain
from sekisho.mailauth.spf.budget import Budget, Limits, StoppedError
from sekisho.mailauth.spf.expanding import Expander, Query, explained
from sekisho.mailauth.spf.record import Directive, SpfRecord, is_spf, parse_record
from sekisho.mailauth.spf.result import Branch, Reason, SpfCode, SpfResult, Step
from sekisho.mailauth.spf.target import Targets

if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.mail.address import IpAddress
    from sekisho.mail.ports import RecordResolver
    from sekisho.mailauth.spf.macros import Pieces

_RESULTS: dict[str, SpfCode] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_LONGEST_LABEL = 63
_LONGEST_NAME = 253
_MOST_TEXT = 1_000  # characters of a sender or a HELO name


class SpfQuery(Struct, frozen=True):
    """A message's delivery: the client's address (IPv4-mapped ones unwrapped), what it said, and who received it.

    `mail_from` is "" for the null reverse-path. Both may have U-labels.
    """

    client_ip: IpAddress
    mail_from: str
    helo: str = ""
    receiver: str = ""


async def check_sender(
    query: SpfQuery,
    resolver: RecordResolver,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    clock: Callable[[], float] = time.monotonic,
) -> SpfResult:
    """Check the MAIL FROM identity, that of HELO where the reverse-path is null. Never raises.

    Takes `limits.seconds` and one more question at most. Source: RFC 7208 2.4, 4.
    """
    if not query.mail_from:
        return await check_helo(query, resolver, limits, clock)
    local, at, domain = query.mail_from.rpartition("@")
    return await _check(query, local or "postmaster", domain if at else query.mail_from, "mailfrom",
                        Budget(resolver, limits, clock))  # fmt: skip


async def check_helo(
    query: SpfQuery,
    resolver: RecordResolver,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    clock: Callable[[], float] = time.monotonic,
) -> SpfResult:
    """Check the name that the client gave itself. Never raises. Source: RFC 7208 2.3."""
    return await _check(query, "postmaster", query.helo, "helo", Budget(resolver, limits, clock))


async def _check(
    query: SpfQuery, local: str, domain: str, identity: Literal["mailfrom", "helo"], budget: Budget
) -> SpfResult:
    name = ascii_domain(domain[: _MOST_TEXT + 1])
    if not _is_checkable(name) or len(local) > _MOST_TEXT:
        return SpfResult("none", name, identity, reason="bad-domain")  # RFC 7208 4.3
    helo = ascii_domain(query.helo[:_MOST_TEXT])
    run = _Run(Query(query.client_ip, local, name, helo, query.receiver, int(time.time())), budget)
    trace = Branch(name)
    try:
        await run.host(name, trace)
        reason = run.reason
    except StoppedError as stop:
        trace.result, reason, run.mechanism = stop.result, stop.reason, run.mechanism or stop.term
    explanation = ""
    if trace.result == "fail" and run.explaining:
        explanation = await explained(run.expander, run.explaining)
    return SpfResult(trace.result, run.domain, identity, run.mechanism, budget.lookups, budget.void_lookups,
                     explanation, reason, trace)  # fmt: skip


def _is_checkable(domain: str) -> bool:
    """Whether it is a name of two labels or more. Source: RFC 7208 4.3."""
    labels = domain.split(".")
    return (
        len(domain) <= _LONGEST_NAME
        and len(labels) > 1
        and all(0 < len(label) <= _LONGEST_LABEL for label in labels)
        and not domain.startswith("[")
        and domain.isascii()
    )


class _Run:
    """One evaluation. What it ends with: the result in the branch, and the mechanism and domain that gave it."""

    def __init__(self, query: Query, budget: Budget) -> None:
        self.mechanism = ""
        self.reason: Reason = ""
        self.domain = query.domain
        self.explaining: tuple[Pieces, str] | None = None
        self.expander = Expander(query, budget)
        self._targets = Targets(query.client_ip, self.expander, budget)
        self._budget = budget
        self._open: list[str] = []

    async def host(self, domain: str, branch: Branch, *, included: bool = False) -> None:
        """Evaluate a domain's record into the branch. Raises StoppedError for every error."""
        record = await self._record(domain)
        if record is None:
            if not included:
                self.reason, self.domain = "no-record", domain
            return
        branch.record, branch.result = record.octets, "neutral"
        if record.flaws:
            raise _stopped_by_syntax(record)
        if domain in self._open:
            raise StoppedError("permerror", "loop")
        self._open.append(domain)
        await self._evaluate(record, domain, branch, included=included)
        self._open.pop()

    async def _evaluate(self, record: SpfRecord, domain: str, branch: Branch, *, included: bool) -> None:
        for directive in record.directives:
            step = Step(directive.text)
            branch.steps.append(step)
            before = self._budget.lookups, self._budget.void_lookups
            try:
                matched = await self._matches(directive, domain, step)
            except StoppedError as stop:
                step.outcome = "error"
                stop.term = directive.text
                branch.result = stop.result
                raise
            finally:
                step.lookups = self._budget.lookups - before[0]
                step.void_lookups = self._budget.void_lookups - before[1]
            if matched:
                step.outcome = "match"
                branch.result = _RESULTS[directive.qualifier]
                if not included:
                    self.mechanism, self.domain = directive.text, domain
                    self.explaining = (record.explanation.value, domain) if record.explanation else None
                return
        await self._after_all(record, domain, branch, included=included)

    async def _after_all(self, record: SpfRecord, domain: str, branch: Branch, *, included: bool) -> None:
        """No directive matched: a redirect, else neutral. Source: RFC 7208 4.7, 6.1."""
        if record.redirect is None or any(directive.name == "all" for directive in record.directives):
            if not included:
                self.mechanism, self.domain = "default", domain
            return
        step = Step(record.redirect.text, outcome="error")
        branch.steps.append(step)
        before = self._budget.lookups, self._budget.void_lookups
        try:
            branch.result = await self._redirected(record.redirect.value, domain, step, included=included)
            step.outcome = "match"
        except StoppedError as stop:
            stop.term = stop.term or step.text
            branch.result = stop.result
            raise
        finally:
            step.lookups = self._budget.lookups - before[0]
            step.void_lookups = self._budget.void_lookups - before[1]

    async def _redirected(self, value: Pieces, domain: str, step: Step, *, included: bool) -> SpfCode:
        self._budget.count_lookup()
        below = await self._below(value, domain, step, included=included)
        if below.result == "none":
            raise StoppedError("permerror", "redirect-none")
        return below.result

    async def _below(self, value: Pieces, domain: str, step: Step, *, included: bool) -> Branch:
        step.asked = await self.expander.name(value, domain)
        step.below = Branch(step.asked)
        try:
            await self.host(step.asked, step.below, included=included)
        except StoppedError as stop:
            step.below.result = stop.result
            raise
        return step.below

    async def _matches(self, directive: Directive, domain: str, step: Step) -> bool:
        if directive.name == "include" and directive.domain is not None:
            self._budget.count_lookup()
            below = await self._below(directive.domain, domain, step, included=True)
            if below.result == "none":
                raise StoppedError("permerror", "include-none")  # RFC 7208 5.2
            return below.result == "pass"
        return await self._targets.matches(directive, domain, step)

    async def _record(self, domain: str) -> SpfRecord | None:
        """The domain's one record, None where it has none. Source: RFC 7208 4.4, 4.5."""
        texts = await self._budget.ask(domain, "TXT", void=False)
        found = [text for text in texts if isinstance(text, bytes) and is_spf(text)]
        if len(found) > 1:
            raise StoppedError("permerror", "several-records")
        return parse_record(found[0]) if found else None


def _stopped_by_syntax(record: SpfRecord) -> StoppedError:
    flaw = record.flaws[0]
    text = record.octets.decode("ascii", "replace")
    start = text.rfind(" ", 0, flaw.offset) + 1
    return StoppedError("permerror", "syntax", text[start : flaw.offset + flaw.length])
