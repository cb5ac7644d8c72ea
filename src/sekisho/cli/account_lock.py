"""`sekisho account lock` and `unlock`, and what `show` and `hold` say of locks."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
from collections.abc import Callable
from contextlib import closing
from typing import Any

from sekisho.accounts.locks import Locker, Locks
from sekisho.accounts.unlock import Proofs, UnlockError, owner_unlock, unlock
from sekisho.cli.terms import CommandError, command, configuration_of, print_json, rfc3339
from sekisho.config.account_settings import LockSettings
from sekisho.config.load import Configuration
from sekisho.config.tenants import inherited
from sekisho.daemon.compose import open_store
from sekisho.mail.account import canonical_login
from sekisho.mail.kept import Kept
from sekisho.mail.lock import AccountLock, LockEvent, LockReason, standing
from sekisho.store.sqlite import SqliteStore

# Asks the account's source: the password that holds now and the code of the second factor. None: one is wrong.
Prove = Callable[[Configuration, SqliteStore, str, str, str, str], Proofs | None]


def add_lock_verbs(verbs: Any, prove: Prove | None = None) -> None:
    """Add `lock` and `unlock` to the noun `account`. `prove` verifies an owner; without it nobody is one."""
    lock_ = command(
        verbs,
        "lock",
        lock,
        "Stop an account from sending; its sessions end, and its mail waits",
        'sekisho account lock hanako@example.com --reason "phone call: not her mail"',
        prints_data=True,
    )
    unlock_ = command(
        verbs,
        "unlock",
        unlock_account,
        "Let a locked account send again; what waits of it goes on waiting for a reviewer",
        'sekisho account unlock hanako@example.com --reason "new password, devices checked"',
        prints_data=True,
    )
    for parser in (lock_, unlock_):
        parser.add_argument("login")
        parser.add_argument("--tenant", default="default", metavar="NAME", help="default: default")
        parser.add_argument("--by", default="", help="who decides (default: the login that runs the command)")
    lock_.add_argument("--reason", required=True, help="why, for the record and the notice")
    unlock_.add_argument("--reason", default="", help="why, for the record")
    unlock_.add_argument(
        "--as-owner", action="store_true", help="ask for the new password and the code of the second factor"
    )
    unlock_.set_defaults(prove=prove)


def lock(given: argparse.Namespace) -> int:
    """Lock an account. 1: it is locked already. Raises CommandError."""
    configuration, login = _checked(given)
    if not given.reason.strip():
        raise CommandError("--reason must say why")
    reason = LockReason("administrator", given.reason.strip())
    with closing(open_store(configuration)) as store:
        locker = Locker(Locks(store.locks), {given.tenant: _settings(configuration, given.tenant)})
        done = asyncio.run(locker.lock(given.tenant, login, (reason,), by=given.by or _login()))
        return _told(given, store, login, done=done)


def unlock_account(given: argparse.Namespace) -> int:
    """Unlock an account. 1: it is not locked, or stays so. Raises CommandError."""
    configuration, login = _checked(given)
    with closing(open_store(configuration)) as store:
        locks = Locks(store.locks)
        try:
            if given.as_owner:
                proofs = _proofs(given, configuration, store, login)
                settings = _settings(configuration, given.tenant)
                asyncio.run(owner_unlock(locks, settings, given.tenant, login, proofs))
            else:
                asyncio.run(unlock(locks, given.tenant, login, by=given.by or _login(), reason=given.reason))
        except UnlockError as error:
            if error.code == "no-reason":
                raise CommandError("--reason must say why") from error
            return _told(given, store, login, done=False, why=str(error))
        return _told(given, store, login, done=True)


def lock_shown(store: SqliteStore, tenant: str, login: str) -> dict[str, object]:
    """State and history of an account's locks, for `account show`: keys "lock" and "lock_history"."""
    login = canonical_login(login)
    events = asyncio.run(store.locks.history(tenant, login))
    now = standing(tenant, login, events)
    shown = {"state": now.state, "since": rfc3339(now.since) if now.since else None, "before": now.before}
    return {"lock": shown, "lock_history": [_event(event) for event in events]}


def lock_lines(shown: dict[str, Any]) -> list[str]:
    """What `lock_shown` gives, as lines for people."""
    now = shown["lock"]
    lines = [f"sending: {now['state']}" + (f" (locked {now['since']})" if now["since"] else "")]
    for event in shown["lock_history"]:
        why = "; ".join(reason["text"] for reason in event["reasons"])
        lines.append(f"  {event['at']}  {event['step']:<16}  by {event['by']}: {why}")
        evidence = [*event["findings"], *event["messages"]]
        if evidence:
            lines.append(f"      {', '.join(evidence)}")
    return lines


class LockedAccounts:
    """Whether kept messages are those of locked accounts; each account is looked up once."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._known: dict[tuple[str, str], AccountLock] = {}

    def of(self, kept: Kept) -> AccountLock | None:
        """The lock of a message's account, None where it is not locked. Raises StoreAwayError."""
        login = canonical_login(kept.session.account or "")
        if not login or kept.kind == "notice":
            return None
        key = (kept.tenant, login)
        if key not in self._known:
            self._known[key] = standing(*key, asyncio.run(self._store.locks.history(*key)))
        return self._known[key] if self._known[key].locked else None


def _checked(given: argparse.Namespace) -> tuple[Configuration, str]:
    configuration = configuration_of(given)
    if given.tenant not in configuration.settings.tenant:
        raise CommandError(f"no tenant {given.tenant!r}")
    login = canonical_login(given.login)
    if not login:
        raise CommandError(f"{given.login!r} is no login")
    return configuration, login


def _settings(configuration: Configuration, tenant: str) -> LockSettings:
    return inherited(configuration.settings, tenant).lock or LockSettings()


def _proofs(given: argparse.Namespace, configuration: Configuration, store: SqliteStore, login: str) -> Proofs:
    """Ask on the terminal, and have both verified. Raises CommandError."""
    if given.prove is None:
        raise CommandError("accounts here have no second factor; an administrator unlocks them", 3)
    password = getpass.getpass("New password: ")
    code = getpass.getpass("Code of the second factor: ")
    proofs: Proofs | None = given.prove(configuration, store, given.tenant, login, password, code)
    if proofs is None:
        raise CommandError("password or code is wrong", 1)
    return proofs


def _told(given: argparse.Namespace, store: SqliteStore, login: str, *, done: bool, why: str = "") -> int:
    state = standing(given.tenant, login, asyncio.run(store.locks.history(given.tenant, login))).state
    if given.json:
        print_json({"tenant": given.tenant, "login": login, "done": done, "state": state, "why": why})
    elif done:
        print(f"{login}: {'may send again' if state == 'open' else state}")
    else:
        print(f"{login}: {why or f'is {state} already'}")
    return 0 if done else 1


def _event(event: LockEvent) -> dict[str, object]:
    return {
        "at": rfc3339(event.at),
        "step": event.step,
        "by": event.by,
        "reasons": [{"code": reason.code, "text": reason.text} for reason in event.reasons],
        "findings": list(event.evidence.findings),
        "messages": list(event.evidence.messages),
    }


def _login() -> str:
    """The login that runs the command; in a container its number may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
