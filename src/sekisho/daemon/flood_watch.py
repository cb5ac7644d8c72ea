"""What a worker does about floods: it measures itself, shares its work out fairly, and bounds what is held."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from sekisho.accept.fairness import Fairness
from sekisho.accept.load import Measured
from sekisho.accept.usage import Usage
from sekisho.config.flood_settings import TenantFloodSettings
from sekisho.config.settings import TenantSettings
from sekisho.daemon.compose import Prepared
from sekisho.daemon.machine import allowed_octets, disk_octets, give_memory_back, process_octets
from sekisho.gateway import Checks
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.reply import Reply
from sekisho.record.metrics import Metrics
from sekisho.store.held_sizes import HeldSizes
from sekisho.wire.smtp_replies import HELD_FILLS

log = logging.getLogger(__name__)

_LAG_SECONDS = 0.25
_DISK_EVERY, _HELD_EVERY, _TRIM_EVERY = 4, 20, 40  # of those


class FloodWatch:
    """One for each worker, over all its configurations. A `Room` (`mail.ports`)."""

    def __init__(self, prepared: Prepared, usage: Usage, metrics: Metrics, workers: int) -> None:
        self._usage, self._metrics, self._workers = usage, metrics, workers
        self._state_dir: Path = prepared.configuration.state_dir
        self._sizes = HeldSizes(self._state_dir)
        self._held: Mapping[str, int] = {}
        self._held_since: Counter[str] = Counter()
        self._disk = (1, 0)
        self._evicted = 0
        self._trouble = ""
        self.fairness = Fairness(prepared.configuration.settings.flood, {})
        self.reload(prepared)

    def reload(self, prepared: Prepared) -> None:
        """Take a new configuration."""
        self._settings = prepared.configuration.settings.flood
        self._tenants = {name: flood_of(tenant) for name, tenant in prepared.tenants.items()}
        self._usage.update(self._settings)
        self.fairness.update(self._settings, {name: flood.share for name, flood in self._tenants.items()})

    def fair(self, checks: Checks) -> Checks:
        """The same checks, whose work is shared out fairly."""
        return replace(checks, turns=self.fairness)

    def refusal(self, tenant: str, octets: int) -> Reply | None:
        """452 where a tenant has as much on disk as it may; otherwise so many octets are counted as held."""
        most = self._tenants[tenant].held_bytes
        if most and self._held.get(tenant, 0) + self._held_since[tenant] + octets > most:
            self._metrics.held_refused(tenant)
            return HELD_FILLS
        self._held_since[tenant] += octets
        return None

    async def run(self) -> None:
        """Measure, until cancelled."""
        rounds = 0
        while True:
            due = time.monotonic() + _LAG_SECONDS
            await asyncio.sleep(_LAG_SECONDS)
            lag = max(0.0, time.monotonic() - due)
            try:
                await self._measure(lag, rounds)
            except Exception:
                log.exception("the machine could not be measured")
            rounds += 1

    async def _measure(self, lag: float, rounds: int) -> None:
        if rounds % _DISK_EVERY == 0:
            self._disk = await self._disk_seen()
        if rounds % _HELD_EVERY == 0:
            await self._look_at_held()
        allowed = (
            allowed_octets(self._settings.process_memory_bytes, self._workers) if rounds % _DISK_EVERY == 0 else 0
        )
        allowed = allowed or self._usage.load.seen.allowed
        self._usage.load.observe(Measured(lag, process_octets(), allowed, *self._disk))
        if self._usage.load.heavy and rounds % _TRIM_EVERY == 0:
            await asyncio.to_thread(give_memory_back)
        self._tell()

    async def _disk_seen(self) -> tuple[int, int]:
        try:
            return await asyncio.to_thread(disk_octets, self._state_dir)
        except OSError:
            return self._disk

    async def _look_at_held(self) -> None:
        before = Counter(self._held_since)
        try:
            self._held = await asyncio.to_thread(self._sizes.read)
        except StoreAwayError as error:
            log.warning("what is held cannot be measured: %s", error)
            return
        self._held_since.subtract(before)  # what was let in meanwhile may not have been there yet

    def _tell(self) -> None:
        trouble = self._usage.load.trouble()
        if trouble and not self._trouble:
            log.warning("%s", trouble)
        elif self._trouble and not trouble:
            log.warning("mail and connections are taken again as usual")
        self._trouble = trouble
        self._metrics.evicted(self._usage.crowd.evicted - self._evicted)
        self._evicted = self._usage.crowd.evicted
        self._metrics.load_seen(
            self._usage.load.lag,
            self._usage.load.seen.process,
            self.fairness.in_work.running,
            self.fairness.in_work.waiting,
        )

    def status(self) -> dict[str, object]:
        """For `sekisho status`."""
        load = self._usage.load
        return {
            "trouble": load.trouble(),
            "lag_seconds": round(load.lag, 3),
            "process_bytes": load.seen.process,
            "free_disk_bytes": load.seen.free,
            "in_work": self.fairness.in_work.running,
            "waiting": self.fairness.in_work.waiting,
            "evicted": self._usage.crowd.evicted,
        }


def flood_of(tenant: TenantSettings) -> TenantFloodSettings:
    """A tenant's settings about floods."""
    return tenant.flood or TenantFloodSettings()
