"""One policy rule, compiled: its conditions, what it wants done, and how it stands among the others."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from sekisho.decide.match import Facts, FindingTest, Party, SenderCondition, ToTest, When
from sekisho.decide.names import id_matches
from sekisho.mail.finding import Finding
from sekisho.mail.reply import Reply
from sekisho.mail.verdict import Disposition, DropPart, Hold, Modification, Redact, ReplacePart

FAILED = "inspection.failed/"
_FAILED_FAMILY = FAILED.rstrip("/")
BUILTIN_LEVEL = 1_000_000

# Instead of a part's number: every part that a finding of this rule lies in.
MATCHED_PARTS = "matched"
# Instead of finding ids: those that this rule matched.
MATCHED_FINDINGS = "matched"

_HOLDS = {"delay": 0, "approval": 1, "quarantine": 2}

Strictness = tuple[int, int, int]


class Outcome(Struct, frozen=True):
    """What a rule wants done (`then`). `reply` is its own text for REJECT and DEFER."""

    disposition: Disposition = Disposition.DELIVER
    hold: Hold | None = None
    reply: Reply | None = None
    modifications: tuple[Modification, ...] = ()
    notify: tuple[str, ...] = ()
    incident: str | None = None
    log: bool = False

    @property
    def lets_go(self) -> bool:
        """Whether the message leaves without anybody having looked at it, at once or after a delay."""
        held = self.hold is not None and self.hold.kind != "delay"
        return self.disposition is Disposition.DELIVER or (self.disposition is Disposition.HOLD and not held)


class Rule(Struct, frozen=True, eq=False):
    """A policy rule. `level` 0 is the tenant's own, 1 its parent's and so on; the built-in ones come last.

    `line` is where it stands in `file` ("" for rules in code). Rules with `monitor` and those that are not `final`
    never decide. `floor`: rules of lower levels can only be stricter.
    """

    name: str
    then: Outcome
    sender: tuple[SenderCondition, ...] = ()
    to: ToTest | None = None
    when: When | None = None
    monitor: bool = False
    final: bool = True
    split: bool = False
    floor: bool = False
    level: int = 0
    file: str = ""
    line: int = 0

    @property
    def decides(self) -> bool:
        """Whether a match ends the search."""
        return self.final and not self.monitor

    @property
    def catches_all(self) -> bool:
        """Whether it decides about every message, so that nothing after it is reached."""
        return self.decides and not self.sender and self.to is None and self.when is None

    @property
    def names_failed(self) -> bool:
        """Whether it asks for failed inspections by name. "*" does not: it was not written with them in mind."""
        return any(glob.startswith(_FAILED_FAMILY) for glob in self._globs())

    def names(self, finding_id: str) -> bool:
        """Whether it asks by name for this failed inspection."""
        return any(glob.startswith(_FAILED_FAMILY) and id_matches(glob, finding_id) for glob in self._globs())

    def _globs(self) -> Iterator[str]:
        tests = () if self.when is None else (*self.when.all_of, *self.when.any_of)
        return (glob for test in tests for glob in test.globs)

    @property
    def strictness(self) -> Strictness:
        """How strict its outcome is."""
        return strictness(self.then.disposition, self.then.hold)

    def fits(self, party: Party | None) -> bool:
        """Whether `to`, the count left aside, fits a recipient (None: nobody asks)."""
        return self.to is None or party is None or self.to.holds(party)

    def matched(self, facts: Facts) -> tuple[Finding, ...] | None:
        """The findings it matched, for a message that it fits but for the single recipient; else None."""
        for condition in self.sender:
            if not condition.holds(facts):
                return None
        if self.to is not None and self.to.count is not None and not self.to.counted(facts):
            return None
        return () if self.when is None else self.when.matched(facts)

    def tell(self, facts: Facts, party: Party) -> Iterator[str]:
        """Why it does not match for a recipient, condition by condition; nothing where it does."""
        for condition in self.sender:
            if not condition.holds(facts):
                yield condition.tell(facts)
        if self.to is not None:
            yield from self.to.tell(facts, party)
        if self.when is not None:
            yield from self.when.tell(facts)


def strictness(disposition: Disposition, hold: Hold | None) -> Strictness:
    """An order of what is done with a message, from lenient to strict; among holds delay < approval < quarantine."""
    if hold is None:
        return disposition, 0, 0
    return disposition, _HOLDS[hold.kind], hold.delay_seconds or 0


def modifications_for(rule: Rule, findings: tuple[Finding, ...]) -> tuple[Modification, ...]:
    """A rule's modifications, with "matched" parts put in numbers and redactions of what it matched in ids."""
    wanted = rule.then.modifications
    if not any(_in_matched_parts(m) or m == Redact() for m in wanted):
        return wanted
    ids = tuple(dict.fromkeys(f.rule for f in findings))
    wanted = tuple(Redact(ids) if m == Redact() else m for m in wanted)
    parts = tuple(dict.fromkeys(f.part for f in findings if f.part))
    return tuple(m for want in wanted for m in _in_parts(want, parts))


def _in_matched_parts(modification: Modification) -> bool:
    return isinstance(modification, (ReplacePart, DropPart)) and modification.part == MATCHED_PARTS


def _in_parts(modification: Modification, parts: tuple[str, ...]) -> Iterator[Modification]:
    if not _in_matched_parts(modification):
        yield modification
    elif isinstance(modification, DropPart):
        yield from (DropPart(part, modification.notice) for part in parts)
    elif isinstance(modification, ReplacePart):
        yield from (ReplacePart(part, modification.text, modification.content_type) for part in parts)


# Design decision: nothing fails silently open. What no rule covers by name is asked for again later.
INSPECTION_FAILED = Rule(
    name="inspection-failed",
    when=When(all_of=(FindingTest((FAILED + "*",)),)),
    then=Outcome(
        disposition=Disposition.DEFER,
        reply=Reply(451, "7.0", "Message could not be inspected, please try again later"),
    ),
    level=BUILTIN_LEVEL,
)

DEFAULT = Rule(name="default", then=Outcome(), level=BUILTIN_LEVEL)

RESERVED_NAMES = frozenset((INSPECTION_FAILED.name, DEFAULT.name))
