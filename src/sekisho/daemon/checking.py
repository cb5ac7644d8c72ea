"""What looks at messages, put together from the settings: opener, inspectors, look-ups and policy of every tenant."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import math
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from sekisho.accounts.directory import AccountDirectory, RegisteredAccounts
from sekisho.config.load import Configuration, lines_in, name_server
from sekisho.config.locations import Problem
from sekisho.config.settings import LearningSettings, TenantSettings
from sekisho.config.shipped import shipped
from sekisho.daemon.content import content_inspectors, model_problems
from sekisho.daemon.identities import directory_of, identified_by, identity_inspector
from sekisho.daemon.learning import TenantLayers, shipped_model
from sekisho.daemon.measured import MeasuredSandbox
from sekisho.daemon.registered import Registered
from sekisho.daemon.senders import names_of, sender_inspectors
from sekisho.decide.policy import Policy
from sekisho.gateway import Checks, Tenant
from sekisho.inspect.allowed import Allowed
from sekisho.inspect.antivirus.lookup import Antivirus
from sekisho.inspect.attachments import Attachments, Results
from sekisho.inspect.content.tenant_names import Names
from sekisho.inspect.hashes import HashList, KnownHashes
from sekisho.inspect.link_lists.dns import DnsLists
from sekisho.inspect.link_lists.lists import LinkLists, ListedLinks, load_link_lists
from sekisho.inspect.link_lists.new_sites import NewSites
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import Lists as LinkWords
from sekisho.inspect.links.lists import load_lists
from sekisho.inspect.locked import LockedAccount
from sekisho.inspect.loops import Loops
from sekisho.inspect.patterns import Patterns
from sekisho.inspect.personal_lists import PersonalLists
from sekisho.inspect.rules import Rules
from sekisho.inspect.turns import Turns
from sekisho.inspect.yara_rules import load_yara
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.opened import JobConfiguration, OpenLimits
from sekisho.mail.ports import DecisionMemory, LockedAccounts, Lookup, SiteMemory, WordMemory
from sekisho.mailauth.resolver import DnsResolver
from sekisho.parse.unpack.document import ocr
from sekisho.record.metrics import Metrics
from sekisho.sandbox import Sandbox, SandboxError, SandboxLimits
from sekisho.store.compiled import compiled_files
from sekisho.store.keys import Keys
from sekisho.store.opened_files import OpenedFiles, code_version

log = logging.getLogger(__name__)

_JOB = "sekisho.parse.unpack.job:prepare"


class Memory(WordMemory, SiteMemory, Protocol):
    """What is remembered from message to message: the store."""

    @property
    def decisions(self) -> DecisionMemory:
        """What reviewers decided about held messages."""


class Lists(Struct, frozen=True, eq=False):
    """Everything that inspection reads from files: `yara` compiled, `passwords` and `allowed` values by tenant.

    `code` names the code that opens attachments.
    """

    code: str
    yara: bytes
    hashes: HashList
    links: LinkWords
    listed: LinkLists
    passwords: Mapping[str, tuple[str, ...]]
    allowed: Mapping[str, Allowed]
    names: Mapping[str, Names]
    registered: Registered


class Checking(Struct, frozen=True, eq=False):
    """The checks in force and what has to be closed when a reload replaces them."""

    checks: Checks
    sandbox: MeasuredSandbox
    engines: tuple[Antivirus, ...]
    listed: ListedLinks
    dns_lists: DnsLists | None
    read_lists: Callable[[], tuple[LinkLists, list[Problem]]]
    registered: Registered
    opened: OpenedFiles | None
    layers: TenantLayers
    directory: AccountDirectory

    async def warm_up(self) -> bool:
        """Have all ready before the first message needs it. False: attachments cannot be opened now."""
        await self.ask_around()
        await self.layers.refresh()
        await self._refresh_accounts()
        try:
            await self.sandbox.start()
        except SandboxError as error:
            log.error("attachments cannot be opened: %s", error)  # noqa: TRY400 - no traceback is of use here
            return False
        return True

    async def ask_around(self) -> None:
        """Ask every virus scanner and DNS list how it is. Raises nothing."""
        asked = [engine.check() for engine in self.engines]
        await asyncio.gather(*asked, *([self.dns_lists.check()] if self.dns_lists else []))

    async def refresh(self) -> None:
        """Take up link lists and registered data whose files have changed, and what reviewers have decided since.

        With anything wrong in a link list the old ones stay in force, of registered data the file that is wrong.
        """
        await self.layers.refresh()
        await self._refresh_accounts()
        if self.registered.changed():
            await asyncio.to_thread(self.registered.refresh)
        if not await asyncio.to_thread(self.listed.lists.changed):
            return
        lists, problems = await asyncio.to_thread(self.read_lists)
        for problem in problems:
            log.error("link lists: %s", problem)
        if not problems:
            self.listed.lists = lists
            log.info("link lists taken up anew")

    async def _refresh_accounts(self) -> None:
        try:
            await self.directory.refresh()
        except StoreAwayError as error:
            log.warning("accounts were not taken up anew: %s", error)

    async def close(self, seconds: float = math.inf) -> None:
        """End what runs beside, once nobody uses it any more or after so many seconds."""
        await self.checks.opener.close(seconds)
        for engine in self.engines:
            engine.close()
        if self.dns_lists is not None:
            await self.dns_lists.close()

    def status(self) -> dict[str, object]:
        """For `sekisho status`: the walls around the opening process, every virus scanner and every list of links."""
        now = time.time()
        lists = [{"name": x.name, "entries": x.entries, "expired": x.expired(now)} for x in self.listed.lists.states]
        return {
            "opening": self.sandbox.status(),
            "antivirus": [msgspec.to_builtins(engine.health) for engine in self.engines],
            "link_lists": lists,
            "registered": self.registered.status(),
            "learning": self.layers.status(),
            "dns_lists": msgspec.to_builtins(self.dns_lists.health) if self.dns_lists else [],
        }


def lists_of(configuration: Configuration, tenants: Mapping[str, TenantSettings]) -> tuple[Lists, list[Problem]]:
    """Read the files that inspection is given; every problem at once."""
    settings = configuration.settings.attachments
    yara, problems = load_yara([shipped("rules"), *(configuration.path(text) for text in settings.yara)])
    hashes, more = HashList.load([configuration.path(text) for text in settings.known_hashes])
    words = load_lists(shipped("lists"))
    registered = Registered(configuration)
    listed, of_links = load_link_lists(configuration.settings.link_list, configuration.path, words)
    if settings.ocr and (why := ocr.available()):
        problems.append(configuration.locations.problem("attachments.ocr", why))
    passwords = {name: _lines(configuration, t.attachment_passwords_file) for name, t in tenants.items()}
    allowed = {name: Allowed(_values(_lines(configuration, t.dlp_allow_file))) for name, t in tenants.items()}
    names, of_people = names_of(configuration, tenants)
    return Lists(code_version(), yara, hashes, words, listed, passwords, allowed, names, registered), [
        *problems,
        *more,
        *of_links,
        *of_people,
        *model_problems(),
        *registered.problems,
    ]


def checking(
    configuration: Configuration,
    rules: Rules,
    policies: Mapping[str, Policy],
    tenants: Mapping[str, TenantSettings],
    lists: Lists,
    *,
    hash_key: bytes,
    memory: Memory | None = None,
    keys: Keys | None = None,
    metrics: Metrics | None = None,
    locks: LockedAccounts | None = None,
    accounts: RegisteredAccounts | None = None,
) -> Checking:
    """Inspection and policy, ready to be asked, and to be closed. `hash_key` keys the findings' hashes.

    With `keys` results of opening are shared with other processes; `memory` is the store, `accounts` are the
    registered ones.
    """
    settings = configuration.settings
    opened = _opened_files(configuration, lists, keys) if keys is not None else None
    sandbox = MeasuredSandbox(_sandbox(configuration, lists), metrics)
    engines = tuple(Antivirus(engine) for engine in settings.antivirus)
    partners = {name: tenant.partners for name, tenant in tenants.items()}
    links = Links(lists.links, partners=partners, allowed=settings.inspect.allowed_link_hosts)
    listed = ListedLinks(lists.listed, lists.links)
    dns_lists = _dns_lists(configuration, lists, listed)
    layers = _layers(tenants, memory)
    directory, by_listener = directory_of(configuration, tenants, accounts), identified_by(configuration)
    lookups: list[Lookup] = [*engines, *([dns_lists] if dns_lists else [])]
    if memory is not None:
        lookups.append(NewSites(memory, settings.links, lists.links, allowed=listed.allowed))
    checks = Checks(
        tenants={name: Tenant(policies[name], frozenset(tenant.domains)) for name, tenant in tenants.items()},
        opener=_opener(configuration, lists, sandbox, memory, opened),
        inspectors=(
            Patterns(rules, hash_key, lists.allowed, compiled_files(configuration.state_dir)),
            KnownHashes(lists.hashes),
            links,
            listed,
            PersonalLists(rules),
            *lists.registered.inspectors,
            *content_inspectors(links, layers, tenants),
            *sender_inspectors(lists.links, lists.names, settings.inspect.allowed_link_hosts),
            identity_inspector(tenants, directory, by_listener),
            Loops(settings.gateway.hostname or socket.getfqdn()),
        ),
        lookups=tuple(lookups),
        lookup_deadline_seconds=settings.inspect.lookup_deadline_seconds,
        thread_above_bytes=settings.inspect.thread_above_bytes,
        identifications=by_listener,
        at_last=LockedAccount(locks) if locks is not None else None,
    )
    read_lists = partial(load_link_lists, settings.link_list, configuration.path, lists.links)
    registered = lists.registered
    return Checking(checks, sandbox, engines, listed, dns_lists, read_lists, registered, opened, layers, directory)


def _layers(tenants: Mapping[str, TenantSettings], memory: Memory | None) -> TenantLayers:
    """What tenants have taught the content models: for the inspector "content"; nothing before `refresh`."""
    settings = {name: tenant.learning or LearningSettings() for name, tenant in tenants.items()}
    return TenantLayers(shipped_model(), settings, memory.decisions if memory is not None else None)


def _dns_lists(configuration: Configuration, lists: Lists, listed: ListedLinks) -> DnsLists | None:
    settings = configuration.settings
    if not settings.dns_list:
        return None
    servers = [name_server(text) for text in settings.links.name_servers]
    resolver = DnsResolver(servers, settings.links.dns_timeout_seconds)
    return DnsLists(settings.dns_list, settings.links, resolver, lists.links, allowed=listed.allowed)


def _sandbox(configuration: Configuration, lists: Lists) -> Sandbox:
    settings = configuration.settings.attachments
    walls = SandboxLimits(
        memory_bytes=settings.memory_bytes, cpu_seconds=settings.cpu_seconds, wall_seconds=settings.wall_seconds
    )
    return Sandbox(_JOB, _told(configuration, lists), walls, settings.processes)


def _told(configuration: Configuration, lists: Lists) -> bytes:
    """What the opening process is told."""
    return msgspec.msgpack.encode(JobConfiguration(yara=lists.yara, ocr=configuration.settings.attachments.ocr))


def _limits(configuration: Configuration) -> OpenLimits:
    settings = configuration.settings.attachments
    return OpenLimits(
        depth=settings.depth,
        files=settings.files,
        unpacked_bytes=settings.unpacked_bytes,
        ratio=settings.ratio,
        text_chars=settings.text_chars,
        passwords=settings.passwords,
        seconds=settings.seconds,
    )


def _opened_files(configuration: Configuration, lists: Lists, keys: Keys) -> OpenedFiles:
    """Results for all processes: under other code, rules, limits or OCR they are others."""
    depends_on = (
        lists.code.encode(),
        _told(configuration, lists),
        msgspec.msgpack.encode(_limits(configuration)),
        ocr_state(ocr.identity()) if configuration.settings.attachments.ocr else b"",
    )
    generation = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in depends_on)).hexdigest()
    most = configuration.settings.attachments.shared_cache_bytes
    return OpenedFiles(configuration.state_dir / "opened", keys, generation, most)


def ocr_state(engine: tuple[str, ...]) -> bytes:
    """What the text of pictures depends on: the engine as `ocr.identity` tells it, and its data.

    Of each file of data its size and time count; one that cannot be looked at counts as missing. Raises nothing.
    """
    told = list(engine)
    _version, _binding, place, *languages = engine or ("", "", "")
    for language in languages:
        with contextlib.suppress(OSError):
            state = (Path(place) / f"{language}.traineddata").stat()
            told.append(f"{state.st_size} {state.st_mtime_ns}")
    return "\0".join(told).encode()


def _opener(
    configuration: Configuration,
    lists: Lists,
    sandbox: MeasuredSandbox,
    memory: WordMemory | None,
    opened: OpenedFiles | None,
) -> Attachments:
    settings = configuration.settings.attachments
    return Attachments(
        sandbox,
        _limits(configuration),
        lists.passwords,
        memory,
        Results(settings.cache_bytes),
        turns=Turns(settings.processes),
        shared=opened,
    )


def _values(lines: Iterable[str]) -> Iterator[str]:
    """The entries of a list of allowed values; "#" begins a comment."""
    return (line for line in lines if not line.lstrip().startswith("#"))


def _lines(configuration: Configuration, file: str) -> tuple[str, ...]:
    """The lines of a file that a tenant names; that it cannot be read is a problem said elsewhere."""
    try:
        return lines_in(configuration.path(file)) if file else ()
    except (OSError, ValueError):
        return ()
