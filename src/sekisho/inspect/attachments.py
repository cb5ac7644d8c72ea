"""Opens what a message carries, in confined processes, before the inspectors look.

The same content is opened once, however many messages carry it: results are kept by content, name and declared type
for as long as the same rules are in force, here and, where there is a memory that processes share, for all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec.structs import replace

from sekisho.inspect.openable import to_open
from sekisho.inspect.password_words import candidate_words, named_words
from sekisho.inspect.turns import NoTurnError, Turns
from sekisho.mail.finding import Finding, inspection_failed
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.opened import Attachment, File, Opened, OpenLimits, OpenRequest
from sekisho.mail.opened import AttachmentKey as Key
from sekisho.sandbox import SandboxError

if TYPE_CHECKING:
    from sekisho.mail.message import Message, Part
    from sekisho.mail.ports import OpenedMemory, WordMemory
    from sekisho.mail.transaction import Transaction

log = logging.getLogger(__name__)

_MOST_ENTRIES = 5_000
_ENTRY_BYTES = 1_000
_THREAD_ABOVE_BYTES = 262_144
# These will most likely end the same way next time; the others may have been the machine's fault.
_LASTING = frozenset(("memory", "cpu", "answer-size"))
_FAILURE_SECONDS = 600.0
_MAYBE_LOCKED = frozenset(("attachment/encrypted", "attachment/unreadable", "attachment/corrupt"))
_WORTH_ANOTHER = frozenset(("died", "unavailable", "answer"))


class Confined(Protocol):
    """Runs a job on bytes where it can do no harm. Raises SandboxError. See `sekisho.sandbox.Sandbox`."""

    async def run(self, request: bytes) -> bytes:
        """The job's answer."""

    async def close(self) -> None:
        """End the processes."""


