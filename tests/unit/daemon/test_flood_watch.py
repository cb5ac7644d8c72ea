"""The worker's watch: what a tenant may hold, what it measures, and a reload."""

import asyncio
import contextlib

import pytest

from sekisho.accept.usage import Usage
from sekisho.daemon.compose import prepared_from
from sekisho.daemon.flood_watch import FloodWatch
from sekisho.record.metrics import Metrics


@pytest.fixture(name="watch_of")
def _watch_of(tmp_path):
    def watch_of(text):
        file = tmp_path / "sekisho.toml"
        file.write_text(text)
        prepared, problems = prepared_from(file)
        assert not problems
        prepared.configuration.state_dir.mkdir(exist_ok=True)
        usage = Usage()
        return FloodWatch(prepared, usage, Metrics.open(), 2), usage

    return watch_of


def test_a_tenant_holds_what_it_may(watch_of):
    watch, _ = watch_of("[tenant.default.flood]\nheld_bytes = 1000\n[tenant.other]\n")
    assert watch.refusal("default", 600) is None
    refusal = watch.refusal("default", 401)
    assert (refusal.code, refusal.enhanced) == (452, "4.3.1")
    assert watch.refusal("default", 400) is None
    assert watch.refusal("other", 5_000) is None
    assert b"sekisho_held_refused_total" in watch._metrics.render()


def test_it_measures(watch_of):
    watch, usage = watch_of("[flood]\nlag_seconds = 1e-12\n")

    async def test():
        running = asyncio.ensure_future(watch.run())
        while not usage.load.seen.process:
            await asyncio.sleep(0.01)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    asyncio.run(test())
    status = watch.status()
    assert status["free_disk_bytes"] > 1
    assert "late" in status["trouble"]
    assert usage.settings.lag_seconds == 1e-12
