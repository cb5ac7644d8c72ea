"""What a worker knows of accounts: who may log in, how much each may send, and what is usual for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

from msgspec.structs import replace

from sekisho.accounts.behaviour.watch import Watch
from sekisho.accounts.guard import Guard
from sekisho.accounts.limits.bounces import Bounces
from sekisho.accounts.limits.lookup import Limits
from sekisho.accounts.limits.windows import SendingWindows
from sekisho.accounts.lockout import LockedOut
from sekisho.accounts.locks import Locks
from sekisho.accounts.login import PURPOSE, LoginService
from sekisho.accounts.own_password import OwnPasswords
from sekisho.accounts.passwords import reuse
from sekisho.accounts.passwords.hashing import Hasher
from sekisho.accounts.sources.build import Sources, sources_of
from sekisho.accounts.sources.own import OwnAccounts
from sekisho.config.load import Configuration
from sekisho.config.settings import TenantSettings
from sekisho.daemon.behaviour import watch_of
from sekisho.daemon.compose import Prepared
from sekisho.daemon.counting import counters_of, guard_of, limits_of, names_of
from sekisho.daemon.flood_watch import flood_of
from sekisho.mail.account import Login, LoginAttempt, LoginFailure, ScramKeys
from sekisho.mail.finding import Finding, inspection_failed
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.ports import Authenticator, Directory
from sekisho.mail.transaction import AuditRecord, Transaction
from sekisho.record.metrics import Metrics
from sekisho.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

_REFRESH_SECONDS = 5.0
_OWN_ROUNDS = 60


class Accounts:
    """One for each worker, over all its configurations. An `Authenticator` and a `Weigher` (`mail.ports`).

    `drop` ends the sessions of an account (tenant, login).

    Counters, windows and locks stay over a reload; limits, guard, habits and sources are made anew.
    """

    def __init__(  # noqa: PLR0917 - what a worker has made before
        self,
        prepared: Prepared,
        store: SqliteStore,
        metrics: Metrics,
        locks: Locks,
        directory: Directory,
        drop: Callable[[str, str], object] = lambda _tenant, _login: None,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._locks = locks
        self._drop = drop
        self._disabled: dict[tuple[str, str], bool] = {}
        self.counters = counters_of(prepared.configuration)
        self.windows = SendingWindows(store.windows)
        self._passwords = OwnPasswords(store.accounts, store.keys.derived(reuse.PURPOSE))
        self._sources: Sources | None = None
        self._closing: asyncio.Task[None] | None = None
        self.reload(prepared, directory)

    def reload(self, prepared: Prepared, directory: Directory) -> None:
        """Take a new configuration, or nothing of it.

        Raises OSError and ValueError for a file that cannot be read, LdapMissingError.
        """
        configuration, tenants = prepared.configuration, prepared.tenants
        names = names_of(configuration, self._store.keys)
        own = OwnAccounts(self._store.accounts, Hasher(configuration.settings.password_hash))
        of = (configuration.settings, configuration.path, own, self._store.accounts, prepared.hostname)
        sources = sources_of(*of)  # from here on nothing raises: all is taken, or nothing
        self._tenants, self._own = tuple(tenants), own
        self._guard: Guard = guard_of(configuration, self.counters, names, self._metrics)
        self.limits: Limits = limits_of(tenants, self.counters, names, self.windows, self._metrics)
        floods = {name: flood_of(tenant) for name, tenant in tenants.items()}
        self.bounces = Bounces(self.counters, floods, names)
        self._habits = self._habits_of(configuration, dict(tenants), directory)
        self._logins: Authenticator = LockedOut(self._login_service(prepared, sources), self._locks)

    def _habits_of(
        self, configuration: Configuration, tenants: dict[str, TenantSettings], directory: Directory
    ) -> Watch:
        key = self._store.keys.derived("behaviour")
        return watch_of(self._store.profiles, key, tenants, configuration.path, directory)

    def _login_service(self, prepared: Prepared, made: Sources) -> LoginService:
        settings, key = prepared.configuration.settings.password_hash, self._store.keys.derived(PURPOSE)
        old, self._sources = self._sources, made
        if old is not None:
            self._closing = asyncio.get_running_loop().create_task(old.close())
        asked = (made.passwords, made.tokens, self._guard, key, settings.scram_iterations)
        return LoginService(*asked, logged_in=self._logged_in)

    async def _logged_in(self, attempt: LoginAttempt, login: Login, at: datetime) -> None:
        account = login.account
        session = replace(attempt.session, tenant=account.tenant)  # the attempt's is of the listener
        try:
            await self._habits.logged_in(session, account.login, 0, at)
        except Exception:
            log.exception("a login to %s was not taken up in its habits", account.login)

    # --- an Authenticator -------------------------------------------------------------------------------------

    def mechanisms(self, listener: str, *, protected: bool) -> tuple[str, ...]:
        """Those of the sources in force."""
        return self._logins.mechanisms(listener, protected=protected)

    async def admit(self, attempt: LoginAttempt) -> LoginFailure | None:
        """Whether somebody may try at all."""
        return await self._logins.admit(attempt)

    async def check_password(self, attempt: LoginAttempt, password: str) -> Login | LoginFailure:
        """A login by password."""
        return await self._logins.check_password(attempt, password)

    async def scram_keys(self, attempt: LoginAttempt) -> ScramKeys:
        """The keys for a login by SCRAM."""
        return await self._logins.scram_keys(attempt)

    async def scram_done(self, attempt: LoginAttempt, *, proved: bool) -> Login | LoginFailure:
        """A login by SCRAM."""
        return await self._logins.scram_done(attempt, proved=proved)

    async def check_token(self, attempt: LoginAttempt, token: str) -> Login | LoginFailure:
        """A login by token."""
        return await self._logins.check_token(attempt, token)

    # --- a Weigher --------------------------------------------------------------------------------------------

    async def weigh(self, transaction: Transaction, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Count a message against the limits, look for its sender's password, and weigh it by the account's habits.

        Once for each message.
        """
        try:
            async with asyncio.timeout(self.limits.deadline_seconds):
                beyond = (*await self.limits.look_up(transaction), *await self.bounces.look_up(transaction))
        except Exception as error:
            log.warning("%s: the limits could not be asked", transaction.id, exc_info=error)
            beyond = (inspection_failed(self.limits.name, type(error).__name__, where="envelope"),)
        own = self._own_password(transaction)
        return (*beyond, *own, *await self._unusual(transaction, findings))

    async def _unusual(self, transaction: Transaction, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        try:
            return await self._habits.weigh(transaction, findings)
        except Exception as error:
            log.exception("%s: it could not be weighed by the account's habits", transaction.id)
            return (inspection_failed(self._habits.name, type(error).__name__, where="account"),)

    def _own_password(self, transaction: Transaction) -> tuple[Finding, ...]:
        try:
            return self._passwords.find(transaction)
        except Exception as error:
            log.exception("%s: the sender's password could not be looked for", transaction.id)
            return (inspection_failed("own-password", type(error).__name__, where="body"),)

    async def handled(self, record: AuditRecord) -> None:
        """What became of a message. Never raises."""
        await self._habits.handled(record)

    # --- its life ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Take up sending windows and passwords that others changed, until cancelled."""
        for number in count():
            try:
                await self._end_sessions()
                await self.windows.refresh(datetime.now(UTC))
                await self._passwords.refresh(self._tenants)
                if number % _OWN_ROUNDS == 0 or not self._own.iterations():
                    await self._own.refresh()
            except StoreAwayError as error:
                log.warning("windows and passwords cannot be read, those known stay: %s", error)
            except Exception:
                log.exception("windows and passwords were not taken up")
            await asyncio.sleep(_REFRESH_SECONDS)

    async def _end_sessions(self) -> None:
        """End those of accounts that were disabled or removed since the last time."""
        before, self._disabled = self._disabled, await self._store.accounts.disabled()
        closed = {who for who, disabled in self._disabled.items() if disabled and not before.get(who)}
        for tenant, login in closed | (before.keys() - self._disabled.keys()):
            self._drop(tenant, login)

    def trouble(self) -> str:
        """Why limits are this process's own, "" while they are all processes' together."""
        return self.counters.trouble()

    async def close(self) -> None:
        """End what runs beside."""
        if self._sources is not None:
            await self._sources.close()
        await self.counters.close()
