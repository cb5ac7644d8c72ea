"""A changed policy over recorded findings: what would have happened, before it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sekisho.decide.match import Facts
from sekisho.decide.policy import Policy, decide_on
from sekisho.decide.settle import settle_again
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.finding import Finding
from sekisho.mail.transaction import AuditRecord
from sekisho.mail.verdict import NOT_MASKED, ChangeHeader, Disposition, Modification, Redact, Verdict, strictest

_DAY = 86400.0


class RecordedMessage(Struct, frozen=True, eq=False):
    """What a record must still know to be decided anew. `received_at` is aware, UTC.

    Without `modifications_known`, the verdicts do not tell theirs, and they are not compared.
    """

    id: str
    received_at: datetime
    session: Session
    envelope: Envelope
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    internal_domains: frozenset[str]
    modifications_known: bool = True

    @classmethod
    def of(cls, record: AuditRecord) -> RecordedMessage:
        """The part of an audit record that policy asks for."""
        it = record.transaction
        return cls(
            it.id, it.received_at, it.session, it.envelope, record.findings, record.verdicts, it.internal_domains
        )


class Done(Struct, frozen=True):
    """What a verdict does to a recipient's copy; the rule that says so may have another name today."""

    disposition: Disposition
    hold: str | None
    modifications: tuple[Modification, ...]

    def __str__(self) -> str:
        return self.disposition.word + (f" ({self.hold})" if self.hold else "")


class Change(Struct, frozen=True):
    """One message whose verdict would be another. `old` and `new` are the strictest verdicts of the message.

    `old_rule` and `new_rule` name who decided; `recipients` are those for whom something changes.
    """

    id: str
    old: str
    new: str
    old_rule: str
    new_rule: str
    recipients: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """For `policy replay --json`."""
        return {
            "id": self.id,
            "old": self.old,
            "new": self.new,
            "old_policy_rule": self.old_rule,
            "new_policy_rule": self.new_rule,
            "rcpt_to": list(self.recipients),
        }


class ReplayReport(Struct, frozen=True):
    """What a policy would have done with recorded messages.

    `changed` counts messages; `transitions` them by "old -> new"; `changes` lists the first of them. `days` is the
    time between the first and the last message, at least 1; `holds` counts held messages by kind under the
    new policy, `holds_before` as recorded.
    """

    messages: int
    changed: int
    transitions: dict[str, int]
    changes: tuple[Change, ...]
    days: float
    holds: dict[str, int]
    holds_before: dict[str, int]

    @property
    def holds_a_day(self) -> float:
        """How many messages a day the new policy would hold."""
        return sum(self.holds.values()) / self.days

    @property
    def holds_a_day_before(self) -> float:
        """How many messages a day were held."""
        return sum(self.holds_before.values()) / self.days

    def to_json(self) -> dict[str, object]:
        """For `policy replay --json`."""
        return {
            "messages": self.messages,
            "changed": self.changed,
            "days": round(self.days, 2),
            "transitions": self.transitions,
            "holds": self.holds,
            "holds_before": self.holds_before,
            "holds_a_day": round(self.holds_a_day, 2),
            "holds_a_day_before": round(self.holds_a_day_before, 2),
            "changes": [change.to_json() for change in self.changes],
        }

    def __str__(self) -> str:
        lines = [
            f"{self.messages} messages in {self.days:.1f} days, {self.changed} with another verdict",
            f"holds a day: {self.holds_a_day:.1f} (so far {self.holds_a_day_before:.1f})",
        ]
        lines += [f"  {count:>6} x {transition}" for transition, count in self.transitions.items()]
        lines += [f"{c.id}: {c.old} by {c.old_rule} -> {c.new} by {c.new_rule}" for c in self.changes]
        if self.changed > len(self.changes):
            lines.append(f"and {self.changed - len(self.changes)} more")
        return "\n".join(lines)


