"""Flattening: a record that asks nobody, from one that asks many. It is right only until an input changes."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sekisho.mail.dns import Mx, RecordType, Tlsa
from sekisho.mailauth.spf.budget import address_number, is_name
from sekisho.mailauth.spf.flat_text import Run, written
from sekisho.mailauth.spf.record import Directive, SpfRecord, is_spf, parse_record
from sekisho.mailauth.spf.survey import literal_domain

if TYPE_CHECKING:
    from sekisho.mail.address import IpNetwork
    from sekisho.mail.ports import RecordResolver

Problem = Literal["", "no-record", "several-records", "syntax", "dns", "too-much", "too-long"]

_ABSENT = frozenset(("no-data", "no-name"))
_MOST_QUESTIONS = 200
_MOST_NETWORKS = 5_000
_DEEPEST = 10
_ALLS = frozenset(("all", "+all", "-all", "~all", "?all"))
_MOST_LOOKUPS = 10  # RFC 7208 4.6.4


class Input(Struct, frozen=True, order=True):
    """One answer of the DNS that a flattened record was made of; the values as text, sorted."""

    name: str
    kind: RecordType
    values: tuple[str, ...]


class Published(Struct, frozen=True):
    """A TXT record to publish: the name, and the text in one piece (`quoted` cuts it into strings)."""

    name: str
    text: str


class Flattened(Struct, frozen=True):
    """The records to publish, the domain's own first; () where there is a problem.

    `kept` are terms that cannot be flattened (macros, exists, ptr, includes with exceptions); they stay as they are.
    `lookups` is what the new record costs at most, apart from what kept includes cost below.
    """

    domain: str
    problem: Problem = ""
    records: tuple[Published, ...] = ()
    kept: tuple[str, ...] = ()
    networks: int = 0
    lookups: int = 0
    inputs: tuple[Input, ...] = ()


async def flatten(domain: str, resolver: RecordResolver, prefix: str = "_spf") -> Flattened:
    """Flatten a domain's record; further ones are called `_spf1.DOMAIN` and so on. Bounded; never raises.

    Where a question fails nothing is given, for a record that lacks something loses mail.
    """
    name = domain.lower().rstrip(".")
    work = _Flattening(resolver)
    try:
        runs, modifiers = await work.top(name)
    except _ProblemError as error:
        return Flattened(name, error.problem, inputs=work.seen())
    texts = written(runs, modifiers, name, prefix)
    if texts is None:
        return Flattened(name, "too-long", inputs=work.seen())
    kept = tuple(run.kept for run in runs if run.kept and run.kept not in _ALLS)
    lookups = _asking(texts[0][1])
    if lookups > _MOST_LOOKUPS:
        return Flattened(name, "too-long", kept=kept, inputs=work.seen())
    records = tuple(Published(*one) for one in texts)
    return Flattened(name, "", records, kept, sum(len(run.networks) for run in runs), lookups, work.seen())


def changed(before: tuple[Input, ...], after: tuple[Input, ...]) -> tuple[tuple[str, RecordType], ...]:
    """The questions that are answered otherwise, or that only one of the two has asked, in order."""
    old, new = ({(one.name, one.kind): one.values for one in inputs} for inputs in (before, after))
    return tuple(key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key))


def _asking(text: str) -> int:
    """The terms of a record that ask the DNS."""
    record = parse_record(text.encode())
    asking = sum(one.name not in ("all", "ip4", "ip6") for one in record.directives)
    return asking + (record.redirect is not None)


class _ProblemError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class _UnflattenableError(Exception):
    """A term means more than a list of networks."""


class _Flattening:
    def __init__(self, resolver: RecordResolver) -> None:
        self._resolver = resolver
        self._inputs: dict[tuple[str, RecordType], Input] = {}
        self._answers: dict[tuple[str, RecordType], tuple[str | bytes | Mx | Tlsa, ...]] = {}
        self._networks = 0

    def seen(self) -> tuple[Input, ...]:
        """Every answer that mattered."""
        return tuple(sorted(self._inputs.values()))

    async def top(self, domain: str) -> tuple[list[Run], list[str]]:
        """The domain's own record as runs of networks and kept terms, and its modifiers."""
        record = await self._record(domain)
        if record is None:
            raise _ProblemError("no-record")
        runs = await self._runs(record, domain)
        modifiers = [one.text for one in (record.explanation, *record.unknown) if one]
        if record.redirect and not any(one.name == "all" for one in record.directives):
            target = await self._redirect(literal_domain(record.redirect.value))
            if target is None:
                modifiers.append(record.redirect.text)
            else:
                runs += target
        return _merged(runs), modifiers

    async def _redirect(self, domain: str) -> list[Run] | None:
        """What a redirect leads to, where it can stand in its place."""
        record = await self._record(domain) if domain else None
        if record is None or record.redirect or record.explanation:
            return None
        runs = await self._runs(record, domain)
        return None if any(run.kept and run.kept not in _ALLS for run in runs) else runs

    async def _runs(self, record: SpfRecord, domain: str) -> list[Run]:
        runs = []
        for directive in record.directives:
            if directive.name == "all":
                runs.append(Run(kept=directive.text.lower()))
                break
            try:
                networks = await self._of(directive, domain, ())
                runs.append(Run(directive.qualifier, tuple(networks)))
            except _UnflattenableError:
                runs.append(Run(kept=directive.text))
        return runs

    async def _of(self, directive: Directive, domain: str, above: tuple[str, ...]) -> list[IpNetwork]:
        """The networks of one directive. Raises _UnflattenableError, _ProblemError."""
        if directive.name == "ip4":
            return self._counted([IPv4Network((directive.network, directive.prefix4))])
        if directive.name == "ip6":
            return self._counted([IPv6Network((directive.network, directive.prefix6))])
        target = domain if directive.domain is None else literal_domain(directive.domain)
        if directive.name in ("exists", "ptr") or not target:
            raise _UnflattenableError
        if directive.name == "include":
            return await self._included(target, above)
        hosts = [target]
        if directive.name == "mx":
            hosts = [one.host for one in await self._ask(target, "MX") if isinstance(one, Mx) and one.host]
        return self._counted([network for host in hosts for network in await self._addresses(host, directive)])

    async def _included(self, domain: str, above: tuple[str, ...]) -> list[IpNetwork]:
        """The networks that pass an included record, where that is all there is to it. Source: RFC 7208 5.2."""
        if domain in above or len(above) >= _DEEPEST:
            raise _ProblemError("syntax")
        record = await self._record(domain)
        if record is None:
            raise _ProblemError("no-record")
        networks: list[IpNetwork] = []
        for directive in record.directives:
            if directive.name == "all":
                if directive.qualifier == "+":
                    raise _UnflattenableError
                return networks
            if directive.qualifier != "+":
                raise _UnflattenableError
            networks += await self._of(directive, domain, (*above, domain))
        if record.redirect:
            target = literal_domain(record.redirect.value)
            if not target:
                raise _UnflattenableError
            networks += await self._included(target, (*above, domain))
        return networks

    async def _addresses(self, host: str, directive: Directive) -> list[IpNetwork]:
        found: list[IpNetwork] = []
        for value in await self._ask(host, "A"):
            number = address_number(value) if isinstance(value, str) else -1
            if 0 <= number < 2**32:
                found.append(IPv4Network((number, directive.prefix4), strict=False))
        for value in await self._ask(host, "AAAA"):
            number = address_number(value) if isinstance(value, str) else -1
            if number >= 0:
                found.append(IPv6Network((number, directive.prefix6), strict=False))
        return found

    def _counted(self, networks: list[IpNetwork]) -> list[IpNetwork]:
        self._networks += len(networks)
        if self._networks > _MOST_NETWORKS:
            raise _ProblemError("too-much")
        return networks

    async def _record(self, domain: str) -> SpfRecord | None:
        found = [text for text in await self._ask(domain, "TXT") if isinstance(text, bytes)]
        if len(found) > 1:
            raise _ProblemError("several-records")
        record = parse_record(found[0]) if found else None
        if record and record.flaws:
            raise _ProblemError("syntax")
        return record

    async def _ask(self, name: str, kind: RecordType) -> tuple[str | bytes | Mx | Tlsa, ...]:
        key = (name, kind)
        if key not in self._answers:
            if len(self._answers) >= _MOST_QUESTIONS:
                raise _ProblemError("too-much")
            if not is_name(name):
                raise _ProblemError("syntax")
            answer = await self._resolver.records(name, kind)
            if answer.status not in (*_ABSENT, "found"):
                raise _ProblemError("dns")
            values = answer.values
            if kind == "TXT":  # of the others at this name nothing depends
                values = tuple(text for text in values if isinstance(text, bytes) and is_spf(text))
            self._answers[key] = values
            self._inputs[key] = Input(name, kind, tuple(sorted(map(_as_text, values))))
        return self._answers[key]


def _as_text(value: str | bytes | Mx | Tlsa) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii", "backslashreplace")
    return f"{value.preference} {value.host}" if isinstance(value, Mx) else str(value)


def _merged(runs: list[Run]) -> list[Run]:
    """Neighbours of one qualifier as one run, its networks collapsed."""
    merged: list[Run] = []
    for run in runs:
        last = merged[-1] if merged else None
        if last and not last.kept and not run.kept and last.qualifier == run.qualifier:
            merged[-1] = Run(run.qualifier, last.networks + run.networks)
        else:
            merged.append(run)
    return [run if run.kept else Run(run.qualifier, _collapsed(run.networks)) for run in merged]


def _collapsed(networks: tuple[IpNetwork, ...]) -> tuple[IpNetwork, ...]:
    four = collapse_addresses(one for one in networks if isinstance(one, IPv4Network))
    six = collapse_addresses(one for one in networks if isinstance(one, IPv6Network))
    return (*four, *six)
