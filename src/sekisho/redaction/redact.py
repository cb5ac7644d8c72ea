"""A message with its values masked, as policy asks; where that cannot be done, it waits for an approver."""

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
from sekisho.mail.verdict import (
    NOT_MASKED,
    ChangeHeader,
    DeleteHeader,
    Disposition,
    DropPart,
    Hold,
    Redact,
    ReplacePart,
    Verdict,
)
from sekisho.parse import parse
from sekisho.parse.masking import Maskable, is_signed
from sekisho.parse.source import NotMaskedError
from sekisho.redaction.located import failed_checks, located, masked
from sekisho.redaction.shown import without_values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sekisho.mail.message import Part
    from sekisho.mail.ports import Inspector
    from sekisho.mail.transaction import Transaction
    from sekisho.mail.verdict import Modification, Overwrite

_MOST_PARTS = 200
_MOST_FINDINGS = 400  # with more, those of later parts share a place
_HEADERS: tuple[tuple[str, Where], ...] = (("Subject", "subject"), ("Thread-Topic", "header"))


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
    if all(
        (new.disposition, new.hold) == (old.disposition, old.hold) for new, old in zip(after, verdicts, strict=True)
    ):
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
        self._failed = failed_checks(inspectors)

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
        if is_signed(self._transaction.message):
            raise _ObstacleError("the message is signed or encrypted by its sender")
        masks = self._masks(ids, gone)
        headers = tuple(h for h in self._headers(ids) if not any(_is_about(m, h.name) for m in others))
        made = (Redact(globs, masks, tuple(h.name for h in headers)), *others, *headers)
        if left := self._left(self._seen_again(made), ids):
            raise _ObstacleError(f"{left.rule} is still found", left.part, left.where, left.path)
        return made

    def _masks(self, ids: Collection[str], gone: frozenset[str]) -> tuple[Overwrite, ...]:
        """What to overwrite in text parts."""
        message = self._transaction.message
        masks: list[Overwrite] = []
        for part in self._parts([f for f in self._findings if f.rule in ids and not _is_gone(f, gone)], gone):
            try:
                maskable = Maskable(message, part)
                masks += maskable.masks(self._hidden(Text(maskable.text, "body", part.path), ids))
            except NotMaskedError as error:
                raise _ObstacleError(str(error), part.path) from error
        return tuple(masks)

    def _headers(self, ids: Collection[str]) -> Iterable[ChangeHeader]:
        """The subject and what is copied from it, where there are values in them to mask."""
        for name, where in _HEADERS:
            header = self._transaction.message.header(name.lower())
            if header is not None and (hidden := self._hidden(Text(header.text, where), ids)):
                yield ChangeHeader(name, masked(header.text, hidden))

    def _parts(self, asked: Sequence[Finding], gone: frozenset[str]) -> Sequence[Part]:
        """The text parts that these findings lie in. One that lies elsewhere is an obstacle."""
        parts = [p for p in self._transaction.message.parts if p.is_text and not _is_below(p.path, gone)]
        known = {p.path for p in parts}
        if len(parts) > _MOST_PARTS or len(self._findings) > _MOST_FINDINGS:
            raise _ObstacleError("the message has too many parts")
        for finding in asked:
            inside = finding.where in ("body", "link") and finding.part in known and finding.path in ("", QUOTED)
            if not inside and not self._is_in_headers(finding):
                why = f"{finding.rule} can be masked in subject and text only"
                raise _ObstacleError(why, finding.part, finding.where, finding.path)
        found = {f.part for f in asked if not self._is_in_headers(f)}
        return [p for p in parts if p.path in found]

    def _is_in_headers(self, finding: Finding) -> bool:
        """Whether it lies in a header that is masked, or may: which one of them it is, the second look tells."""
        topic = self._transaction.message.header("thread-topic") is not None
        return finding.where == "subject" or (finding.where == "header" and not finding.part and topic)

    def _hidden(self, text: Text, ids: Collection[str]) -> set[int]:
        """The characters of a text that all locators together want masked."""
        (found,) = located(self._transaction, [text], ids, self._inspectors)
        if not found.complete:
            raise _ObstacleError("not all of it could be looked through", text.part, text.where)
        return found.hidden

    def _seen_again(self, made: tuple[Modification, ...]) -> Sequence[Finding]:
        """What inspectors see in the message as it would leave. Attachments are not opened: nothing is in them."""
        message = parse(apply(self._transaction.message, made))
        again = replace(self._transaction, message=message, opened=Opened(), memo={})
        return without_values(again, inspect_sync(again, self._inspectors).findings, self._inspectors)

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


def _is_about(modification: Modification, header: str) -> bool:
    return isinstance(modification, ChangeHeader | DeleteHeader) and modification.name.lower() == header.lower()


def _is_gone(finding: Finding, gone: frozenset[str]) -> bool:
    """Whether what was found leaves with a part that is replaced or taken out."""
    return finding.where in ("body", "attachment", "filename", "link") and _is_below(finding.part, gone)


def _is_below(part: str, gone: frozenset[str]) -> bool:
    """Whether a part is one of these or lies in one; "" is the whole message only where it is a part itself."""
    return any(part == whole or not whole or part.startswith(f"{whole}.") for whole in gone)
