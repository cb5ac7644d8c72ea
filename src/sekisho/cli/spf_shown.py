"""A result of SPF for people: a few lines, and the tree of records with what each term costs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.cli.terms import table
from sekisho.mailauth.spf.budget import Limits
from sekisho.mailauth.spf.record import is_spf, parse_record
from sekisho.mailauth.spf.texts import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.act.notice_texts import Language
    from sekisho.mailauth.spf.result import Branch, SpfResult, Step

_LONGEST_TERM = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def shown(result: SpfResult, helo: SpfResult | None, language: Language) -> str:
    """The result, that of the HELO name beside it, the tree and the flaws of its records."""
    lines = [table(_rows(result, helo, language), ("", "")).lstrip("\n")]
    if result.trace and result.trace.steps:
        lines += ["", *tree(result.trace, language)]
    if result.trace and (flaws := list(_flaws(result.trace, language))):
        lines += ["", *flaws]
    return "\n".join(lines)


def _rows(result: SpfResult, helo: SpfResult | None, language: Language) -> Iterator[tuple[str, str]]:
    limits = Limits()
    identity = "MAIL FROM" if result.identity == "mailfrom" else "HELO"
    yield say(language, "label.result"), f"{result.result}: {say(language, f'result.{result.result}')}"
    if result.reason:
        yield say(language, "label.reason"), say(language, f"reason.{result.reason}")
    yield say(language, "label.domain"), f"{plain(result.domain)} ({identity})"
    if result.mechanism:
        yield say(language, "label.mechanism"), plain(result.mechanism)
    yield say(language, "label.lookups"), say(language, "of", count=result.lookups, most=limits.lookups)
    yield say(language, "label.void"), say(language, "of", count=result.void_lookups, most=limits.void_lookups)
    if result.explanation:
        yield say(language, "label.explanation"), plain(result.explanation, 500)
    if helo:
        yield "HELO", f"{helo.result}: {plain(helo.domain)}"


def tree(branch: Branch, language: Language, indent: str = "") -> Iterator[str]:
    """One line a term, with its lookups and what came of it."""
    if not indent:
        yield f"{plain(branch.domain)}: {branch.result}"
    for step in branch.steps:
        last = step is branch.steps[-1]
        yield f"{indent}{'└─ ' if last else '├─ '}{_line(step, language)}"
        if step.below:
            yield from tree(step.below, language, indent + ("   " if last else "│  "))


def _line(step: Step, language: Language) -> str:
    notes = [say(language, f"outcome.{step.outcome}")]
    if step.lookups:
        notes.insert(0, say(language, "cost" if step.lookups > 1 else "cost.one", count=step.lookups))
    if step.below:
        notes.append(step.below.result)
    return f"{plain(step.text)}  ({', '.join(notes)})"


def _flaws(branch: Branch, language: Language) -> Iterator[str]:
    """The syntax errors of a record and of those below, each with its place."""
    record = parse_record(branch.record) if is_spf(branch.record) else None
    for flaw in record.flaws if record else ():
        part = branch.record[flaw.offset : flaw.offset + flaw.length].decode("ascii", "backslashreplace")
        place = say(language, "label.flaw", offset=flaw.offset + 1)
        yield f"{plain(branch.domain)}, {place}: {say(language, f'flaw.{flaw.code}')}: {plain(part)}"
    for step in branch.steps:
        if step.below:
            yield from _flaws(step.below, language)


def plain(text: str, most: int = _LONGEST_TERM) -> str:
    """Text of others for a terminal: one line, without control characters, cut where it is long."""
    text = _CONTROL.sub("?", text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