class Results:
    """What was found in an attachment, by its key; the least recently used go first once `bytes_kept` are held."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._entries: OrderedDict[tuple[Key, bytes], tuple[Opened, int, float]] = OrderedDict()
        self.bytes_kept = 0

    def get(self, key: Key, words: bytes) -> Opened | None:
        """The result for this key; one that depends on passwords counts only for the same `words`."""
        for entry in ((key, b""), (key, words)):
            if entry in self._entries and self._entries[entry][2] > time.monotonic():
                self._entries.move_to_end(entry)
                return self._entries[entry][0]
        return None

    def put(self, key: Key, words: bytes, opened: Opened, seconds: float = math.inf) -> None:
        """Keep a result, for so many seconds."""
        entry = (key, depends_on(opened, words))
        size = _size(opened)
        before = self._entries.pop(entry, None)
        self.bytes_kept += size - (before[1] if before else 0)
        self._entries[entry] = (opened, size, time.monotonic() + seconds)
        while self._entries and (self.bytes_kept > self._most_bytes or len(self._entries) > _MOST_ENTRIES):
            self.bytes_kept -= self._entries.popitem(last=False)[1][1]


def depends_on(opened: Opened, words: bytes) -> bytes:
    """`words` for a result that passwords may have to do with, else b"".

    With words only what wants one is opened: all of that depends on them, whatever came out.
    """
    return b"" if words == _NO_WORDS and not is_locked(opened) else words


def is_locked(opened: Opened) -> bool:
    """Whether a password might bring out more: what cannot be read may be what only a password makes readable."""
    return any(file.encrypted for file in opened.files) or any(f.rule in _MAYBE_LOCKED for f in opened.findings)


def _digest(words: Sequence[str]) -> bytes:
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).digest()


_NO_WORDS = _digest(())


class _Jobs:
    """Opens attachments, each content once at a time, and keeps what will be the same next time."""

    def __init__(
        self, confined: Confined, limits: OpenLimits, results: Results, turns: Turns, shared: OpenedMemory | None
    ) -> None:
        self._confined = confined
        self.limits = limits
        self._results = results
        self._turns = turns
        self._shared = shared
        self._keeping: set[asyncio.Task[None]] = set()
        self._under_way: dict[tuple[Key, bytes], asyncio.Task[Opened]] = {}

    async def open(
        self, attachments: Mapping[Key, Attachment], words: tuple[str, ...], who: str
    ) -> dict[Key, Opened]:
        """The result for each; those that nobody is opening yet go into one job."""
        digest = _digest(words)
        ready = self._kept(attachments, digest)
        unknown = [key for key in attachments if key not in ready and (key, digest) not in self._under_way]
        if self._shared is not None and unknown:
            recalled = await self._shared.recall(unknown, digest)
            for key, opened in recalled.items():
                self._results.put(key, digest, opened)
            ready = self._kept(attachments, digest) | recalled  # anew: others had their turn meanwhile
        ours = {k: a for k, a in attachments.items() if k not in ready and (k, digest) not in self._under_way}
        if ours:
            # A task of its own: others may wait for it when whoever began it is gone.
            job = asyncio.create_task(self._job(ours, words, digest, who))
            for key in ours:
                self._under_way[key, digest] = asyncio.create_task(_one_of(job, key))
                self._under_way[key, digest].add_done_callback(partial(self._done, (key, digest)))
        waiting = {key: self._under_way[key, digest] for key in attachments if key not in ready}
        for key, task in waiting.items():
            ready[key] = await asyncio.shield(task)
        # What another message's limits left out of its result is not left out of ours.
        again = {key: attachments[key] for key in waiting if key not in ours and ready[key].cut}
        return ready | await self._job(again, words, digest, who) if again else ready

    def _kept(self, keys: Iterable[Key], digest: bytes) -> dict[Key, Opened]:
        return {key: kept for key in keys if (kept := self._results.get(key, digest)) is not None}

    def _share(self, results: Mapping[Key, Opened], digest: bytes) -> None:
        """Hand on what any process would find; the message does not wait for it."""
        found = [(k, depends_on(r, digest), r) for k, r in results.items() if not r.cut and not _is_broken(r)]
        if self._shared is not None and found:
            task = asyncio.create_task(self._shared.keep(found))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    def _done(self, entry: tuple[Key, bytes], task: asyncio.Task[Opened]) -> None:
        self._under_way.pop(entry, None)
        if not task.cancelled():
            task.exception()  # looked at by whoever waits, if anybody does

    async def _job(
        self, ours: Mapping[Key, Attachment], words: tuple[str, ...], digest: bytes, who: str
    ) -> dict[Key, Opened]:
        """All in one process; where that ends without an answer, each in one of its own."""
        opened, reason = await self._run(tuple(ours.values()), words, who)
        results: dict[Key, Opened] = {}
        if opened is None and len(ours) > 1:
            for key, attachment in ours.items():
                results |= await self._job({key: attachment}, words, digest, who)
            return results
        if opened is None:
            ((key, attachment),) = ours.items()
            failed = _failed(attachment, f"the opening process was ended: {reason}")
            if reason in _LASTING:
                self._results.put(key, digest, failed, _FAILURE_SECONDS)
            return {key: failed}
        results |= {key: _of_part(opened, a.part) for key, a in ours.items()}
        for key, result in results.items():
            if not result.cut:
                self._results.put(key, digest, result)
        self._share(results, digest)
        return results

    async def _run(
        self, attachments: tuple[Attachment, ...], words: tuple[str, ...], who: str
    ) -> tuple[Opened | None, str]:
        """What came out, or why nothing did. A process that was lost, and not to blame, gets a second one."""
        request = await _encoded(OpenRequest(attachments, words, self.limits))
        reason = ""
        for _ in range(2):
            try:
                async with self._turns.turn(who):
                    return msgspec.msgpack.decode(await self._confined.run(request), type=Opened), ""
            except (SandboxError, msgspec.DecodeError) as error:
                reason = error.reason if isinstance(error, SandboxError) else "answer"
                log.warning("attachments could not be opened: %s", error)
                if reason not in _WORTH_ANOTHER:
                    break
        return None, reason


def _is_broken(opened: Opened) -> bool:
    """Whether something could not be looked into that may be tomorrow: a library is missing, a step has failed."""
    return any(finding.rule.startswith("inspection.failed/") for finding in opened.findings)


async def _one_of(job: asyncio.Task[dict[Key, Opened]], key: Key) -> Opened:
    return (await asyncio.shield(job))[key]


async def _encoded(request: OpenRequest) -> bytes:
    if sum(len(a.content) for a in request.attachments) > _THREAD_ABOVE_BYTES:
        return await asyncio.to_thread(msgspec.msgpack.encode, request)
    return msgspec.msgpack.encode(request)


class Attachments:
    """The opener. `passwords` are each tenant's own, tried at encrypted attachments; `memory` remembers senders'.

    `processes` jobs run at once, and senders take turns. Implements `mail.ports.Opener`.
    """

    name = "unpack"

    def __init__(
        self,
        confined: Confined,
        limits: OpenLimits,
        passwords: Mapping[str, Sequence[str]],
        memory: WordMemory | None,
        results: Results,
        *,
        turns: Turns | None = None,
        shared: OpenedMemory | None = None,
    ) -> None:
        self._confined = confined
        self._jobs = _Jobs(confined, limits, results, turns or Turns(2), shared)
        self._passwords = passwords
        self._memory = memory
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()

    async def open(self, transaction: Transaction) -> Transaction:
        """The transaction with its attachments opened. A message without any costs a look for passwords to others."""
        self._users += 1
        self._unused.clear()
        try:
            return await self._open(transaction)
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()

    async def close(self, seconds: float = math.inf) -> None:
        """Wait so long for those who are at it, and end the confined processes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                await self._unused.wait()
        await self._confined.close()

    async def _open(self, transaction: Transaction) -> Transaction:
        parts, named = await _looked_through(transaction.message)
        if named:
            await self._remember(transaction, named)
        if not parts:
            return transaction
        keyed = await _keyed(transaction, parts)
        try:
            results = await self._results(transaction, {key: a for key, a, _ in keyed}, named)
        except NoTurnError as error:
            # In the text's place: the message is to come again, and not to be held.
            opened = Opened(findings=(inspection_failed("unpack", str(error)),))
        else:
            opened = _joined([_moved(results[key], a.part, known=known) for key, a, known in keyed])
        return replace(transaction, opened=opened, memo={})

    async def _results(
        self, transaction: Transaction, attachments: Mapping[Key, Attachment], named: tuple[str, ...]
    ) -> dict[Key, Opened]:
        """The result for each. Words are gathered, and tried as passwords, only for what may want one."""
        who = _turn_of(transaction)
        results = await self._jobs.open(attachments, (), who)
        locked = {key: attachment for key, attachment in attachments.items() if is_locked(results[key])}
        words = await self._words(transaction, named) if locked else ()
        return results | await self._jobs.open(locked, words, who) if words else results

    async def _remember(self, transaction: Transaction, named: tuple[str, ...]) -> None:
        sender = _sender(transaction)
        if self._memory is None or not sender:
            return
        try:
            await self._memory.remember_words(transaction.session.tenant, sender, named, transaction.received_at)
        except StoreAwayError as error:
            log.warning("words for later attachments are not kept: %s", error)

    async def _words(self, transaction: Transaction, named: tuple[str, ...]) -> tuple[str, ...]:
        tenant, sender = transaction.session.tenant, _sender(transaction)
        recent: Sequence[str] = ()
        if self._memory is not None and sender:
            try:
                recent = await self._memory.recent_words(tenant, sender, datetime.now(UTC))
            except StoreAwayError as error:
                log.warning("recent words cannot be read: %s", error)
        return candidate_words(transaction.message.texts, named, recent, self._passwords.get(tenant, ()))


