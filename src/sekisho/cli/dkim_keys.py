"""`sekisho dkim keygen`, `rotate`, `keys`, `check`, `retire` and `remove`: the DKIM keys that the store keeps."""

from __future__ import annotations

import argparse
import asyncio
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sekisho.cli.terms import CommandError, command, configuration_of, print_json, rfc3339, table
from sekisho.config.load import Configuration, name_server
from sekisho.daemon.compose import open_store
from sekisho.daemon.key_watch import KeyWatch, Round, Told, look_now, watched
from sekisho.mail.signing_key import KeyAlgorithm, SigningKey
from sekisho.mailauth.author import ascii_domain
from sekisho.mailauth.key_lifecycle import Shown, signing
from sekisho.mailauth.key_making import (
    ALGORITHMS,
    alias_line,
    dns_name,
    new_key,
    record_line,
    record_strings,
    record_text,
    selectors,
    successor,
)
from sekisho.store.signing_keys import SigningKeyExistsError
from sekisho.store.sqlite import SqliteStore

_ALERTS = frozenset(("absent", "changed", "revoked", "several", "pending-long", "still-published", "publish-failed"))


def add_key_verbs(verbs: Any) -> None:
    """Add the verbs about keys to the noun `dkim`."""
    _add_keygen(verbs)
    rotate_ = _verb(verbs, "rotate", rotate, "Make a successor for each key that signs for a domain", "example.jp")
    keys_ = _verb(verbs, "keys", keys, "The DKIM keys that the store keeps", "example.jp")
    check_ = _verb(verbs, "check", check, "Look at the DNS now and go on with the keys", "")
    retire_ = _verb(verbs, "retire", retire, "Let a key sign no more; its record stays a while", "example.jp s1")
    remove_ = _verb(verbs, "remove", remove, "Forget a key", "example.jp s1")
    for parser in (keys_, check_):
        parser.add_argument("domain", nargs="?", default="", help="only this one's")
    for parser in (rotate_, retire_, remove_):
        parser.add_argument("domain")
    for parser in (rotate_, keys_):
        parser.add_argument("--tenant", default="", metavar="NAME", help="only this one's")
    for parser in (retire_, remove_):
        parser.add_argument("selector")
        parser.add_argument("--yes", action="store_true", help="even if no RSA key signs for the domain then")
    check_.add_argument("--resolver", metavar="HOST:PORT", type=name_server, help="name server to ask")


def _add_keygen(verbs: Any) -> None:
    parser = _verb(verbs, "keygen", keygen, "Make DKIM keys for a domain and show the records", "example.jp")
    parser.add_argument("domain")
    parser.add_argument("--tenant", default="default", metavar="NAME", help="default: default")
    parser.add_argument("--selector", default="", metavar="NAME", help="default: by the day")
    parser.add_argument("--algorithm", choices=("rsa", "ed25519", "both"), default="both", help="default: both")
    parser.add_argument(
        "--cname-target",
        default="",
        metavar="NAME",
        help="the records stand below this; the domain points there",
    )


def _verb(verbs: Any, name: str, run: Any, summary: str, example: str) -> argparse.ArgumentParser:
    return command(verbs, name, run, summary, f"sekisho dkim {name} {example}".rstrip(), prints_data=True)


class _Desk(Struct, eq=False):
    """The store, opened, and the keys in it of the domain that a command is about ("": of all)."""

    configuration: Configuration
    store: SqliteStore
    domain: str
    keys: list[SigningKey]

    def key(self, selector: str) -> SigningKey:
        """The key of a selector. Raises CommandError."""
        found = next((key for key in self.keys if key.selector == ascii_domain(selector)), None)
        if found is None:
            raise CommandError(f"no key {selector} of {self.domain}", 1)
        return found

    def add(self, made: Sequence[SigningKey], instead_of: Sequence[SigningKey] = ()) -> None:
        """Keep new keys. Raises CommandError."""
        try:
            asyncio.run(self.store.signing_keys.add(made, instead_of))
        except SigningKeyExistsError as error:
            raise CommandError(str(error), 1) from error


