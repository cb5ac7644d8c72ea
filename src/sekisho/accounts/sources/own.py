"""Our own accounts, kept in the store."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from msgspec.structs import replace

from sekisho.accounts.passwords.hashing import Hasher, Kept
from sekisho.accounts.passwords.preparation import PreparationError
from sekisho.accounts.passwords.schemes import foreign, verify_foreign
from sekisho.accounts.sources.source import Checked, Known, SourceAwayError, Wrong
from sekisho.mail.account import LoginAttempt, ScramKeys, canonical_login
from sekisho.mail.address import client_address
from sekisho.mail.kept import StoreAwayError
from sekisho.store.accounts import AccountRows, AppPassword, StoredAccount

log = logging.getLogger(__name__)

APP_PASSWORD = "app password"  # noqa: S105 - the purpose of a keyed hash
_NOTE_USE_AFTER = timedelta(hours=1)


class OwnAccounts:
    """See `accounts.sources.source.Source`. `now` is for tests."""

    name = "own"
    has_keys = True

    def __init__(
        self, rows: AccountRows, hasher: Hasher, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._rows = rows
        self._hasher = hasher
        self._now = now
        self._stamp: tuple[int, ...] = ()
        self._iterations: tuple[int, ...] = ()

    def iterations(self) -> tuple[int, ...]:
        """Those of each account's keys, as of the last `refresh`."""
        return self._iterations

    async def refresh(self) -> None:
        """Take up accounts that have changed. Raises StoreAwayError; what was known stays."""
        stamp = await self._rows.stamp()
        if stamp != self._stamp:
            stored = await self._rows.of()
            self._iterations = tuple(sorted(one.scram.iterations for one in stored if _shows_keys(one) and one.scram))
            self._stamp = stamp

    async def check(self, attempt: LoginAttempt, password: str) -> Checked:
        """Whether a password is the account's, or one of its app passwords. One argon2id in every case."""
        stored = await self._find(attempt)
        ours = stored is not None and not stored.source
        kept = Kept(stored.password, stored.scram) if ours and stored is not None else None
        verified = await self._hasher.verify(kept, password)
        if stored is None or not ours:
            return None
        if stored.disabled:
            return Wrong()
        if (used := self._app_password(stored, attempt, password)) is not None:
            await self._note_use(stored, used)
            return Known(stored.account, stored.change_why, used.name)
        if verified.right and verified.renewed is not None:
            await self._renew(stored, verified.renewed)
        elif not verified.right and foreign(stored.password) and verify_foreign(stored.password, password):
            await self._renew_foreign(stored, password)
        elif not verified.right:
            return Wrong()
        return Known(stored.account, stored.change_why)

    async def keys(self, attempt: LoginAttempt) -> ScramKeys | None:
        """The keys of an account that may come in; None where there is none."""
        stored = await self._find(attempt)
        return stored.scram if stored is not None and _shows_keys(stored) else None

    async def proved(self, attempt: LoginAttempt) -> Checked:
        """The account of a SCRAM exchange that succeeded; it may have been disabled meanwhile."""
        stored = await self._find(attempt)
        if stored is None or stored.source:
            return None
        return Wrong() if stored.disabled or stored.scram is None else Known(stored.account, stored.change_why)

    async def _find(self, attempt: LoginAttempt) -> StoredAccount | None:
        try:
            return await self._rows.find(canonical_login(attempt.login))
        except StoreAwayError as error:
            raise SourceAwayError(str(error)) from error

    def _app_password(self, stored: StoredAccount, attempt: LoginAttempt, password: str) -> AppPassword | None:
        digest = self._rows.digest(APP_PASSWORD, stored.account.login, bare_app_password(password))
        same = [app for app in stored.app_passwords if hmac.compare_digest(app.digest, digest)]
        return next((app for app in same if self._good(app, attempt)), None)

    def _good(self, app: AppPassword, attempt: LoginAttempt) -> bool:
        """Whether it may be used now, at this listener and from there."""
        if app.expires_at is not None and app.expires_at <= self._now():
            return False
        if app.listeners and attempt.session.listener not in app.listeners:
            return False
        return not app.networks or _within(attempt.session.client_ip, app.networks)

    async def _note_use(self, stored: StoredAccount, used: AppPassword) -> None:
        at = self._now().replace(microsecond=0)
        if used.last_used_at is not None and at - used.last_used_at < _NOTE_USE_AFTER:
            return

        def noted(now: StoredAccount) -> StoredAccount:
            apps = tuple(replace(a, last_used_at=at) if a.id == used.id else a for a in now.app_passwords)
            return replace(now, app_passwords=apps)

        await self._change(stored, noted)

    async def _renew_foreign(self, stored: StoredAccount, password: str) -> None:
        try:
            kept = await self._hasher.keep(password)
        except PreparationError:  # good where it was made, but not a password here: its hash stays
            return
        await self._renew(stored, kept)

    async def _renew(self, stored: StoredAccount, kept: Kept) -> None:
        """Keep what costs an attacker more, unless the password was changed meanwhile."""

        def renewed(now: StoredAccount) -> StoredAccount:
            same = now.password == stored.password
            return replace(now, password=kept.encoded, scram=kept.scram) if same else now

        await self._change(stored, renewed)

    async def _change(self, stored: StoredAccount, to: Callable[[StoredAccount], StoredAccount]) -> None:
        try:
            await self._rows.change(stored.account.login, to)
        except StoreAwayError as error:  # the login is right all the same
            log.warning("account %s: %s", stored.account.login, error)


def _shows_keys(stored: StoredAccount) -> bool:
    return not stored.source and not stored.disabled


def _within(client_ip: str, networks: Iterable[str]) -> bool:
    try:
        address = client_address(client_ip)
    except ValueError:
        return False
    return any(address in ip_network(network, strict=False) for network in networks)


def bare_app_password(text: str) -> str:
    """An app password as it was made, without the blanks and hyphens that are for reading."""
    return "".join(text.split()).replace("-", "").lower()
