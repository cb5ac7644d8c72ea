"""The message's path. The only file that knows the order of the six steps.

accept → parse → inspect → decide → act → record
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sekisho.accounts.identify import Identification, identified, without_account_header
from sekisho.act.carry_out import CarryOut
from sekisho.act.trace import loop_reply
from sekisho.decide.policy import Policy, decide
from sekisho.inspect.run import inspect_sync, look_up
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.finding import Finding
from sekisho.mail.ids import new_id
from sekisho.mail.kept import Kept
from sekisho.mail.ports import Inspector, Lookup, Opener, RecordKeeper, Room, Turns, Weigher
from sekisho.mail.reply import STORE_AWAY, UNKNOWN_FAILURE, Reply, ReplyError
from sekisho.mail.transaction import AuditRecord, Delivery, Outcome, Transaction
from sekisho.mail.verdict import Disposition, Verdict
from sekisho.parse import parse
from sekisho.redaction.redact import not_masked, redacted
from sekisho.redaction.shown import shown_subject, without_values

log = logging.getLogger(__name__)


class Tenant(Struct, frozen=True):
    """What deciding for one tenant takes. `internal_domains` may start with a dot: all names below."""

    policy: Policy
    internal_domains: frozenset[str]


# What a header's octets, and a recipient, cost beside an octet of the body, roughly.
_HEADER_OCTET, _RECIPIENT = 8, 300


def _weight(envelope: Envelope, data: bytes) -> int:
    """How much work a message is, in octets of a body."""
    head = data.find(b"\r\n\r\n")
    head = len(data) if head < 0 else head
    return len(data) + _HEADER_OCTET * head + _RECIPIENT * len(envelope.recipients)


class AtOnce:
    """Nobody waits for a turn, and there is room for all."""

    def turn(self, _session: Session, _envelope: Envelope, *, large: bool) -> AbstractAsyncContextManager[object]:
        """Now."""
        del large
        return nullcontext()

    def asking(self, _session: Session, _envelope: Envelope) -> AbstractAsyncContextManager[object]:
        """Now."""
        return nullcontext()

    def refusal(self, _tenant: str, _octets: int) -> Reply | None:
        """Never."""
        return None


_AT_ONCE = AtOnce()
_Work = ParamSpec("_Work")
_Done = TypeVar("_Done")


class Checks(Struct, frozen=True):
    """One generation of rules, policy and settings. A reload makes a new one; a transaction keeps its own."""

    tenants: Mapping[str, Tenant]
    opener: Opener
    inspectors: Sequence[Inspector]
    lookups: Sequence[Lookup]
    lookup_deadline_seconds: float
    thread_above_bytes: int
    identifications: Mapping[str, Identification] = {}  # by listener
    at_last: Inspector | None = None  # asked when all others are done
    turns: Turns = _AT_ONCE

    def read(self, session: Session, envelope: Envelope, data: bytes, transaction_id: str = "") -> Transaction:
        """Parse: raw bytes become a transaction."""
        message, domains = parse(data), self.tenants[session.tenant].internal_domains
        how = self.identifications.get(session.listener)
        return Transaction(
            id=transaction_id or new_id(),
            session=identified(session, envelope, message, how, domains),
            envelope=envelope,
            message=message,
            received_at=datetime.now(UTC),
            internal_domains=domains,
        )

    async def take(self, session: Session, envelope: Envelope, data: bytes) -> Transaction:
        """As `read`, in a thread where the message is big."""
        is_big = _weight(envelope, data) > self.thread_above_bytes
        async with self.turns.turn(session, envelope, large=is_big):
            if is_big:
                return await asyncio.to_thread(self.read, session, envelope, data)
            return self.read(session, envelope, data)

    def read_kept(self, kept: Kept, data: bytes) -> Transaction:
        """Parse what was kept; the transaction's id and time are those of its arrival."""
        transaction = self.read(kept.session, kept.envelope, data, kept.transaction_id)
        return replace(transaction, received_at=kept.received_at)

    async def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """Everything that is seen in a transaction: by the parser and in attachments, by inspectors and look-ups."""
        transaction = await self.opener.open(transaction)
        findings = (await self._work(transaction, inspect_sync, transaction, self.inspectors)).findings
        if self.lookups:
            findings += (await look_up(transaction, self.lookups, self.lookup_deadline_seconds)).findings
        if self.at_last is not None:
            findings += tuple(self.at_last.inspect(transaction))
        if not findings:
            return without_values(transaction, findings, self.inspectors)
        return await self._work(transaction, without_values, transaction, findings, self.inspectors)

    def decide(self, transaction: Transaction, findings: Sequence[Finding]) -> tuple[Verdict, ...]:
        """What policy says, per recipient; what it wants redacted is worked out, or the message is to be held."""
        verdicts = decide(self.tenants[transaction.session.tenant].policy, transaction, findings)
        verdicts = redacted(transaction, findings, verdicts, self.inspectors)
        how = self.identifications.get(transaction.session.listener)
        verdicts = without_account_header(verdicts, transaction.message, how)
        subject = shown_subject(transaction, findings, self.inspectors)
        return verdicts if subject is None else tuple(replace(v, subject=subject) for v in verdicts)

    async def settle(self, transaction: Transaction, findings: Sequence[Finding]) -> tuple[Verdict, ...]:
        """As `decide`, in a thread where the message is big: a redaction looks at all of it again."""
        return await self._work(transaction, self.decide, transaction, findings)

    async def _work(
        self,
        transaction: Transaction,
        work: Callable[_Work, _Done],
        *of: _Work.args,
        **more: _Work.kwargs,
    ) -> _Done:
        """Do something with a message when it is its turn, in a thread where it is big."""
        is_big = self._is_big(transaction)
        async with self.turns.turn(transaction.session, transaction.envelope, large=is_big):
            return await asyncio.to_thread(work, *of, **more) if is_big else work(*of, **more)

    def _is_big(self, transaction: Transaction) -> bool:
        """Whether others would wait for it: a small archive may hold much text, and many names."""
        files = transaction.opened.files
        inside = sum(len(file.path) + sum(len(text.text) for text in file.texts) for file in files)
        return _weight(transaction.envelope, transaction.message.raw) + inside > self.thread_above_bytes

    async def examine(self, transaction: Transaction) -> tuple[Verdict, ...]:
        """Inspect and decide: all that is done with a message short of acting on it."""
        return await self.settle(transaction, await self.inspect(transaction))