@contextmanager
def _desk(given: argparse.Namespace) -> Iterator[_Desk]:
    configuration = configuration_of(given)
    tenant = getattr(given, "tenant", "")
    if tenant and tenant not in configuration.settings.tenant:
        raise CommandError(f"no tenant {tenant!r}")
    try:
        domain = dns_name(given.domain) if given.domain else ""
    except ValueError as error:
        raise CommandError(str(error)) from error
    with closing(open_store(configuration)) as store:
        found = asyncio.run(store.signing_keys.of(domain=domain))
        yield _Desk(configuration, store, domain, found)


def keygen(given: argparse.Namespace) -> int:
    """Make keys, pending. Raises CommandError."""
    algorithms: tuple[KeyAlgorithm, ...] = ALGORITHMS if given.algorithm == "both" else (given.algorithm,)
    now = _now()
    with _desk(given) as desk:
        try:
            base = dns_name(given.cname_target) if given.cname_target else ""
            names = selectors(algorithms, {key.selector for key in desk.keys}, now, given.selector)
            pairs = zip(names, algorithms, strict=True)
            made = [new_key(given.tenant, desk.domain, name, kind, now, base) for name, kind in pairs]
        except ValueError as error:
            raise CommandError(str(error)) from error
        desk.add(made)
        _show_records(given, made, _notes(desk.configuration, given.tenant, desk.domain))
    return 0


def rotate(given: argparse.Namespace) -> int:
    """Make successors, pending; 1 where nothing signs, or all have one already. Raises CommandError."""
    with _desk(given) as desk:
        active = [key for key in signing(desk.keys).values() if given.tenant in ("", key.tenant)]
        if not active:
            raise CommandError(f"no key signs for {desk.domain}; make one with sekisho dkim keygen", 1)
        waiting = {(key.tenant, key.algorithm) for key in desk.keys if key.state == "pending"}
        due = [key for key in active if (key.tenant, key.algorithm) not in waiting]
        if not due:
            raise CommandError(f"successors for {desk.domain} are there already: sekisho dkim keys {desk.domain}", 1)
        try:
            pairs = [successor(key, desk.keys, _now()) for key in due]
        except ValueError as error:
            raise CommandError(str(error), 1) from error
        made = [key for key, _ in pairs]
        desk.add(made, [old for _, old in pairs if old])
        _show_records(given, made, ["The keys that sign now go on until these records are in the DNS."])
    return 0


def keys(given: argparse.Namespace) -> int:
    """Show the keys. Returns 0."""
    with _desk(given) as desk:
        _show_keys(given, [key for key in desk.keys if given.tenant in ("", key.tenant)], {})
    return 0


def check(given: argparse.Namespace) -> int:
    """One round of the keys' life. Returns 1 where anything is wrong with a key, 3 where the DNS did not answer."""
    with _desk(given) as desk:
        settings = desk.configuration.settings
        hostname = settings.gateway.hostname or socket.getfqdn()
        watch = KeyWatch(desk.store, watched(desk.configuration, hostname))
        servers = [given.resolver] if given.resolver else [name_server(text) for text in settings.links.name_servers]
        done = asyncio.run(look_now(watch, servers, desk.domain))
        after = asyncio.run(desk.store.signing_keys.of(domain=desk.domain))
        _show_keys(given, after, done.seen)
        if not given.json:
            _show_told(done.told)
    return _status(done, after)


def retire(given: argparse.Namespace) -> int:
    """Let an active or pending key sign no more. Raises CommandError."""
    with _desk(given) as desk:
        key = desk.key(given.selector)
        if key.state not in ("active", "pending"):
            raise CommandError(f"{key.asked_name} is {key.state} already", 1)
        _must_be_meant(given, desk, key)
        # a key that never signed need not stay published
        after = replace(key, state="retiring" if key.state == "active" else "retired", since=_now(), told="")
        after = replace(after, private=b"") if after.state == "retired" else after
        if not asyncio.run(desk.store.signing_keys.change([(key, after)])):
            raise CommandError("somebody else has just changed this key; look again", 1)
        _show_keys(given, [after], {})
    return 0


def remove(given: argparse.Namespace) -> int:
    """Forget a key, with its private half. Raises CommandError."""
    with _desk(given) as desk:
        key = desk.key(given.selector)
        if key.state == "retiring" and not given.yes:
            raise CommandError(f"mail signed with {key.selector} may be under way; --yes does it all the same", 1)
        _must_be_meant(given, desk, key)
        if not asyncio.run(desk.store.signing_keys.remove(key)):
            raise CommandError("somebody else has just changed this key; look again", 1)
        if given.json:
            print_json({"domain": key.domain, "selector": key.selector, "removed": True})
        else:
            print(
                f"{key.asked_name}: forgotten. If it is still in the DNS, remove this record:\n\n  {key.record_name}"
            )
    return 0


