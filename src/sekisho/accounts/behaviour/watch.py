"""Watches accounts: rows are brought forward by what is seen, and findings made. What follows is policy's matter."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from sekisho.accounts.behaviour.events import Event, LoginSeen
from sekisho.accounts.behaviour.profile import DAY
from sekisho.accounts.behaviour.seeing import Seeing
from sekisho.accounts.behaviour.state import AccountState, decode, encode, observe, settle
from sekisho.accounts.behaviour.takeover import Assessment
from sekisho.accounts.behaviour.weights import WEIGHTS
from sekisho.config.account_settings import BehaviourSettings
from sekisho.mail.account import canonical_login
from sekisho.mail.envelope import Session
from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.ports import Directory
from sekisho.mail.transaction import AuditRecord, Transaction

log = logging.getLogger(__name__)

TAKEOVER = "account/takeover"
_TRIES = 6  # times to bring a row forward that others write as well


class ProfileMemory(Protocol):
    """Keeps accounts' rows. Both raise StoreAwayError. `put_profile` is False where the version is another by now."""

    async def profile(self, tenant: str, login: str) -> tuple[int, bytes]:
        """Version and content; (0, b"") for none."""
        ...

    async def put_profile(self, tenant: str, login: str, version: int, document: bytes, at: float) -> bool:
        """Write over a version, durably; `at` in seconds since 1970."""
        ...


class Watch:
    """What the gateway tells of accounts. `seeing` and `settings` are tenants'.

    `directory` knows accounts' addresses.

    A row is read, brought forward and written over the version that was read; who comes too late does it again with
    what the other has written. After some tries the event counts for the finding only and is not learned.
    """

    name = "behaviour"

    def __init__(
        self,
        memory: ProfileMemory,
        seeing: Mapping[str, Seeing],
        settings: Mapping[str, BehaviourSettings],
        directory: Directory | None = None,
    ) -> None:
        self._memory = memory
        self._seeing = seeing
        self._settings = settings
        self._directory = directory

    async def weigh(self, transaction: Transaction, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """The findings of a message on its way, once for each; `findings` are those of its content. Never raises.

        Of mail that is of no account nothing is said.
        """
        session = transaction.session
        settings, login = self._settings.get(session.tenant), canonical_login(session.account or "")
        if settings is None or not settings.enabled or not login:
            return ()
        account = self._directory.account(session.tenant, login) if self._directory is not None else None
        try:
            event = self._seeing[session.tenant].sending(transaction, findings, account)
            assessment = await self._bring_forward(session.tenant, login, settings, event)
        except StoreAwayError as error:
            log.warning("habits of %s: %s", login, error)
            return (inspection_failed(self.name, "StoreAwayError", where="account"),)
        return _findings(assessment, settings)

    async def handled(self, record: AuditRecord) -> None:
        """What became of a message: deliveries that failed are noted. Never raises."""
        session = record.transaction.session
        seeing = self._seeing.get(session.tenant)
        if session.account and seeing is not None and (event := seeing.bounced(record)) is not None:
            await self._note(session.tenant, session.account, event)

    async def logged_in(self, session: Session, login: str, failures: int, at: datetime) -> None:
        """A login that succeeded; `failures` of the account came in the hour before it. Never raises."""
        if (seeing := self._seeing.get(session.tenant)) is not None:
            await self._note(session.tenant, login, LoginSeen(at.timestamp(), seeing.origin(session), failures))

    async def settled(self, tenant: str, login: str, *, honest: bool) -> None:
        """Somebody found out whose mail it was (an unlock): learn it, or forget it. Raises StoreAwayError."""
        login = canonical_login(login)
        for _ in range(_TRIES):
            version, data = await self._memory.profile(tenant, login)
            state = decode(data) if data else None
            if state is None:
                return
            settle(state, honest=honest)
            at = max(state.profile.last_at, state.profile.born)
            if await self._memory.put_profile(tenant, login, version, encode(state), at):
                return
        raise StoreAwayError(f"the habits of {login} are written by others all the time")

    async def _note(self, tenant: str, login: str, event: Event) -> None:
        settings = self._settings.get(tenant)
        if settings is None or not settings.enabled:
            return
        try:
            await self._bring_forward(tenant, canonical_login(login), settings, event)
        except StoreAwayError as error:
            log.warning("habits of %s: %s", login, error)

    async def _bring_forward(self, tenant: str, login: str, settings: BehaviourSettings, event: Event) -> Assessment:
        weights = replace(WEIGHTS, half_life=settings.evidence_half_life_hours * 3600)
        for _ in range(_TRIES):
            version, data = await self._memory.profile(tenant, login)
            state = decode(data) if data else None
            if state is None:
                state = AccountState.new(event.at, settings.habit_half_life_days * DAY)
            assessment = observe(state, event, weights)
            if await self._memory.put_profile(tenant, login, version, encode(state), event.at):
                return assessment
        log.warning("habits of %s: written by others all the time, one message is not learned", login)
        return assessment


def _findings(assessment: Assessment, settings: BehaviourSettings) -> tuple[Finding, ...]:
    probability = assessment.probability
    if probability < settings.notify_probability:
        return ()
    sure = probability >= settings.lock_probability
    english = "; ".join(reason.en for reason in assessment.reasons)
    japanese = "、".join(reason.ja for reason in assessment.reasons)
    severity = Severity.CRITICAL if sure else Severity.MEDIUM
    text = f"{english} / {japanese}"
    return (Finding(TAKEOVER, severity, round(probability, 4), where="account", excerpt=text, explanation=text),)
