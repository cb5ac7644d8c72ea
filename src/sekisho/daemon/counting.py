"""Limits and the guard of logins, put together for a process; their counters outlive reloads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sekisho.accounts.guard import Guard, GuardEvent, log_event
from sekisho.accounts.limits.lookup import Limits
from sekisho.accounts.limits.windows import SendingWindows
from sekisho.accounts.naming import Names
from sekisho.config.limit_checks import cluster_secret
from sekisho.config.load import Configuration
from sekisho.config.settings import TenantSettings
from sekisho.mail.ports import Counters
from sekisho.record.metrics import Metrics
from sekisho.store.counters import SqliteCounters
from sekisho.store.counters_steady import SteadyCounters
from sekisho.store.counters_valkey import ValkeyCounters
from sekisho.store.keys import Keys


def counters_of(configuration: Configuration) -> SteadyCounters:
    """The counters of this process, made after the fork. Raises StoreAwayError where Valkey's client is missing."""
    url = configuration.settings.cluster.valkey
    shared: Counters = ValkeyCounters(url) if url else SqliteCounters(configuration.state_dir)
    return SteadyCounters(shared)


def names_of(configuration: Configuration, keys: Keys) -> Names:
    """The names of what is counted: by the cluster's secret, or by the key file. Raises OSError, ValueError."""
    file = configuration.settings.cluster.key_file
    secret = cluster_secret(configuration.path(file)) if file else keys.derived("counters")
    return Names(hashlib.sha256(secret).digest())


def limits_of(
    tenants: Mapping[str, TenantSettings],
    counters: Counters,
    names: Names,
    windows: SendingWindows | None = None,
    metrics: Metrics | None = None,
) -> Limits:
    """The look-up that counts mail as it comes in. `tenants` are those with what they inherit."""
    limits = {name: tenant.limit for name, tenant in tenants.items()}
    if metrics is None:
        return Limits(counters, limits, names, windows)
    return Limits(counters, limits, names, windows, stepped=metrics.limit_stepped)


def guard_of(configuration: Configuration, counters: Counters, names: Names, metrics: Metrics | None = None) -> Guard:
    """The guard of logins; its events go to the log and are counted."""

    def observe(event: GuardEvent) -> None:
        log_event(event)
        if metrics is not None:
            metrics.guard_event(event.kind)

    return Guard(counters, configuration.settings.auth_guard, names, observe=observe)
