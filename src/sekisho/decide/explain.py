"""Why a message gets its verdict: each rule for each recipient, matched or not, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from sekisho.decide.match import Facts, Party
from sekisho.decide.names import plain
from sekisho.decide.policy import Decision, Policy, Search, decide_on
from sekisho.decide.rule import INSPECTION_FAILED, Rule
from sekisho.mail.finding import Finding
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import Disposition, Hold, Redact, Verdict, strictest

Effect = Literal["decides", "adds", "monitored", "overruled", "not reached", "no match"]

_SHOWN = 10


class RuleStory(Struct, frozen=True):
    """What became of one rule for one recipient.

    `effect`: "decides"; "adds" its modifications and notices; "monitored": would have; "overruled": it was the first
    match, but a floor or a failed inspection stood above it; "not reached": it fits, but an earlier rule
    decided; "no match": `why` says why not, condition by condition.
    """

    rule: str
    file: str
    line: int
    effect: Effect
    why: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def matched(self) -> bool:
        """Whether all its conditions hold."""
        return self.effect != "no match"

    def to_json(self) -> dict[str, object]:
        """For `policy explain --json`."""
        return {
            "rule": self.rule,
            "file": self.file,
            "line": self.line,
            "matched": self.matched,
            "effect": self.effect,
            "why": list(self.why),
            "findings": list(dict.fromkeys(f.rule for f in self.findings)),
        }


class RecipientStory(Struct, frozen=True):
    """All rules for one recipient; what it would get by itself (`own_…`) and what it gets (`verdict`)."""

    recipient: str
    rules: tuple[RuleStory, ...]
    own_rule: str
    own_disposition: Disposition
    own_hold: Hold | None
    verdict: Verdict

    @property
    def bound(self) -> bool:
        """Whether another recipient's stricter verdict counts here."""
        own = (self.own_rule, self.own_disposition)
        return own != (self.verdict.policy_rule, self.verdict.disposition)

    def to_json(self) -> dict[str, object]:
        """For `policy explain --json`."""
        return {
            "rcpt_to": self.recipient,
            "disposition": self.verdict.disposition.word,
            "hold": self.verdict.hold.kind if self.verdict.hold else None,
            "policy_rule": self.verdict.policy_rule,
            "own": {
                "disposition": self.own_disposition.word,
                "hold": self.own_hold.kind if self.own_hold else None,
                "policy_rule": self.own_rule,
            },
            "would_have": list(self.verdict.would_have),
            "rules": [story.to_json() for story in self.rules],
        }


class Explanation(Struct, frozen=True):
    """The whole story of a decision."""

    tenant: str
    verdicts: tuple[Verdict, ...]
    recipients: tuple[RecipientStory, ...]

    def to_json(self) -> dict[str, object]:
        """One JSON-able object."""
        top = strictest(self.verdicts)
        return {
            "tenant": self.tenant,
            "disposition": top.disposition.word,
            "hold": top.hold.kind if top.hold else None,
            "policy_rule": top.policy_rule,
            "recipients": [story.to_json() for story in self.recipients],
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for story in self.recipients:
            verdict = story.verdict
            who = plain(story.recipient) or "(no recipient)"
            yield f"{who}: {_done(verdict.disposition, verdict.hold)} by rule {verdict.policy_rule}"
            for rule in story.rules:
                place = f" ({rule.file}:{rule.line})" if rule.file else ""
                yield f"  {rule.effect:<11} {rule.rule}{place}"
                yield from (f"              {line}" for line in rule.why)
            if story.bound:
                own = _done(story.own_disposition, story.own_hold)
                yield f"  by itself it would be: {own} by rule {story.own_rule}; the strictest recipient binds all"


def explain(policy: Policy, transaction: Transaction, findings: Sequence[Finding]) -> Explanation:
    """The story of `decide` for the same arguments, told rule by rule for each recipient. Never raises."""
    facts = Facts.of(transaction, findings)
    verdicts = decide_on(policy, facts)
    by_recipient = {address: verdict for verdict in verdicts for address in verdict.recipients}
    search = Search.of(policy, facts)
    stories = []
    for party in facts.parties:
        decision = search.decision(party)
        decided = decision.decider.rule
        stories.append(
            RecipientStory(
                party.address,
                tuple(_story(rule, decision, facts, party) for rule in policy.rules),
                decided.name,
                decided.then.disposition,
                decided.then.hold,
                by_recipient.get(party.address, verdicts[0]),
            )
        )
    return Explanation(policy.tenant, verdicts, tuple(stories))


def _story(rule: Rule, decision: Decision, facts: Facts, party: Party) -> RuleStory:
    why_not = tuple(rule.tell(facts, party))
    if why_not:
        return RuleStory(rule.name, rule.file, rule.line, "no match", why_not, ())
    effect = _effect(rule, decision)
    findings = rule.matched(facts) or ()
    return RuleStory(rule.name, rule.file, rule.line, effect, tuple(_why(rule, effect, decision, findings)), findings)


def _effect(rule: Rule, decision: Decision) -> Effect:
    first = decision.path[-1].rule
    if rule is decision.decider.rule:
        return "decides"
    if rule is first:
        return "overruled"
    if all(match.rule is not rule for match in decision.path):
        return "not reached"
    return "monitored" if rule.monitor else "adds"


def _why(rule: Rule, effect: Effect, decision: Decision, findings: tuple[Finding, ...]) -> Iterator[str]:
    """What there is to say about a rule that fits."""
    for finding in findings[:_SHOWN]:
        part = f" in part {finding.part}" if finding.part else ""
        yield (
            f"{plain(finding.rule)}: severity {finding.severity.word}, confidence {finding.confidence:.4g}, "
            f"seen {finding.count} times, {finding.where}{part}"
        )
    if len(findings) > _SHOWN:
        yield f"and {len(findings) - _SHOWN} more findings"
    if effect in ("decides", "adds") and any(isinstance(m, Redact) for m in rule.then.modifications):
        yield "redacts what was found; what cannot be masked is held for approval"
    decider, first = decision.decider.rule, decision.path[-1].rule
    if effect == "monitored":
        yield f"would have: {_done(rule.then.disposition, rule.then.hold)}"
    elif effect == "not reached":
        yield f"{first.name} had decided"
    elif effect == "overruled":
        floor = decider.floor and decider.level > 0
        yield (
            f"{decider.name} is a floor" if floor else f"it does not name the failed inspection; {decider.name} does"
        )
    elif effect == "decides" and decider is not first and decider is INSPECTION_FAILED:
        yield "no rule that names the failed inspection lets the message go"


def _done(disposition: Disposition, hold: Hold | None) -> str:
    return disposition.word + (f" ({hold.kind})" if hold else "")
