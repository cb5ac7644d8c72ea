"""Opens a message's attachments and all that is inside, outer before inner, within the limits."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence

from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.opened import Attachment, File, Opened, OpenRequest
from sekisho.parse.unpack.kinds import kind_of
from sekisho.parse.unpack.opening import (
    Budget,
    CorruptError,
    EncryptedError,
    Opening,
    OverLimitError,
    Step,
    UnavailableError,
    UnreadableError,
)
from sekisho.parse.unpack.table import LOOKS, OPENERS

log = logging.getLogger(__name__)

MOST_FINDINGS = 200  # of one attachment; the gravest
_LEAST_SHARE = 0.25  # of what is left; so that one of a hundred attachments may be a large archive
_MOST_KEPT = 32_000_000  # octets that came out by password and go back for the virus scanner


def unpack(request: OpenRequest, looks: Sequence[Step] = LOOKS) -> Opened:
    """Open everything, each attachment with its share of what is left of the limits.

    Raises MemoryError only; whatever a file does to its opener is a finding.
    """
    files: list[File] = []
    findings: list[Finding] = []
    cut: list[str] = []
    left, kept = 1.0, _MOST_KEPT
    for number, attachment in enumerate(request.attachments):
        share = max(left / (len(request.attachments) - number), left * _LEAST_SHARE)
        tree = _Tree(attachment, request, share, kept)
        tree.open(looks)
        left, kept = left - share * tree.used, tree.kept
        files += tree.files
        findings += _fewer(tree.findings)
        if tree.budget.hit:
            cut.append(attachment.part)
    return Opened(tuple(files), tuple(findings), tuple(cut))


class _Tree:
    """One attachment and what is inside. `kept` octets may go back to the virus scanner."""

    def __init__(self, attachment: Attachment, request: OpenRequest, share: float, kept: int) -> None:
        self.budget = Budget(request.limits, share)
        self._seconds = self.budget.seconds_left
        self._waiting = deque(
            [
                Opening(
                    attachment.content,
                    attachment.name,
                    budget=self.budget,
                    part=attachment.part,
                    declared=attachment.content_type,
                    passwords=request.passwords,
                )
            ]
        )
        self._limits = (request.limits, share)
        self.kept = kept
        self.files: list[File] = []
        self.findings: list[Finding] = []

    def open(self, looks: Sequence[Step]) -> None:
        """Open the outer file, then what came out of it."""
        while self._waiting:
            opening = self._waiting.popleft()
            _open(opening, looks)
            self.files.append(_file(opening, keep=self._keep(opening)))
            self.findings += opening.findings
            self._waiting.extendleft(reversed(opening.children))

    def _keep(self, opening: Opening) -> bool:
        """Whether the octets go back: nobody but us can get at what came out by password."""
        if not opening.secret or not opening.depth:
            return False
        if len(opening.content) > self.kept:
            opening.finding("attachment/over-limit", Severity.HIGH, "too large to be handed to a virus scanner")
            return False
        self.kept -= len(opening.content)
        return True

    @property
    def used(self) -> float:
        """The greatest part of any limit that was used, 0..1: what is over is for the attachments to come."""
        limits, share = self._limits
        whole = (limits.files * share, limits.unpacked_bytes * share, limits.text_chars * share, self._seconds)
        left = (self.budget.files, self.budget.unpacked_bytes, self.budget.text_chars, self.budget.seconds_left)
        return max(
            min(1.0, 1.0 - max(0.0, rest) / of) if of > 0 else 1.0 for of, rest in zip(whole, left, strict=True)
        )


def _open(opening: Opening, looks: Sequence[Step]) -> None:
    """Find out the type, look, and open; one step that fails does not keep the others from being made."""
    opening.kind = kind_of(opening.content, opening.name)
    if opening.budget.is_late:
        opening.finding("attachment/over-limit", Severity.HIGH, "not opened: the time was over")
        return
    steps = [*looks, *OPENERS.get(opening.kind, ())]
    if opening.depth > opening.budget.limits.depth:
        opening.finding("attachment/over-limit", Severity.HIGH, "containers too deep in each other")
        steps = list(looks)
    for step in steps:
        _take(step, opening)


def _take(step: Step, opening: Opening) -> None:
    try:
        step(opening)
    except OverLimitError as error:
        opening.finding("attachment/over-limit", Severity.HIGH, f"limit reached: {error}")
    except EncryptedError as error:
        opening.encrypted = True
        opening.finding("attachment/encrypted", Severity.MEDIUM, str(error))
    except UnreadableError as error:
        opening.finding("attachment/unreadable", Severity.MEDIUM, str(error))
    except CorruptError as error:
        opening.finding("attachment/corrupt", Severity.MEDIUM, str(error))
    except UnavailableError as error:
        _tell_failed(opening, str(error))
    except MemoryError:
        raise
    except Exception as error:
        log.debug("%s failed at %s", step.__name__, opening.kind, exc_info=True)
        why = f"{step.__name__}: {type(error).__name__}"
        _tell_failed(opening, why)


def _tell_failed(opening: Opening, why: str) -> None:
    failed = inspection_failed("unpack", why, part=opening.part, where="attachment")
    opening.findings.append(_at(failed, opening.path))


def _at(finding: Finding, path: str) -> Finding:
    return Finding(finding.rule, finding.severity, part=finding.part, where=finding.where, path=path,
                   explanation=finding.explanation)  # fmt: skip


def _file(opening: Opening, *, keep: bool) -> File:
    return File(
        part=opening.part,
        path=opening.path,
        kind=opening.kind,
        size=len(opening.content),
        sha256=opening.sha256,
        encrypted=opening.encrypted,
        texts=tuple(opening.texts),
        links=tuple(opening.links),
        content=opening.content if keep else b"",
    )


def _fewer(findings: Iterable[Finding]) -> Iterable[Finding]:
    """One finding for each rule and path; of very many, the gravest."""
    merged: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        key = (finding.rule, finding.part, finding.path)
        before = merged.get(key)
        if before is None or (finding.severity, finding.confidence) > (before.severity, before.confidence):
            merged[key] = finding
    if len(merged) <= MOST_FINDINGS:
        return merged.values()
    return sorted(merged.values(), key=lambda f: (-f.severity, -f.confidence))[:MOST_FINDINGS]