async def _looked_through(message: Message) -> tuple[list[tuple[Part, bool]], tuple[str, ...]]:
    """The parts to open and the words named in the text; of a large message in a thread: its text is decoded here."""

    def look() -> tuple[list[tuple[Part, bool]], tuple[str, ...]]:
        return list(to_open(message)), named_words(message.texts)

    return await asyncio.to_thread(look) if len(message.raw) > _THREAD_ABOVE_BYTES else look()


async def _keyed(
    transaction: Transaction, parts: Sequence[tuple[Part, bool]]
) -> Sequence[tuple[Key, Attachment, bool]]:
    """Each part decoded, with the key of its result; of a large message in a thread, as that takes a while."""

    def make() -> Sequence[tuple[Key, Attachment, bool]]:
        attachments = [(_attachment(part), known) for part, known in parts]
        return [((hashlib.sha256(a.content).digest(), a.name, a.content_type), a, known) for a, known in attachments]

    if len(transaction.message.raw) > _THREAD_ABOVE_BYTES:
        return await asyncio.to_thread(make)
    return make()


def _attachment(part: Part) -> Attachment:
    ending = {"text/html": ".html", "text/plain": ".txt"}.get(part.content_type, "")
    name = part.filename or f"part-{part.path or '1'}{ending}"
    return Attachment(part.path, name, part.content_type, part.content)


def _turn_of(transaction: Transaction) -> str:
    """Who takes turns with whom: a tenant's senders with each other, and all tenants."""
    return f"{transaction.session.tenant}\0{_sender(transaction) or transaction.session.client_ip}"


def _sender(transaction: Transaction) -> str:
    return transaction.session.account or transaction.envelope.mail_from or ""


def _failed(attachment: Attachment, why: str) -> Opened:
    finding = inspection_failed("unpack", why, part=attachment.part, where="attachment")
    return Opened((), (replace(finding, path=attachment.name),))


def _of_part(opened: Opened, part: str) -> Opened:
    return Opened(
        tuple(file for file in opened.files if file.part == part),
        tuple(finding for finding in opened.findings if finding.part == part),
        tuple(cut for cut in opened.cut if cut == part),
    )


def _moved(opened: Opened, part: str, *, known: bool) -> Opened:
    """The same result for the part it is needed for now; of what is `known`, the text is the message's already.

    Its links take the place of those that the message has (see `Transaction.links`), as if they stood there.
    """
    if not known and {x.part for x in opened.files} | {x.part for x in opened.findings} <= {part}:
        return opened
    files = [_moved_file(file, part) for file in opened.files]
    if known and files:
        links = tuple(replace(link, path="") for link in files[0].links)
        files[0] = replace(files[0], texts=(), links=links)
    return Opened(
        tuple(files),
        tuple(replace(finding, part=part) for finding in opened.findings),
    )


def _moved_file(file: File, part: str) -> File:
    texts = tuple(replace(text, part=part) for text in file.texts)
    return replace(file, part=part, texts=texts, links=tuple(replace(link, part=part) for link in file.links))


def _joined(results: Sequence[Opened]) -> Opened:
    files: list[File] = []
    findings: list[Finding] = []
    for result in results:
        files += result.files
        findings += result.findings
    return Opened(tuple(files), tuple(findings))


def _size(opened: Opened) -> int:
    """About how many octets of memory a result takes."""
    size = _ENTRY_BYTES * (1 + len(opened.files) + len(opened.findings))
    for file in opened.files:
        size += len(file.content) + sum(2 * len(t.text) for t in file.texts) + 500 * len(file.links)
    return size
