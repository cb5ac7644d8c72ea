"""`sekisho hold`: the messages that wait: look at them, let them go, refuse them."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sekisho.cli.account_lock import LockedAccounts
from sekisho.cli.lessons import Lessons, told
from sekisho.cli.terms import (
    CommandError,
    command,
    configuration_of,
    moment,
    noun,
    print_json,
    rfc3339,
    table,
)
from sekisho.config.load import Configuration
from sekisho.daemon.compose import open_store
from sekisho.mail.decision import Label
from sekisho.mail.kept import Kept
from sekisho.mail.lock import AccountLock
from sekisho.mail.verdict import modification_json
from sekisho.parse import parse
from sekisho.store.sqlite import SqliteStore

_LABELS: dict[str, Label] = {"releasing": "fine", "rejecting": "bad"}
_STATES = ("held", "releasing", "rejecting", "released", "rejected", "expired", "all")


def add_to(commands: Any) -> None:
    """Add `hold list`, `show`, `release`, `reject` and `export`."""
    verbs = noun(commands, "hold", "Messages that wait")
    _add_list(verbs)
    show_ = command(
        verbs,
        "show",
        show,
        "One message: who, to whom, why, what it says on top",
        "sekisho hold show ID",
        prints_data=True,
    )
    show_.add_argument("id")
    release_ = command(
        verbs, "release", release, "Send messages on", "sekisho hold release ID --reinspect", prints_data=True
    )
    release_.add_argument("--reinspect", action="store_true", help="look again first, under today's rules and policy")
    reject_ = command(
        verbs,
        "reject",
        reject,
        "Refuse messages; their senders get a report",
        "sekisho hold reject ID",
        prints_data=True,
    )
    for parser in (release_, reject_):
        parser.add_argument("id", nargs="+")
        parser.add_argument("--note", default="", help="why, for the record")
        parser.add_argument("--by", default="", help="who decides (default: the login that runs the command)")
        parser.add_argument("--no-learn", action="store_true", help="the content models learn nothing from this")
    export_ = command(
        verbs, "export", export, "Write a message's bytes as they came in", "sekisho hold export ID -o mail.eml"
    )
    export_.add_argument("id")
    export_.add_argument("-o", "--output", default="-", metavar="FILE", help="default: standard output")


def _add_list(verbs: Any) -> None:
    parser = command(
        verbs, "list", list_, "The messages that wait", "sekisho hold list --state all", prints_data=True
    )
    parser.add_argument("--state", choices=_STATES, default="held", help="default: held")
    parser.add_argument("--kind", choices=("quarantine", "approval", "delay", "retry", "notice"))
    parser.add_argument("--tenant", metavar="NAME")
    parser.add_argument("--sender", metavar="ADDR")
    parser.add_argument("--recipient", metavar="ADDR", help="an address or a domain")
    parser.add_argument("--since", metavar="TIME", type=moment, help="RFC 3339 time or date")
    parser.add_argument("--limit", type=int, default=100)


def list_(given: argparse.Namespace) -> int:
    """Print the rows, the newest first."""
    with closing(open_store(configuration_of(given))) as store:
        rows = store.list_kept(
            state=None if given.state == "all" else given.state,
            kind=given.kind,
            tenant=given.tenant,
            sender=given.sender,
            recipient=given.recipient,
            since=given.since,
            limit=given.limit,
        )
        locked = LockedAccounts(store)
        frozen = {kept.id for kept in rows if locked.of(kept) is not None}
    if given.json:
        for kept in rows:
            print_json({**_as_json(kept), "account_locked": kept.id in frozen})
    else:
        heads = ("id", "since", "kind", "state", "from", "to", "rule")
        cells = (_cells(kept, frozen=kept.id in frozen) for kept in rows)
        print(table(cells, heads) if rows else "nothing waits")
    return 0


def show(given: argparse.Namespace) -> int:
    """Print one row and the headers of its message that people read."""
    with closing(open_store(configuration_of(given))) as store:
        kept = _one(store, given.id)
        shown = {**_as_json(kept), "account_locked": LockedAccounts(store).of(kept) is not None}
        if kept.state in ("held", "releasing", "rejecting"):
            message = parse(asyncio.run(store.kept_data(kept)))
            shown["headers"] = {
                h.name: h.text for h in message.headers if h.key in ("from", "to", "cc", "date", "subject")
            }
            shown["parts"] = [{"part": p.path, "type": p.content_type, "filename": p.filename} for p in message.parts]
    if given.json:
        print_json(shown)
        return 0
    for key, value in shown.items():
        if isinstance(value, dict):
            print(f"{key}:", *(f"  {name}: {text}" for name, text in value.items()), sep="\n")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            print(
                f"{key}:",
                *("  " + ", ".join(f"{k} {v}" for k, v in row.items() if v not in ("", None)) for row in value),
                sep="\n",
            )
        else:
            print(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    return 0


def release(given: argparse.Namespace) -> int:
    """Mark messages for sending; the running gateway sends them within a second or two."""
    return _decide(given, "releasing", reinspect=given.reinspect)


def reject(given: argparse.Namespace) -> int:
    """Mark messages as refused; the running gateway reports to their senders."""
    return _decide(given, "rejecting", reinspect=False)


def export(given: argparse.Namespace) -> int:
    """Write the bytes as they came in. Raises CommandError where they are gone."""
    with closing(open_store(configuration_of(given))) as store:
        kept = _one(store, given.id)
        if kept.state not in ("held", "releasing", "rejecting"):
            raise CommandError(f"{kept.id} is {kept.state}; its bytes are no longer kept", 3)
        data = asyncio.run(store.kept_data(kept))
    if given.output == "-":
        sys.stdout.buffer.write(data)
        return 0
    try:
        Path(given.output).write_bytes(data)
    except OSError as error:
        raise CommandError(f"{given.output}: {error.strerror or error}", 3) from error
    return 0


def _decide(given: argparse.Namespace, state: Any, *, reinspect: bool) -> int:
    configuration = configuration_of(given)
    decided_by = given.by or _login()
    until = datetime.now(UTC) + timedelta(seconds=configuration.settings.hold.retry_give_up_seconds)
    refused = 0
    with closing(open_store(configuration)) as store:
        locked = LockedAccounts(store)
        lessons = None if given.no_learn or reinspect else _lessons(configuration, store, state, decided_by)
        for kept_id in given.id:
            kept = _one(store, kept_id)
            if state == "releasing" and (lock := locked.of(kept)) is not None:
                refused += 1
                _print_locked(kept, lock, as_json=given.json)
                continue
            lesson = lessons.of(kept) if lessons is not None else None
            decided = replace(
                kept, state=state, reinspect=reinspect, decided_by=decided_by, note=given.note, expires_at=until
            )
            done = kept.state == "held" and asyncio.run(store.change(decided, "held"))
            refused += not done
            learned = told(lessons.record(lesson)) if done and lessons is not None else {}
            if given.json:
                now = state if done else _one(store, kept_id).state
                print_json({"id": kept_id, "done": done, "state": now, **learned})
            else:
                print(f"{kept_id}: {state}" if done else f"{kept_id}: not held any more ({kept.state})")
                _print_learned(learned)
    return 1 if refused else 0


def _print_locked(kept: Kept, lock: AccountLock, *, as_json: bool) -> None:
    why = f"account {lock.login} is locked; unlock it first: sekisho account unlock"
    if as_json:
        print_json({"id": kept.id, "done": False, "state": kept.state, "why": why})
    else:
        print(f"{kept.id}: stays held, {why}")


def _lessons(configuration: Configuration, store: SqliteStore, state: str, decided_by: str) -> Lessons:
    return Lessons(configuration, store, _LABELS[state], decided_by, _login())


def _print_learned(learned: dict[str, object]) -> None:
    if learned.get("learned"):
        print(f"  learned as {learned['learned']}; `sekisho learn show` tells what that changes")
    elif learned:
        print(f"  nothing learned: {learned['not_learned']}")


def _login() -> str:
    """The login that runs the command; in a container its number may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _one(store: SqliteStore, kept_id: str) -> Kept:
    kept = asyncio.run(store.kept(kept_id))
    if kept is None:
        raise CommandError(f"no kept message {kept_id!r}; `sekisho hold list --state all` lists them", 3)
    return kept


