"""What a domain's record costs at most: the whole tree of it, as if no term matched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.mail.dns import Mx, Records, RecordType
from sekisho.mailauth.spf.budget import is_name
from sekisho.mailauth.spf.macros import Pieces, domain_name
from sekisho.mailauth.spf.record import Directive, SpfRecord, is_spf, parse_record
from sekisho.mailauth.spf.result import Branch, Step

if TYPE_CHECKING:
    from sekisho.mail.ports import RecordResolver

_ABSENT = frozenset(("no-data", "no-name"))
_MOST_STEPS = 200
_MOST_QUESTIONS = 150
_DEEPEST = 12
_ASKING = frozenset(("include", "a", "mx", "ptr", "exists"))


class Survey(Struct, frozen=True):
    """`tree` has every term that asks, with what it costs with all below; `lookups` and `void_lookups` are the sums.

    Void is a term whose name has neither A nor AAAA, or no MX. Terms with macros cost their lookup and are not looked
    into. `complete`: everything was looked at, and the DNS answered.
    """

    tree: Branch
    lookups: int
    void_lookups: int
    complete: bool


async def survey(domain: str, resolver: RecordResolver) -> Survey:
    """Walk the tree of a domain's record, in bounded steps. Never raises. Source: RFC 7208 4.6.4."""
    walk = _Walk(resolver)
    tree = Branch(domain.lower().rstrip("."))
    await walk.branch(tree, ())
    return Survey(tree, sum(s.lookups for s in tree.steps), sum(s.void_lookups for s in tree.steps), walk.complete)


class _Walk:
    def __init__(self, resolver: RecordResolver) -> None:
        self.complete = True
        self._resolver = resolver
        self._questions = 0
        self._steps = 0

    async def branch(self, branch: Branch, above: tuple[str, ...]) -> None:
        """Read a domain's record and go on with what it leads to."""
        record = await self._record(branch)
        if record is None:
            return
        branch.record, branch.result = record.octets, "permerror" if record.flaws else "neutral"
        for directive in record.directives:
            if directive.name in _ASKING and not await self._step(branch, directive, above):
                return
        ends = any(directive.name == "all" for directive in record.directives)
        if record.redirect and not ends:
            step = Step(record.redirect.text, lookups=1)
            branch.steps.append(step)
            await self._below(step, record.redirect.value, (*above, branch.domain))

    async def _step(self, branch: Branch, directive: Directive, above: tuple[str, ...]) -> bool:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            self.complete = False
            return False
        step = Step(directive.text, lookups=1)
        branch.steps.append(step)
        if directive.name == "include" and directive.domain:
            await self._below(step, directive.domain, (*above, branch.domain))
        elif directive.name in ("a", "mx"):
            step.asked = branch.domain if directive.domain is None else literal_domain(directive.domain)
            if step.asked:
                await self._void(step, directive.name)
        return True

    async def _below(self, step: Step, pieces: Pieces, above: tuple[str, ...]) -> None:
        step.asked = literal_domain(pieces)
        if not step.asked:
            return
        step.below = Branch(step.asked)
        if step.asked in above or len(above) > _DEEPEST:
            step.outcome, step.below.result = "error", "permerror"  # a loop
            return
        await self.branch(step.below, above)
        step.outcome = "error" if step.below.result != "neutral" else "no-match"
        step.lookups += sum(one.lookups for one in step.below.steps)
        step.void_lookups += sum(one.void_lookups for one in step.below.steps)

    async def _void(self, step: Step, name: str) -> None:
        if name == "mx":
            answer = await self._ask(step.asked, "MX")
            there = answer.status not in _ABSENT and any(isinstance(one, Mx) and one.host for one in answer.values)
        else:
            answer = await self._ask(step.asked, "A")
            there = answer.status not in _ABSENT or (await self._ask(step.asked, "AAAA")).status not in _ABSENT
        if not there and answer.status in (*_ABSENT, "found"):
            step.void_lookups = 1

    async def _record(self, branch: Branch) -> SpfRecord | None:
        answer = await self._ask(branch.domain, "TXT")
        if answer.status not in (*_ABSENT, "found"):
            branch.result = "temperror"
            return None
        found = [text for text in answer.values if isinstance(text, bytes) and is_spf(text)]
        if len(found) > 1:
            branch.result = "permerror"
        return parse_record(found[0]) if len(found) == 1 else None

    async def _ask(self, name: str, kind: RecordType) -> Records:
        self._questions += 1
        if self._questions > _MOST_QUESTIONS:
            self.complete = False
            return Records("away")
        answer = await self._resolver.records(name, kind) if is_name(name) else Records("no-name")
        if answer.status not in (*_ABSENT, "found"):
            self.complete = False
        return answer


def literal_domain(pieces: Pieces) -> str:
    """The name that pieces without macros stand for, "" where there are macros."""
    texts = [piece for piece in pieces if isinstance(piece, str)]
    return domain_name("".join(texts)) if len(texts) == len(pieces) else ""
