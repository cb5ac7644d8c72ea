"""`sekisho account`: the accounts that may send."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from msgspec.structs import replace

from sekisho.accounts.upkeep import NoAccountError, RefusedError
from sekisho.cli.account_desk import desk, new_password, shown, shown_lines
from sekisho.cli.account_factors import add_factor_verbs
from sekisho.cli.account_import import add_import_verb
from sekisho.cli.account_lock import add_lock_verbs, lock_lines, lock_shown
from sekisho.cli.account_owner import prove
from sekisho.cli.account_window import add_window_verbs
from sekisho.cli.terms import CommandError, command, noun, print_json, rfc3339, table
from sekisho.mail.account import Account
from sekisho.store.accounts import AccountExistsError, StoredAccount


def add_to(commands: Any) -> None:
    """Add the verbs of `account`."""
    verbs = noun(commands, "account", "Accounts that send")
    _add_changes(verbs)
    _add_questions(verbs)
    add_import_verb(verbs)
    add_factor_verbs(verbs)
    add_lock_verbs(verbs, prove)
    add_window_verbs(verbs)


def _add_changes(verbs: Any) -> None:
    adding = command(
        verbs,
        "add",
        add,
        "Make an account; its first password comes from a prompt or standard input",
        "sekisho account add hanako@example.jp --name '山田 花子' --address info@example.jp",
    )
    adding.add_argument("--no-password", action="store_true", help="it logs in with app passwords or tokens only")
    changing = command(
        verbs,
        "change",
        change,
        "Change what is said of an account: only what is named changes",
        "sekisho account change hanako@example.jp --contact hanako.private@example.net",
    )
    changing.add_argument("--disable", action="store_true", help="nobody logs in with it any more")
    changing.add_argument("--enable", action="store_true", help="it may be used again")
    for parser in (adding, changing):
        parser.add_argument("--name", help="of its owner")
        parser.add_argument(
            "--address", action="append", help="that it may write from beside its login; again for more"
        )
        parser.add_argument("--on-behalf-of", action="append", metavar="ADDRESS", help="that it may name in From")
        parser.add_argument("--contact", help="where the owner is told what must not stand in the mailbox itself")
        parser.add_argument("--language", choices=("en", "ja", "both"), help="of texts for the owner")
    setting = command(
        verbs,
        "passwd",
        passwd,
        "Give an account another password, from a prompt or standard input; its app passwords end",
        "sekisho account passwd hanako@example.jp",
    )
    setting.add_argument("--by-owner", action="store_true", help="its owner sits here: it need not be changed again")
    removing = command(
        verbs,
        "remove",
        remove,
        "Remove an account and all that is kept of it",
        "sekisho account remove old@example.jp",
    )
    for parser in (adding, changing, setting, removing):
        _common(parser)


def _add_questions(verbs: Any) -> None:
    listing = command(verbs, "list", list_, "The accounts", "sekisho account list --json", prints_data=True)
    listing.add_argument("--tenant", default="", metavar="NAME", help="only this one's")
    showing = command(
        verbs,
        "show",
        show,
        "What is kept of an account, and whether it may send",
        "sekisho account show hanako@example.jp",
        prints_data=True,
    )
    _common(showing)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("login")
    parser.add_argument("--tenant", default="default", metavar="NAME", help="default: default")


def add(given: argparse.Namespace) -> int:
    """Make an account. Returns 1 where its password is not good enough."""
    with desk(given) as at:
        account = _described(Account(given.tenant, at.login), given)
        password = "" if given.no_password else new_password()
        if not password and not given.no_password:
            raise CommandError("no password given; --no-password makes an account without one")
        try:
            asyncio.run(at.upkeep.add(account, password))
        except AccountExistsError as error:
            raise CommandError(f"{at.login} is there already", 1) from error
        except RefusedError as error:
            raise CommandError(f"the password is not good enough: {error}", 1) from error
        print(f"{at.login} added")
    return 0


def change(given: argparse.Namespace) -> int:
    """Change an account."""
    if given.disable and given.enable:
        raise CommandError("--disable and --enable exclude each other")

    def to(stored: StoredAccount) -> StoredAccount:
        disabled = given.disable or (stored.disabled and not given.enable)
        return replace(stored, account=_described(stored.account, given), disabled=disabled)

    with desk(given) as at:
        at.must_be_there()
        asyncio.run(at.upkeep.change(at.login, to))
        print(f"{at.login} changed")
    return 0


def passwd(given: argparse.Namespace) -> int:
    """Set a password. Returns 1 where it is not good enough."""
    with desk(given) as at:
        if at.must_be_there().source:
            raise CommandError(f"{at.login} has its password elsewhere, not here")
        try:
            asyncio.run(at.upkeep.set_password(at.login, new_password(), by_owner=given.by_owner))
        except RefusedError as error:
            raise CommandError(f"the password is not good enough: {error}", 1) from error
        except NoAccountError as error:
            raise CommandError(f"no account {error}", 1) from error
        print(f"{at.login}: password set")
    return 0


def remove(given: argparse.Namespace) -> int:
    """Remove an account. Returns 1 where there is none."""
    with desk(given) as at:
        at.must_be_there()
        asyncio.run(at.store.accounts.remove(given.tenant, at.login))
        print(f"{at.login} removed")
    return 0


def list_(given: argparse.Namespace) -> int:
    """Print the accounts."""
    given.login = ""
    with desk(given) as at:
        stored = asyncio.run(at.store.accounts.of(given.tenant))
        if given.json:
            for one in stored:
                print_json(shown(one))
            return 0
        rows = [(one.account.login, one.account.tenant, _state(one), one.account.name) for one in stored]
        print(table(rows, ("login", "tenant", "state", "name")))
    return 0


def show(given: argparse.Namespace) -> int:
    """Print an account. Returns 1 where there is neither an account nor a lock of it."""
    with desk(given) as at:
        stored = asyncio.run(at.store.accounts.find(at.login))
        if stored is not None and stored.account.tenant != given.tenant:
            stored = None
        locks = lock_shown(at.store, given.tenant, at.login)
        if stored is None and not locks["lock_history"]:
            raise CommandError(f"no account {at.login} of {given.tenant}", 1)
        found = shown(stored) if stored is not None else {"tenant": given.tenant, "login": at.login}
        if given.json:
            print_json({**found, **locks})
            return 0
        for line in (*shown_lines(found), *lock_lines(locks)):
            print(line)
    return 0


def _described(account: Account, given: argparse.Namespace) -> Account:
    """The account with what the options say of it."""

    def lower(addresses: list[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(address.strip().lower() for address in addresses))

    if account.login not in account.addresses and "@" in account.login:
        account = replace(account, addresses=(account.login, *account.addresses))
    if given.address is not None:
        own = (account.login,) if "@" in account.login else ()
        account = replace(account, addresses=tuple(dict.fromkeys((*own, *lower(given.address)))))
    if given.on_behalf_of is not None:
        account = replace(account, on_behalf_of=lower(given.on_behalf_of))
    told = {key: getattr(given, key) for key in ("name", "contact", "language") if getattr(given, key) is not None}
    return replace(account, **told)


def _state(stored: StoredAccount) -> str:
    if stored.disabled:
        return "disabled"
    if stored.change_why:
        return f"password to be changed ({stored.change_why})"
    if stored.source:
        return f"password at {stored.source}"
    since = stored.password_set_at
    return f"password of {rfc3339(since)[:10]}" if since else "no password"
