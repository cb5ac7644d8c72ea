"""Opens what a message carries, in confined processes, before the inspectors look.

The same content is opened once, however many messages carry it: results are kept by content, name and declared type
for as long as the same rules are in force.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec.structs import replace

from sekisho.inspect.password_words import candidate_words, named_words
from sekisho.mail.finding import Finding, inspection_failed
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.opened import Attachment, File, Opened, OpenLimits, OpenRequest
from sekisho.sandbox import SandboxError

if TYPE_CHECKING:
    from sekisho.mail.message import Part
    from sekisho.mail.ports import WordMemory
    from sekisho.mail.transaction import Transaction

log = logging.getLogger(__name__)

_MOST_ENTRIES = 5_000
_ENTRY_BYTES = 1_000
# These will end the same way next time; "time" and "died" may have been the machine's fault.
_LASTING = frozenset(("memory", "cpu", "answer-size"))

Key = tuple[bytes, str, str]


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
        self._entries: OrderedDict[tuple[Key, bytes], tuple[Opened, int]] = OrderedDict()
        self.bytes_kept = 0

    def get(self, key: Key, words: bytes) -> Opened | None:
        """The result for this key; one that depends on passwords counts only for the same `words`."""
        for entry in ((key, b""), (key, words)):
            if entry in self._entries:
                self._entries.move_to_end(entry)
                return self._entries[entry][0]
        return None

    def put(self, key: Key, words: bytes, opened: Opened) -> None:
        """Keep a result."""
        by_password = any(file.encrypted or file.content for file in opened.files)
        entry = (key, words if by_password else b"")
        size = _size(opened)
        self.bytes_kept += size - self._entries.pop(entry, (None, 0))[1]
        self._entries[entry] = (opened, size)
        while self._entries and (self.bytes_kept > self._most_bytes or len(self._entries) > _MOST_ENTRIES):
            self.bytes_kept -= self._entries.popitem(last=False)[1][1]


class Attachments:
    """The opener. `passwords` are each tenant's own, tried at encrypted attachments; `memory` remembers senders'.

    Implements `mail.ports.Opener`.
    """

    name = "unpack"

    def __init__(
        self,
        confined: Confined,
        limits: OpenLimits,
        passwords: Mapping[str, Sequence[str]],
        memory: WordMemory | None,
        results: Results,
    ) -> None:
        self._confined = confined
        self._limits = limits
        self._passwords = passwords
        self._memory = memory
        self._results = results
        self._under_way: dict[tuple[Key, bytes], asyncio.Future[Opened]] = {}
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

    async def close(self) -> None:
        """Wait until nobody is at it, and end the confined processes."""
        await self._unused.wait()
        await self._confined.close()

    async def _open(self, transaction: Transaction) -> Transaction:
        parts = [part for part in transaction.message.parts if _to_be_opened(part)]
        named = named_words(transaction.message.texts)
        if named:
            await self._remember(transaction, named)
        if not parts:
            return transaction
        words = await self._words(transaction, named)
        opened = await self._opened([_attachment(part) for part in parts], words)
        return replace(transaction, opened=opened, memo={})

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

    async def _opened(self, attachments: Sequence[Attachment], words: tuple[str, ...]) -> Opened:
        """The results for all attachments in their order; what nobody is opening yet goes into one job."""
        keys = [(hashlib.sha256(a.content).digest(), a.name, a.content_type) for a in attachments]
        digest = hashlib.sha256("\0".join(words).encode("utf-8", "replace")).digest()
        ready: dict[Key, Opened] = {}
        waiting: dict[Key, asyncio.Future[Opened]] = {}
        ours: dict[Key, Attachment] = {}
        for key, attachment in zip(keys, attachments, strict=True):
            kept = self._results.get(key, digest)
            if kept is not None:
                ready[key] = kept
            elif (key, digest) in self._under_way:
                waiting[key] = self._under_way[key, digest]
            else:
                ours.setdefault(key, attachment)
        if ours:
            ready |= await self._run(ours, words, digest)
        for key, future in waiting.items():
            ready[key] = await asyncio.shield(future)
        return _joined([_moved(ready[key], a.part) for key, a in zip(keys, attachments, strict=True)])

    async def _run(self, ours: Mapping[Key, Attachment], words: tuple[str, ...], digest: bytes) -> dict[Key, Opened]:
        loop = asyncio.get_running_loop()
        for key in ours:
            self._under_way[key, digest] = loop.create_future()
        results = {key: _failed(a, "the job was given up") for key, a in ours.items()}
        try:
            results = await self._job(ours, words, digest)
        finally:
            for key, opened in results.items():
                self._under_way.pop((key, digest)).set_result(opened)
        return results

    async def _job(self, ours: Mapping[Key, Attachment], words: tuple[str, ...], digest: bytes) -> dict[Key, Opened]:
        request = msgspec.msgpack.encode(OpenRequest(tuple(ours.values()), words, self._limits))
        try:
            opened = msgspec.msgpack.decode(await self._confined.run(request), type=Opened)
        except (SandboxError, msgspec.DecodeError) as error:
            reason = error.reason if isinstance(error, SandboxError) else "answer"
            log.warning("attachments could not be opened: %s", error)
            results = {key: _failed(a, f"the opening process was ended: {reason}") for key, a in ours.items()}
            lasting = reason in _LASTING
        else:
            results = {key: _of_part(opened, a.part) for key, a in ours.items()}
            lasting = True
        if lasting:
            for key, result in results.items():
                self._results.put(key, digest, result)
        return results


def _to_be_opened(part: Part) -> bool:
    """Whether a part is content that a reader does not see as it is."""
    return not (part.is_multipart or part.is_text or part.children) and part.end > part.body_start


def _attachment(part: Part) -> Attachment:
    return Attachment(part.path, part.filename or f"part-{part.path or '1'}", part.content_type, part.content)


def _sender(transaction: Transaction) -> str:
    return transaction.session.account or transaction.envelope.mail_from or ""


def _failed(attachment: Attachment, why: str) -> Opened:
    finding = inspection_failed("unpack", why, part=attachment.part, where="attachment")
    return Opened((), (replace(finding, path=attachment.name),))


def _of_part(opened: Opened, part: str) -> Opened:
    return Opened(
        tuple(file for file in opened.files if file.part == part),
        tuple(finding for finding in opened.findings if finding.part == part),
    )


def _moved(opened: Opened, part: str) -> Opened:
    """The same result for the part it is needed for now."""
    if {file.part for file in opened.files} | {finding.part for finding in opened.findings} <= {part}:
        return opened
    return Opened(
        tuple(_moved_file(file, part) for file in opened.files),
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
