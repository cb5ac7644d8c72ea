"""A tenant's policy and its decision: first match wins per recipient, the strictest verdict binds the message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from sekisho.decide.match import NOBODY, Facts, Party
from sekisho.decide.rule import DEFAULT, FAILED, INSPECTION_FAILED, Rule, modifications_for
from sekisho.decide.settle import Draft, settle
from sekisho.mail.finding import Finding
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import Redact, Verdict


class Policy(Struct, frozen=True, eq=False):
    """The compiled rules that hold for one tenant, in the order they are tried.

    The last two are always "inspection-failed" and "default". `quiet` are those that can match a message without
    findings; `floor_levels` the levels above the tenant's own that have a floor rule.
    """

    tenant: str
    rules: tuple[Rule, ...]
    quiet: tuple[Rule, ...]
    floor_levels: tuple[int, ...]

    @classmethod
    def of(cls, tenant: str, rules: Iterable[Rule]) -> Policy:
        """A policy of these rules, in order."""
        rules = (*rules, INSPECTION_FAILED, DEFAULT)
        quiet = tuple(r for r in rules if r.when is None or not r.when.needs_findings)
        return cls(tenant, rules, quiet, tuple(sorted({r.level for r in rules if r.floor and r.level > 0})))


def decide(policy: Policy, transaction: Transaction, findings: Sequence[Finding]) -> tuple[Verdict, ...]:
    """The verdicts for a transaction: one for each distinct outcome, in the order of their first recipients.

    Never empty: a transaction without recipients gets the one verdict that a recipient outside would get, with no
    recipients. Pure.
    """
    return decide_on(policy, Facts.of(transaction, findings))


def decide_on(policy: Policy, facts: Facts) -> tuple[Verdict, ...]:
    """As `decide`, from the facts alone."""
    recipients = facts.envelope.recipients
    return tuple([draft.verdict(recipients) for draft in settle(Search.of(policy, facts).drafts())])


class Match(Struct, frozen=True, eq=False):
    """A rule that fits the message, with the findings it matched; whether it fits a recipient is asked each time."""

    rule: Rule
    findings: tuple[Finding, ...]
    decides: bool


Path = tuple[Match, ...]


class Decision(Struct, frozen=True, eq=False):
    """What was decided for a recipient before the recipients are settled with each other.

    `path` are the rules that matched, in order, up to the first that decides; `decider` is the one that counts:
    another than the last of `path` where a failed inspection or a floor stands above it.
    """

    path: Path
    decider: Match

    def draft(self) -> Draft:
        """The decision as a verdict without recipients."""
        rule = self.decider.rule
        added = [m for m in self.path if not m.decides and not m.rule.monitor]
        sources = [*added, self.decider]
        return Draft(
            Verdict(
                (),
                rule.then.disposition,
                rule.name,
                tuple(dict.fromkeys((*self.decider.findings, *_masked(added)))),
                rule.then.hold,
                rule.then.reply,
                tuple(dict.fromkeys(change for m in sources for change in modifications_for(m.rule, m.findings))),
                tuple(dict.fromkeys(n for m in sources for n in m.rule.then.notify)),
                rule.split,
                (),
                next((m.rule.then.incident for m in reversed(sources) if m.rule.then.incident), None),
                any(m.rule.then.log for m in sources),
            ),
            [],
            {f"{m.rule.name}: {m.rule.then.disposition.word}": None for m in self.path if m.rule.monitor},
        )


class Search(Struct, frozen=True, eq=False):
    """The rules that fit one message, asked for each of its recipients.

    `failed` are the findings of inspections that could not be made, `naming` the rules that ask for them by name and
    decide; `floors` are the levels with a floor rule that fits.
    """

    facts: Facts
    matches: Path
    failed: tuple[Finding, ...]
    naming: Path
    floors: tuple[int, ...]

    @classmethod
    def of(cls, policy: Policy, facts: Facts) -> Search:
        """Try every rule on the message."""
        matches: list[Match] = []
        for rule in policy.rules if facts.findings else policy.quiet:
            found = rule.matched(facts)
            if found is not None:
                matches.append(Match(rule, found, rule.decides))
        failed: tuple[Finding, ...] = ()
        naming: Path = ()
        if facts.findings:
            failed = tuple(f for i, found in facts.findings_by_id.items() if i.startswith(FAILED) for f in found)
        if failed:
            naming = tuple(m for m in matches if m.decides and m.rule.names_failed)
        floors = policy.floor_levels
        if floors:
            floors = tuple(sorted({m.rule.level for m in matches if m.rule.floor and m.rule.level > 0}))
        return cls(facts, tuple(matches), failed, naming, floors)

    def drafts(self) -> list[Draft]:
        """The distinct outcomes, in the order of their first recipients."""
        if all(m.rule.to is None for m in self.matches):
            draft = self.decision(None).draft()
            draft.positions = list(range(len(self.facts.envelope.recipients)))
            return [draft]
        by_paths: dict[tuple[Path, ...], Draft] = {}
        by_outcome: dict[Verdict, Draft] = {}
        for position, party in enumerate(self.facts.parties):
            paths = self.paths(party)
            if paths not in by_paths:
                made = self.decision(party).draft()
                draft = by_paths[paths] = by_outcome.setdefault(made.decided, made)
                draft.would_have |= made.would_have
            if party is not NOBODY:
                by_paths[paths].positions.append(position)
        return list(by_outcome.values())

    def paths(self, party: Party) -> tuple[Path, ...]:
        """Everything that `decision` can depend on for a recipient: those with equal paths are decided once."""
        paths = [self.path(party), *(self.path(party, level) for level in self.floors)]
        if self.failed:
            paths.append(tuple(m for m in self.naming if m.rule.fits(party)))
        return tuple(paths)

    def path(self, party: Party | None, level: int = 0) -> Path:
        """The rules of this level and above that match a recipient, up to the first that decides.

        `party` None: no rule that fits the message looks at recipients.
        """
        path: list[Match] = []
        for match in self.matches:
            rule = match.rule
            if rule.level >= level and (rule.to is None or party is None or rule.to.holds(party)):
                path.append(match)
                if match.decides:
                    break
        return tuple(path)

    def decision(self, party: Party | None) -> Decision:
        """First match, then failed inspections that it does not cover, then the floors above the tenant."""
        path = self.path(party)
        decider = self._covering(path[-1], party)
        for level in self.floors:
            least = self.path(party, level)[-1]
            if least.rule.floor and least.rule.strictness > decider.rule.strictness:
                decider = least
        return Decision(path, decider)

    def _covering(self, first: Match, party: Party | None) -> Match:
        """`first`, unless it lets a message go whose failed inspections it does not name.

        Then the search goes on among the rules that name them; the built-in "inspection-failed" is the last.
        """
        uncovered = _uncovered(first, self.failed)
        if not uncovered or not first.rule.then.lets_go:
            return first
        for match in self.naming:
            rule = match.rule
            if match is first or not rule.fits(party):
                continue
            found = rule.matched(self.facts.limited_to(tuple(self._without_covered(uncovered))))
            if found is None:
                continue
            again = Match(rule, found, decides=True)
            if not rule.then.lets_go:
                return again
            uncovered = _uncovered(again, uncovered)
            if not uncovered:
                break
        return first

    def _without_covered(self, uncovered: tuple[Finding, ...]) -> Iterator[Finding]:
        open_ = set(uncovered)
        return (f for f in self.facts.findings if f in open_ or not f.rule.startswith(FAILED))


def _masked(added: Iterable[Match]) -> Iterator[Finding]:
    """What rules that add a redaction matched: the sender is to read what of it was masked."""
    return (f for m in added if any(isinstance(c, Redact) for c in m.rule.then.modifications) for f in m.findings)


def _uncovered(match: Match, failed: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The failed inspections that a matching rule does not cover by name."""
    if not failed or not match.rule.names_failed:
        return failed
    found = set(match.findings)
    return tuple(f for f in failed if f not in found or not match.rule.names(f.rule))
