"""The composition root: the only file that knows every concrete class. Settings become objects here."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from sekisho.act.carry_out import CarryOut, TenantActions
from sekisho.act.maildir import MaildirRelay
from sekisho.act.relay import SmtpRelay
from sekisho.act.release import Release
from sekisho.act.routes import Routes
from sekisho.act.sign import DkimKeyError, Signer, load_key
from sekisho.config.load import Configuration, read
from sekisho.config.locations import Problem
from sekisho.config.settings import ListenerSettings, NextHopSettings, NoticeSettings, Settings, TenantSettings
from sekisho.config.shipped import shipped
from sekisho.config.tenants import inherited
from sekisho.daemon.checking import Checking, Lists, lists_of
from sekisho.daemon.checking import checking as put_together
from sekisho.daemon.lock_teller import LockTeller
from sekisho.daemon.measured import MeasuredRelay
from sekisho.daemon.signing_keys import StoredKeys
from sekisho.decide.load import load_policy
from sekisho.decide.policy import Policy
from sekisho.gateway import Checks
from sekisho.inspect.patterns import Patterns
from sekisho.inspect.rules import Rules, load_rules
from sekisho.mail.ports import Directory, LockedAccounts, Store
from sekisho.record.journal import Journal, JournalHandler
from sekisho.record.keep import Recorder
from sekisho.record.metrics import Metrics
from sekisho.store.compiled import compiled_files
from sekisho.store.sqlite import SqliteStore

log = logging.getLogger(__name__)


class Prepared(Struct, frozen=True, eq=False):
    """A configuration whose rules, policies and keys have all been read and found good."""

    configuration: Configuration
    rules: Rules
    policies: Mapping[str, Policy]
    signers: Mapping[str, Signer]
    tenants: Mapping[str, TenantSettings]
    lists: Lists
    hostname: str


def prepared_from(file: Path | None) -> tuple[Prepared | None, list[Problem]]:
    """Read a configuration file and all that it names; every problem at once."""
    configuration, problems = read(file)
    if configuration is None or any(problem.key.endswith(".parent") for problem in problems):
        return None, problems  # without knowing the parents there is no telling what a tenant has
    prepared, more = prepare(configuration)
    return (None if problems else prepared), problems + more


def prepare(configuration: Configuration) -> tuple[Prepared | None, list[Problem]]:
    """Read everything that the configuration names. Returns nothing prepared exactly when there is a problem."""
    settings = configuration.settings
    rules, problems = rules_of(configuration)
    known_ids = frozenset(rules.by_id) if rules else None
    policies, signers, tenants = {}, {}, {}
    for name in settings.tenant:
        tenants[name] = inherited(settings, name)
        policy, found = load_policy(
            name, settings.tenant, configuration.base, shipped("policy/default.toml"), known_ids
        )
        problems.extend(problem for problem in found if problem not in problems)
        if policy is not None:
            policies[name] = policy
        signers[name] = _signer(configuration, name, tenants[name], problems)
    lists, more = lists_of(configuration, tenants)
    problems.extend(more)
    if rules is None or problems:
        return None, problems
    hostname = settings.gateway.hostname or socket.getfqdn()
    return Prepared(configuration, rules, policies, signers, tenants, lists, hostname), []


def rules_of(configuration: Configuration) -> tuple[Rules | None, list[Problem]]:
    """The rules that came with Sekisho and those that the configuration adds."""
    inspect = configuration.settings.inspect
    paths = [shipped("rules"), *(configuration.path(text) for text in inspect.rules)]
    return load_rules(paths, inspect.disabled_rules)


def titles(rules: Rules) -> dict[str, dict[str, str]]:
    """Each finding id with its title in English and Japanese."""
    return {rule.id: {"en": rule.title.en, "ja": rule.title.ja} for rule in rules.by_id.values()}


def open_store(configuration: Configuration) -> SqliteStore:
    """The store of this process. Raises StoreAwayError."""
    return SqliteStore.open(configuration.state_dir, configuration.key_file)


def listeners(configuration: Configuration) -> tuple[ListenerSettings, ...]:
    """The listeners' settings with the paths of their certificates made absolute."""
    return tuple(
        replace(
            listener,
            certificate=_absolute(configuration, listener.certificate),
            private_key=_absolute(configuration, listener.private_key),
        )
        for listener in configuration.settings.listener
    )


def prepared_again(before: Prepared) -> Prepared | None:
    """Read the same configuration file anew. None where anything is wrong with it; all of that is in the log."""
    prepared, problems = prepared_from(before.configuration.file)
    for problem in problems:
        log.error("reload: %s", problem)
    if prepared is not None:
        compile_patterns(prepared.configuration, prepared.rules)
    return prepared


def compile_patterns(configuration: Configuration, rules: Rules) -> None:
    """Compile the rules' patterns now, for this process and its children, and keep them for the next start.

    Up to some seconds where nothing was kept, else milliseconds.
    """
    Patterns(rules, b"", kept=compiled_files(configuration.state_dir))


def needs_restart(old: Settings, new: Settings) -> list[str]:
    """The changed settings that a running gateway cannot take up."""
    fixed = ("state_dir", "workers", "user", "http_address")
    changed = [f"gateway.{key}" for key in fixed if getattr(old.gateway, key) != getattr(new.gateway, key)]
    if [(x.name, x.address) for x in old.listener] != [(x.name, x.address) for x in new.listener]:
        changed.append("listener (names and addresses)")
    changed += [key for key in ("record.log",) if old.record.log != new.record.log]
    changed += [key for key in ("hold.key_file",) if old.hold.key_file != new.hold.key_file]
    return changed + (["cluster"] if old.cluster != new.cluster else [])


