"""What the verbs of `account` work with: the store, the tenant's password policy, and how an account is shown."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from msgspec import Struct

from sekisho.accounts.passwords import reuse
from sekisho.accounts.passwords.blocklist import FilterError
from sekisho.accounts.passwords.breaches import BreachListError
from sekisho.accounts.passwords.hashing import Hasher
from sekisho.accounts.passwords.policy import PasswordPolicy, policy_of
from sekisho.accounts.upkeep import Upkeep
from sekisho.cli.terms import CommandError, configuration_of, rfc3339
from sekisho.config.load import Configuration
from sekisho.daemon.compose import open_store
from sekisho.mail.account import canonical_login
from sekisho.store.accounts import AppPassword, StoredAccount
from sekisho.store.sqlite import SqliteStore

_MOST_OCTETS = 65_536  # of standard input: a password is one line


class Desk(Struct, eq=False):
    """The store, opened; `login` is canonical, "" where a verb is about none."""

    configuration: Configuration
    store: SqliteStore
    upkeep: Upkeep
    tenant: str
    login: str

    def must_be_there(self) -> StoredAccount:
        """The account. Raises CommandError where the tenant has none of this login."""
        stored = asyncio.run(self.store.accounts.find(self.login))
        if stored is None or stored.account.tenant != self.tenant:
            raise CommandError(f"no account {self.login} of {self.tenant}", 1)
        return stored


@contextmanager
def desk(given: argparse.Namespace) -> Iterator[Desk]:
    """Open the store for a verb with --tenant and `login`. Raises CommandError."""
    configuration = configuration_of(given)
    if given.tenant and given.tenant not in configuration.settings.tenant:
        raise CommandError(f"no tenant {given.tenant!r}")
    login = canonical_login(given.login)
    if given.login and not login:
        raise CommandError(f"{given.login!r} is no login")
    policy = password_policy(configuration, given.tenant or next(iter(configuration.settings.tenant)))
    with closing(open_store(configuration)) as store:
        hasher = Hasher(configuration.settings.password_hash)
        upkeep = Upkeep(store.accounts, hasher, policy, store.keys.derived(reuse.PURPOSE))
        yield Desk(configuration, store, upkeep, given.tenant, login)


def password_policy(configuration: Configuration, tenant: str) -> PasswordPolicy:
    """The tenant's policy. Raises CommandError."""
    try:
        return policy_of(configuration, tenant)
    except BreachListError as error:
        raise CommandError(str(error)) from error
    except (FilterError, OSError) as error:
        raise CommandError(f"the lists of passwords cannot be read: {error}", 3) from error


def new_password() -> str:
    """From a prompt, asked twice, or the first line of standard input; never an argument, which others see."""
    if not sys.stdin.isatty():
        return first_line()
    password = getpass.getpass("New password: ")
    if getpass.getpass("Again: ") != password:
        raise CommandError("the two are not the same", 1)
    return password


def first_line() -> str:
    """The first line of standard input. Raises CommandError where it is not UTF-8."""
    line = sys.stdin.buffer.readline(_MOST_OCTETS)
    try:
        return line.removesuffix(b"\n").removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise CommandError("standard input is not UTF-8") from None


def shown(stored: StoredAccount) -> dict[str, Any]:
    """An account without anything secret, for JSON."""
    account, factor = stored.account, stored.second_factor
    return {
        "tenant": account.tenant,
        "login": account.login,
        "name": account.name,
        "addresses": list(account.addresses),
        "on_behalf_of": list(account.on_behalf_of),
        "contact": account.contact,
        "language": account.language,
        "source": stored.source or "own",
        "disabled": stored.disabled,
        "created_at": rfc3339(stored.created_at),
        "password_set_at": rfc3339(stored.password_set_at) if stored.password_set_at else None,
        "change_why": stored.change_why,
        "second_factor": factor is not None and factor.confirmed,
        "recovery_codes": len(factor.recovery) if factor is not None else 0,
        "app_passwords": [_app_shown(app) for app in stored.app_passwords],
    }


def _app_shown(app: AppPassword) -> dict[str, Any]:
    return {
        "id": app.id,
        "name": app.name,
        "listeners": list(app.listeners),
        "networks": list(app.networks),
        "created_at": rfc3339(app.created_at),
        "expires_at": rfc3339(app.expires_at) if app.expires_at else None,
        "last_used_at": rfc3339(app.last_used_at) if app.last_used_at else None,
    }


def shown_lines(found: dict[str, Any]) -> list[str]:
    """The same as lines for people."""
    lines = [f"{found['login']} ({found['tenant']})"]
    for key, value in found.items():
        if key in ("login", "tenant", "app_passwords") or value in ("", [], None):
            continue
        told = ", ".join(value) if isinstance(value, list) else {True: "yes", False: "no"}.get(value, value)
        lines.append(f"  {key.replace('_', ' ')}: {told}")
    for app in found.get("app_passwords", []):
        until = f", until {app['expires_at']}" if app["expires_at"] else ""
        lines.append(f"  app password {app['id']}: {app['name']}{until}, last used {app['last_used_at'] or 'never'}")
    return lines