def _cells(kept: Kept, *, frozen: bool) -> tuple[str, ...]:
    to = kept.envelope.rcpt_to
    return (
        kept.id,
        rfc3339(kept.received_at),
        kept.kind,
        kept.state,
        kept.envelope.mail_from or "<>",
        to[0] + (f" +{len(to) - 1}" if len(to) > 1 else "") if to else "",
        f"{kept.policy_rule} (account locked)" if frozen else kept.policy_rule,
    )


def _as_json(kept: Kept) -> dict[str, object]:
    return {
        "id": kept.id,
        "tenant": kept.tenant,
        "kind": kept.kind,
        "state": kept.state,
        "received_at": rfc3339(kept.received_at),
        "expires_at": rfc3339(kept.expires_at),
        "release_at": rfc3339(kept.release_at) if kept.release_at else None,
        "mail_from": kept.envelope.mail_from or "",
        "rcpt_to": list(kept.envelope.rcpt_to),
        "message_id": kept.message_id,
        "size": kept.size,
        "policy_rule": kept.policy_rule,
        "findings": [finding.to_json() for finding in kept.findings],
        "modifications": [modification_json(modification) for modification in kept.modifications],
        "attempts": kept.attempts,
        "next_attempt_at": rfc3339(kept.next_attempt_at) if kept.next_attempt_at else None,
        "last_reply": str(kept.last_reply) if kept.last_reply else None,
        "decided_by": kept.decided_by,
        "note": kept.note,
    }
