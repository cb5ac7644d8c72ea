"""`sekisho account window`: mailings of many that are said in advance, and that somebody else agrees to."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from sekisho.cli.terms import CommandError, command, configuration_of, moment, noun, print_json, rfc3339, table
from sekisho.config.load import Configuration
from sekisho.daemon.compose import open_store
from sekisho.mail.account import canonical_login
from sekisho.mail.ids import new_id
from sekisho.mail.window import SendingWindow
from sekisho.store.sqlite import SqliteStore

_LONGEST = timedelta(days=31)  # as long as counters are kept
_MOST_RECIPIENTS = 100_000_000


def add_window_verbs(verbs: Any) -> None:
    """Add `window` with its verbs to the noun `account`."""
    windows = noun(verbs, "window", "Mailings of many, said in advance")
    adding = command(
        windows,
        "add",
        add,
        "Ask for a sending window; it is in force once somebody else approves it",
        "sekisho account window add news@example.com --from 2026-12-01T09:00+09:00 --until 2026-12-01T18:00+09:00 "
        '--recipients 20000 --reason "winter catalogue"',
        prints_data=True,
    )
    adding.add_argument("login")
    adding.add_argument("--from", dest="starts_at", type=moment, metavar="TIME", help="RFC 3339 (default: now)")
    adding.add_argument("--until", dest="ends_at", type=moment, metavar="TIME", required=True, help="RFC 3339")
    adding.add_argument("--recipients", type=int, required=True, metavar="N", help="how many more it may write to")
    adding.add_argument("--reason", required=True, help="what is sent, to whom")
    _common(adding)
    listing = command(
        windows, "list", list_, "Sending windows that are not over", "sekisho account window list", prints_data=True
    )
    listing.add_argument("--login", default="", help="only those of this account")
    listing.add_argument("--all", action="store_true", help="those that are over as well")
    listing.add_argument("--tenant", default="default", metavar="NAME", help="default: default")
    for verb, run, summary in (
        ("approve", approve, "Agree to a sending window that somebody else asked for"),
        ("cancel", cancel, "Withdraw a sending window; what went through it is gone"),
    ):
        parser = command(windows, verb, run, summary, f"sekisho account window {verb} 0k3w…", prints_data=True)
        parser.add_argument("id")
        _common(parser)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", default="default", metavar="NAME", help="default: default")
    parser.add_argument("--by", default="", help="who does it (default: the login that runs the command)")


def add(given: argparse.Namespace) -> int:
    """Write a request. Raises CommandError for what is none."""
    configuration = _configuration(given)
    now = datetime.now(UTC)
    window = SendingWindow(
        id=new_id(),
        tenant=given.tenant,
        login=canonical_login(given.login),
        starts_at=(given.starts_at or now).astimezone(UTC),
        ends_at=given.ends_at.astimezone(UTC),
        recipients=given.recipients,
        reason=given.reason.strip(),
        requested_by=_by(given),
        requested_at=now,
    )
    if why := _unusable(window, now):
        raise CommandError(why)
    with closing(open_store(configuration)) as store:
        asyncio.run(store.windows.add(window))
    return _told(given, window, "asked for; somebody else has to approve it")


def list_(given: argparse.Namespace) -> int:
    """Print windows, by their beginning."""
    configuration = _configuration(given)
    since = None if given.all else datetime.now(UTC)
    with closing(open_store(configuration)) as store:
        windows = asyncio.run(store.windows.of(given.tenant, canonical_login(given.login), since))
    if given.json:
        for window in windows:
            print_json(shown(window))
    elif windows:
        heads = ("ID", "ACCOUNT", "FROM", "UNTIL", "RECIPIENTS", "STATE", "ASKED BY", "APPROVED BY", "REASON")
        print(table([_row(window) for window in windows], heads))
    return 0


def approve(given: argparse.Namespace) -> int:
    """Put a window in force. 1: it is no request any more. Raises CommandError for the requester's own."""
    configuration = _configuration(given)
    with closing(open_store(configuration)) as store:
        window = _window(store, given)
        by, now = _by(given), datetime.now(UTC)
        if canonical_login(by) == canonical_login(window.requested_by):
            raise CommandError("whoever asked for a window cannot approve it")
        if window.state != "requested" or window.ends_at <= now:
            return _told(given, window, f"is {window.state if window.ends_at > now else 'over'}", done=False)
        approved = replace(window, state="approved", approved_by=by, approved_at=now)
        return _changed(given, store, approved, window, "approved")


