"""Opens a message's attachments and all that is inside, outer before inner, within the limits."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence

from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.opened import File, Opened, OpenRequest
from sekisho.parse.unpack.kinds import kind_of
from sekisho.parse.unpack.opening import (
    Budget,
    CorruptError,
    EncryptedError,
    Opening,
    OverLimitError,
    Step,
    UnavailableError,
)
from sekisho.parse.unpack.table import LOOKS, OPENERS

log = logging.getLogger(__name__)

MOST_FINDINGS = 300
_MOST_KEPT = 32_000_000  # octets that came out by password and go back for the virus scanner


def unpack(request: OpenRequest, looks: Sequence[Step] = LOOKS) -> Opened:
    """Open everything. Raises MemoryError only; whatever a file does to its opener is a finding."""
    budget = Budget(request.limits)
    waiting = deque(
        Opening(a.content, a.name, budget=budget, part=a.part, declared=a.content_type, passwords=request.passwords)
        for a in request.attachments
    )
    files: list[File] = []
    findings: list[Finding] = []
    kept = _MOST_KEPT
    while waiting:
        opening = waiting.popleft()
        _open(opening, looks)
        keep = opening.secret and opening.depth > 0 and len(opening.content) <= kept
        kept -= len(opening.content) if keep else 0
        files.append(_file(opening, keep=keep))
        findings += opening.findings
        waiting.extendleft(reversed(opening.children))
    return Opened(tuple(files), tuple(_fewer(findings)))


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