class Gateway:
    """Takes complete messages and answers each with one reply. A reload replaces `checks`, `act` and `habits`.

    `habits` weighs each message once against what is usual for its account, after all else was found.
    """

    def __init__(
        self,
        checks: Checks,
        act: CarryOut,
        recorder: RecordKeeper,
        trouble: Callable[[], str],
        habits: Weigher | None = None,
        *,
        room: Room = _AT_ONCE,
    ) -> None:
        self.checks = checks
        self.act = act
        self.room = room
        self.habits = habits
        self._recorder = recorder
        self._trouble = trouble

    def refuse(self) -> Reply | None:
        """Asked before a message is accepted: a reply while the store cannot keep what we would promise to keep."""
        return STORE_AWAY if self._trouble() else None

    async def receive(self, session: Session, envelope: Envelope, data: bytes) -> Reply:
        """One message from end of data to its reply. Raises ReplyError only; 250 means: safe."""
        clock = _Clock()
        checks, act = self.checks, self.act
        if (away := self.refuse()) is not None:
            raise ReplyError(away, self._trouble())
        transaction = await checks.take(session, envelope, data)
        clock.lap("parse")
        findings: tuple[Finding, ...] = ()
        verdicts: tuple[Verdict, ...] = ()
        try:
            findings = await checks.inspect(transaction)
            if self.habits is not None:
                async with checks.turns.asking(transaction.session, envelope):
                    findings += await self.habits.weigh(transaction, findings)
            clock.lap("inspect")
            verdicts = await checks.settle(transaction, findings)
            findings += not_masked(verdicts)
            clock.lap("decide")
            outcome = await self._act(act, transaction, verdicts)
        except Exception:
            log.exception("%s: unexpected failure", transaction.id)
            outcome = _refused(envelope, UNKNOWN_FAILURE)
        clock.lap("act")
        await self._recorder.record(AuditRecord(transaction, findings, verdicts, outcome, clock.laps))
        return outcome.reply

    async def _act(self, act: CarryOut, transaction: Transaction, verdicts: tuple[Verdict, ...]) -> Outcome:
        refusal = loop_reply(transaction.message)
        if refusal is None and any(verdict.disposition is Disposition.HOLD for verdict in verdicts):
            refusal = self.room.refusal(transaction.session.tenant, len(transaction.message.raw))
        return _refused(transaction.envelope, refusal) if refusal else await act.carry_out(transaction, verdicts)


class _Clock:
    """Milliseconds from step to step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self.laps[step] = (now - self._last) * 1000
        self._last = now


def _refused(envelope: Envelope, reply: Reply) -> Outcome:
    return Outcome(reply, (Delivery(envelope.rcpt_to, "refused", "", reply),))