def finding_key(store: SqliteStore) -> bytes:
    """The key of the findings' hashes: the same in every process of an installation."""
    return bytes.fromhex(store.keys.keyed_hash("finding", "key"))


def metrics_directory(configuration: Configuration) -> Path:
    """Where the processes share their metrics."""
    return configuration.state_dir / "metrics"


def journal_of(configuration: Configuration, failed: Callable[[], None] = lambda: None) -> Journal:
    """The JSON log of this process, which takes the lines of Python's logging as well from now on."""
    record = configuration.settings.record
    target = record.log if record.log in ("stdout", "stderr") else str(configuration.path(record.log))
    journal = Journal(target, failed)
    logging.basicConfig(level=record.log_level.upper(), handlers=[JournalHandler(journal)], force=True)
    return journal


def recorder(configuration: Configuration, store: SqliteStore, metrics: Metrics) -> tuple[Recorder, Journal]:
    """What records messages in this process, and the journal that it writes to."""
    journal = journal_of(configuration, metrics.journal_failed)
    return Recorder(store, journal, metrics, configuration.settings.record.file_names), journal


def checking(
    prepared: Prepared,
    hash_key: bytes,
    store: SqliteStore | None = None,
    metrics: Metrics | None = None,
    locks: LockedAccounts | None = None,
) -> Checking:
    """Inspection and policy, ready to be asked, and to be closed. `hash_key` keys the findings' hashes.

    Without a `store` nothing is remembered from message to message, and nothing shared between processes.
    """
    return put_together(
        prepared.configuration,
        prepared.rules,
        prepared.policies,
        prepared.tenants,
        prepared.lists,
        hash_key=hash_key,
        memory=store,
        keys=store.keys if store is not None else None,
        metrics=metrics,
        locks=locks,
        accounts=store.accounts if store is not None else None,
    )


def checking_of(configuration: Configuration) -> tuple[Checking | None, list[Problem]]:
    """Inspection and policy for a command that looks at messages without keeping anything."""
    prepared, problems = prepare(configuration)
    # A key of the moment: hashes of findings that are not kept need not be found again.
    return (checking(prepared, secrets.token_bytes(32)) if prepared else None), problems


class Actions(Struct, frozen=True, eq=False):
    """What acts on messages, and the relays in it, to be closed when a reload replaces them."""

    carry_out: CarryOut
    tenants: Mapping[str, TenantActions]
    relays: tuple[MeasuredRelay, ...]


def actions(prepared: Prepared, store: Store, metrics: Metrics, stored: StoredKeys | None = None) -> Actions:
    """Relays, signers and notices of every tenant. `stored` are the DKIM keys of the store."""
    tenants: dict[str, TenantActions] = {}
    relays: list[MeasuredRelay] = []
    for name, tenant in prepared.tenants.items():
        hops = [(hop, _relay(prepared, hop, metrics)) for hop in tenant.next_hop or _local_maildir(prepared)]
        relays.extend(relay for _, relay in hops)
        tenants[name] = TenantActions(
            routes=Routes(hops),
            signer=_with_stored(prepared, name, stored),
            hold=prepared.configuration.settings.hold,
            notice=tenant.notice or NoticeSettings(),
        )
    return Actions(CarryOut(store, tenants, prepared.hostname, titles(prepared.rules)), tenants, tuple(relays))


def release(prepared: Prepared, store: Store, acting: Actions, checking: Checks, locks: LockedAccounts) -> Release:
    """What sends kept messages."""
    of = (acting.tenants, prepared.hostname, checking.read_kept, checking.examine)
    return Release(store, *of, locks=locks)


def lock_teller(
    prepared: Prepared, store: SqliteStore, acting: Actions, directory: Directory, metrics: Metrics
) -> LockTeller:
    """What freezes the kept mail of locked accounts, and tells people."""
    of = (acting.tenants, directory, prepared.hostname)
    return LockTeller(store, store.locks, *of, told=lambda event: metrics.account_lock(event.tenant, event.step))


def _with_stored(prepared: Prepared, name: str, stored: StoredKeys | None) -> Signer:
    signer = prepared.signers[name]
    return signer.beside(stored.of(prepared.configuration.settings, name)) if stored is not None else signer


def _local_maildir(prepared: Prepared) -> tuple[NextHopSettings, ...]:
    """With no next hop configured, delivered mail lands where a newcomer can look at it."""
    return (NextHopSettings(maildir=str(prepared.configuration.state_dir / "sent")),)


def _relay(prepared: Prepared, hop: NextHopSettings, metrics: Metrics) -> MeasuredRelay:
    if hop.maildir:
        return MeasuredRelay("maildir", MaildirRelay(prepared.configuration.path(hop.maildir)), metrics)
    paths = {name: _absolute(prepared.configuration, getattr(hop, name)) for name in ("ca_file", "password_file")}
    return MeasuredRelay(hop.hosts[0], SmtpRelay(replace(hop, **paths), prepared.hostname), metrics)


def _absolute(configuration: Configuration, text: str) -> str:
    return str(configuration.path(text)) if text else ""


def _owner_of_keys(configuration: Configuration, name: str) -> str:
    """The tenant in whose section the keys of `name` stand: its own, or the nearest parent's."""
    tenants = configuration.settings.tenant
    while not tenants[name].dkim:
        name = tenants[name].parent
    return name


def _signer(configuration: Configuration, name: str, tenant: TenantSettings, problems: list[Problem]) -> Signer:
    keys = []
    for number, dkim in enumerate(tenant.dkim):
        try:
            keys.append(load_key(dkim, configuration.base))
        except DkimKeyError as error:
            owner = _owner_of_keys(configuration, name)
            key = f"tenant.{owner}.dkim[{number}].private_key"
            problem = configuration.locations.problem(key, str(error))
            if problem not in problems:
                problems.append(problem)
    return Signer(keys)