def cancel(given: argparse.Namespace) -> int:
    """Withdraw a window, asked for or approved. 1: it is cancelled already."""
    configuration = _configuration(given)
    with closing(open_store(configuration)) as store:
        window = _window(store, given)
        if window.state == "cancelled":
            return _told(given, window, "is cancelled", done=False)
        cancelled = replace(window, state="cancelled", cancelled_by=_by(given), cancelled_at=datetime.now(UTC))
        return _changed(given, store, cancelled, window, "cancelled")


def shown(window: SendingWindow) -> dict[str, object]:
    """A window as `--json` prints it."""
    return {
        "id": window.id,
        "tenant": window.tenant,
        "login": window.login,
        "from": rfc3339(window.starts_at),
        "until": rfc3339(window.ends_at),
        "recipients": window.recipients,
        "reason": window.reason,
        "state": window.state,
        "requested_by": window.requested_by,
        "requested_at": rfc3339(window.requested_at),
        "approved_by": window.approved_by,
        "approved_at": rfc3339(window.approved_at) if window.approved_at else None,
        "cancelled_by": window.cancelled_by,
        "cancelled_at": rfc3339(window.cancelled_at) if window.cancelled_at else None,
    }


def _configuration(given: argparse.Namespace) -> Configuration:
    configuration = configuration_of(given)
    if given.tenant not in configuration.settings.tenant:
        raise CommandError(f"no tenant {given.tenant!r}")
    return configuration


def _unusable(window: SendingWindow, now: datetime) -> str:
    """Why it cannot be asked for, or ""."""
    if not window.login:
        return "that is no login"
    if not window.reason:
        return "--reason must say what is sent"
    if not 0 < window.recipients <= _MOST_RECIPIENTS:
        return f"--recipients must be from 1 to {_MOST_RECIPIENTS}"
    if window.ends_at <= max(window.starts_at, now):
        return "--until must be after --from, and not over yet"
    return "a window is 31 days long at most" if window.ends_at - window.starts_at > _LONGEST else ""


def _window(store: SqliteStore, given: argparse.Namespace) -> SendingWindow:
    window = asyncio.run(store.windows.window(given.id))
    if window is None or window.tenant != given.tenant:
        raise CommandError(f"tenant {given.tenant!r} has no sending window {given.id!r}")
    return window


def _changed(
    given: argparse.Namespace, store: SqliteStore, window: SendingWindow, before: SendingWindow, what: str
) -> int:
    if asyncio.run(store.windows.change(window, before)):
        return _told(given, window, what)
    return _told(given, before, "was changed by somebody else just now", done=False)


def _told(given: argparse.Namespace, window: SendingWindow, what: str, *, done: bool = True) -> int:
    if given.json:
        print_json({**shown(window), "done": done})
    else:
        print(f"{window.id}: {what}")
    return 0 if done else 1


def _row(window: SendingWindow) -> tuple[object, ...]:
    times = (rfc3339(window.starts_at), rfc3339(window.ends_at))
    by = (window.requested_by, window.approved_by)
    return (window.id, window.login, *times, window.recipients, window.state, *by, window.reason[:60])


def _by(given: argparse.Namespace) -> str:
    """Who acts; in a container the login's number may have no name."""
    if given.by.strip():
        return str(given.by.strip())
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
