"""Values that must not leave, or must not be shown: masked in the message as policy asks, and in what we say of it.

Beside `gateway.py`, and only for it: a redaction takes parts of three stages. Policy names findings, an inspector
points at every value they stand for, the parser knows the octets of each. Whether it has worked is not believed but
looked at: what would leave is inspected again, and with any such finding left it waits for an approver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from sekisho.act.modify import ModifyError, apply
from sekisho.decide.names import id_matches
from sekisho.decide.settle import settle_again
from sekisho.inspect.quoted import PLACE as QUOTED
from sekisho.inspect.run import inspect_sync
from sekisho.mail.finding import Finding, Severity, Where
from sekisho.mail.message import Text
from sekisho.mail.opened import Opened
from sekisho.mail.ports import Locator
from sekisho.mail.verdict import ChangeHeader, DeleteHeader, Disposition, DropPart, Hold, Redact, ReplacePart, Verdict
from sekisho.parse import parse
from sekisho.parse.masking import Maskable, is_signed
from sekisho.parse.source import NotMaskedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sekisho.mail.message import Part
    from sekisho.mail.ports import Inspector
    from sekisho.mail.transaction import Transaction
    from sekisho.mail.verdict import Modification, Overwrite

NOT_MASKED = "dlp/not-masked"

_MOST_PARTS = 200
_MOST_FINDINGS = 400  # with more, those of later parts share a place


class _ObstacleError(Exception):
    """Why a message cannot be redacted, and where."""

    def __init__(self, why: str, part: str = "", where: Where = "body", path: str = "") -> None:
        super().__init__(why)
        self.finding = Finding(NOT_MASKED, Severity.HIGH, 1.0, 1, part, where, None, path, explanation=why)


def redacted(
    transaction: Transaction,
    findings: Sequence[Finding],
    verdicts: tuple[Verdict, ...],
    inspectors: Sequence[Inspector],
) -> tuple[Verdict, ...]:
    """The verdicts with what their redactions overwrite. Raises nothing for what a message holds.

    Where a value cannot be masked, the verdict is to hold for an approver, who would let the message go as it was
    written; a stricter verdict stays. The verdicts are then settled with each other anew.
    """
    wanted = [v.disposition < Disposition.DEFER and any(_redactions(v.modifications)) for v in verdicts]
    if not any(wanted):
        return verdicts
    work = _Redaction(transaction, findings, inspectors)
    after = tuple(work.of(v) if asked else v for v, asked in zip(verdicts, wanted, strict=True))
    if all(new.disposition is old.disposition for new, old in zip(after, verdicts, strict=True)):
        return after
    return settle_again(after, transaction.envelope.recipients)


def not_masked(verdicts: Iterable[Verdict]) -> tuple[Finding, ...]:
    """Why messages were held that could not be redacted: findings that came after inspection."""
    return tuple(dict.fromkeys(f for v in verdicts for f in v.findings if f.rule == NOT_MASKED))


class _Redaction:
    """The redactions of one message."""

    def __init__(
        self, transaction: Transaction, findings: Sequence[Finding], inspectors: Sequence[Inspector]
    ) -> None:
        self._transaction = transaction
        self._findings = findings
        self._inspectors = inspectors
        self._locators = [i for i in inspectors if isinstance(i, Locator)]
        self._failed = frozenset(f"inspection.failed/{inspector.name}" for inspector in self._locators)

    def of(self, verdict: Verdict) -> Verdict:
        """The verdict, worked out or held."""
        others = tuple(m for m in verdict.modifications if not isinstance(m, Redact))
        globs = tuple(dict.fromkeys(g for m in _redactions(verdict.modifications) for g in m.finding))
        try:
            made = self._worked_out(globs, others)
        except _ObstacleError as obstacle:
            return _held(verdict, others, obstacle.finding)
        except ModifyError as error:
            return _held(verdict, others, _ObstacleError(str(error)).finding)
        return replace(verdict, modifications=made)

    def _worked_out(self, globs: tuple[str, ...], others: tuple[Modification, ...]) -> tuple[Modification, ...]:
        if failed := self._left(self._findings, ()):
            raise _ObstacleError("it is not known what the message holds", failed.part, failed.where)
        ids = {f.rule for f in self._findings if any(id_matches(glob, f.rule) for glob in globs)}
        if not ids:
            return (Redact(globs, ()), *others)
        gone = frozenset(m.part for m in others if isinstance(m, DropPart | ReplacePart))
        masks, subject = self._masks(ids, gone)
        made: tuple[Modification, ...] = (Redact(globs, masks), *others)
        if subject and not any(_is_about_subject(m) for m in others):
            made = (*made, ChangeHeader("Subject", subject))
        if left := self._left(self._seen_again(made), ids):
            raise _ObstacleError(f"{left.rule} is still found", left.part, left.where, left.path)
        return made

    def _masks(self, ids: Collection[str], gone: frozenset[str]) -> tuple[tuple[Overwrite, ...], str]:
        """What to overwrite, and the subject with its values masked ("" where it holds none)."""
        message = self._transaction.message
        if is_signed(message):
            raise _ObstacleError("the message is signed or encrypted by its sender")
        masks: list[Overwrite] = []
        for part in self._parts([f for f in self._findings if f.rule in ids and not _is_gone(f, gone)], gone):
            try:
                maskable = Maskable(message, part)
                masks += maskable.masks(self._hidden(Text(maskable.text, "body", part.path), ids))
            except NotMaskedError as error:
                raise _ObstacleError(str(error), part.path) from error
        subject = Text(message.subject, "subject")
        hidden = self._hidden(subject, ids)
        return tuple(masks), _masked(subject.text, hidden) if hidden else ""

    def _parts(self, asked: Sequence[Finding], gone: frozenset[str]) -> Sequence[Part]:
        """The text parts that these findings lie in. One that lies elsewhere is an obstacle."""
        parts = [p for p in self._transaction.message.parts if p.is_text and not _is_below(p.path, gone)]
        known = {p.path for p in parts}
        if len(parts) > _MOST_PARTS or len(self._findings) > _MOST_FINDINGS:
            raise _ObstacleError("the message has too many parts")
        for finding in asked:
            inside = finding.where in ("body", "link") and finding.part in known and finding.path in ("", QUOTED)
            if finding.where != "subject" and not inside:
                why = f"{finding.rule} can be masked in subject and text only"
                raise _ObstacleError(why, finding.part, finding.where, finding.path)
        found = {f.part for f in asked if f.where != "subject"}
        return [p for p in parts if p.path in found]

    def _hidden(self, text: Text, ids: Collection[str]) -> set[int]:
        """The characters of a text that all locators together want masked."""
        subject = Text(self._transaction.message.subject, "subject")
        texts = (text,) if text.where == "subject" else (subject, text)
        tenant = self._transaction.session.tenant
        return {c for locator in self._locators for c in locator.locate(texts, ids, tenant)[-1].hidden}

    def _seen_again(self, made: tuple[Modification, ...]) -> Sequence[Finding]:
        """What inspectors see in the message as it would leave. Attachments are not opened: nothing is in them."""
        message = parse(apply(self._transaction.message, made))
        again = replace(self._transaction, message=message, opened=Opened(), memo={})
        return inspect_sync(again, self._inspectors).findings

    def _left(self, findings: Iterable[Finding], ids: Collection[str]) -> Finding | None:
        """The first finding of these ids, or of a locator that could not look through everything."""
        return next((f for f in findings if f.rule in ids or f.rule in self._failed), None)


def _held(verdict: Verdict, others: tuple[Modification, ...], why: Finding) -> Verdict:
    """Held for somebody to decide: a hold for a reviewer or an approver stands, a mere delay does not."""
    stands = verdict.hold is not None and verdict.hold.kind != "delay"
    return replace(
        verdict,
        disposition=Disposition.HOLD,
        hold=verdict.hold if stands else Hold("approval"),
        modifications=others,
        findings=(*verdict.findings, why),
        notify=tuple(dict.fromkeys((*verdict.notify, "sender", "approver"))),
    )


def _redactions(modifications: Iterable[Modification]) -> Iterable[Redact]:
    return (m for m in modifications if isinstance(m, Redact))


def _is_about_subject(modification: Modification) -> bool:
    return isinstance(modification, ChangeHeader | DeleteHeader) and modification.name.lower() == "subject"


def _is_gone(finding: Finding, gone: frozenset[str]) -> bool:
    """Whether what was found leaves with a part that is replaced or taken out."""
    return finding.where in ("body", "attachment", "filename", "link") and _is_below(finding.part, gone)


def _is_below(part: str, gone: frozenset[str]) -> bool:
    """Whether a part is one of these or lies in one; "" is the whole message only where it is a part itself."""
    return any(part == whole or not whole or part.startswith(f"{whole}.") for whole in gone)


def _masked(text: str, hidden: Collection[int]) -> str:
    return "".join((("*" if c.isascii() else "\uff0a") if i in hidden else c) for i, c in enumerate(text))


def without_values(
    transaction: Transaction, findings: tuple[Finding, ...], inspectors: Sequence[Inspector]
) -> tuple[Finding, ...]:
    """The findings as they may be kept and shown: names of files are masked where they hold what was found."""
    ids = {f.rule for f in findings}
    names = tuple(dict.fromkeys(name for f in findings for name in f.path.split("/") if name))[:_MOST_FINDINGS]
    locators = [i for i in inspectors if isinstance(i, Locator)] if names else []
    texts = [Text(name.rpartition(".")[0] or name, "filename") for name in names]
    shown: dict[str, str] = {}
    for locator in locators:
        located = locator.locate(texts, ids, transaction.session.tenant)
        for name, values in zip(names, located, strict=True):
            if values.hidden:
                shown[name] = _masked(shown.get(name, name), values.hidden)
    if not shown:
        return findings
    return tuple(
        replace(f, path="/".join(shown.get(name, name) for name in f.path.split("/"))) if f.path else f
        for f in findings
    )


def shown_subject(
    transaction: Transaction, findings: Iterable[Finding], inspectors: Iterable[Inspector]
) -> str | None:
    """The subject with what was found in it masked; None where nothing was."""
    ids = {f.rule for f in findings if f.where == "subject"}
    if not ids:
        return None
    texts = [Text(transaction.message.subject, "subject")]
    located = [i.locate(texts, ids, transaction.session.tenant) for i in inspectors if isinstance(i, Locator)]
    return _masked(texts[0].text, {c for (values,) in located for c in values.hidden})
