"""The message's path. The only file that knows the order of the six steps.

accept → parse → inspect → decide → act → record
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from sekisho.act.carry_out import CarryOut
from sekisho.act.trace import loop_reply
from sekisho.decide.policy import Policy, decide
from sekisho.inspect.run import inspect_sync, look_up
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.finding import Finding
from sekisho.mail.ids import new_id
from sekisho.mail.kept import Kept
from sekisho.mail.ports import Inspector, Lookup, Opener
from sekisho.mail.reply import STORE_AWAY, UNKNOWN_FAILURE, Reply, ReplyError
from sekisho.mail.transaction import AuditRecord, Delivery, Outcome, Transaction
from sekisho.mail.verdict import Verdict
from sekisho.parse import parse
from sekisho.record.keep import Recorder
from sekisho.redaction.redact import not_masked, redacted
from sekisho.redaction.shown import shown_subject, without_values

log = logging.getLogger(__name__)


class Tenant(Struct, frozen=True):
    """What deciding for one tenant takes. `internal_domains` may start with a dot: all names below."""

    policy: Policy
    internal_domains: frozenset[str]


class Checks(Struct, frozen=True):
    """One generation of rules, policy and settings. A reload makes a new one; a transaction keeps its own."""

    tenants: Mapping[str, Tenant]
    opener: Opener
    inspectors: Sequence[Inspector]
    lookups: Sequence[Lookup]
    lookup_deadline_seconds: float
    thread_above_bytes: int

    def read(self, session: Session, envelope: Envelope, data: bytes, transaction_id: str = "") -> Transaction:
        """Parse: raw bytes become a transaction."""
        return Transaction(
            id=transaction_id or new_id(),
            session=session,
            envelope=envelope,
            message=parse(data),
            received_at=datetime.now(UTC),
            internal_domains=self.tenants[session.tenant].internal_domains,
        )

    def read_kept(self, kept: Kept, data: bytes) -> Transaction:
        """Parse what was kept; the transaction's id and time are those of its arrival."""
        transaction = self.read(kept.session, kept.envelope, data, kept.transaction_id)
        return replace(transaction, received_at=kept.received_at)

    async def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """Everything that is seen in a transaction: by the parser and in attachments, by inspectors and look-ups."""
        transaction = await self.opener.open(transaction)
        is_big = self._is_big(transaction)
        if is_big:
            seen = await asyncio.to_thread(inspect_sync, transaction, self.inspectors)
        else:
            seen = inspect_sync(transaction, self.inspectors)
        findings = seen.findings
        if self.lookups:
            findings += (await look_up(transaction, self.lookups, self.lookup_deadline_seconds)).findings
        if is_big and findings:
            return await asyncio.to_thread(without_values, transaction, findings, self.inspectors)
        return without_values(transaction, findings, self.inspectors)

    def decide(self, transaction: Transaction, findings: Sequence[Finding]) -> tuple[Verdict, ...]:
        """What policy says, per recipient; what it wants redacted is worked out, or the message is to be held."""
        verdicts = decide(self.tenants[transaction.session.tenant].policy, transaction, findings)
        verdicts = redacted(transaction, findings, verdicts, self.inspectors)
        subject = shown_subject(transaction, findings, self.inspectors)
        return verdicts if subject is None else tuple(replace(v, subject=subject) for v in verdicts)

    async def settle(self, transaction: Transaction, findings: Sequence[Finding]) -> tuple[Verdict, ...]:
        """As `decide`, in a thread where the message is big: a redaction looks at all of it again."""
        if self._is_big(transaction):
            return await asyncio.to_thread(self.decide, transaction, findings)
        return self.decide(transaction, findings)

    def _is_big(self, transaction: Transaction) -> bool:
        """Whether others would wait for it: a small archive may hold much text, and many names."""
        files = transaction.opened.files
        inside = sum(len(file.path) + sum(len(text.text) for text in file.texts) for file in files)
        return len(transaction.message.raw) + inside > self.thread_above_bytes

    async def examine(self, transaction: Transaction) -> tuple[Verdict, ...]:
        """Inspect and decide: all that is done with a message short of acting on it."""
        return await self.settle(transaction, await self.inspect(transaction))


class Gateway:
    """Takes complete messages and answers each with one reply. `checks` and `act` are replaced by a reload."""

    def __init__(self, checks: Checks, act: CarryOut, recorder: Recorder, trouble: Callable[[], str]) -> None:
        self.checks = checks
        self.act = act
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
        transaction = checks.read(session, envelope, data)
        clock.lap("parse")
        findings: tuple[Finding, ...] = ()
        verdicts: tuple[Verdict, ...] = ()
        try:
            findings = await checks.inspect(transaction)
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
        loop = loop_reply(transaction.message)
        return _refused(transaction.envelope, loop) if loop else await act.carry_out(transaction, verdicts)


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