class _Tally:
    """Counts as the records go by, so that millions of them need no memory."""

    def __init__(self, listed: int) -> None:
        self.listed = listed
        self.messages = 0
        self.transitions: Counter[str] = Counter()
        self.changes: list[Change] = []
        self.holds: Counter[str] = Counter()
        self.holds_before: Counter[str] = Counter()
        self.first: datetime | None = None
        self.last: datetime | None = None

    def add(self, message: RecordedMessage, new: tuple[Verdict, ...]) -> None:
        self.messages += 1
        self.first = min(self.first or message.received_at, message.received_at)
        self.last = max(self.last or message.received_at, message.received_at)
        self.holds.update(_hold_kind(new))
        self.holds_before.update(_hold_kind(message.verdicts))
        change = _change(message, new)
        if change is not None:
            self.transitions[f"{change.old} -> {change.new}"] += 1
            if len(self.changes) < self.listed:
                self.changes.append(change)

    def report(self) -> ReplayReport:
        seconds = (self.last - self.first).total_seconds() if self.first and self.last else 0.0
        return ReplayReport(
            messages=self.messages,
            changed=self.transitions.total(),
            transitions=dict(self.transitions.most_common()),
            changes=tuple(self.changes),
            days=max(seconds / _DAY, 1.0),
            holds=dict(self.holds),
            holds_before=dict(self.holds_before),
        )


def replay(policy: Policy, recorded: Iterable[RecordedMessage], listed: int = 1000) -> ReplayReport:
    """Decide recorded messages anew and compare; the first `listed` changes are told one by one. Pure."""
    tally = _Tally(listed)
    for message in recorded:
        # What says that something could not be masked came after policy had decided.
        findings = tuple(finding for finding in message.findings if finding.rule != NOT_MASKED)
        facts = Facts(message.session, message.envelope, findings, message.internal_domains)
        tally.add(message, _with_recorded_hold(message, decide_on(policy, facts)))
    return tally.report()


def _with_recorded_hold(message: RecordedMessage, new: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """What could not be masked then cannot be masked today: held as it was, unless somebody ends the new hold."""
    held = [v for v in message.verdicts if any(f.rule == NOT_MASKED for f in v.findings)]
    if not held:
        return new
    return settle_again([_held(v, held[0]) for v in new], message.envelope.recipients)


def _held(verdict: Verdict, recorded: Verdict) -> Verdict:
    others = tuple(m for m in verdict.modifications if not isinstance(m, Redact))
    if verdict.disposition >= Disposition.DEFER or len(others) == len(verdict.modifications):
        return verdict
    stands = verdict.hold is not None and verdict.hold.kind != "delay"
    hold = verdict.hold if stands else recorded.hold
    return replace(verdict, disposition=recorded.disposition, hold=hold, modifications=others)


def _hold_kind(verdicts: tuple[Verdict, ...]) -> tuple[str, ...]:
    """The kind of the message's first hold, if it has one."""
    return tuple(v.hold.kind for v in verdicts if v.hold is not None)[:1]


def _change(message: RecordedMessage, new: tuple[Verdict, ...]) -> Change | None:
    known = message.modifications_known
    before, after = _by_recipient(message.verdicts, known=known), _by_recipient(new, known=known)
    if before == after and message.verdicts:
        return None
    old_top = strictest(message.verdicts) if message.verdicts else None
    new_top = strictest(new)
    return Change(
        id=message.id,
        old=str(_done(old_top)) if old_top else "no verdict",
        new=str(_done(new_top)),
        old_rule=old_top.policy_rule if old_top else "",
        new_rule=new_top.policy_rule,
        recipients=tuple(r for r in dict.fromkeys((*before, *after)) if before.get(r) != after.get(r)),
    )


def _by_recipient(verdicts: tuple[Verdict, ...], *, known: bool) -> dict[str, Done]:
    """What is done for each recipient; "" stands for the message where it has none."""
    return {r: _done(v, known=known) for v in verdicts for r in (v.recipients or ("",))}


def _done(verdict: Verdict, *, known: bool = True) -> Done:
    kind = verdict.hold.kind if verdict.hold else None
    return Done(verdict.disposition, kind, tuple(_as_policy_says(verdict.modifications)) if known else ())


def _as_policy_says(modifications: tuple[Modification, ...]) -> Iterator[Modification]:
    """Modifications without what working out their redactions has added."""
    masked = {name for m in modifications if isinstance(m, Redact) for name in m.headers}
    for modification in modifications:
        if isinstance(modification, Redact):
            yield Redact(modification.finding)
        elif not (isinstance(modification, ChangeHeader) and modification.name in masked):
            yield modification
