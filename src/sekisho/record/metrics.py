"""Prometheus metrics, shared by all processes through files in one directory.

Labels take names from the configuration and words from the code, never addresses or domains; what would be too many
is counted as "other". `docs/reference/metrics.md` lists everything here; a test compares.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from sekisho.mail.kept import KeptKind
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord
from sekisho.mail.verdict import strictest
from sekisho.record.definition import Definition
from sekisho.record.flood_metrics import FLOOD_DEFINITIONS, PUT_OFF
from sekisho.record.metric_files import allocate, use_files
from sekisho.store.search import KeptCount

FAMILIES = frozenset(
    [
        "account",
        "attachment",
        "auth",
        "bec",
        "dlp",
        "flood",
        "inspection.failed",
        "link",
        "malware",
        "message",
        "misdirected",
        "phishing",
        "spam",
    ]
)
_STEPS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
_RELAY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0)


DEFINITIONS = (
    Definition(
        "sekisho_messages_total",
        "counter",
        ("tenant", "disposition"),
        "Messages answered, by the strictest disposition over their recipients; none: refused before a verdict.",
        most=2000,
    ),
    Definition("sekisho_findings_total", "counter", ("family",), "Findings, by the first part of their rule id."),
    Definition(
        "sekisho_step_seconds", "histogram", ("step",), "Time in each step of a message's path.", buckets=_STEPS
    ),
    Definition("sekisho_connections", "gauge", ("listener",), "Connections open now."),
    Definition(
        "sekisho_connections_refused_total",
        "counter",
        ("listener", "why"),
        "Connections sent away: connections, connections_per_ip,"
        " network_share, new_connections, lag, networks or proxy.",
    ),
    Definition(
        "sekisho_tls_handshakes_total", "counter", ("listener", "version"), "TLS handshakes; failed ones as failed."
    ),
    Definition(
        "sekisho_timeouts_total", "counter", ("listener", "phase"), "Clients that were too slow, by what was awaited."
    ),
    Definition(
        "sekisho_logins_total",
        "counter",
        ("listener", "mechanism", "result"),
        "Logins that the accounts judged: passed, denied, throttled, locked, change-password or away.",
    ),
    Definition("sekisho_received_bytes_total", "counter", ("listener",), "Octets of messages that got a reply."),
    Definition(
        "sekisho_message_seconds",
        "histogram",
        ("listener",),
        "Time from a message's last octet to its reply.",
        buckets=_STEPS,
        most=50,
    ),
    Definition("sekisho_smtp_replies_total", "counter", ("class",), "Replies to whole messages: 2xx, 4xx, 5xx."),
    Definition(
        "sekisho_relay_seconds",
        "histogram",
        ("next_hop",),
        "Time to hand one message to a next hop.",
        buckets=_RELAY,
        most=50,
    ),
    Definition(
        "sekisho_relay_recipients_total",
        "counter",
        ("next_hop", "result"),
        "Recipients handed to a next hop: taken, deferred (4xx) or refused (5xx).",
    ),
    Definition(
        "sekisho_kept_messages", "gauge", ("kind",), "Messages that wait in our keeping.", gauge_mode="livemostrecent"
    ),
    Definition(
        "sekisho_kept_oldest_seconds",
        "gauge",
        ("kind",),
        "Age of the oldest message that waits in our keeping.",
        gauge_mode="livemostrecent",
    ),
    Definition(
        "sekisho_store_trouble",
        "gauge",
        (),
        "1 while a process cannot make anything durable and answers 451.",
        gauge_mode="livemax",
    ),
    Definition(
        "sekisho_account_locks_total",
        "counter",
        ("tenant", "step"),
        "Accounts locked and unlocked, by step: locked, unlock-requested or unlocked.",
    ),
    Definition(
        "sekisho_limit_steps_total",
        "counter",
        ("tenant", "step"),
        "Messages that reached a step of a sending limit: soft, defer or lock, early or window.",
        most=1000,
    ),
    Definition(
        "sekisho_auth_guard_events_total",
        "counter",
        ("event",),
        "Guessing of passwords that administrators were told of.",
    ),
    Definition(
        "sekisho_counters_trouble",
        "gauge",
        (),
        "1 while limits and guard of a process count for it alone.",
        gauge_mode="livemax",
    ),
    Definition(
        "sekisho_dkim_key_events_total",
        "counter",
        ("tenant", "event"),
        "What became of DKIM keys in the store: made, published, active, retiring, retired, withdrawn, or an alert.",
        most=1000,
    ),
    Definition("sekisho_store_failures_total", "counter", (), "Audit records that the store did not take."),
    Definition("sekisho_journal_failures_total", "counter", (), "Lines that the JSON log lost."),
    Definition(
        "sekisho_inspection_failures_total", "counter", ("inspector",), "Checks that could not be made.", most=100
    ),
    Definition(
        "sekisho_opening_seconds",
        "histogram",
        (),
        "Time to open a message's attachments, waiting for a free process included.",
        buckets=_STEPS,
    ),
    Definition(
        "sekisho_opening_failures_total",
        "counter",
        ("reason",),
        "Processes that gave no answer about attachments: memory, cpu, time, answer-size, died or unavailable.",
    ),
    Definition("sekisho_reloads_total", "counter", ("result",), "Reloads of the configuration: done or failed."),
    Definition("sekisho_worker_restarts_total", "counter", (), "Worker processes that ended and were replaced."),
    *FLOOD_DEFINITIONS,
)


class Metrics:
    """The metrics of one process. Make it with `open`, after the process was forked."""

    def __init__(self, directory: Path | None, registry: Any, families: dict[str, _Family]) -> None:
        self._directory = directory
        self._registry = registry
        self._of = families
        self._trouble: bool | None = None

    @classmethod
    def open(cls, directory: Path | None = None) -> Metrics:
        """Metrics over all processes that share `directory`, or of this process alone.

        Where the directory takes no files (a full disk), this process counts for itself alone.
        """
        if directory is not None and not allocate(directory):
            directory = None
        client = use_files(directory)
        registry = client.CollectorRegistry()
        families = {d.name: _Family(d, _make(client, d, registry)) for d in DEFINITIONS}
        return cls(directory, registry, families)

    def recorded(self, audit: AuditRecord) -> None:
        """Count a message: its disposition, findings and steps."""
        word = strictest(audit.verdicts).disposition.word if audit.verdicts else "none"
        self._of["sekisho_messages_total"].of(audit.transaction.session.tenant, word).inc()
        steps = self._of["sekisho_step_seconds"]
        for step, value in audit.timings_ms.items():
            steps.of(step).observe(value / 1000)
        for finding in audit.findings:
            self._found(finding.rule)

    def _found(self, rule: str) -> None:
        family, _, what = rule.partition("/")
        self._of["sekisho_findings_total"].of(family if family in FAMILIES else "other").inc()
        if family == "inspection.failed":
            self._of["sekisho_inspection_failures_total"].of(what).inc()

    def connection_opened(self, listener: str) -> None:
        """A client was let in."""
        self._of["sekisho_connections"].of(listener).inc()

    def connection_closed(self, listener: str) -> None:
        """A client that was let in is gone."""
        self._of["sekisho_connections"].of(listener).dec()

    def connection_refused(self, listener: str, why: str) -> None:
        """A client was sent away."""
        self._of["sekisho_connections_refused_total"].of(listener, why).inc()

    def evicted(self, clients: int) -> None:
        """Idle clients made room."""
        self._of["sekisho_connections_evicted_total"].of().inc(clients)

    def mail_put_off(self, listener: str, reply: Reply) -> None:
        """A message was not begun."""
        self._of["sekisho_mail_put_off_total"].of(listener, PUT_OFF.get(reply, "other")).inc()

    def held_refused(self, tenant: str) -> None:
        """A message was not held."""
        self._of["sekisho_held_refused_total"].of(tenant).inc()

    def load_seen(self, lag: float, process: int, in_work: int, waiting: int) -> None:
        """How this process is."""
        gauges = ("loop_lag_seconds", "process_memory_bytes", "messages_in_work", "messages_waiting")
        for name, value in zip(gauges, (lag, process, in_work, waiting), strict=True):
            self._of[f"sekisho_{name}"].of().set(value)

    def tls_established(self, listener: str, version: str) -> None:
        """A handshake is done."""
        self._of["sekisho_tls_handshakes_total"].of(listener, version).inc()

    def tls_failed(self, listener: str) -> None:
        """A handshake failed."""
        self._of["sekisho_tls_handshakes_total"].of(listener, "failed").inc()

    def timed_out(self, listener: str, phase: str) -> None:
        """A client was too slow."""
        self._of["sekisho_timeouts_total"].of(listener, phase).inc()

    def login_answered(self, listener: str, mechanism: str, result: str) -> None:
        """The accounts said whether a client may log in."""
        self._of["sekisho_logins_total"].of(listener, mechanism, result).inc()

    def message_answered(self, listener: str, octets: int, reply: Reply, seconds: float) -> None:
        """A whole message got its reply."""
        self._of["sekisho_received_bytes_total"].of(listener).inc(octets)
        self._of["sekisho_message_seconds"].of(listener).observe(seconds)
        self._of["sekisho_smtp_replies_total"].of(f"{reply.code // 100}xx").inc()

    def relayed(self, next_hop: str, seconds: float, replies: Iterable[Reply]) -> None:
        """A message was handed to a next hop, or was not; one reply for each recipient."""
        self._of["sekisho_relay_seconds"].of(next_hop).observe(seconds)
        results = self._of["sekisho_relay_recipients_total"]
        for reply in replies:
            result = "taken" if reply.positive else "deferred" if reply.transient else "refused"
            results.of(next_hop, result).inc()

    def opened(self, seconds: float, failure: str = "") -> None:
        """Attachments were opened in a confined process, or it gave no answer."""
        self._of["sekisho_opening_seconds"].of().observe(seconds)
        if failure:
            self._of["sekisho_opening_failures_total"].of(failure).inc()

    def kept(self, counts: Iterable[KeptCount]) -> None:
        """How many messages of each kind wait, and how long the oldest has; for one process to call."""
        now = time.time()
        number, age = dict.fromkeys(get_args(KeptKind), 0), dict.fromkeys(get_args(KeptKind), 0.0)
        for count in counts:
            number[count.kind] = number.get(count.kind, 0) + count.count
            age[count.kind] = max(age.get(count.kind, 0.0), now - count.oldest_at / 1_000_000)
        for kind, messages in number.items():
            self._of["sekisho_kept_messages"].of(kind).set(messages)
            self._of["sekisho_kept_oldest_seconds"].of(kind).set(age[kind])

    def store_trouble(self, trouble: str) -> None:
        """What `Store.trouble` says."""
        if self._trouble != bool(trouble):
            self._trouble = bool(trouble)
            self._of["sekisho_store_trouble"].of().set(int(self._trouble))

    def store_failed(self) -> None:
        """An audit record was not taken."""
        self._of["sekisho_store_failures_total"].of().inc()

    def journal_failed(self) -> None:
        """A line of the log was lost."""
        self._of["sekisho_journal_failures_total"].of().inc()

    def reloaded(self, *, done: bool) -> None:
        """The configuration was read again."""
        self._of["sekisho_reloads_total"].of("done" if done else "failed").inc()

    def account_lock(self, tenant: str, step: str) -> None:
        """An account was locked or unlocked, or that was asked for; for one process to call."""
        self._of["sekisho_account_locks_total"].of(tenant, step).inc()

    def limit_stepped(self, tenant: str, step: str) -> None:
        """A message reached a step of a sending limit."""
        self._of["sekisho_limit_steps_total"].of(tenant, step).inc()

    def dkim_key_event(self, tenant: str, event: str) -> None:
        """A DKIM key went on in its life, or people were told of it; for one process to call."""
        self._of["sekisho_dkim_key_events_total"].of(tenant, event).inc()

    def guard_event(self, event: str) -> None:
        """The guard told of guessing."""
        self._of["sekisho_auth_guard_events_total"].of(event).inc()

    def counters_trouble(self, trouble: str) -> None:
        """What `Counters.trouble` says."""
        self._of["sekisho_counters_trouble"].of().set(int(bool(trouble)))

    def worker_restarted(self) -> None:
        """A worker was replaced."""
        self._of["sekisho_worker_restarts_total"].of().inc()

    def render(self) -> bytes:
        """Everything in Prometheus' text format, over all processes. Raises OSError, ValueError."""
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - see `use_files`
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        if self._directory is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self._directory))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class _Family:
    """One metric with the children of its label values, bound once."""

    def __init__(self, definition: Definition, metric: Any) -> None:
        self._metric = metric
        self._most = definition.most
        self._count = len(definition.labels)
        self._bound: dict[tuple[str, ...], Any] = {} if definition.labels else {(): metric}

    def of(self, *values: str) -> Any:
        """The child for these label values, or the one for "other" when there are too many."""
        child = self._bound.get(values)
        if child is None:
            if len(self._bound) >= self._most:
                values = ("other",) * self._count
            child = self._bound[values] = self._metric.labels(*values)
        return child


def _make(client: Any, definition: Definition, registry: Any) -> Any:
    name, labels = definition.name, definition.labels
    if definition.kind == "counter":
        return client.Counter(name, definition.help, labels, registry=registry)
    if definition.kind == "gauge":
        mode = definition.gauge_mode
        return client.Gauge(name, definition.help, labels, registry=registry, multiprocess_mode=mode)
    return client.Histogram(name, definition.help, labels, registry=registry, buckets=definition.buckets)


def names() -> tuple[str, ...]:
    """The name of every metric, as `docs/reference/metrics.md` lists them."""
    return tuple(definition.name for definition in DEFINITIONS)
