import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sekisho.accept.metrics import AcceptMetrics
from sekisho.mail.kept import KeptKind
from sekisho.mail.reply import Reply
from sekisho.record.metrics import DEFINITIONS, Metrics, names
from sekisho.store.search import KeptCount
from sekisho.wire.smtp_replies import OUT_OF_MEMORY


def values(rendered):
    """{(sample name, label values by label name): value}, read by prometheus-client's own parser."""
    families = text_string_to_metric_families(rendered.decode())
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture(name="metrics")
def _metrics():
    return Metrics.open()


def use_all(metrics, audit):
    metrics.recorded(audit)
    metrics.connection_opened("relay")
    metrics.connection_opened("relay")
    metrics.connection_closed("relay")
    metrics.connection_refused("relay", "networks")
    metrics.tls_established("relay", "TLSv1.3")
    metrics.tls_failed("relay")
    metrics.evicted(3)
    metrics.mail_put_off("relay", OUT_OF_MEMORY)
    metrics.mail_put_off("relay", Reply(421, "3.2", "x"))
    metrics.held_refused("default")
    metrics.load_seen(0.5, 1000, 2, 3)
    metrics.timed_out("relay", "data")
    metrics.message_answered("relay", 1000, Reply(250, "0.0", "OK"), 0.003)
    metrics.relayed("mx:25", 0.02, (Reply(250, None, ""), Reply(451, None, ""), Reply(550, None, "")))
    metrics.kept([KeptCount("a", "retry", "releasing", 2, 0), KeptCount("b", "retry", "rejecting", 3, 0)])
    metrics.store_trouble("locked")
    metrics.store_failed()
    metrics.journal_failed()
    metrics.reloaded(done=True)
    metrics.worker_restarted()


def test_everything_is_counted(metrics, make_audit):
    use_all(metrics, make_audit(rules=("dlp/x", "dlp/y", "inspection.failed/antivirus", "strange/z")))
    found = values(metrics.render())
    assert {
        ("sekisho_messages_total", "hold", "default"): 1.0,
        ("sekisho_findings_total", "dlp"): 2.0,
        ("sekisho_findings_total", "inspection.failed"): 1.0,
        ("sekisho_findings_total", "other"): 1.0,
        ("sekisho_inspection_failures_total", "antivirus"): 1.0,
        ("sekisho_step_seconds_count", "parse"): 1.0,
        ("sekisho_step_seconds_sum", "parse"): 0.00025,
        ("sekisho_connections", "relay"): 1.0,
        ("sekisho_connections_refused_total", "relay", "networks"): 1.0,
        ("sekisho_tls_handshakes_total", "relay", "TLSv1.3"): 1.0,
        ("sekisho_tls_handshakes_total", "relay", "failed"): 1.0,
        ("sekisho_timeouts_total", "relay", "data"): 1.0,
        ("sekisho_received_bytes_total", "relay"): 1000.0,
        ("sekisho_message_seconds_bucket", "0.005", "relay"): 1.0,
        ("sekisho_message_seconds_bucket", "0.002", "relay"): 0.0,
        ("sekisho_smtp_replies_total", "2xx"): 1.0,
        ("sekisho_relay_seconds_count", "mx:25"): 1.0,
        ("sekisho_relay_recipients_total", "mx:25", "taken"): 1.0,
        ("sekisho_relay_recipients_total", "mx:25", "deferred"): 1.0,
        ("sekisho_relay_recipients_total", "mx:25", "refused"): 1.0,
        ("sekisho_kept_messages", "retry"): 5.0,
        ("sekisho_kept_messages", "quarantine"): 0.0,
        ("sekisho_store_trouble",): 1.0,
        ("sekisho_store_failures_total",): 1.0,
        ("sekisho_journal_failures_total",): 1.0,
        ("sekisho_reloads_total", "done"): 1.0,
        ("sekisho_worker_restarts_total",): 1.0,
    }.items() <= found.items()
    assert found["sekisho_kept_oldest_seconds", "retry"] > 1e9


def test_names_are_those_that_are_served(metrics, make_audit):
    use_all(metrics, make_audit(rules=("inspection.failed/x",)))
    families = {family.name for family in text_string_to_metric_families(metrics.render().decode())}
    assert families == {name.removesuffix("_total") for name in names()}


def test_naming_follows_prometheus():
    for definition in DEFINITIONS:
        assert definition.name.endswith("_total") == (definition.kind == "counter"), definition.name
        assert bool(definition.buckets) == (definition.kind == "histogram"), definition.name


def test_is_what_listeners_count_with(metrics):
    def takes(port: AcceptMetrics) -> AcceptMetrics:
        return port

    assert takes(metrics)
    for name in (name for name in vars(AcceptMetrics) if not name.startswith("_")):
        assert callable(getattr(metrics, name))


def test_trouble_ends(metrics):
    metrics.store_trouble("locked")
    metrics.store_trouble("")
    assert values(metrics.render())[("sekisho_store_trouble",)] == 0.0


def test_kinds_without_messages_are_zero(metrics):
    metrics.kept([KeptCount("a", "retry", "releasing", 2, 0)])
    metrics.kept([])
    found = values(metrics.render())
    assert {found["sekisho_kept_messages", kind] for kind in KeptKind.__args__} == {0.0}


def test_the_number_of_label_values_is_bounded(metrics):
    for number in range(1000):
        metrics.relayed(f"host-{number}:25", 0.1, ())
    found = values(metrics.render())
    assert len([key for key in found if key[0] == "sekisho_relay_seconds_count"]) == 51
    assert found["sekisho_relay_seconds_count", "other"] == 950.0


_WORKER = """
import sys
from pathlib import Path
import prometheus_client  # imported by somebody else before us: must not matter
from sekisho.mail.reply import Reply
from sekisho.record.metrics import Metrics
metrics = Metrics.open(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    metrics.connection_opened("relay")
    metrics.message_answered("relay", 10, Reply(250, "0.0", "OK"), 0.003)
metrics.store_trouble(sys.argv[3])
print("done", flush=True)
sys.stdin.read()
"""


def test_processes_are_added_up(tmp_path):
    commands = [[sys.executable, "-c", _WORKER, str(tmp_path), *more] for more in (("2", ""), ("3", "full"))]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for command in commands]
    for worker in workers:
        assert worker.stdout.readline() == "done\n"
    script = f"""
from pathlib import Path
from sekisho.record.metric_files import mark_dead
from sekisho.record.metrics import Metrics
metrics = Metrics.open(Path({str(tmp_path)!r}))
for pid in ("", {workers[0].pid}, {workers[1].pid}):
    if pid:
        mark_dead(Path({str(tmp_path)!r}), pid)
    print(metrics.render().decode(), end="\\0")
"""
    rendered = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout.split(b"\0")
    for worker in workers:
        worker.communicate("")
    counters = {
        ("sekisho_smtp_replies_total", "2xx"): 5.0,
        ("sekisho_received_bytes_total", "relay"): 50.0,
        ("sekisho_message_seconds_count", "relay"): 5.0,
        ("sekisho_message_seconds_bucket", "0.005", "relay"): 5.0,
        ("sekisho_message_seconds_bucket", "+Inf", "relay"): 5.0,
    }
    for text, connections, trouble in zip(rendered, (5.0, 3.0, None), (1.0, 1.0, 0.0), strict=False):
        found = values(text)
        assert counters.items() <= found.items()
        assert found.get(("sekisho_connections", "relay")) == connections
        assert found.get(("sekisho_store_trouble",), 0.0) == trouble
