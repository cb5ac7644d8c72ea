"""Runs every inspector and look-up over one transaction. A check that fails is a finding, and the others go on."""

from __future__ import annotations

import asyncio
import logging
import time
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.mail.finding import Finding, inspection_failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.ports import Inspector, Lookup
    from sekisho.mail.transaction import Transaction

_log = logging.getLogger(__name__)


class Inspected(Struct, frozen=True):
    """What a run saw. `timings_ms` is milliseconds by the name of the inspector or look-up."""

    findings: tuple[Finding, ...]
    timings_ms: dict[str, float]


async def run(
    transaction: Transaction, inspectors: Sequence[Inspector], lookups: Sequence[Lookup], deadline_seconds: float
) -> Inspected:
    """The parser's findings and those of the opened attachments, then the inspectors' and the look-ups' in order.

    Look-ups run together under one deadline; one that is not done by then is given up. Raises nothing but
    CancelledError.
    """
    seen = inspect_sync(transaction, inspectors)
    if not lookups:
        return seen
    looked = await look_up(transaction, lookups, deadline_seconds)
    return Inspected(seen.findings + looked.findings, seen.timings_ms | looked.timings_ms)


def inspect_sync(transaction: Transaction, inspectors: Sequence[Inspector]) -> Inspected:
    """The part without look-ups, for a thread where the message is big. Never raises."""
    findings: list[Finding] = [*transaction.message.findings, *transaction.opened.findings]
    timings: dict[str, float] = {}
    for inspector in inspectors:
        started = time.perf_counter()
        try:
            findings += inspector.inspect(transaction)
        except Exception as error:  # noqa: BLE001 - whatever an inspector does, the message is not passed unseen
            findings.append(_failed(inspector.name, transaction, error))
        timings[inspector.name] = _milliseconds_since(started)
    return Inspected(tuple(findings), timings)


async def look_up(transaction: Transaction, lookups: Sequence[Lookup], deadline_seconds: float) -> Inspected:
    """The look-ups alone, together, under one deadline in seconds; one with `deadline_seconds` has its own."""
    started = time.perf_counter()
    timings: dict[str, float] = {}
    tasks = [asyncio.create_task(_timed(lookup, transaction, started, timings)) for lookup in lookups]
    deadlines: dict[float, list[asyncio.Task[Sequence[Finding]]]] = {}
    for lookup, task in zip(lookups, tasks, strict=True):
        deadlines.setdefault(getattr(lookup, "deadline_seconds", deadline_seconds), []).append(task)
    try:
        for seconds, until_then in sorted(deadlines.items(), key=itemgetter(0)):
            await asyncio.wait(until_then, timeout=max(0.0, started + seconds - time.perf_counter()))
        findings: list[Finding] = []
        for lookup, task in zip(lookups, tasks, strict=True):
            findings += _result(lookup.name, task, transaction)
            timings.setdefault(lookup.name, _milliseconds_since(started))
    finally:
        for task in tasks:
            task.cancel()
    return Inspected(tuple(findings), timings)


async def _timed(
    lookup: Lookup, transaction: Transaction, started: float, timings: dict[str, float]
) -> Sequence[Finding]:
    try:
        return tuple(await lookup.look_up(transaction))
    finally:
        timings[lookup.name] = _milliseconds_since(started)


def _result(name: str, task: asyncio.Task[Sequence[Finding]], transaction: Transaction) -> Sequence[Finding]:
    if not task.done():
        _log.warning("look-up %s was not done in time", name, extra={"transaction": transaction.id})
        return [inspection_failed(name, "TimeoutError")]
    if task.cancelled():
        return [inspection_failed(name, "CancelledError")]
    error = task.exception()
    return [_failed(name, transaction, error)] if error is not None else task.result()


def _failed(name: str, transaction: Transaction, error: BaseException) -> Finding:
    """The finding names the exception's class only: its text may hold what the message says."""
    _log.error("%s failed", name, exc_info=error, extra={"transaction": transaction.id})
    return inspection_failed(name, type(error).__name__)


def _milliseconds_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
