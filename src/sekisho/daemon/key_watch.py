"""One round of the life of our DKIM keys: look at the DNS, go on with them, publish, rotate, and tell people."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from sekisho.act.key_notice import key_notice
from sekisho.act.lock_notice import kept_notice
from sekisho.config.load import Configuration
from sekisho.config.settings import HoldSettings, NoticeSettings, TenantSettings
from sekisho.config.signing_settings import SigningSettings
from sekisho.config.tenants import inherited
from sekisho.daemon.dns_publisher import DnsPublisher, PublishError
from sekisho.mail.ports import RecordResolver
from sekisho.mail.signing_key import SigningKey
from sekisho.mailauth.key_lifecycle import Alert, Change, Shown, Times, look, plan
from sekisho.mailauth.key_making import successor
from sekisho.mailauth.records import DnsRecords
from sekisho.store.signing_keys import SigningKeyExistsError
from sekisho.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

_AT_ONCE = 8  # questions to the DNS


class Told(Struct, frozen=True):
    """Something that happened to a key: a step ("active") or an alert ("absent"), with what the DNS showed."""

    key: SigningKey
    event: str
    detail: str = ""


class Round(Struct, frozen=True):
    """What a round found and did. `seen` is by the name that was asked for."""

    told: tuple[Told, ...]
    seen: Mapping[str, Shown]


class Watched(Struct, frozen=True):
    """What the watch needs of the configuration. `path` makes its paths absolute; `hostname` is ASCII."""

    tenants: Mapping[str, TenantSettings]
    hold: HoldSettings
    hostname: str
    path: Callable[[str], Path]


class KeyWatch:
    """Goes on with the keys of the store. `noted` hears of every step and alert (tenant, event)."""

    def __init__(
        self,
        store: SqliteStore,
        watched: Watched,
        noted: Callable[[str, str], None] = lambda _tenant, _event: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._watched = watched
        self._noted = noted
        self._now = now

    async def run_once(self, resolver: RecordResolver, domain: str = "") -> Round:
        """One round over all keys, or those of a domain. Raises StoreAwayError; nothing for the DNS."""
        keys = await self._store.signing_keys.of(domain=domain)
        seen = await _looked(keys, resolver)
        told: list[Told] = []
        for tenant, settings in self._watched.tenants.items():
            own = [key for key in keys if key.tenant == tenant]
            if own:
                told += await self._of_tenant(own, seen, settings)
        for entry in told:
            log.info("DKIM key %s: %s %s", entry.key.asked_name, entry.event, entry.detail)
            self._noted(entry.key.tenant, entry.event)
        return Round(tuple(told), seen)

    async def _of_tenant(
        self, keys: Sequence[SigningKey], seen: Mapping[str, Shown], settings: TenantSettings
    ) -> list[Told]:
        publisher = DnsPublisher(settings.dns_update, self._watched.path)
        planned = plan(keys, seen, self._now(), _times(settings.signing or SigningSettings()))
        followers, told = await self._follow(planned.due, publisher)
        alerts = [_about(alert, followers) for alert in planned.alerts]
        told += [Told(alert.key, alert.code, alert.detail) for alert in alerts]
        await self._tell([a for a in alerts if not (a.code == "rotation-due" and publisher.serves(a.key))], settings)
        if planned.changes:
            changes = [(change.before, change.after) for change in planned.changes]
            if not await self._store.signing_keys.change(changes):
                log.info("DKIM keys were changed meanwhile; they are looked at next time")
                return told
            told += [Told(c.after, c.after.state) for c in planned.changes if c.before.state != c.after.state]
        return told + await self._published(keys, planned.changes, seen, publisher)

    async def _follow(
        self, due: Sequence[SigningKey], publisher: DnsPublisher
    ) -> tuple[dict[str, SigningKey], list[Told]]:
        """Make the successors that are due; by the name of the key that they are to follow."""
        followers: dict[str, SigningKey] = {}
        told = []
        for key in due:
            others = await self._store.signing_keys.of(domain=key.domain)
            try:
                made, old = await asyncio.to_thread(successor, key, others, self._now())
                await self._store.signing_keys.add([made], [old] if old else [])
            except (ValueError, SigningKeyExistsError) as error:
                log.warning("DKIM key %s cannot be followed: %s", key.asked_name, error)
                continue
            followers[key.asked_name] = made
            told += [Told(made, "made"), *await _publish(made, publisher)]
        return followers, told

    async def _tell(self, alerts: Sequence[Alert], settings: TenantSettings) -> None:
        """Keep a notice of each, to be sent."""
        now = self._now()
        for alert in alerts:
            log.warning("DKIM key %s: %s %s", alert.key.asked_name, alert.code, alert.detail)
            made = key_notice(alert, settings.notice or NoticeSettings(), self._watched.hostname, now)
            if made is None:
                log.warning("DKIM key %s: %s, and nobody to tell", alert.key.asked_name, alert.code)
                continue
            await self._store.keep(kept_notice(alert.key.tenant, *made, self._watched.hold, now), made[1])

    @staticmethod
    async def _published(
        keys: Sequence[SigningKey], changes: Sequence[Change], seen: Mapping[str, Shown], publisher: DnsPublisher
    ) -> list[Told]:
        """Publish what the DNS does not show yet, and take out what it need not show any more."""
        changed = {change.before.asked_name: change.after for change in changes}
        told: list[Told] = []
        for key in (changed.get(key.asked_name, key) for key in keys):
            what = seen.get(key.asked_name, Shown("unknown")).seen
            if key.state == "pending" and what == "absent":
                told += await _publish(key, publisher)
            elif key.state == "retired" and what == "ours":
                told += await _withdraw(key, publisher)
        return told


def watched(configuration: Configuration, hostname: str) -> Watched:
    """What `KeyWatch` takes of a configuration."""
    settings = configuration.settings
    tenants = {name: inherited(settings, name) for name in settings.tenant}
    return Watched(tenants, settings.hold, hostname, configuration.path)


async def look_now(watch: KeyWatch, name_servers: Sequence[str] = (), domain: str = "") -> Round:
    """A round that asks these name servers ("192.0.2.1:53"; the system's where ()), and nothing of old answers."""
    resolver = DnsRecords(name_servers)
    try:
        return await watch.run_once(resolver, domain)
    finally:
        await resolver.close()


async def _publish(key: SigningKey, publisher: DnsPublisher) -> list[Told]:
    if not publisher.serves(key):
        return []
    try:
        return [Told(key, "published")] if await publisher.publish(key) == "done" else []
    except PublishError as error:
        log.warning("DKIM key %s cannot be published: %s", key.record_name, error)
        return [Told(key, "publish-failed", str(error))]


async def _withdraw(key: SigningKey, publisher: DnsPublisher) -> list[Told]:
    if not publisher.serves(key):
        return []
    try:
        await publisher.withdraw(key)
    except PublishError as error:
        log.warning("DKIM key %s cannot be taken out of the DNS: %s", key.record_name, error)
        return [Told(key, "publish-failed", str(error))]
    return [Told(key, "withdrawn")]


async def _looked(keys: Sequence[SigningKey], resolver: RecordResolver) -> dict[str, Shown]:
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(key: SigningKey) -> tuple[str, Shown]:
        async with room:
            return key.asked_name, await look(key, resolver)

    # the record of a key that is over and seen to be gone may be anybody's
    asked = [key for key in keys if not (key.state == "retired" and key.gone)]
    return dict(await asyncio.gather(*map(one, asked)))


def _about(alert: Alert, followers: Mapping[str, SigningKey]) -> Alert:
    """A rotation is about the new key."""
    made = followers.get(alert.key.asked_name)
    return replace(alert, key=made) if alert.code == "rotation-due" and made else alert


def _times(signing: SigningSettings) -> Times:
    days = (signing.rotate_days, signing.overlap_days, signing.late_days)
    return Times(*(timedelta(days=number) for number in days))
