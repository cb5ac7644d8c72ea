"""Has attachments looked at by a virus scanner. A message without attachments is not anybody's business here.

What goes to the scanner are the attachments one by one, not the message: the same content has the same result in
every message that carries it. Whatever was not scanned is the finding `inspection.failed/antivirus`.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

from msgspec import Struct

from sekisho.config.load import engine_address
from sekisho.config.settings import AntivirusSettings
from sekisho.inspect.antivirus.clamd import ClamdConnection
from sekisho.inspect.antivirus.engine import Answer, EngineConnection, EngineError, Threat, TooBigError
from sekisho.inspect.antivirus.icap import IcapConnection
from sekisho.inspect.antivirus.pool import Pool
from sekisho.inspect.antivirus.results import Results
from sekisho.inspect.antivirus.scanner import Health, Scanner, seen
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.message import Part
from sekisho.mail.transaction import Transaction

_SIDE_BY_SIDE = 4  # scans of one message, so that one with a thousand attachments does not take every connection
_MOST_FINDINGS = 50
_THREAD_ABOVE_BYTES = 262_144  # decoding and hashing of larger messages would hold up others
_GRACE_SECONDS = 1.0


class _Item(Struct, frozen=True, eq=False):
    """Something to scan. `path` as in findings: the attachment's name, or the inner file's path."""

    part: str
    path: str
    content: bytes
    sha256: bytes


_Outcome = Answer | EngineError


class Antivirus:
    """One engine. Implements `mail.ports.Lookup`; never raises for what the engine does.

    It ends by itself within `deadline_seconds`, which is its own and not that of the other look-ups: a scan may take
    longer than a question to the DNS.
    """

    name = "antivirus"

    def __init__(self, settings: AntivirusSettings) -> None:
        self._settings = settings
        self._results = Results(settings.cache_entries, settings.cache_seconds, time.monotonic)
        self._scanner = Scanner(
            settings.name, Pool(_dialer(settings), settings.connections), settings.timeout_seconds
        )
        self._under_way: dict[bytes, asyncio.Task[Answer]] = {}
        self.deadline_seconds = settings.timeout_seconds + _GRACE_SECONDS

    @property
    def health(self) -> Health:
        """How the engine is, as last seen."""
        return self._scanner.health

    async def check(self) -> Health:
        """Ask the engine how it is. Never raises; takes five seconds at most."""
        return await self._scanner.check()

    def close(self) -> None:
        """Close idle connections now, and the others after their scans."""
        self._scanner.close()

    async def look_up(self, transaction: Transaction) -> Sequence[Finding]:
        """A finding for each attachment in which something was found, and one for each reason not to have looked."""
        if not _has_attachments(transaction):
            return ()
        outcomes: dict[_Item, _Outcome] = {}
        items: Sequence[_Item] = ()
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                items = await _items(transaction)
                rest = iter(items)
                await asyncio.gather(*(self._work(rest, outcomes) for _ in items[:_SIDE_BY_SIDE]))
        except TimeoutError:
            if not items:
                return [self._not_scanned(self._too_late, 1, "", "")]
        return [*self._threats(items, outcomes), *self._failures(items, outcomes)]

    async def _work(self, rest: Iterator[_Item], outcomes: dict[_Item, _Outcome]) -> None:
        for item in rest:
            try:
                outcomes[item] = await self._answer(item)
            except EngineError as error:
                outcomes[item] = error

    async def _answer(self, item: _Item) -> Answer:
        """The result for this content: a kept one, that of a scan under way, or that of a new one."""
        size, most = len(item.content), self._settings.max_bytes
        if size > most:
            raise TooBigError(f"larger than max_bytes ({size} of {most} octets)")
        version = await self._scanner.version()
        if (kept := self._results.get(item.sha256, version)) is not None:
            return kept
        task = self._under_way.get(item.sha256)
        if task is None:
            # A task of its own: it outlives the message that asked first, for the sake of those that joined.
            task = asyncio.create_task(self._scan(item.sha256, item.content, version))
            self._under_way[item.sha256] = task
            task.add_done_callback(partial(self._done, item.sha256))
        return await asyncio.shield(task)

    async def _scan(self, sha256: bytes, content: bytes, version: str) -> Answer:
        answer = await self._scanner.scan(content)
        self._results.put(sha256, version, answer)
        return answer

    def _done(self, sha256: bytes, task: asyncio.Task[Answer]) -> None:
        del self._under_way[sha256]
        seen(task)

    def _threats(self, items: Sequence[_Item], outcomes: dict[_Item, _Outcome]) -> list[Finding]:
        found = []
        for item in items:
            outcome = outcomes.get(item)
            if isinstance(outcome, Answer) and outcome.threat is not None:
                found.append(self._found(item, outcome.threat))
        return sorted(found, key=lambda finding: -finding.severity)[:_MOST_FINDINGS]

    def _found(self, item: _Item, threat: Threat) -> Finding:
        return Finding(
            threat.rule,
            threat.severity,
            part=item.part,
            where="attachment",
            path=item.path,
            explanation=f"{self._settings.name}: {threat.name}",
        )

    def _failures(self, items: Sequence[_Item], outcomes: dict[_Item, _Outcome]) -> list[Finding]:
        reasons: dict[str, list[_Item]] = {}
        for item in items:
            outcome = outcomes.get(item)
            if outcome is None:
                reasons.setdefault(self._too_late, []).append(item)
            elif isinstance(outcome, EngineError):
                reasons.setdefault(str(outcome), []).append(item)
        found = [self._not_scanned(why, len(of), of[0].part, of[0].path) for why, of in reasons.items()]
        return found[:_MOST_FINDINGS]

    @property
    def _too_late(self) -> str:
        return f"no answer within {self._settings.timeout_seconds:g} s"

    def _not_scanned(self, why: str, count: int, part: str, path: str) -> Finding:
        """`where` is always "attachment": the text of the message is not what could not be looked at."""
        return Finding(
            "inspection.failed/antivirus",
            Severity.HIGH,
            count=count,
            part=part,
            where="attachment",
            path=path,
            explanation=f"{self._settings.name}: {why}",
        )


def _dialer(settings: AntivirusSettings) -> Callable[[], Awaitable[EngineConnection]]:
    address = engine_address(settings)
    if settings.kind == "clamd":
        return partial(ClamdConnection.open, address)
    return partial(IcapConnection.open, address, "REQMOD" if settings.icap_method == "reqmod" else "RESPMOD")


def _has_attachments(transaction: Transaction) -> bool:
    return any(_is_attachment(part) for part in transaction.message.parts)


def _is_attachment(part: Part) -> bool:
    """Whether a part is content of its own that a reader does not see as running text.

    The parts of a multipart or an attached message are looked at one by one; a multipart without parts as it is.
    """
    if part.is_text or part.end <= part.body_start:
        return False
    container = part.is_multipart or part.content_type.startswith("message/")
    return not (container and part.children)


async def _items(transaction: Transaction) -> Sequence[_Item]:
    if len(transaction.message.raw) > _THREAD_ABOVE_BYTES:
        return await asyncio.to_thread(_collected, transaction)
    return _collected(transaction)


def _collected(transaction: Transaction) -> Sequence[_Item]:
    """The attachments, and what came out of them by password, into which no scanner could look by itself."""
    parts = ((p.path, p.filename or f"part-{p.path or '1'}", p.content) for p in _attachments(transaction))
    files = ((file.part, file.path, file.content) for file in transaction.opened.files)
    return [
        _Item(part, path, content, hashlib.sha256(content).digest())
        for part, path, content in (*parts, *files)
        if content
    ]


def _attachments(transaction: Transaction) -> Iterator[Part]:
    return (part for part in transaction.message.parts if _is_attachment(part))