def _must_be_meant(given: argparse.Namespace, desk: _Desk, key: SigningKey) -> None:
    others = [other for other in signing(desk.keys).values() if other != key and other.tenant == key.tenant]
    # many receivers do not know Ed25519 yet, so that it alone is not enough
    if key.state == "active" and not any(other.algorithm == "rsa" for other in others) and not given.yes:
        raise CommandError(f"no other RSA key signs for {key.domain}; --yes does it all the same", 1)


def _notes(configuration: Configuration, tenant: str, domain: str) -> list[str]:
    """What somebody who makes a key may have overlooked."""
    notes = ["The keys sign once the DNS shows them: within an hour, or at once after sekisho dkim check."]
    settings = configuration.settings.tenant[tenant]
    own = [ascii_domain(name.removeprefix(".")) for name in settings.domains]
    if own and not any(f".{domain}".endswith(f".{name}") for name in own):
        notes.append(f"Note: {domain} is not among the domains of tenant {tenant}.")
    if any(ascii_domain(entry.domain) == domain for entry in settings.dkim):
        notes.append(f"Note: the configuration has a key for {domain}; these sign only once it is taken out there.")
    return notes


def _show_records(given: argparse.Namespace, made: Iterable[SigningKey], notes: Sequence[str]) -> None:
    for key in made:
        if given.json:
            print_json({**_as_json(key), "record": _record_json(key)})
            continue
        print(f"{key.domain}, {key.algorithm}: publish this record\n\n{record_line(key)}\n")
        if alias := alias_line(key):
            print(f"and where {key.domain} is kept, for good:\n\n{alias}\n")
    if not given.json:
        print("\n".join(notes))


def _show_keys(given: argparse.Namespace, shown: Sequence[SigningKey], seen: Mapping[str, Shown]) -> None:
    if given.json:
        for key in shown:
            what = seen.get(key.asked_name)
            dns = {"dns": {"seen": what.seen, "detail": what.detail}} if what else {}
            print_json({**_as_json(key), **dns})
        return
    rows = [
        (
            key.tenant,
            key.domain,
            key.selector,
            key.algorithm,
            key.state,
            rfc3339(key.since),
            _in_dns(key, seen),
            key.told or "-",
        )
        for key in shown
    ]
    print(table(rows, ("tenant", "domain", "selector", "algorithm", "state", "since", "in the DNS", "alert")))


def _in_dns(key: SigningKey, seen: Mapping[str, Shown]) -> str:
    what = seen.get(key.asked_name)
    if what is None:
        return "gone" if key.gone else "-"
    testing = " (t=y)" if what.testing else ""
    return f"{what.seen}{testing}" + (f": {what.detail}" if what.detail else "")


def _show_told(told: Iterable[Told]) -> None:
    if told := list(told):
        print()
    for entry in told:
        print(f"{entry.key.asked_name}: {entry.event}" + (f" ({entry.detail})" if entry.detail else ""))


def _status(done: Round, after: Iterable[SigningKey]) -> int:
    failed = any(entry.event == "publish-failed" for entry in done.told)
    if failed or any(key.told in _ALERTS for key in after):
        return 1
    return 3 if any(what.seen == "unknown" for what in done.seen.values()) else 0


def _as_json(key: SigningKey) -> dict[str, object]:
    return {
        "tenant": key.tenant,
        "domain": key.domain,
        "selector": key.selector,
        "algorithm": key.algorithm,
        "state": key.state,
        "created_at": rfc3339(key.created_at),
        "since": rfc3339(key.since),
        "testing": key.testing,
        "alert": key.told or None,
    }


def _record_json(key: SigningKey) -> dict[str, object]:
    return {
        "name": key.record_name,
        "type": "TXT",
        "text": record_text(key),
        "strings": record_strings(key),
        "cname": {"name": key.asked_name, "target": key.record_name} if key.base else None,
    }


def _now() -> datetime:
    return datetime.now(UTC)
