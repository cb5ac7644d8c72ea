"""The metrics about floods, as they are read."""

from prometheus_client.parser import text_string_to_metric_families

from sekisho.mail.reply import STORE_AWAY, Reply
from sekisho.record.metrics import Metrics
from sekisho.wire.smtp_replies import DISK_FILLS, MAIL_TOO_BUSY, OUT_OF_MEMORY


def test_what_is_put_off_and_why():
    metrics = Metrics.open()
    for reply in (OUT_OF_MEMORY, DISK_FILLS, MAIL_TOO_BUSY, STORE_AWAY, STORE_AWAY, Reply(421, "3.2", "x")):
        metrics.mail_put_off("relay", reply)
    families = {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}
    samples = families["sekisho_mail_put_off"].samples
    counts = {sample.labels["why"]: sample.value for sample in samples if sample.name.endswith("_total")}
    assert counts == {"memory": 1, "disk": 1, "lag": 1, "store": 2, "other": 1}


def test_how_a_process_is():
    metrics = Metrics.open()
    metrics.load_seen(0.5, 1000, 2, 3)
    metrics.evicted(4)
    families = {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}
    gauges = ("loop_lag_seconds", "process_memory_bytes", "messages_in_work", "messages_waiting")
    assert [families[f"sekisho_{name}"].samples[0].value for name in gauges] == [0.5, 1000, 2, 3]
    evicted = families["sekisho_connections_evicted"].samples
    assert next(sample.value for sample in evicted if sample.name.endswith("_total")) == 4
