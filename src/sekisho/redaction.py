"""Values that must not leave, or must not be shown: masked in the message as policy asks, and in what we say of it.

Beside `gateway.py`, and only for it: a redaction takes parts of three stages. Policy names findings, an inspector
points at every value they stand for, the parser knows the octets of each. Whether it has worked is not believed but
looked at: what would leave is inspected again, and with any such finding left it waits for an approver.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from sekisho.act.modify import ModifyError, apply
from sekisho.decide.names import id_matches
from sekisho.decide.settle import settle_again
from sekisho.inspect.file_names import names_inside, stem
from sekisho.inspect.quoted import PLACE as QUOTED
from sekisho.inspect.run import inspect_sync
from sekisho.mail.finding import Finding, Severity, Where
from sekisho.mail.message import Text
from sekisho.mail.opened import Opened
from sekisho.mail.ports import Locator
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

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sekisho.mail.message import Part
    from sekisho.mail.ports import Inspector, Located
    from sekisho.mail.transaction import Transaction
    from sekisho.mail.verdict import Modification, Overwrite

_MOST_PARTS = 200
_MOST_FINDINGS = 400  # with more, those of later parts share a place
_MOST_NAME_CHARACTERS = 500_000  # of the names in one message, with those beside them
_HEADERS: tuple[tuple[str, Where], ...] = (("Subject", "subject"), ("Thread-Topic", "header"))
# The family of those findings that are about a value; an inspector that cannot point at it may have found it.
_VALUES = "dlp/"
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")


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
        locators = [i for i in inspectors if isinstance(i, Locator)]
        self._failed = frozenset(f"inspection.failed/{inspector.name}" for inspector in locators)

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
                yield ChangeHeader(name, _masked(header.text, hidden))

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
        (found,) = _located(self._transaction, [text], ids, self._inspectors)
        if not found.complete:
            raise _ObstacleError("not all of it could be looked through", text.part, text.where)
        return found.hidden

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


def _is_about(modification: Modification, header: str) -> bool:
    return isinstance(modification, ChangeHeader | DeleteHeader) and modification.name.lower() == header.lower()


def _is_gone(finding: Finding, gone: frozenset[str]) -> bool:
    """Whether what was found leaves with a part that is replaced or taken out."""
    return finding.where in ("body", "attachment", "filename", "link") and _is_below(finding.part, gone)


def _is_below(part: str, gone: frozenset[str]) -> bool:
    """Whether a part is one of these or lies in one; "" is the whole message only where it is a part itself."""
    return any(part == whole or not whole or part.startswith(f"{whole}.") for whole in gone)


def _masked(text: str, hidden: Collection[int]) -> str:
    return "".join((("*" if c.isascii() else "\uff0a") if i in hidden else c) for i, c in enumerate(text))


class _Found:
    """What all locators together found in one text."""

    def __init__(self) -> None:
        self.hidden: set[int] = set()
        self.ids: set[str] = set()
        self.complete = True

    def add(self, located: Located) -> None:
        """Add what one of them found."""
        self.hidden.update(located.hidden)
        self.ids.update(located.ids)
        self.complete &= located.complete


def _located(
    transaction: Transaction, texts: Sequence[Text], ids: Collection[str], inspectors: Iterable[Inspector]
) -> list[_Found]:
    """What all locators together find in each of these texts, to which the subject gives context."""
    found = [_Found() for _ in texts]
    subject = Text(transaction.message.subject, "subject")
    asked = texts if not subject.text or any(text.where == "subject" for text in texts) else (*texts, subject)
    for locator in inspectors:
        if isinstance(locator, Locator):
            for one, located in zip(found, locator.locate(asked, ids, transaction.session.tenant), strict=False):
                one.add(located)
    return found


def without_values(
    transaction: Transaction, findings: tuple[Finding, ...], inspectors: Sequence[Inspector]
) -> tuple[Finding, ...]:
    """The findings as they may be kept and shown: names of files are masked where they hold what was found."""
    if all(f.path in ("", QUOTED) for f in findings):
        return findings
    shown = _Names(transaction, findings).shown(inspectors)
    return tuple(
        replace(f, path="/".join(shown.get(name, name) for name in f.path.split("/"))) if f.path else f
        for f in findings
    )


_Attachment = tuple[str, str]  # part and name


class _Lines(Struct, frozen=True):
    """Names of one attachment as an inspector looks at them: one beside the other, with and without their endings.

    `names` are by line those that begin with it.
    """

    attachment: _Attachment
    lines: tuple[str, ...]
    names: Mapping[str, Sequence[str]]

    @property
    def text(self) -> Text:
        """All of them as a text."""
        part, outer = self.attachment
        return Text("\n".join(self.lines), "filename", part, outer)

    def places(self, hidden: Iterable[int]) -> Iterator[tuple[str, int]]:
        """Which characters of which names these characters of the text are."""
        starts = [0, *accumulate(len(line) + 1 for line in self.lines)]
        for place in hidden:
            line = bisect_right(starts, place) - 1
            for name in self.names.get(self.lines[line], ()):
                yield name, place - starts[line]


class _Names:
    """The names of files in the paths of findings."""

    def __init__(self, transaction: Transaction, findings: Sequence[Finding]) -> None:
        self._transaction = transaction
        self._findings = findings
        self._inside: dict[_Attachment, dict[str, None]] = {}
        for finding in findings:
            if finding.path not in ("", QUOTED):
                outer, *names = finding.path.split("/")
                known = self._inside.setdefault((finding.part, outer), {})
                known.update(dict.fromkeys(name for name in names if name not in ("", QUOTED)))

    def shown(self, inspectors: Sequence[Inspector]) -> dict[str, str]:
        """What to show instead of those names that cannot be shown as they are.

        Where it is not known what stands in a name, or nobody can point at what was found in it, that is its kind.
        """
        looked = list(self._looked_at())
        texts = [lines.text for lines in looked]
        found = _located(self._transaction, texts, {f.rule for f in self._findings}, inspectors)
        hidden: dict[str, set[int]] = {}
        ids: dict[_Attachment, set[str]] = {attachment: set() for attachment in self._inside}
        known: set[tuple[_Attachment, str]] = set()
        for lines, one in zip(looked, found, strict=True):
            ids[lines.attachment] |= one.ids
            known.update((lines.attachment, line) for line in lines.lines if one.complete)
            for name, place in lines.places(one.hidden):
                hidden.setdefault(name, set()).add(place)
        unknown = (n for a in ids for n in self._names(a) if any((a, line) not in known for line in _both(n)))
        shown = {name: _masked(name, places) for name, places in hidden.items()}
        return shown | {name: _kind(name) for name in (*unknown, *self._not_pointed_at(ids))}

    def _names(self, attachment: _Attachment) -> tuple[str, ...]:
        return (attachment[1], *self._inside[attachment])

    def _looked_at(self) -> Iterator[_Lines]:
        """What to look at, no more than there is room for."""
        beside = names_inside(self._transaction)
        room = _MOST_NAME_CHARACTERS
        for attachment, names in self._inside.items():
            outer = attachment[1]
            lines = dict.fromkeys((*beside.get(attachment, ()), *(line for name in names for line in _both(name))))
            groups = [((line,), (outer,)) for line in _both(outer)] + [(tuple(lines), tuple(names))]
            for group, of in groups:
                fits = tuple(
                    line for line, end in zip(group, accumulate(map(len, group)), strict=True) if end <= room
                )
                room -= sum(map(len, fits))
                if fits:
                    yield _Lines(attachment, fits, _by_line(fits, of))

    def _not_pointed_at(self, ids: Mapping[_Attachment, Collection[str]]) -> Iterator[str]:
        """The names of those attachments in whose names something was found that nobody can point at."""
        for finding in self._findings:
            if finding.where == "filename" and finding.rule.startswith(_VALUES):
                of = [(finding.part, finding.path.partition("/")[0])] if finding.path else list(ids)
                if not any(finding.rule in ids[attachment] for attachment in of):
                    yield from (name for attachment in of for name in self._names(attachment))


def _by_line(lines: Collection[str], names: Iterable[str]) -> dict[str, list[str]]:
    """By line the names that it is, with or without its ending. Of a name that is cut off nothing is known."""
    by_line: dict[str, list[str]] = {line: [] for line in lines}
    for name in names:
        for line in _both(name) if len(lines) == 1 or name in by_line else ():
            if line in by_line:
                by_line[line].append(name)
    return by_line


def _both(name: str) -> tuple[str, ...]:
    """A name with its ending and without."""
    return (name, stem(name)) if stem(name) else (name,)


def _kind(name: str) -> str:
    """All that is shown of a name that may hold anything."""
    ending = _EXTENSION.search(name)
    return f"*{ending[0].lower()}" if ending else "*"


def shown_subject(
    transaction: Transaction, findings: Iterable[Finding], inspectors: Iterable[Inspector]
) -> str | None:
    """The subject with what was found in it masked, all of it where nobody can point at that; None for nothing."""
    ids = {f.rule for f in findings if f.where == "subject"}
    if not ids:
        return None
    subject = Text(transaction.message.subject, "subject")
    (found,) = _located(transaction, [subject], ids, inspectors)
    if not found.complete or any(id_.startswith(_VALUES) and id_ not in found.ids for id_ in ids):
        return "*"
    return _masked(subject.text, found.hidden)
