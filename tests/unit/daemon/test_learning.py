"""Layers are taken up where decisions change, and only then; without a model or decisions nothing is."""

import asyncio
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from support.taught import MODEL, WEIGHTS, decision, features, garden

from sekisho.config.load import load
from sekisho.config.settings import LearningSettings
from sekisho.daemon import compose, learning
from sekisho.daemon.learning import TenantLayers
from sekisho.learn.model import to_bytes
from sekisho.mail.kept import StoreAwayError
from sekisho.store.sqlite import SqliteStore

READ = features(garden(100)).indices
SETTINGS = {"default": LearningSettings(), "beta": LearningSettings(enabled=False)}


@pytest.fixture
def store(tmp_path):
    with SqliteStore.open(tmp_path / "var") as opened:
        yield opened


@pytest.fixture
def model_file(tmp_path, monkeypatch):
    """The test's model in place of the one that comes with Sekisho."""
    (tmp_path / "content.model").write_bytes(to_bytes(WEIGHTS))
    monkeypatch.setattr(learning, "_MODEL", str(tmp_path / "content.model"))
    learning.shipped_model.cache_clear()
    yield
    learning.shipped_model.cache_clear()


def teach(store, number=12, **more):
    now = datetime.now(UTC)
    for n in range(number):
        made = decision(f"{more.get('tenant', '')}{n}", garden(n), reviewer=("ann", "bob")[n % 2], at=now)
        asyncio.run(store.decisions.add(replace(made, **more)))


def test_what_is_decided_is_in_force_after_a_refresh_and_a_reset_brings_back_the_old_scores(store):
    layers = TenantLayers(MODEL, SETTINGS, store.decisions)
    asyncio.run(layers.refresh())
    assert layers.shift_for("default")(READ, 1.0) == 0.0
    teach(store)
    assert layers.shift_for("default")(READ, 1.0) == 0.0  # not yet looked at
    asyncio.run(layers.refresh())
    taught = layers.shift_for("default")(READ, 1.0)
    assert taught < -0.5
    assert layers.status() == [{"tenant": "default", "decisions": 12}]
    asyncio.run(store.decisions.set_aside("default", datetime.now(UTC)))
    asyncio.run(layers.refresh())
    assert layers.shift_for("default")(READ, 1.0) == 0.0
    assert layers.status() == []
    asyncio.run(store.decisions.restore("default"))
    asyncio.run(layers.refresh())
    assert layers.shift_for("default")(READ, 1.0) == pytest.approx(taught, abs=1e-4)  # they are older by moments


def test_nothing_is_learned_anew_where_nothing_was_decided(store):
    teach(store)
    layers = TenantLayers(MODEL, SETTINGS, store.decisions)
    asyncio.run(layers.refresh())
    before = layers.shift_for("default").__self__
    asyncio.run(layers.refresh())
    assert layers.shift_for("default").__self__ is before
    asyncio.run(store.decisions.forget("default", "3"))
    asyncio.run(layers.refresh())
    assert layers.shift_for("default").__self__ is not before


def test_other_tenants_have_nothing_of_it(store):
    teach(store)
    teach(store, tenant="beta")
    teach(store, tenant="gone")
    layers = TenantLayers(MODEL, SETTINGS, store.decisions)
    asyncio.run(layers.refresh())
    assert layers.shift_for("default")(READ, 1.0) < 0
    assert [layers.shift_for(name)(READ, 1.0) for name in ("beta", "gone", "never")] == [0.0, 0.0, 0.0]


def test_a_layer_that_is_not_in_effect_any_more_goes(store):
    teach(store)
    layers = TenantLayers(MODEL, SETTINGS, store.decisions)
    asyncio.run(layers.refresh())
    for n in range(8):
        asyncio.run(store.decisions.forget("default", str(n)))
    asyncio.run(layers.refresh())
    assert layers.shift_for("default")(READ, 1.0) == 0.0


def test_without_model_or_memory_nothing_is_in_force(store):
    teach(store)
    for layers in (TenantLayers(None, SETTINGS, store.decisions), TenantLayers(MODEL, SETTINGS, None)):
        asyncio.run(layers.refresh())
        assert layers.shift_for("default")(READ, 1.0) == 0.0


def test_where_the_store_is_away_the_old_stays(store):
    teach(store)
    layers = TenantLayers(MODEL, SETTINGS, store.decisions)
    asyncio.run(layers.refresh())
    before = layers.shift_for("default")(READ, 1.0)

    class Away:
        async def stamps(self):
            raise StoreAwayError("away")

    layers._memory = Away()
    asyncio.run(layers.refresh())
    assert layers.shift_for("default")(READ, 1.0) == before != 0.0


@pytest.mark.usefixtures("model_file")
def test_the_gateway_takes_up_what_is_decided_while_it_runs(store, tmp_path):
    (tmp_path / "sekisho.toml").write_text("")
    prepared, problems = compose.prepared_from(tmp_path / "sekisho.toml")
    assert problems == []
    checking = compose.checking(prepared, b"k" * 32, store)

    async def story():
        await checking.refresh()
        before = checking.layers.shift_for("default")(READ, 1.0)
        await asyncio.to_thread(teach, store)
        await checking.refresh()
        await checking.close()
        return before, checking.layers.shift_for("default")(READ, 1.0)

    before, after = asyncio.run(story())
    assert before == 0.0 > after
    assert checking.status()["learning"] == [{"tenant": "default", "decisions": 12}]


@pytest.mark.usefixtures("model_file")
def test_a_command_without_a_store_judges_as_the_models_came(tmp_path):
    (tmp_path / "sekisho.toml").write_text("")
    configuration, _ = load(tmp_path / "sekisho.toml")
    checking, problems = compose.checking_of(configuration)
    assert problems == []
    asyncio.run(checking.layers.refresh())
    assert checking.layers.shift_for("default")(READ, 1.0) == 0.0
