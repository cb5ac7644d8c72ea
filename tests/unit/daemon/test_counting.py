"""From settings to limits and guard that work, over the real store."""

import asyncio

import pytest
from support.sent import sent, strangers

from sekisho.accounts.limits.windows import SendingWindows
from sekisho.config.load import load
from sekisho.config.tenants import inherited
from sekisho.daemon.counting import counters_of, guard_of, limits_of, names_of
from sekisho.mail.account import LoginAttempt, LoginFailure
from sekisho.mail.envelope import Session
from sekisho.record.metrics import Metrics
from sekisho.store.sqlite import SqliteStore

TEXT = """
[gateway]
state_dir = "var"
[auth_guard]
free_failures = 1
address_failures = 3
[tenant.default]
[tenant.acme]
domains = ["acme.example"]
[[tenant.acme.limit]]
name = "recipients-hour"
to = "external"
defer = 5
"""


@pytest.fixture
def configuration(tmp_path):
    file = tmp_path / "sekisho.toml"
    file.write_text(TEXT)
    found, problems = load(file)
    assert problems == []
    return found


def test_it_counts_and_tells(configuration):
    metrics = Metrics.open()

    async def body(store):
        counters = counters_of(configuration)
        names = names_of(configuration, store.keys)
        tenants = {"acme": inherited(configuration.settings, "acme")}
        limits = limits_of(tenants, counters, names, SendingWindows(store.windows), metrics)
        assert await limits.look_up(sent(strangers(5))) == ()
        (finding,) = await limits.look_up(sent(strangers(1)))
        assert finding.rule == "flood/rate-defer"
        guard = guard_of(configuration, counters, names, metrics)
        attempt = LoginAttempt(Session("s", "192.0.2.1"), "PLAIN", "hana")
        for number in range(4):
            refused = await guard.before(attempt)
            if refused is None:
                await guard.after(attempt, LoginFailure("denied"), f"guess{number}")
        assert refused.kind == "throttled"
        assert counters.trouble() == ""
        await counters.close()

    with SqliteStore.open(configuration.state_dir) as store:
        asyncio.run(body(store))
    text = metrics.render().decode()
    assert 'sekisho_limit_steps_total{step="defer",tenant="acme"} 1.0' in text
    assert 'sekisho_auth_guard_events_total{event="auth-address"} 1.0' in text


def test_names_are_the_same_on_every_machine_of_a_cluster(configuration, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x" * 40)
    (tmp_path / "sekisho.toml").write_text('[cluster]\nkey_file = "secret"\nvalkey = "redis://127.0.0.1:1/0"\n')
    clustered, _ = load(tmp_path / "sekisho.toml")
    with SqliteStore.open(tmp_path / "one") as one, SqliteStore.open(tmp_path / "two") as two:
        assert names_of(clustered, one.keys).key("a") == names_of(clustered, two.keys).key("a")
        assert names_of(configuration, one.keys).key("a") != names_of(configuration, two.keys).key("a")
